"""The moments in the record are the kernel's own, to some milliseconds: not those at which the recorder heard of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address

import pytest
from legal_town import Street, master, street
from resident import wait_for
from test_evidence_root import next_seconds, own6, people

from captive_portal.admission import Allow, Deny
from captive_portal.legal import reading
from captive_portal.legal.search import AtMoment, answers
from captive_portal.legal.timeline import Timeline
from parvis.addresses import MacAddress

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(120)]
TICK_MS = 12
"""What the kernel's timers are rounded to, twice."""
ROUNDS = 20
When = tuple[int, int]
"""Milliseconds before and after a deed."""


@pytest.fixture
def here() -> Iterator[Street]:
    with street() as made:
        yield made


def timed(deed: Callable[[], object]) -> When:
    """Do it; the milliseconds before and after."""
    before = time.time_ns() // 1_000_000
    deed()
    return before, time.time_ns() // 1_000_000


def timeline(here: Street) -> Timeline:
    now = int(time.time())
    (line,) = reading.timelines(here.sealed, here.keys, reading.days_of(now - 60, now), master(here.made, "A"))
    return line


def outside(
    moments: Sequence[int | None], deeds: Sequence[tuple[int, int]]
) -> list[tuple[int | None, tuple[int, int]]]:
    """Those of the record's *moments* at which the deed was not done."""
    return [(one, when) for one, when in zip(moments, deeds, strict=True) if not between(one, when)]


def between(moment: int | None, when: When) -> bool:
    return moment is not None and when[0] - TICK_MS <= moment <= when[1] + TICK_MS


def test_ret02_ret12_who_holds_an_address_is_told_to_the_kernels_tick(here: Street) -> None:
    """One after the other has it, with a session each: a tenth of a second's error would name another."""
    here.start()
    address, before = IPv4Address("10.11.0.10"), MacAddress("02:00:00:00:00:00")
    leased, came, went = [], [], []
    for number in range(1, ROUNDS + 1):
        mac = MacAddress(f"02:00:00:00:00:{number:02x}")
        leased.append(timed(lambda: here.gateway.lease({(address, before): 0, (address, mac): 3600})))  # noqa: B023 now
        came.append(timed(lambda: here.gateway.apply([Allow(mac, number, 3600, 50_000_000, 50_000_000)])))  # noqa: B023
        here.recorded(sessions=1)
        went.append(timed(lambda: here.gateway.apply([Deny(mac)])))  # noqa: B023 now
        here.recorded(sessions=0)
        before = mac
    here.stop()

    line = timeline(here)
    sessions, leases = ([one for one in line.spans if one.kind == kind] for kind in ("session", "lease"))
    assert outside([one.begin for one in sessions], came) == []
    assert outside([one.end for one in sessions], went) == []
    assert outside([one.begin for one in leases], leased) == []
    assert outside([one.end for one in leases[:-1]], leased[1:]) == []


def test_ret03_ret12_an_ipv6_address_begins_with_its_first_packet_whenever_that_is_noticed(here: Street) -> None:
    """A device with a living session takes one address after the other, as devices do for privacy."""
    person = people(0, 1, 1)[0]
    here.start()
    here.admit([person])
    here.recorded(sessions=1)
    first: dict[IPv6Address, When] = {}
    for shift in range(5):
        address = own6(person) + shift
        first[address] = timed(lambda address=address: here.send(person[0], address, 50_000))  # type: ignore[misc]
        here.settles(len(first))
        gap = time.time() + 0.7
        wait_for(lambda gap=gap: time.time() >= gap, "somewhere between two looks")  # type: ignore[misc]
    next_seconds(3)
    here.stop()

    line = timeline(here)
    begun = {IPv6Address(one.ip): one.begin for one in line.spans if one.kind == "six"}
    assert begun.keys() == first.keys()
    assert {one: (begun[one], when) for one, when in first.items() if not between(begun[one], when)} == {}
    for address, (before, _) in first.items():
        second = (before - TICK_MS) // 1000
        assert answers(AtMoment(address, None, second - 1), [line]) == []
        assert {one.mac for one in answers(AtMoment(address, None, (before + TICK_MS) // 1000 + 1), [line])}
