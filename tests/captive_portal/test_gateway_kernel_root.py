"""What gatewayd writes into nftables, read back from the kernel of a namespace of our own."""

from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest
from bare_kernel import ANNA, empty_namespace, loaded
from door_twin import sh

from captive_portal import ruleset
from captive_portal.admission import Allow, Block, Deny, Step, Unblock
from captive_portal.gateway import MANY, Gateway
from captive_portal.protocol import MAX_MARK, OPEN_SESSION
from captive_portal.transaction import TransactionFailed
from parvis.addresses import MacAddress
from parvis.inventory import DEMO_TOWN, load

pytestmark = pytest.mark.root
BRUNO = MacAddress.parse("02:00:00:00:00:02")


@pytest.fixture
def namespace() -> Iterator[str]:
    with empty_namespace("nft") as name:
        yield name


@pytest.fixture
def gateway(namespace: str) -> Gateway:
    return loaded(namespace)


def allow(mac: MacAddress = ANNA, session: int = 7, seconds: float = 600, rate: int = 8_000_000) -> Step:
    return Allow(mac, session, seconds, rate, rate)


def counted_in_kernel(namespace: str, session: int, up: int, down: int) -> None:
    """Pretend that so many bytes have passed."""
    for name, total in (("up", up), ("down", down)):
        place = f"element inet portal {name} {{ {session} "
        limit = f"limit rate 1000000 bytes/second burst 32000 bytes counter packets 9 bytes {total} timeout 600s }}"
        sh("ip", "netns", "exec", namespace, "nft", f"delete {place}}}; add {place}{limit}")


def test_f33_another_rate_keeps_the_bytes_counted(gateway: Gateway, namespace: str) -> None:
    gateway.apply([allow()])
    counted_in_kernel(namespace, 7, 1234, 5678)

    gateway.apply([allow(rate=256_000)])

    truth = gateway.session(ANNA)
    assert truth is not None
    assert (truth.session, truth.bytes_up, truth.bytes_down) == (7, 1234, 5678)
    listed = sh("ip", "netns", "exec", namespace, "nft", "list", "set", "inet", "portal", "down")
    assert "limit rate 32000 bytes/second" in listed


def test_many_who_come_together_are_admitted_whether_or_not_one_is_in_already(gateway: Gateway, namespace: str) -> None:
    many = [allow(MacAddress.parse(f"02:00:00:00:01:{n:02x}"), 100 + n) for n in range(MANY)]
    gateway.apply([allow()])
    counted_in_kernel(namespace, 7, 1234, 5678)

    gateway.apply(many)
    gateway.apply([allow(rate=256_000), *many])

    truth = gateway.session(ANNA)
    assert truth is not None
    assert (truth.bytes_up, truth.bytes_down) == (1234, 5678)
    assert {one.session for one in gateway.admitted().values()} == {7, *range(100, 100 + MANY)}
    assert gateway.size("up") == gateway.size("down") == MANY + 1


def test_another_session_of_the_device_counts_from_nothing(gateway: Gateway, namespace: str) -> None:
    gateway.apply([allow()])
    counted_in_kernel(namespace, 7, 1234, 5678)

    gateway.apply([allow(session=8)])

    assert [(one.session, one.bytes_up, one.bytes_down) for one in gateway.counters()] == [(8, 0, 0)]


def test_r42_counters_come_from_structured_elements_all_of_them(gateway: Gateway, namespace: str) -> None:
    gateway.apply([allow(MacAddress.parse(f"02{n:010x}"), n, 60) for n in range(1, 301)])
    counted_in_kernel(namespace, 300, 10**12, 3)

    found = {one.session: one for one in gateway.counters()}

    assert len(found) == 300
    assert (found[300].bytes_up, found[300].bytes_down) == (10**12, 3)
    assert 50 < found[1].seconds <= 60


def test_f32_a_blocked_device_loses_its_session_and_may_come_back(gateway: Gateway) -> None:
    gateway.apply([allow(), allow(BRUNO, 8)])

    gateway.apply([Block(ANNA, 60)])

    assert gateway.session(ANNA) is None
    assert 55 < (gateway.blocked(ANNA) or 0) <= 60
    assert [one.session for one in gateway.counters()] == [8]
    gateway.apply([Unblock(ANNA), Deny(BRUNO)])
    gateway.apply([Unblock(ANNA)])
    assert gateway.blocked(ANNA) is None


def test_blocking_again_counts_from_now(gateway: Gateway) -> None:
    gateway.apply([Block(ANNA, 3600)])

    gateway.apply([Block(ANNA, 60)])

    assert 55 < (gateway.blocked(ANNA) or 0) <= 60


def test_the_door_open_to_all_is_a_session_of_its_own_and_can_be_closed(gateway: Gateway) -> None:
    gateway.apply([allow()])

    gateway.open(3600)
    gateway.open(60)

    assert 55 < gateway.open_seconds() <= 60
    assert {one.session for one in gateway.counters()} == {7, OPEN_SESSION}
    gateway.open(0)
    assert gateway.open_seconds() == 0
    assert [one.session for one in gateway.counters()] == [7]


def test_sizes_count_elements(gateway: Gateway) -> None:
    gateway.apply([allow(), Block(BRUNO, 60)])

    assert gateway.sizes() == {"auth": 1, "lease4": 1, "blocked": 1, "known6": 0, "garden4": 0, "garden6": 0}
    assert gateway.drops() == dict.fromkeys(["closed", "crowded", "dns", "flood", "garden", "rogue", "spoofed"], 0)


def rules(namespace: str) -> list[str]:
    listed = sh("ip", "netns", "exec", namespace, "nft", "-st", "list", "ruleset")
    return [line for line in listed.splitlines() if " elements = " not in line]


def test_f21_r19_devices_are_elements_and_the_rules_stay_the_same(gateway: Gateway, namespace: str) -> None:
    before = rules(namespace)

    gateway.apply([allow(MacAddress.parse(f"02{n:010x}"), n, 60) for n in range(1, 201)])

    assert len(gateway.admitted()) == 200
    assert rules(namespace) == before


def test_f41_r33_a_ruleset_with_a_fault_changes_nothing(gateway: Gateway, namespace: str) -> None:
    gateway.apply([allow()])
    before = rules(namespace)
    town = load(DEMO_TOWN)
    good = ruleset.text(town, town.site("leo-lagrange"))

    for fault in ("add rule inet portal nowhere accept", "add rule inet portal forward ip daddr portal.invalid accept"):
        with pytest.raises(TransactionFailed):
            gateway.load(good + fault + "\n", {})

    assert rules(namespace) == before
    assert gateway.session(ANNA) is not None
    assert gateway.intact()


def test_r18_who_is_admitted_stays_so_through_reloads_and_a_change_of_leases(gateway: Gateway) -> None:
    gateway.apply([allow(), allow(BRUNO, 8)])
    town = load(DEMO_TOWN)

    for leases in ({}, {(IPv4Address("10.11.0.9"), BRUNO): 60}):
        gateway.load(ruleset.text(town, town.site("maison-services-publics")), leases)
        assert {one.session for one in gateway.admitted().values()} == {7, 8}


def test_r59_any_of_four_billion_numbers_is_a_session(gateway: Gateway) -> None:
    numbers = (1, 2**16, 2**31, MAX_MARK)

    gateway.apply([allow(MacAddress.parse(f"02{n:010x}"), n) for n in numbers])

    assert {one.session for one in gateway.counters()} == set(numbers)
