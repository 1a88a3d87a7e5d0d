"""The resident that is a program, in a twin of one site: it walks the whole way, and finds who does not belong."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from lab.building import Options
from lab.rooms import Pace
from lab.town import Lab
from lab_support import eventually

pytestmark = [pytest.mark.root, pytest.mark.slow]

SITE, GATEWAY = "bibliotheque-centrale", "gw-biblio"
SPOOFER = Path(__file__).with_name("spoofer.py")


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One library, visited every five seconds."""
    lab = Lab(tmp_path_factory.mktemp("visitor") / "lab")
    without = frozenset({"collectors", "console", "prometheus", "alertmanager"})
    options = Options(sites=(SITE,), residents=1, prefix="pm-", windows=False, without=without)
    lab.up(replace(options, pace=Pace(visit=5.0)))
    try:
        yield lab
    finally:
        lab.down()


def shown(twin: Lab) -> dict[str, float]:
    """The monitor's series of visits and hazards, by name and last label that matters."""
    text = twin.exec("centre", ["curl", "-s", "http://127.0.0.1:9204/metrics"]).stdout
    found = {}
    for line in text.splitlines():
        if line.startswith(("visitor_", "guest_")):
            series, value = line.rsplit(" ", 1)
            found[series.replace(f'site="{SITE}",', "").replace('town="cachan"', "").replace(",}", "}")] = float(value)
    return found


def hazard(twin: Lab, name: str) -> float:
    return shown(twin).get(f'guest_hazard_devices{{hazard="{name}"}}', -1)


@contextmanager
def intruder(twin: Lab, *argv: str) -> Iterator[None]:
    """A program on a resident's device."""
    with subprocess.Popen(
        twin.command(f"{SITE}/1", argv), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as made:
        try:
            yield
        finally:
            made.terminate()


def test_the_visitor_walks_the_whole_way_and_the_network_is_clean(twin: Lab) -> None:
    eventually(lambda: shown(twin).get("visitor_success{}") == 1)

    found = shown(twin)
    for step in (
        "lease",
        "addresses",
        "dns",
        "api-captive",
        "accept",
        "internet-ipv4",
        "internet-ipv6",
        "captive-again",
    ):
        assert found[f'visitor_step_success{{step="{step}"}}'] == 1
    assert [value for name, value in found.items() if name.startswith("guest_hazard")] == [0, 0, 0, 0]


def test_a_rogue_dhcp_server_is_found(twin: Lab) -> None:
    rogue = ("dnsmasq", "-d", "-C", "/dev/null", "-p", "0", "-i", "wlan0", "--bind-interfaces", "--leasefile-ro")
    pool = ("--dhcp-range=10.13.3.1,10.13.3.9,2m", "--dhcp-authoritative", "--pid-file=")
    eventually(lambda: hazard(twin, "rogue-dhcp") == 0)

    with intruder(twin, *rogue, *pool):
        eventually(lambda: hazard(twin, "rogue-dhcp") >= 1)
        assert hazard(twin, "rogue-dhcp") == 1

    eventually(lambda: hazard(twin, "rogue-dhcp") == 0)
    assert shown(twin)["visitor_success{}"] == 1


@pytest.mark.parametrize(
    ("deed", "name"),
    [("gateway", "gateway-spoofed"), ("router", "rogue-router"), ("conflict", "address-conflict")],
)
def test_who_takes_anothers_place_is_found(twin: Lab, deed: str, name: str) -> None:
    eventually(lambda: hazard(twin, name) == 0)

    with intruder(twin, sys.executable, str(SPOOFER), deed):
        eventually(lambda: hazard(twin, name) >= 1)

    eventually(lambda: hazard(twin, name) == 0)
    assert "visitor_success{}" in shown(twin)


def test_a_dead_portal_is_told_by_the_step_that_fails(twin: Lab) -> None:
    eventually(lambda: shown(twin).get("visitor_success{}") == 1)
    twin.stop(f"{GATEWAY}.portal")

    eventually(lambda: shown(twin).get("visitor_success{}") == 0)
    found = shown(twin)
    assert found['visitor_step_success{step="lease"}'] == 1
    assert found['visitor_step_success{step="api-captive"}'] == 0
    assert 'visitor_step_success{step="accept"}' not in found

    twin.start(f"{GATEWAY}.portal")
    eventually(lambda: shown(twin).get("visitor_success{}") == 1)


def test_nothing_of_the_visitor_names_a_device(twin: Lab) -> None:
    """No address of a resident's in what was written or shown."""
    resident = twin.resident(f"{SITE}/1")
    written = "".join(path.read_text("utf-8", "replace") for path in (twin.folder / "logs").glob("[vm]*"))
    told = written + "\n".join(shown(twin))

    assert resident.mac.text not in told
    assert twin.lease(resident.name)["ip"] not in told
