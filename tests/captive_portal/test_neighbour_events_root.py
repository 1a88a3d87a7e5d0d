"""The kernel's news of neighbours and bridge ports, from a real bridge in a namespace of our own."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from ipaddress import IPv6Address

import pytest
from door_twin import Inside, sh

from captive_portal.neighbour_events import NeighbourEvents, Port
from captive_portal.neighbours import Neighbour
from captive_portal.presence import Presence
from parvis.addresses import MacAddress

pytestmark = pytest.mark.root
COPIED = MacAddress.parse("02:00:00:00:00:77")
EXPERIMENT = b"\x88\xb5"
"""IEEE 802 local experimental EtherType."""


@pytest.fixture
def namespace() -> Iterator[str]:
    """A gateway whose guest interface is a bridge with two ports, ``near1`` and ``near2`` at their far ends."""
    name = f"ke-{os.getpid()}-bridge"
    sh("ip", "netns", "add", name)
    lines = ["link add guest0 type bridge", "link set guest0 up"]
    for number in (1, 2):
        lines += [f"link add port{number} type veth peer name near{number}", f"link set port{number} master guest0"]
        lines += [f"link set {end}{number} up" for end in ("port", "near")]
    for line in lines:
        sh("ip", "-n", name, *line.split())
    yield name
    sh("ip", "netns", "del", name)


@pytest.fixture
def events(namespace: str) -> Iterator[NeighbourEvents]:
    with Inside(namespace):
        made = NeighbourEvents("guest0")
        list(made.news())
    yield made
    made.close()


def speaks_at(namespace: str, number: int) -> None:
    with Inside(namespace), closing(socket.socket(socket.AF_PACKET, socket.SOCK_RAW)) as wire:
        wire.bind((f"near{number}", 0))
        wire.send(b"\xff" * 6 + bytes.fromhex(COPIED.text.replace(":", "")) + EXPERIMENT + bytes(50))


def news(namespace: str, events: NeighbourEvents) -> list[Neighbour | Port]:
    with Inside(namespace):
        return list(events.news())


def test_a_copied_address_that_speaks_at_two_ports_is_seen_at_both(namespace: str, events: NeighbourEvents) -> None:
    book, told = Presence(), 0
    until = time.monotonic() + 20
    turn = 0
    while not told and time.monotonic() < until:
        turn += 1
        speaks_at(namespace, 1 + turn % 2)
        ports = [one for one in news(namespace, events) if isinstance(one, Port) and one.mac == COPIED]
        told += sum(book.port(one.mac, one.port, time.monotonic()) for one in ports)

    assert told == 1
    assert book.twice(COPIED, time.monotonic()) == "bridge"


def test_an_ipv6_neighbour_comes_and_goes(namespace: str, events: NeighbourEvents) -> None:
    entry = ("2001:db8::77", "lladdr", COPIED.text, "dev", "guest0")
    sh("ip", "-n", namespace, "neigh", "add", *entry, "nud", "reachable")
    come = [one for one in news(namespace, events) if isinstance(one, Neighbour)]
    sh("ip", "-n", namespace, "neigh", "del", *entry)
    gone = [one for one in news(namespace, events) if isinstance(one, Neighbour)]

    assert [(one.address, one.mac) for one in come] == [(IPv6Address("2001:db8::77"), COPIED)]
    assert {(one.address, one.mac) for one in gone} == {(IPv6Address("2001:db8::77"), None)}


def test_other_interfaces_are_none_of_our_business(namespace: str, events: NeighbourEvents) -> None:
    sh("ip", "-n", namespace, "neigh", "add", "2001:db8::78", "lladdr", COPIED.text, "dev", "near1")

    assert not [one for one in news(namespace, events) if isinstance(one, Neighbour)]
