"""Debian's own clients meet the door: what DHCP tells them, and what NetworkManager shows its owner."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import real_clients
from door_twin import Resident, Twin

pytestmark = [pytest.mark.root, pytest.mark.slow]
API = "https://wifi.cachan.example/api/captive"


@pytest.fixture
def folder(twin: Twin, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder other users can walk to."""
    made = twin.folder / request.node.name
    made.mkdir()
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def ben(twin: Twin) -> Resident:
    """A device on which nothing has asked for a lease yet."""
    found = twin.resident("c2")
    found.run("ip", "addr", "flush", "dev", "eth0", "scope", "global")
    return found


@pytest.fixture
def have() -> Callable[[str], object]:
    """``have("dhcpcd")``: its package is unpacked, or the test is left out, with apt's reason."""

    def unpacked(program: str) -> object:
        try:
            return real_clients.unpacked(program)
        except real_clients.NotHere as error:
            pytest.skip(str(error))

    return unpacked


def test_f10_udhcpc_reads_exactly_the_bytes_of_the_address(ben: Resident) -> None:
    assert bytes.fromhex(ben.joins()["opt114"]) == API.encode(), "no NUL at the end (RFC 8910 section 2.1)"


def test_f10_iscs_dhclient_hands_the_address_to_its_scripts(
    ben: Resident, folder: Path, have: Callable[[str], object]
) -> None:
    have("dhclient")
    assert real_clients.dhclient(ben, folder) == API


def test_f10_dhcpcd_hands_the_address_to_its_scripts(
    ben: Resident, folder: Path, have: Callable[[str], object]
) -> None:
    have("dhcpcd")
    assert real_clients.dhcpcd(ben, folder) == API


KNOWS_PORTALS = 254
"""The version of systemd-networkd that first keeps option 114."""


@pytest.mark.skipif(real_clients.networkd_version() == 0, reason="this machine has no systemd-networkd")
def test_f10_systemd_networkd_keeps_the_address_where_its_version_knows_it(ben: Resident, folder: Path) -> None:
    kept = real_clients.networkd(ben, folder)

    assert "DNS=10.11.0.1" in kept
    version = real_clients.networkd_version()
    if version < KNOWS_PORTALS:
        pytest.skip(
            f"systemd-networkd {version} takes its lease here, but knows option 114 from {KNOWS_PORTALS} on only"
        )
    assert f"CAPTIVE_PORTAL={API}" in kept


def test_f01_network_manager_shows_the_portal_then_the_internet_then_the_portal(
    ben: Resident, folder: Path, have: Callable[[str], object]
) -> None:
    have("NetworkManager")
    manager = real_clients.Manager(ben, folder / "nm")
    try:
        manager.start()
        before = manager.connectivity()
        ben.accepts()
        online = manager.connectivity()
        ben.leaves()
        after = manager.connectivity()
    except AssertionError as error:
        raise AssertionError((manager.folder / "log").read_text()[-3000:]) from error
    finally:
        manager.stop()

    assert (before, online, after) == ("portal", "full", "portal")
