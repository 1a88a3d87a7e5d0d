"""Whether somebody altered the ruleset, and how many commits a change takes, asked of a real kernel."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address

import pytest
from bare_kernel import ANNA, empty_namespace, loaded
from door_twin import Inside, sh

from captive_portal import ruleset
from captive_portal.admission import Allow, Deny
from captive_portal.changes import RULESET, Changes, authors
from captive_portal.gateway import Gateway
from parvis.addresses import MacAddress
from parvis.inventory import DEMO_TOWN, load

pytestmark = pytest.mark.root
SO_RCVBUFFORCE = 33


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    with empty_namespace("alter") as name:
        yield name


@pytest.fixture
def gateway(namespace: str) -> Gateway:
    return loaded(namespace)


def nft(namespace: str, *words: str) -> None:
    sh("ip", "netns", "exec", namespace, "nft", *words)


ALTERATIONS = [
    "add rule inet portal forward accept",
    "insert rule inet portal up accept",
    "flush chain inet portal guest_in",
    "add chain inet portal forward { policy accept; }",
    "add table inet portal { flags dormant; }",
    "add set inet portal mine { type ipv4_addr; }",
    "add chain inet portal mine",
    "flush table arp portal_arp",
    "delete table inet portal",
    "flush ruleset",
]


@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_every_alteration_of_the_ruleset_is_seen(gateway: Gateway, namespace: str, alteration: str) -> None:
    assert gateway.intact()

    nft(namespace, *alteration.split())

    assert not gateway.intact()
    nft(namespace, "flush", "ruleset")


def test_sessions_counts_and_foreign_tables_are_no_alteration(gateway: Gateway, namespace: str) -> None:
    gateway.apply([Allow(ANNA, 7, 600, 8_000_000, 8_000_000)])
    nft(namespace, "add", "element", "inet", "portal", "dns_rate", "{ 02:00:00:00:00:09 }")
    nft(namespace, "add", "table", "inet", "somebody")
    nft(namespace, "reset", "counters")
    sh("ip", "netns", "exec", namespace, "ip", "link", "set", "lo", "up")

    assert gateway.intact()


def test_r63_hundreds_of_devices_are_disconnected_in_one_transaction(gateway: Gateway, namespace: str) -> None:
    macs = [MacAddress.parse(f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}") for n in range(1, 601)]
    gateway.apply([Allow(mac, number, 600, 8_000_000, 8_000_000) for number, mac in enumerate(macs, 1)])
    assert len(gateway.admitted()) == len(macs)
    with Inside(namespace):
        changes = Changes()
    changes._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8_000_000)  # the kernel tells each element

    gateway.apply([Deny(mac) for mac in macs])

    assert commits(changes) == [threading.get_native_id()]
    assert gateway.admitted() == {}
    assert gateway.sizes()["auth"] == 0
    assert gateway.counters() == []


def test_what_others_alter_is_told_by_name_and_what_we_change_ourselves_is_not(
    gateway: Gateway, namespace: str
) -> None:
    with Inside(namespace):
        changes = Changes(gateway.port)
    gateway.apply([Allow(ANNA, 7, 600, 8_000_000, 8_000_000)])
    assert changes.foreign(0) == set()

    nft(namespace, "add", "element", "inet", "portal", "garden4", "{ 192.0.2.1 }")
    nft(namespace, "delete", "element", "inet", "portal", "up", "{ 7 }")
    nft(namespace, "add", "table", "inet", "somebody")
    nft(namespace, "add", "set", "inet", "somebody", "theirs", "{ type mark; }")
    assert changes.foreign(0) == {"garden4", "up", RULESET}

    nft(namespace, "add", "element", "inet", "somebody", "theirs", "{ 7 }")
    assert "up" not in changes.foreign(0)
    nft(namespace, "flush", "ruleset")
    assert RULESET in changes.foreign(0)
    changes.close()


def commits(changes: Changes) -> list[int]:
    """Who has committed something, once for each commit."""
    found: list[int] = []
    with suppress(BlockingIOError):
        while True:
            found += authors(changes._socket.recv(1 << 18))
    return found


def test_a_session_half_expired_in_the_kernel_is_admitted_all_the_same(gateway: Gateway, namespace: str) -> None:
    """Its elements end one after the other, by ticks: the rest of an old one must not stop the new."""
    half = "{ 7 limit rate 9 bytes/second burst 9 bytes counter timeout 1h }"
    for name in ("up", "down"):
        nft(namespace, "add", "element", "inet", "portal", name, half)

    gateway.apply([Allow(ANNA, 7, 600, 8_000_000, 8_000_000)])

    truth = gateway.session(ANNA)
    assert truth is not None
    assert truth.session == 7
    listed = sh("ip", "netns", "exec", namespace, "nft", "list", "set", "inet", "portal", "up")
    assert "limit rate 1000000 bytes/second" in listed


def test_r42_dropped_packets_are_read_as_numbers_and_other_tables_left_out(gateway: Gateway, namespace: str) -> None:
    nft(namespace, "add", "counter", "inet", "portal", "mine", "{ packets 4294967301 bytes 7 }")
    nft(namespace, "add", "table", "inet", "somebody")
    nft(namespace, "add", "counter", "inet", "somebody", "theirs")

    found = gateway.drops()

    assert found["mine"] == 4294967301
    assert found["spoofed"] == 0
    assert "theirs" not in found
    nft(namespace, "delete", "counter", "inet", "portal", "mine")


def test_leases_are_replaced_when_the_ruleset_is_loaded_and_sessions_stay(gateway: Gateway, namespace: str) -> None:
    gateway.apply([Allow(ANNA, 7, 600, 8_000_000, 8_000_000)])
    many = {(IPv4Address("10.11.1.0") + n, MacAddress.parse(f"02:00:00:01:{n >> 8:02x}:{n & 255:02x}")): 600
            for n in range(1200)}  # fmt: skip
    town = load(DEMO_TOWN)

    gateway.load(ruleset.text(town, town.site("maison-services-publics")), many)

    assert gateway._leased() == set(many)
    assert gateway.sizes()["lease4"] == len(many)
    arp = sh("ip", "netns", "exec", namespace, "nft", "list", "set", "arp", "portal_arp", "lease")
    assert arp.count("expires") == len(many)
    assert "10.11.0.5" not in arp
    assert list(gateway.admitted()) == [ANNA]
