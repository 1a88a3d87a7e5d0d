"""What the kernel enforces for a device that is online: flows die with the session, moves are not noticed."""

import json
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import pytest
from door_twin import WEB4, WEB6, Inside, Resident, Twin, connect, stops, wait_for
from leaks import FarSide

pytestmark = [pytest.mark.root, pytest.mark.slow]
PORTAL = "https://wifi.cachan.example"
FLOOD = """
import socket
channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        channel.sendto(b"x" * 1200, ("203.0.113.80", 9))
    except OSError:
        pass
"""


@pytest.fixture
def online(anna: Resident) -> Resident:
    if anna.api()["captive"]:
        anna.accepts()
    assert anna.reaches(WEB4)
    return anna


def asked(twin: Twin, **request: object) -> dict[str, Any]:
    (answer,) = twin.ask(json.dumps(request).encode())
    said: dict[str, Any] = json.loads(answer)
    return said


@contextmanager
def streaming(twin: Twin, address: str, port: int) -> Iterator[None]:
    """A host beyond the uplink that answers one datagram with datagrams without end, as a QUIC download does."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with Inside(twin.name("inet")):
        source = socket.socket(family, socket.SOCK_DGRAM)
    source.bind((address, port))
    ended = threading.Event()

    def stream() -> None:
        with suppress(OSError):
            _, peer = source.recvfrom(100)
            while not ended.wait(0.01):
                with suppress(ConnectionRefusedError, PermissionError):
                    source.sendto(b"x" * 1000, peer)

    thread = threading.Thread(target=stream)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        with suppress(OSError):
            source.shutdown(socket.SHUT_RDWR)
        source.close()
        thread.join(5)


@pytest.mark.parametrize(("address", "port"), [(WEB4, 7443), (WEB4, 443), (WEB6, 443)])
def test_f26_r43_udp_and_quic_streams_end_with_the_session_and_the_redirect_works_at_once(
    twin: Twin, online: Resident, address: str, port: int
) -> None:
    with streaming(twin, address, port):
        with Inside(online.namespace):
            phone = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        with closing(phone):
            phone.settimeout(5)
            phone.sendto(b"hello", (address, port))
            assert phone.recv(2000)

            online.leaves()

            phone.settimeout(0)
            with suppress(BlockingIOError):
                while phone.recv(2000):
                    pass
            phone.settimeout(0.5)
            with pytest.raises(TimeoutError):
                phone.recv(2000)
    assert online.code("http://203.0.113.80/generate_204") == f"302 {PORTAL}/"


@pytest.mark.parametrize("address", [WEB4, WEB6])
def test_f26_tcp_flows_of_both_families_end_with_the_session_in_both_directions(
    twin: Twin, online: Resident, address: str
) -> None:
    with closing(connect(online.namespace, (address, 5000))) as flow, FarSide(twin) as far_side:
        assert flow.recv(100)
        online.leaves()
        far_side.arrived()

        with suppress(OSError):
            for _ in range(5):
                flow.sendall(b"more")

        assert far_side.arrived() == []
        assert stops(flow, 3)


def test_r20_bytes_are_counted_by_the_elements_that_admit_and_the_portals_pages_are_not(
    twin: Twin, online: Resident
) -> None:
    online.leaves()
    online.accepts()
    before = asked(twin, op="session", mac=online.mac)["session"]
    for _ in range(5):
        online.curl(f"{PORTAL}/fr/")
    at_the_portal = asked(twin, op="session", mac=online.mac)["session"]
    with closing(connect(online.namespace, (WEB4, 5000))) as download:
        taken = 0
        while taken < 20_000:
            taken += len(download.recv(1 << 16))
    after = asked(twin, op="session", mac=online.mac)["session"]

    assert (at_the_portal["bytes_up"], at_the_portal["bytes_down"]) == (before["bytes_up"], before["bytes_down"])
    assert after["bytes_down"] - before["bytes_down"] >= 20_000
    assert after["bytes_up"] > before["bytes_up"]


def test_r51_a_device_that_uses_up_its_rate_still_gets_the_portals_pages(twin: Twin, online: Resident) -> None:
    session = asked(twin, op="session", mac=online.mac)["session"]
    slow = {"allow": online.mac, "session": session["session"], "seconds": 600, "down": 64_000, "up": 64_000}
    assert asked(twin, op="apply", steps=[slow])["ok"]
    with closing(connect(online.namespace, (WEB4, 5000))) as download:
        assert download.recv(1000)
        begun = asked(twin, op="session", mac=online.mac)["session"]["bytes_down"]
        for _ in range(10):
            assert "Vous êtes en ligne" in online.curl(f"{PORTAL}/fr/status")
    assert asked(twin, op="session", mac=online.mac)["session"]["bytes_down"] - begun < 2_000_000
    online.leaves()


def test_f44_r25_r50_another_access_point_and_another_address_do_not_meet_the_portal(
    twin: Twin, online: Resident
) -> None:
    session = asked(twin, op="session", mac=online.mac)["session"]["session"]
    with closing(connect(online.namespace, (WEB4, 5000))) as call:
        assert call.recv(100)
        walk_to_another_access_point(twin, "c1")
        assert call.recv(100)
        call.sendall(b"still here")
        assert call.recv(1 << 16)
    assert online.reaches(WEB6)

    before = online.ipv4
    give_the_address_to_somebody_else(twin, online)
    assert online.ipv4 != before
    assert online.reaches(WEB4)
    assert online.api()["captive"] is False
    assert asked(twin, op="session", mac=online.mac)["session"]["session"] == session


def walk_to_another_access_point(twin: Twin, part: str) -> None:
    """The device's port moves to a second switch behind the first, which learns its new place."""
    for line in (
        "link add br1x type bridge",
        "link set br1x up",
        "link add up0x type veth peer name up1x",
        "link set up0x master br0x up",
        "link set up1x master br1x up",
        f"link set {part} nomaster",
        f"link set {part} master br1x",
    ):
        twin.within("lan", "ip", *line.split())


