"""The dynamic inventory answers as Ansible asks, from the town alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

from parvis.inventory import Town
from tests_support import Edit

SCRIPT = Path(__file__).parents[2] / "ansible" / "inventory.py"


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


def test_an_unknown_host_has_no_variables() -> None:
    assert json.loads(ask("--host", "nobody").stdout) == {}


def test_a_broken_town_gives_its_faults_and_no_inventory(town_folder: Path, edit: Edit) -> None:
    edit("town.yml", "people:", "peple:")

    done = ask("--list", PARVIS_TOWN=str(town_folder))

    assert done.returncode == 1
    assert done.stdout == ""
    assert "did you mean people?" in done.stderr
