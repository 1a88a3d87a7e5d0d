"""The dynamic inventory answers as Ansible asks, from the town alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from parvis.inventory import Town
from tests_support import Edit

ANSIBLE = Path(__file__).parents[2] / "ansible"
SCRIPT = ANSIBLE / "inventory.py"


def ask(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *words],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=os.environ | environment,
    )


def test_every_gateway_is_a_host_with_its_address_and_site(town: Town) -> None:
    listed = json.loads(ask("--list").stdout)

    assert listed["gateways"]["hosts"] == sorted(site.gateway.name for site in town.sites)
    for site in town.sites:
        variables = json.loads(ask("--host", site.gateway.name).stdout)
        assert variables == listed["_meta"]["hostvars"][site.gateway.name]
        assert (variables["ansible_host"], variables["parvis_site"]) == (str(site.gateway.address), site.site)


def test_every_access_point_is_a_host_by_vendor_and_site_and_told_how_it_is_asked(town: Town) -> None:
    listed = json.loads(ask("--list").stdout)

    points = [(site, point) for site in town.sites for point in site.access_points]
    assert listed["access_points"]["hosts"] == [point.name for _, point in points]
    for site, point in points:
        told = listed["_meta"]["hostvars"][point.name]["parvis_access_point"]
        assert point.name in listed[f"access_points_{point.vendor}"]["hosts"]
        assert point.name in listed[f"site_{site.site.replace('-', '_')}"]["hosts"]
        assert (told["snmp"]["host"], told["snmp"]["credential"]) == (str(point.address), point.snmp.credential)


def test_an_access_point_asked_in_clear_text_is_named_with_the_end_of_its_exception(
    town_folder: Path, edit: Edit
) -> None:
    def told() -> dict[str, Any]:
        variables: dict[str, Any] = json.loads(
            ask("--host", "ap-lagrange-gymnase", PARVIS_TOWN=str(town_folder)).stdout
        )
        return variables["parvis_access_point"]  # type: ignore[no-any-return]

    kept = told()
    edit("town.yml", "until: 2027-12-31", "until: 2026-01-31")
    ended = told()

    assert (kept["overdue"], ended["overdue"]) == (False, True)
    assert "(anciennes-v2c) until 2027-12-31" in kept["exception"]["__ansible_unsafe"]
    assert "the exception ended on 2026-01-31" in ended["exception"]["__ansible_unsafe"]


def test_sec06_what_a_credential_does_without_is_told_to_nobody_as_a_secret(town_folder: Path, edit: Edit) -> None:
    edit("town.yml", "privacy: AES-128,", "privacy: none, reason: knows no privacy,")
    edit("town.yml", ", privacy_secret: snmp-bornes-privacy", "")
    told = json.loads(ask("--host", "ap-msp-etage", PARVIS_TOWN=str(town_folder)).stdout)
    template = (ANSIBLE / "roles/access_points/templates/by_hand.j2").read_text("utf-8")
    known = {"answers": True}, {"snmp": "its page", "isolation": "another"}

    said = Environment(undefined=StrictUndefined, autoescape=False).from_string(template).render(
        told, inventory_hostname="ap-msp-etage", parvis_centre_network="10.90.0.0/24",
        access_points_asked=known[0], access_points_by_hand={told["parvis_access_point"]["vendor"]: known[1]},
    )  # fmt: skip

    assert "privacy_secret" not in told["parvis_access_point"]["snmp"]
    assert "authentication SHA-256 with the secret snmp-bornes-auth,\nprivacy none, from 10.90.0.0/24 alone" in said


def test_an_unknown_host_has_no_variables() -> None:
    assert json.loads(ask("--host", "nobody").stdout) == {}


def test_a_broken_town_gives_its_faults_and_no_inventory(town_folder: Path, edit: Edit) -> None:
    edit("town.yml", "people:", "peple:")

    done = ask("--list", PARVIS_TOWN=str(town_folder))

    assert done.returncode == 1
    assert done.stdout == ""
    assert "did you mean people?" in done.stderr
