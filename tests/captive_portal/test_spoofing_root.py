"""Whose address is whose: what a device that is online may not send, and what nobody may send to it."""

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from door_twin import WEB4, WEB6, Inside, Resident, Twin, connect, wait_for
from leaks import ETH_P_ARP, FarSide

pytestmark = [pytest.mark.root, pytest.mark.slow]
IPV6_HDRINCL = 36
"""socket(7); the module socket has no name for it."""
DISCARD = 9
MANY = 20
NOBODYS4, NOBODYS6 = "10.11.3.77", "2001:db8:11::bad"
ELSEWHERE = ("10.12.0.9", "192.0.2.7", "198.51.100.2", "2001:db8:12::9", "2001:db8:bad::1", "2001:db8:11::1")
"""Another site's, the internet's, the gateway's own."""


@pytest.fixture(scope="module")
def two(twin: Twin, anna: Resident) -> tuple[Resident, Resident]:
    """Both online, in both families."""
    bruno = twin.resident("c2")
    bruno.joins()
    for one in (anna, bruno):
        one.accepts()
        wait_for(lambda one=one: one.reaches(WEB4) and one.reaches(WEB6), "both families")
    return anna, bruno


@pytest.fixture
def far_side(twin: Twin) -> Iterator[FarSide]:
    with FarSide(twin) as made:
        made.arrived()
        yield made


def sends(resident: Resident, source: str) -> None:
    """A datagram to the internet's host that says it comes from *source*."""
    six = ":" in source
    datagram = struct.pack("!HHHH", 4000, DISCARD, 8 + 4, 0) + b"spy!"
    if six:
        addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, WEB6)
        checked = struct.pack("!HHHH", 4000, DISCARD, 12, _sum(addresses + struct.pack("!II", 12, 17) + datagram))
        packet = struct.pack("!IHBB", 0x60000000, 12, 17, 64) + addresses + checked + b"spy!"
    else:
        ends = socket.inet_aton(source) + socket.inet_aton(WEB4)
        packet = struct.pack("!BBHHHBBH", 0x45, 0, 32, 1, 0, 64, 17, 0) + ends + datagram
    with Inside(resident.namespace):
        mouth = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    with closing(mouth):
        mouth.setsockopt(*((socket.IPPROTO_IPV6, IPV6_HDRINCL) if six else (socket.IPPROTO_IP, socket.IP_HDRINCL)), 1)
        mouth.sendto(packet, (WEB6 if six else WEB4, 0))


def _sum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF or 0xFFFF


def addresses_of(resident: Resident) -> list[str]:
    listed = resident.run("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "global")
    return [resident.ipv4, *(line.split()[3].partition("/")[0] for line in listed.splitlines())]


def test_f22_a_device_that_is_online_passes_from_its_own_addresses_and_from_no_other(
    two: tuple[Resident, Resident], far_side: FarSide
) -> None:
    anna, bruno = two
    hers = addresses_of(anna)
    assert len(hers) >= 2
    passed = {}
    for source in (*addresses_of(bruno), *hers, NOBODYS4, *ELSEWHERE):
        sends(bruno, source)
        passed[source] = any(packet.port == DISCARD for packet in far_side.arrived())

    assert {source for source, arrived in passed.items() if arrived} == set(addresses_of(bruno))


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_f22_nobody_beyond_the_uplink_reaches_a_device_that_is_online_unasked(
    twin: Twin, two: tuple[Resident, Resident], family: int
) -> None:
    anna, _ = two
    own = next(one for one in addresses_of(anna) if (":" in one) is (family == socket.AF_INET6))
    with Inside(anna.namespace):
        listening = socket.create_server((own, 7000), family=family)
    with closing(listening), routed(twin):
        assert anna.run("ss", "-Hltn", "sport", "7000")
        with pytest.raises(OSError, match=r"timed out|refused|unreachable"):
            connect(twin.name("inet"), (own, 7000), 2)


@contextmanager
def routed(twin: Twin) -> Iterator[None]:
    """The operator's router knows the way to the residents' private addresses."""
    way = (str(twin.site.guest.ipv4), "via", str(twin.site.uplink.address))
    twin.within("inet", "ip", "route", "replace", *way)
    yield
    twin.within("inet", "ip", "route", "del", *way)


def test_f22_a_neighbours_ipv4_address_cannot_be_claimed_by_arp(twin: Twin, two: tuple[Resident, Resident]) -> None:
    anna, bruno = two
    twin.within("gw", "sysctl", "-qw", "net.ipv4.neigh.guest0.locktime=0")
    assert anna.reaches(WEB4)
    gateway = bytes.fromhex(twin.within("gw", "cat", "/sys/class/net/guest0/address").strip().replace(":", ""))
    liar = bytes.fromhex(bruno.mac.replace(":", ""))
    for operation in (1, 2):
        claim = struct.pack("!HHBBH", 1, 0x0800, 6, 4, operation) + liar + socket.inet_aton(anna.ipv4)
        claim += gateway + socket.inet_aton("10.11.0.1")
        with Inside(bruno.namespace), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as mouth:
            mouth.bind(("eth0", 0))
            mouth.send(gateway + liar + struct.pack("!H", ETH_P_ARP) + claim)
        entry = twin.within("gw", "ip", "neigh", "show", anna.ipv4, "dev", "guest0")
        assert anna.mac in entry
        assert bruno.mac not in entry
    assert anna.reaches(WEB4)


@pytest.mark.parametrize("kind", [134, 137], ids=["router advertisement", "redirect"])
def test_a_device_that_plays_the_router_is_not_heard_and_counted(
    twin: Twin, two: tuple[Resident, Resident], kind: int
) -> None:
    _, bruno = two
    before = rogues(twin)
    with Inside(bruno.namespace):
        mouth = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        index = socket.if_nametoindex("eth0")
    with closing(mouth):
        mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        for _ in range(MANY):
            mouth.sendto(struct.pack("!BBHI", kind, 0, 0, 0) + bytes(32), ("ff02::1", 0, 0, index))

    assert rogues(twin) >= before + MANY  # others may have been dropped meanwhile
    wait_for(lambda: twin.metric(9202, 'gateway_dropped_packets_total{reason="rogue"}') >= before + MANY, "the count")


def rogues(twin: Twin) -> int:
    """Packets the kernel has dropped for playing the router."""
    listed = json.loads(twin.within("gw", "nft", "-j", "list", "counter", "inet", "portal", "rogue"))
    return int(listed["nftables"][-1]["counter"]["packets"])
