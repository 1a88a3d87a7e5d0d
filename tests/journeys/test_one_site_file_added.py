"""Journey (d): one site file added, exactly the expected outputs change."""

from pathlib import Path

import pytest

from parvis.inventory import load
from parvis.outputs import differences, generate

NEW = """\
site: place-jacques-carat
title: {fr: Place Jacques-Carat, en: Jacques Carat square}
kind: square
class: C
opening_hours: 24/7
guest: {ipv4: 10.15.0.0/22}
management: {ipv4: 10.91.5.0/24}
gateway: {name: gw-carat, address: 10.91.5.1}
uplink: {name: fibre-carat, operator: Opérateur A, contract: FTTO-2026-001, capacity: 1 Gbit/s,
         address: 198.51.100.18, peer: 198.51.100.17, switch: sw-carat, port: "25"}
switches:
  - {name: sw-carat, vendor: net-snmp, model: Switch 8, address: 10.91.5.2, snmp: {credential: reseau-v3}}
access_points:
  - {name: ap-carat, vendor: ubiquiti, model: UAP-AC-Mesh, address: 10.91.5.11, mac: "02:00:5e:01:05:01",
     snmp: {credential: bornes-v3}, switch: sw-carat, port: "1", place: {fr: Kiosque, en: Bandstand}}
"""


@pytest.fixture
def changes(town_folder: Path) -> dict[str, tuple[str, str]]:
    """Output -> (verb, what was added or removed)."""
    before = generate(load(town_folder))
    (town_folder / "sites/place-jacques-carat.yml").write_text(NEW, "utf-8")
    after = generate(load(town_folder))
    found = {}
    for difference in differences(before, after):
        body = [line for line in difference.lines if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
        found[difference.name] = (difference.verb, "\n".join(body))
    return found


def test_exactly_the_expected_outputs_change(changes: dict[str, tuple[str, str]], town_folder: Path) -> None:
    others = [site.gateway.name for site in load(town_folder).sites if site.gateway.name != "gw-carat"]
    rules_elsewhere = {f"gateway/{name}/nftables.nft": "changed" for name in others}

    own = {name: verb for name, (verb, _) in changes.items() if name.startswith("gateway/gw-carat/")}
    elsewhere = {name: verb for name, (verb, _) in changes.items() if name not in own}
    assert set(own.values()) == {"added"}
    assert {name.removeprefix("gateway/gw-carat/") for name in own} == a_gateways_own(town_folder)
    assert elsewhere == {
        "centre/prometheus.yml": "changed",
        "centre/rules.yml": "changed",
        "centre/monitor-targets.yml": "changed",
        "centre/nftables.nft": "changed",
        "collectors/targets.tsv": "changed",
        **rules_elsewhere,
    }


def a_gateways_own(town_folder: Path) -> set[str]:
    """What another gateway of the town consists of."""
    name = "gateway/gw-msp/"
    return {output.removeprefix(name) for output in generate(load(town_folder)) if output.startswith(name)}


def test_elsewhere_only_the_list_of_inner_networks_grows(changes: dict[str, tuple[str, str]]) -> None:
    """The other gateways learn one thing: that the new networks are the town's own, closed to their residents."""
    for name, (verb, body) in changes.items():
        if name.startswith("gateway/") and name.endswith("nftables.nft") and verb == "changed":
            lines = body.splitlines()
            assert len(lines) == 2
            assert lines[1].replace(", 10.15.0.0/22", "").replace(", 10.91.5.0/24", "")[1:] == lines[0][1:], name


def test_nothing_of_the_other_sites_is_touched(changes: dict[str, tuple[str, str]]) -> None:
    for name in ("centre/prometheus.yml", "centre/rules.yml", "collectors/targets.tsv", "centre/monitor-targets.yml"):
        removed = [line for line in changes[name][1].splitlines() if line.startswith("-") and line[1:].strip(" ,]}[{")]
        assert removed == [], name
        assert "carat" in changes[name][1]
