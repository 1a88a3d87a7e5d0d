"""The walled garden: which names it refuses and why, and what it makes of the town's."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from captive_portal import dhcp, garden, resolving
from captive_portal.probes import HOSTS
from parvis.cli import parvis
from parvis.inventory import DEMO_TOWN, Town


@pytest.mark.parametrize("host", sorted(HOSTS))
def test_f28_r01_no_probe_host_nor_anything_above_it_may_be_in_the_garden(host: str) -> None:
    labels = host.split(".")
    for start in range(len(labels) - 1):
        name = ".".join(labels[start:])
        assert garden.refused(name), name
    assert garden.refused(f"more.{host}")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("apple.com", "phones ask captive.apple.com"),
        ("captive.apple.com", "phones ask captive.apple.com"),
        ("gstatic.com", "phones ask connectivitycheck.gstatic.com"),
        ("google.com", "phones ask"),
        ("maps.google.com", "shares addresses"),
        ("msftconnecttest.com", "phones ask ipv6.msftconnecttest.com"),
        ("firefox.com", "phones ask detectportal.firefox.com"),
        ("d111111abcdef8.cloudfront.net", "cloudfront.net answers for thousands of sites"),
        ("ville.github.io", "github.io answers for thousands of sites"),
        ("gouv.fr", "everybody may have a name below it"),
        ("wifi.cachan.example", "the portal itself"),
        ("cachan.example", "the portal itself"),
    ],
)
def test_f28_the_reason_is_told(name: str, why: str) -> None:
    assert why in garden.refused(name, {"wifi.cachan.example"})


def test_the_demo_towns_services_are_welcome(town: Town) -> None:
    assert town.garden
    assert garden.faults(town) == []


def test_f28_parvis_check_refuses_a_town_that_opens_a_probe_host(tmp_path: Path) -> None:
    folder = tmp_path / "town"
    shutil.copytree(DEMO_TOWN, folder)
    file = folder / "town.yml"
    file.write_text(file.read_text("utf-8").replace("garden: [", "garden: [apple.com, "), "utf-8")

    done = CliRunner().invoke(parvis, ["check", str(folder)])

    assert done.exit_code == 1
    assert "garden.0: apple.com: phones ask captive.apple.com" in done.output


def test_dnsmasq_fills_both_families_and_only_those_of_the_site(town: Town) -> None:
    site = town.site("maison-services-publics")
    closed = site.model_copy(update={"guest": site.guest.model_copy(update={"ipv6": None})})

    assert "6#inet#portal#garden6,4#inet#portal#garden4" in dhcp.dnsmasq(town, site)
    assert "garden6" not in dhcp.dnsmasq(town, closed)
    assert "nftset" not in dhcp.dnsmasq(town.model_copy(update={"garden": ()}), site)


@given(st.binary(max_size=200))
def test_r52_any_bytes_are_addresses_or_a_value_error(data: bytes) -> None:
    try:
        found = resolving.answers(data)
    except ValueError:
        return
    assert all(one.version in {4, 6} for one in found)