def give_the_address_to_somebody_else(twin: Twin, resident: Resident) -> None:
    """Kea forgets every lease; another device takes the address, so that the resident gets a new one."""
    twin.stop("kea")
    lines = twin.leases.read_text().splitlines()
    header, last = lines[0], next(line for line in reversed(lines) if line.startswith(f"{resident.ipv4},"))
    twin.leases.write_text(f"{header}\n{last.replace(resident.mac, '02:00:00:00:00:99')}\n")
    twin.start_kea()
    resident.joins()


def test_r46_a_lease_is_given_while_another_device_floods(twin: Twin, online: Resident) -> None:
    twin.start("flood", "c1", sys.executable, "-c", FLOOD)
    try:
        assert twin.resident("c2").joins()["router"] == "10.11.0.1"
        assert online.ipv4
    finally:
        twin.stop("flood")


def test_r61_everything_works_in_the_locale_fr_fr(
    twin: Twin, online: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin.within("gw", "localedef", "-i", "fr_FR", "-f", "UTF-8", str(twin.folder / "fr_FR.UTF-8"))
    for key, value in {"LOCPATH": str(twin.folder), "LC_ALL": "fr_FR.UTF-8", "LANGUAGE": "fr"}.items():
        monkeypatch.setenv(key, value)
    for name in ("portal", "gatewayd", "dnsmasq", "kea"):
        twin.stop(name)
    twin.within("gw", "nft", "flush", "ruleset")
    twin.start_kea()
    twin.start_dnsmasq()
    twin.start_gatewayd()
    twin.start_portal()

    assert online.reaches(WEB4), "restored"
    online.leaves()
    assert not online.reaches(WEB4)
    online.joins()
    online.accepts()
    assert online.reaches(WEB4)
    assert online.reaches(WEB6)
    assert asked(twin, op="counters")["sessions"]


def test_the_open_door_ends_by_itself_although_every_process_is_dead(twin: Twin, anna: Resident) -> None:
    online = anna
    if not online.api()["captive"]:
        online.leaves()
    assert not online.reaches(WEB4)
    assert asked(twin, op="open", seconds=6)["ok"]
    assert 0 < asked(twin, op="status")["state"]["open"] <= 6
    assert online.reaches(WEB4)
    assert online.reaches(WEB6)
    with closing(connect(online.namespace, (WEB4, 5000))) as download:
        assert download.recv(100)
        for name in ("portal", "gatewayd"):
            twin.stop(name, 9)

        wait_for(lambda: stops(download, 1), "the end", 15)
    assert not online.reaches(WEB4)
    assert not online.reaches(WEB6)
    twin.start_gatewayd()
    twin.start_portal()


def test_a_blocked_device_reaches_the_portal_and_nothing_else_even_while_the_door_is_open(
    twin: Twin, anna: Resident
) -> None:
    assert asked(twin, op="apply", steps=[{"block": anna.mac, "seconds": 600}])["ok"]
    assert asked(twin, op="open", seconds=60)["ok"]

    assert not anna.reaches(WEB4)
    assert not anna.reaches(WEB6)
    assert anna.code(f"{PORTAL}/fr/").startswith("200")
    assert asked(twin, op="device", mac=anna.mac)["device"]["blocked"] > 500
    asked(twin, op="open", seconds=0)
    asked(twin, op="apply", steps=[{"unblock": anna.mac}])


@pytest.mark.parametrize("address", [WEB4, WEB6])
def test_who_is_blocked_while_the_door_is_open_loses_its_running_flows_and_the_others_keep_theirs(
    twin: Twin, anna: Resident, address: str
) -> None:
    bruno = twin.resident("c2")
    bruno.joins()
    assert asked(twin, op="open", seconds=60)["ok"]
    try:
        with (
            closing(connect(anna.namespace, (address, 5000))) as hers,
            closing(connect(bruno.namespace, (address, 5000))) as his,
        ):
            assert hers.recv(100)
            assert his.recv(100)
            assert asked(twin, op="apply", steps=[{"block": anna.mac, "seconds": 600}])["ok"]

            assert stops(hers, 3)
            assert not stops(his, 1)
    finally:
        asked(twin, op="open", seconds=0)
        asked(twin, op="apply", steps=[{"unblock": anna.mac}])
