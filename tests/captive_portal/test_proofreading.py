"""Files of a gateway are read by the programs they are for before anything is applied."""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from captive_portal import proofreading
from captive_portal.outputs import outputs
from parvis.cli import parvis
from parvis.inventory import Town

pytestmark = pytest.mark.slow  # real servers, and time that has to pass

BREAKS = {
    "nftables.nft": ("policy drop;", "policy dropp;", "nft"),
    "dnsmasq.conf": ("bind-", "bond-", "dnsmasq"),
    "kea-dhcp4.json": ('"valid-lifetime"', '"valid-lifetimes"', "kea-dhcp4"),
}
needs_namespaces = pytest.mark.skipif(
    os.geteuid() != 0 and bool(proofreading.read(("true",), "", "lo0")),
    reason="this kernel lets only root make a network namespace",
)


@needs_namespaces
def test_f60_every_file_of_the_demo_town_is_taken_by_its_program(town: Town) -> None:
    assert proofreading.faults(town) == []


@needs_namespaces
@pytest.mark.parametrize("file", sorted(BREAKS))
def test_f60_a_file_that_would_be_refused_is_named_with_its_line(town: Town, file: str) -> None:
    site = town.sites[0]
    name = f"gateway/{site.gateway.name}/{file}"
    good, bad, program = BREAKS[file]
    texts = outputs(town)
    before, found, after = texts[name].partition(good)
    assert found

    faults = list(proofreading.of_site(site, {**texts, name: before + bad + after}))

    assert [(fault.file, fault.line) for fault in faults] == [(name, before.count("\n") + 1)]
    assert faults[0].message.startswith(f"{program} refuses it: ")


@needs_namespaces
def test_f60_the_command_says_what_it_found_and_leaves_the_machine_as_it_was() -> None:
    before = Path("/proc/net/dev").read_text().count(":")

    done = CliRunner().invoke(parvis, ["proofread"])

    assert (done.exit_code, done.output) == (0, "4 gateways: every file is taken by its program\n")
    assert Path("/proc/net/dev").read_text().count(":") == before


def test_f60_a_town_with_faults_is_not_even_tried(town_folder: Path) -> None:
    (town_folder / "town.yml").write_text("no: town\n")

    done = CliRunner().invoke(parvis, ["proofread", str(town_folder)])

    assert done.exit_code == 1
    assert "town.yml" in done.output
