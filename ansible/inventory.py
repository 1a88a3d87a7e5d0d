#!/usr/bin/env python3
"""Ansible's dynamic inventory, read from the town: ``ansible-inventory -i ansible/inventory.py --list``.

The town's folder is ``$PARVIS_TOWN``, else the demo town. Exit code 1 with every fault on a broken town.
Format: docs.ansible.com, "Developing dynamic inventory" (--list with _meta.hostvars, --host NAME).
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from parvis.inventory import DEMO_TOWN, InventoryError, Town, load


def inventory(town: Town) -> dict[str, Any]:
    """Groups ``gateways``, ``centre`` and one a site; each gateway is reached at its management address."""
    gateways = {site.gateway.name: site for site in town.sites}
    hostvars: dict[str, dict[str, Any]] = {
        name: {
            "ansible_host": str(site.gateway.address),
            "parvis_site": site.site,
            "parvis_town": town.town,
            "parvis_guest_interface": site.gateway.guest_interface,
            "parvis_management_interface": site.gateway.management_interface,
            "parvis_uplink_interface": site.gateway.uplink_interface,
        }
        for name, site in gateways.items()
    }
    hostvars["centre"] = {"parvis_town": town.town}
    groups = {f"site_{site.site.replace('-', '_')}": {"hosts": [name]} for name, site in gateways.items()}
    return {
        "_meta": {"hostvars": hostvars},
        "gateways": {"hosts": sorted(gateways)},
        "centre": {"hosts": ["centre"]},
        **groups,
    }


def main() -> int:
    """Answer --list or --host NAME as Ansible asks."""
    parser = argparse.ArgumentParser(description=__doc__)
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--list", action="store_true")
    asked.add_argument("--host", metavar="NAME")
    words = parser.parse_args()
    try:
        found = inventory(load(Path(os.environ.get("PARVIS_TOWN") or DEMO_TOWN)))
    except InventoryError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    answer = found if words.list else found["_meta"]["hostvars"].get(words.host, {})
    json.dump(answer, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
