#!/usr/bin/env python3
"""Ansible's dynamic inventory, read from the town: ``ansible-inventory -i ansible/inventory.py --list``.

The town's folder is ``$PARVIS_TOWN``, else the demo town. Exit code 1 with every fault on a broken town.
Each host brings the files generated for it (``parvis plan`` shows them), so that roles only put them in place.
Format: docs.ansible.com, "Developing dynamic inventory" (--list with _meta.hostvars, --host NAME).
"""

import argparse
import json
import os
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

from parvis import instruments, outputs, processes
from parvis.inventory import DEMO_TOWN, InventoryError, Town, load
from upkeep import delivered, hardening, least_data, places, ports, units

IGNORED = {".git"}
PLACED = {"settings": places.CONFIGURATION, "units": places.UNITS, "networks": Path("/etc/systemd/network")}
"""Folder of generated files -> where they are on the machine."""


def inventory(town: Town, folder: Path) -> dict[str, Any]:
    """Groups ``gateways``, ``centres`` and one a site; each machine is reached at its management address."""
    made = outputs.generate(town)
    gateways = {site.gateway.name: site for site in town.sites}
    hostvars: dict[str, dict[str, Any]] = {
        name: {
            **_machine(town, str(site.gateway.address), "gateway", f"gateway/{name}/", made),
            "parvis_site": site.site,
            "parvis_town_own": _encoded(least_data.own(folder, site.site)),
            "parvis_portal_host": town.policy(site).host,
            "parvis_guest_interface": site.gateway.guest_interface,
            "parvis_management_interface": site.gateway.management_interface,
            "parvis_uplink_interface": site.gateway.uplink_interface,
        }
        for name, site in gateways.items()
    }
    hostvars["centre"] = _machine(town, str(town.centre.address), "centre", "centre/", made)
    groups = {f"site_{site.site.replace('-', '_')}": {"hosts": [name]} for name, site in gateways.items()}
    return {
        "_meta": {"hostvars": hostvars},
        "all": {"vars": _everywhere(town)},
        "gateways": {"hosts": sorted(gateways), "vars": {"parvis_town_files": _encoded(least_data.shared(folder))}},
        "centres": {"hosts": ["centre"], "vars": {"parvis_town_files": _encoded(_whole(folder))}},
        **groups,
    }


def _plain(text: str) -> dict[str, str]:
    """Text that Ansible does not read as a template."""
    return {"__ansible_unsafe": text}


def _machine(town: Town, address: str, place: str, folder: str, made: dict[str, str]) -> dict[str, Any]:
    own = {name.removeprefix(folder): text for name, text in made.items() if name.startswith(folder)}
    own["hardening/sysctl.conf"] = hardening.sysctl_text()
    own["hardening/sshd.conf"] = hardening.ssh_text(address)
    return {
        "ansible_host": address,
        "parvis_town": town.town,
        "parvis_place": place,
        "parvis_address": address,
        "parvis_files": {name: _plain(text) for name, text in own.items()},
        "parvis_placed": {
            kind: {
                str(folder / name.removeprefix(f"{kind}/")): _plain(text)
                for name, text in own.items()
                if name.startswith(f"{kind}/")
            }
            for kind, folder in PLACED.items()
        },
        "parvis_packages": delivered.packages(place, town),
        "parvis_state_folders": [
            {"paths": [str(places.STATE / one.name)], "owner": one.user, "group": one.user, "mode": "0700"}
            for one in delivered.users(town, place)
        ],
        "parvis_processes": [
            {
                "name": one.name,
                "user": one.user,
                "secrets": delivered.secrets(town, one),
                "optional": delivered.OPTIONAL.get(one.name, []),
                "keys": delivered.KEYS.get(one.name, []),
            }
            for one in delivered.users(town, place)
        ],
    }


def _whole(folder: Path) -> dict[str, bytes]:
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not set(file.relative_to(folder).parts) & IGNORED
    }


def _encoded(files: dict[str, bytes]) -> dict[str, str]:
    """Where each file of the town is on the machine -> its content, as roles/program takes it."""
    return {str(places.TOWN / name): b64encode(content).decode() for name, content in files.items()}


def _everywhere(town: Town) -> dict[str, Any]:
    return {
        "parvis_version": instruments.VERSION,
        "parvis_centre_address": str(town.centre.address),
        "parvis_hardening": {name: hardening.rules()[name] for name in ("packages_absent", "files")},
        "parvis_ports": {
            "proxy": ports.PROXY,
            "database": ports.DATABASE,
            "journal": ports.JOURNAL,
            "grafana": ports.GRAFANA,
        },
        "parvis_sandbox": units.SANDBOX,
        "parvis_monitor_port": processes.MONITOR.port,
    }


def main() -> int:
    """Answer --list or --host NAME as Ansible asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--list", action="store_true")
    asked.add_argument("--host", metavar="NAME")
    words = parser.parse_args()
    folder = Path(os.environ.get("PARVIS_TOWN") or DEMO_TOWN)
    try:
        found = inventory(load(folder), folder)
    except InventoryError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    answer = found if words.list else found["_meta"]["hostvars"].get(words.host, {})
    json.dump(answer, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
