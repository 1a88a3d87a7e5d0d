"""What a profile says is wrong with its agents, and what the poller makes of it."""

import pytest
import test_vendors
from snmp_agents import PORTS, SYSTEM, UNIFI, MemoryAgent
from snmp_wired import Wired
from test_recall import Mib, fits, made, polled, told

from collectors.clocks import Continued, Rebooted
from collectors.snmp import ber
from collectors.snmp.pdu import Kind, Pdu, Version
from collectors.written import profiles

QUIRKY = {each.profile: each.quirks for each in profiles()}
NO_BULK = sorted(name for name, quirks in QUIRKY.items() if not quirks.bulk)
LYING = sorted((name, clock) for name, quirks in QUIRKY.items() for clock in quirks.clocks)
CLOCKS = {
    "agent": {"1.3.6.1.2.1.1.3.0": (ber.TIME_TICKS, 360_000)},
    "engine": {
        "1.3.6.1.6.3.10.2.1.2.0": (ber.INTEGER, 5),
        "1.3.6.1.6.3.10.2.1.3.0": (ber.INTEGER, 100_000),
    },
    "host": {"1.3.6.1.2.1.25.1.1.0": (ber.TIME_TICKS, 900_000)},
}


def family(name: str) -> Mib:
    """An agent that is taken for one of the family *name*."""
    return {**fits(name), **PORTS, **test_vendors.answered(name)}


class OneName(MemoryAgent):
    """An agent that answers only the first name of a request."""

    def answer(self, request: Pdu, version: Version) -> Pdu:
        return super().answer(Pdu(request.kind, request.request_id, 0, 0, list(request.varbinds)[:1]), version)


@pytest.mark.parametrize("name", NO_BULK)
def test_s03_an_agent_whose_getbulk_is_bad_is_never_sent_one(name: str) -> None:
    memory = MemoryAgent(family(name), knows_bulk=False)
    target = made(memory)
    first, second = polled(target), polled(target, 60)

    assert target.combined is not None
    assert (first.profile, target.combined.quirks.bulk) == (name, False)
    assert told(first) == told(second)
    assert {request.kind for request in memory.asked} == {Kind.GET, Kind.GET_NEXT}


def test_s03_an_agent_that_takes_one_name_is_asked_for_one() -> None:
    whole = told(polled(made(MemoryAgent(family("grandstream_gwn")))))
    memory = OneName(family("grandstream_gwn"))
    target = made(memory)
    first = told(polled(target))
    memory.asked.clear()
    second = told(polled(target, 60))

    assert first == second == whole
    assert {len(request.varbinds) for request in memory.asked} == {1}


@pytest.mark.parametrize(("name", "clock"), LYING)
def test_s03_a_clock_that_lies_reboots_nothing(name: str, clock: str) -> None:
    """It falls; where the profile did not know of it, that would be a restart."""
    running = {oid: cell for cells in CLOCKS.values() for oid, cell in cells.items()}
    memory = MemoryAgent({**family(name), **running})
    target = made(memory)
    polled(target)
    memory.mib = {**memory.mib, **{oid: (tag, 10) for oid, (tag, _) in CLOCKS[clock].items()}}
    memory.__post_init__()

    found = polled(target, 60)

    assert (found.profile, found.clock) == (name, Continued)


def test_s03_the_same_fall_of_an_honest_clock_is_a_restart() -> None:
    memory = MemoryAgent({**UNIFI, **CLOCKS["engine"]})
    target = made(memory)
    polled(target)
    memory.mib = {**memory.mib, "1.3.6.1.6.3.10.2.1.3.0": (ber.INTEGER, 10)}
    memory.__post_init__()

    assert polled(target, 60).clock is Rebooted


def test_what_was_learned_of_a_device_is_not_held_against_the_next_one_at_its_place() -> None:
    memory = MemoryAgent(family("grandstream_gwn"), knows_bulk=False)
    target = made(memory)
    polled(target)
    other = MemoryAgent({**SYSTEM, **UNIFI})
    target.session = Wired(other)

    found = polled(target, 60)

    assert found.profile == "unifi"
    assert Kind.GET_BULK in {request.kind for request in other.asked}
