"""Frames of the residents' network: what scapy reads in them, and what the kernel's filter lets through."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_RA, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet

from actors import eventually
from monitor.guests import Kind, Sighting
from monitor.probes.guest_wire import sightings, suspicious
from monitor.probes.lease import NoLease, _lease
from monitor.visitor.process import Place, hear
from monitor.visitor.watch import Ear
from parvis.namespaces import inside

GATEWAY, ROGUE = "02:00:00:00:00:01", "02:00:00:00:00:66"
ADDRESS = 0x0A0D0001
EVERYBODY = "ff:ff:ff:ff:ff:ff"


def dhcp(mac: str, source: str, kind: str, **words: str) -> Packet:
    """A DHCP message: from a server when it has its number, else from somebody without an address."""
    ports = (67, 68) if "server_id" in words else (68, 67)
    said = DHCP(options=[("message-type", kind), *words.items(), "end"])
    udp = UDP(sport=ports[0], dport=ports[1]) / BOOTP(op=2 if "server_id" in words else 1)
    return Ether(src=mac, dst=EVERYBODY) / IP(src=source) / udp / said


def offer(mac: str, server: str) -> Packet:
    return dhcp(mac, server, "offer", server_id=server)


def declined(mac: str) -> Packet:
    return dhcp(mac, "0.0.0.0", "decline", requested_addr="10.13.0.9")


def asked(mac: str) -> Packet:
    return dhcp(mac, "0.0.0.0", "request")


def announcement(mac: str, address: str) -> Packet:
    return Ether(src=mac, dst=EVERYBODY) / ARP(op="is-at", hwsrc=mac, psrc=address, pdst=address)


def question(mac: str, address: str, whom: str) -> Packet:
    return Ether(src=mac, dst=EVERYBODY) / ARP(op="who-has", hwsrc=mac, psrc=address, pdst=whom)


def router(mac: str, seconds: int = 1800) -> Packet:
    to_all = Ether(src=mac, dst="33:33:00:00:00:01") / IPv6(src="fe80::66", dst="ff02::1")
    return to_all / ICMPv6ND_RA(routerlifetime=seconds)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (offer(ROGUE, "10.13.0.66"), [Sighting(Kind.DHCP_SERVER, ROGUE, "10.13.0.66")]),
        (announcement(ROGUE, "10.13.0.1"), [Sighting(Kind.CLAIM, ROGUE, "10.13.0.1")]),
        (router(ROGUE), [Sighting(Kind.ROUTER, ROGUE, "fe80::66")]),
        (router(ROGUE, seconds=0), []),
        (declined(ROGUE), [Sighting(Kind.DECLINE, ROGUE, "10.13.0.9")]),
        (asked(ROGUE), []),
        (question(ROGUE, "0.0.0.0", "10.13.0.7"), []),
        (
            Ether(src=ROGUE) / IPv6(src="fe80::66") / ICMPv6ND_NA(tgt="2001:db8:13::1"),
            [Sighting(Kind.CLAIM, ROGUE, "2001:db8:13::1")],
        ),
    ],
)
def test_a_frame_says_who_claims_what(frame: Packet, said: list[Sighting]) -> None:
    assert list(sightings(bytes(frame))) == said


@given(st.binary(max_size=400))
def test_no_frame_hurts(frame: bytes) -> None:
    assert all(isinstance(seen, Sighting) for seen in sightings(frame))


@given(st.data())
def test_no_mutation_of_a_true_frame_hurts(data: st.DataObject) -> None:
    frame = bytearray(bytes(data.draw(st.sampled_from([offer(ROGUE, "10.13.0.66"), router(ROGUE), declined(ROGUE)]))))
    for place in data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=6)):
        frame[place] = data.draw(st.integers(0, 255))

    assert all(isinstance(seen, Sighting) for seen in sightings(bytes(frame[: data.draw(st.integers(0, len(frame)))])))


@pytest.mark.parametrize(
    ("lacking", "words"), [("router", "router"), ("captive-portal", "option 114"), ("subnet_mask", "subnet_mask")]
)
def test_a_lease_that_lacks_something_says_what(lacking: str, words: str) -> None:
    said: dict[str, object] = {
        "subnet_mask": "255.255.252.0",
        "name_server": "10.13.0.1",
        "router": "10.13.0.1",
        "lease_time": 3600,
        "captive-portal": b"https://wifi.cachan.example/api/captive",
    }
    assert _lease("10.13.0.9", said).prefix == 22
    del said[lacking]

    with pytest.raises(NoLease, match=words):
        _lease("10.13.0.9", said)


@pytest.fixture
def wire() -> Iterator[socket.socket]:
    """The other end of the wire an ear listens on, in namespaces of this test."""
    ip = ["ip", "-batch", "-"]
    subprocess.run(["ip", "netns", "add", "mg-here"], check=True)
    subprocess.run(["ip", "netns", "add", "mg-there"], check=True)
    lines = "link add name ear netns mg-here type veth peer name mouth netns mg-there\n"
    subprocess.run(ip, input=lines, text=True, check=True)
    for name, link in (("mg-here", "ear"), ("mg-there", "mouth")):
        subprocess.run(["ip", "-n", name, "link", "set", "dev", link, "up"], check=True)

    def opened() -> socket.socket:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        made.bind(("mouth", 0))
        return made

    made = inside("mg-there", opened)
    yield made
    made.close()
    for name in ("mg-here", "mg-there"):
        subprocess.run(["ip", "netns", "delete", name], check=True)


WRONG = [
    offer(ROGUE, "10.13.0.66"),
    announcement(ROGUE, "10.13.0.7"),
    question(ROGUE, "10.13.0.1", "10.13.0.7"),
    router(ROGUE),
    declined(ROGUE),
]
HARMLESS = [
    offer(GATEWAY, "10.13.0.1"),
    announcement(GATEWAY, "10.13.0.1"),
    router(GATEWAY),
    asked(ROGUE),
    question(ROGUE, "10.13.0.7", "10.13.0.1"),
    question(ROGUE, "0.0.0.0", "10.13.0.7"),
    Ether(src=ROGUE) / IP(dst="10.13.0.7") / UDP(sport=5000, dport=443) / b"x",
]


@pytest.mark.root
def test_the_kernel_lets_only_suspicious_frames_in(wire: socket.socket) -> None:
    ear = Ear("mg-here", "ear")
    wire.send(bytes(WRONG[0]))
    ear.listen()
    assert ear.taken() == []  # before the gateway is proven nothing is let in

    ear.arm(suspicious(GATEWAY, ADDRESS))
    for frame in (*HARMLESS, *WRONG):
        wire.send(bytes(frame))

    found: list[bytes] = []

    def all_there() -> bool:
        ear.listen()
        found.extend(ear.taken())
        return len(found) >= len(WRONG)

    eventually(all_there, "the suspicious frames")
    ear.close()
    assert [bytes(Ether(frame)) for frame in found] == [bytes(frame) for frame in WRONG]


@pytest.mark.root
def test_an_ear_keeps_so_many_frames_and_counts_the_rest(wire: socket.socket) -> None:
    ear = Ear("mg-here", "ear")
    ear.arm(suspicious(GATEWAY, ADDRESS))
    for _ in range(40):
        for _ in range(20):
            wire.send(bytes(WRONG[1]))
        ear.listen()

    assert len(ear.taken()) == 256
    assert ear.dropped > 0
    ear.close()


@pytest.mark.root
def test_an_interface_that_goes_down_and_comes_back_is_listened_to_again(wire: socket.socket) -> None:
    place = Place("maison-services-publics", "mg-here", "ear", {})
    first = place.listen()
    assert first
    first.arm(suspicious(GATEWAY, ADDRESS))
    subprocess.run(["ip", "-n", "mg-here", "link", "set", "ear", "down"], check=True)
    hear([place], 1.0)
    assert place.ear is None
    subprocess.run(["ip", "-n", "mg-here", "link", "set", "ear", "up"], check=True)
    ear = place.listen()
    assert ear
    ear.arm(suspicious(GATEWAY, ADDRESS))

    def is_heard() -> bool:
        with suppress(OSError):  # its other end may not be up yet
            wire.send(bytes(WRONG[1]))
        hear([place], 0.1)
        return bool(ear.taken())

    eventually(is_heard, "a suspicious frame")
    ear.close()


def test_a_namespace_that_is_not_there_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match="mg-nowhere"):
        Ear("mg-nowhere", "ear")
