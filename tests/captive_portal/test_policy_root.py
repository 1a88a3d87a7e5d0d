"""A policy against the real kernel: quota, silence, coming back, equipment; the figures are nftables' own."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from door_twin import WEB4, WEB6, Inside, Resident, Twin, connect, running, wait_for

pytestmark = [pytest.mark.root, pytest.mark.slow]
PRINTER = "02:00:5e:00:53:01"
QUOTA = 10_000_000
POLICY = "30min\n  remember: 7d\n  quota: 10 MB\n  slow_down: 1 Mbit/s"
SITE = "sites/maison-services-publics.yml"


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    """A site with limits, and a printer it knows."""
    with running(Twin, POLICY, describe=limited, prepare=with_a_printer) as made:
        yield made


def limited(folder: Path) -> None:
    site, town = folder / SITE, folder / "town.yml"
    known = f"\nknown_devices: [{{mac: '{PRINTER}', title: Imprimante, why: Accueil}}]\n"
    site.write_text(site.read_text("utf-8") + known)
    assert "idle: 2h" in town.read_text("utf-8")
    town.write_text(town.read_text("utf-8").replace("idle: 2h", "idle: 60s"))


def with_a_printer(twin: Twin) -> None:
    twin.within("c2", "ip", "link", "set", "eth0", "address", PRINTER)


def test_f31_r18_a_printer_that_is_listed_is_online_without_a_page_in_both_families(twin: Twin) -> None:
    printer = twin.resident("c2")
    printer.joins()

    assert printer.reaches(WEB4)
    assert printer.reaches(WEB6)
    assert printer.api()["captive"] is False
    assert twin.metric(9201, "portal_sessions_active") == 0


def test_f05_f06_the_phone_is_told_what_the_kernel_will_do(anna: Resident) -> None:
    anna.accepts()
    before = anna.api()
    assert anna.reaches(WEB4)
    after = anna.api()

    assert 1700 < int(str(after["seconds-remaining"])) <= 1800
    assert 0 < int(str(after["bytes-remaining"])) < int(str(before["bytes-remaining"])) <= QUOTA


def slowed(twin: Twin, upload: socket.socket) -> bool:
    """Whether the session is slower, after another megabyte below the rate of the policy."""
    for _ in range(800):
        upload.sendto(b"x" * 1200, (WEB4, 9))
        time.sleep(0.001)
    return twin.metric(9201, "portal_sessions_slowed") == 1


def test_f34_f35_r51_beyond_the_quota_a_flow_goes_on_slower_and_the_portal_answers(twin: Twin, anna: Resident) -> None:
    download = connect(anna.namespace, (WEB4, 5000))
    assert download.recv(1)
    with Inside(anna.namespace):
        upload = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with closing(upload), closing(download):
        wait_for(lambda: slowed(twin, upload), "slower rate", 90)

        assert download.recv(1)
    assert "bytes-remaining" not in anna.api()
    assert anna.api()["captive"] is False
    assert twin.metric(9201, 'portal_repairs_total{direction="different"}') == 0


def test_f36_a_silent_device_is_forgotten_and_comes_back_without_a_tap(twin: Twin, anna: Resident) -> None:
    anna.run("ip", "link", "set", "eth0", "down")
    wait_for(lambda: twin.metric(9201, 'portal_sessions_ended_total{by="idle"}') == 1, "end by silence", 120)
    assert twin.metric(9201, "portal_sessions_active") == 0

    anna.joins()
    wait_for(lambda: twin.metric(9201, "portal_sessions_active") == 1, "return", 20)

    assert anna.reaches(WEB4)


def test_r31_who_left_is_captive_and_taps_again(anna: Resident) -> None:
    anna.leaves()

    assert anna.api()["captive"] is True
    assert not anna.reaches(WEB4)
    anna.accepts()
    assert anna.reaches(WEB4)
