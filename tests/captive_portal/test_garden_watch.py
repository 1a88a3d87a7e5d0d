"""The garden's watch, with a resolver that the test is."""

import socket
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address

import pytest
from prometheus_client import CollectorRegistry

from captive_portal import garden_watch
from captive_portal.garden_watch import EVERY_SECONDS, PATIENCE_SECONDS, GardenWatch
from captive_portal.probes import HOSTS
from parvis.catalogue import Instruments

OURS4, OURS6 = IPv4Address("203.0.113.90"), IPv6Address("2001:db8::90")


class Resolver:
    """Answers every question with one address of each family: *ours* for our names, another for the rest."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.probes = IPv4Address("203.0.113.1")

    def works(self) -> int:
        asked = 0
        while True:
            try:
                question, peer = self.socket.recvfrom(2048)
            except TimeoutError:
                return asked
            asked += 1
            four = question[-3] == 1
            ours = b"\x06cachan" in question
            address = (OURS4 if ours else self.probes) if four else (OURS6 if ours else IPv6Address("2001:db8::1"))
            kind = b"\0\1" if four else b"\0\x1c"
            record = b"\xc0\x0c" + kind + b"\0\1\0\0\0\x3c" + len(address.packed).to_bytes(2, "big") + address.packed
            self.socket.sendto(question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question[12:] + record, peer)


class Bed:
    """What the kernel's sets hold."""

    def __init__(self) -> None:
        self.held: set[IPv4Address | IPv6Address] = set()

    def plant(self, addresses: Iterable[IPv4Address | IPv6Address]) -> dict[int, int]:
        missing = set(addresses) - self.held
        self.held |= missing
        return {family: sum(one.version == family for one in missing) for family in (4, 6)}


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    made = Resolver()
    yield made
    made.socket.close()


def watch(resolver: Resolver, bed: Bed, monkeypatch: pytest.MonkeyPatch) -> tuple[GardenWatch, CollectorRegistry]:
    monkeypatch.setattr(garden_watch, "DNS_PORT", resolver.socket.getsockname()[1])
    registry = CollectorRegistry()
    instruments = Instruments("gatewayd", registry)
    return GardenWatch(["famille.cachan.example"], "127.0.0.1", (4, 6), bed.plant, instruments), registry


def test_r35_an_empty_set_is_noticed_and_filled_in_both_families(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    bed = Bed()
    one, registry = watch(resolver, bed, monkeypatch)

    one.tick(1000.0)
    assert resolver.works() == 2 * (1 + len(HOSTS))
    one.answered()
    one.tick(1000.0 + PATIENCE_SECONDS)

    assert bed.held == {OURS4, OURS6}
    for family in ("ipv4", "ipv6"):
        assert registry.get_sample_value("gateway_garden_missing_addresses", {"family": family}) == 1
        assert registry.get_sample_value("gateway_garden_addresses", {"family": family}) == 1
    assert registry.get_sample_value("gateway_garden_probe_addresses") == 0
    one.tick(1000.0 + EVERY_SECONDS)
    assert resolver.works() == 0
    one.close()


def test_f28_a_name_that_leads_to_a_probe_hosts_address_is_told(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver.probes = OURS4
    one, registry = watch(resolver, Bed(), monkeypatch)

    one.tick(0.0)
    resolver.works()
    one.answered()
    one.tick(PATIENCE_SECONDS)

    assert registry.get_sample_value("gateway_garden_probe_addresses") == 1
    one.close()


def test_silence_of_the_resolver_leaves_the_garden_as_it_is(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, registry = watch(resolver, Bed(), monkeypatch)
    resolver.socket.close()

    one.tick(0.0)
    one.answered()
    one.tick(PATIENCE_SECONDS)

    assert registry.get_sample_value("gateway_garden_addresses", {"family": "ipv4"}) == 0
    one.close()
