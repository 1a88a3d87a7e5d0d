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
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from parvis import instruments, outputs, processes
from parvis.inventory import DEMO_TOWN, AccessPoint, InventoryError, Site, Town, Vendor, load
from parvis.inventory.clear_text import in_clear_text
from upkeep import delivered, hardening, least_data, places, ports, units

IGNORED = {".git"}
PLACED = {"settings": places.CONFIGURATION, "units": places.UNITS, "networks": Path("/etc/systemd/network")}
"""Folder of generated files -> where they are on the machine."""
KINDS = {Vendor.MIKROTIK: "routeros", Vendor.NET_SNMP: "linux"}
"""Whose access points a module of Ansible's can set, and by which tasks; staff set the others by hand."""


def inventory(town: Town, folder: Path, today: date) -> dict[str, Any]:
    """Groups ``gateways``, ``centres``, ``access_points``, one a vendor of these and one a site.

    Each is reached at its management address. *today* tells which exceptions from SNMPv3 have ended.
    """
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
    hostvars |= {
        point.name: _access_point(town, site, point, today) for site in town.sites for point in site.access_points
    }
    return {
        "_meta": {"hostvars": hostvars},
        "all": {"vars": _everywhere(town)},
        "gateways": {"hosts": sorted(gateways), "vars": {"parvis_town_files": _encoded(least_data.shared(folder))}},
        "centres": {"hosts": ["centre"], "vars": {"parvis_town_files": _encoded(_whole(folder))}},
        **_groups(town),
    }


def _groups(town: Town) -> dict[str, dict[str, list[str]]]:
    points = [point for site in town.sites for point in site.access_points]
    vendors = {
        vendor: [point.name for point in points if point.vendor is vendor]
        for vendor in {point.vendor for point in points}
    }
    return {
        "access_points": {"hosts": [point.name for point in points]},
        **{_group("access_points", vendor): {"hosts": names} for vendor, names in sorted(vendors.items())},
        **{
            _group("site", site.site): {"hosts": [site.gateway.name, *(point.name for point in site.access_points)]}
            for site in town.sites
        },
    }


def _group(kind: str, name: str) -> str:
    return f"{kind}_{name.replace('-', '_')}"


def _access_point(town: Town, site: Site, point: AccessPoint, today: date) -> dict[str, Any]:
    """What roles/access_points needs; secrets by name. What is no Linux is told from the machine that runs the play."""
    kind = KINDS.get(point.vendor, "by_hand")
    credential = town.credential(point.snmp.credential)
    told = credential.model_dump(mode="json", exclude={"name", "reason", "until"}, exclude_none=True)
    exception = next((one for one in in_clear_text(town) if one.device == point.name), None)
    here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    return {
        "ansible_host": str(point.address),
        **({} if kind == "linux" else here),
        "parvis_town": town.town,
        "parvis_site": site.site,
        "parvis_access_point": {
            "kind": kind,
            "vendor": point.vendor.value,
            "model": point.model,
            "network": _plain(town.network_name or ""),
            "snmp": {
                **told,
                "credential": credential.name,
                "host": str(point.address),
                "port": point.snmp.port,
                "context": point.snmp.context,
            },
            "exception": _plain(exception.words(today) if exception else ""),
            "overdue": bool(exception and exception.overdue(today)),
        },
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
        "parvis_centre_network": str(town.centre.ipv4),
        "parvis_hardening": {name: hardening.rules()[name] for name in ("packages_absent", "files")},
        "parvis_ports": {
            "proxy": ports.PROXY,
            "database": ports.DATABASE,
            "journal": ports.JOURNAL,
            "grafana": ports.GRAFANA,
        },
        "parvis_sandbox": units.SANDBOX,
        "parvis_monitor_port": processes.MONITOR.port,
        "parvis_collectors_port": processes.COLLECTORS.port,
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
        town = load(folder)
        found = inventory(town, folder, datetime.now(ZoneInfo(town.timezone)).date())
    except InventoryError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    answer = found if words.list else found["_meta"]["hostvars"].get(words.host, {})
    json.dump(answer, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
