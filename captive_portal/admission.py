"""What makes the gateway admit exactly the sessions it should: start, expiry, restart, reboot, a foreign flush.

Two pictures in, the difference out. No clock, no socket.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal, NamedTuple

from parvis.addresses import MacAddress

TOLERANCE_SECONDS = 5.0
"""A kernel timeout this near to the wanted one is the same: the two are read one after the other."""
SHORTEST_SECONDS = 1.0
"""The kernel is given whole seconds, rounded down, so it always ends a session just before the store does."""


class Wanted(NamedTuple):
    """A session that should be admitted: number, *deadline* in seconds since boot, rates in bits per second."""

    session: int
    deadline: float
    down: int
    up: int


class Admitted(NamedTuple):
    """A session the kernel admits: number, seconds left."""

    session: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Allow:
    """Admit *mac* as *session* for *seconds*, at *down* and *up* bits per second; replaces what it had."""

    mac: MacAddress
    session: int
    seconds: float
    down: int
    up: int


@dataclass(frozen=True, slots=True)
class Deny:
    """Admit *mac* no longer."""

    mac: MacAddress


@dataclass(frozen=True, slots=True)
class Block:
    """Keep *mac* out for *seconds* and end its session; it still reaches the portal, which says why."""

    mac: MacAddress
    seconds: float


@dataclass(frozen=True, slots=True)
class Unblock:
    """Let *mac* be admitted again."""

    mac: MacAddress


Step = Allow | Deny | Block | Unblock
Direction = Literal["missing", "different", "surplus"]


def plan(wanted: Mapping[MacAddress, Wanted], actual: Mapping[MacAddress, Admitted], now: float) -> list[Allow | Deny]:
    """What makes the gateway admit exactly *wanted* at *now* (seconds since boot); *actual* was read just before.

    >>> anna = MacAddress.parse("02:00:00:00:00:01")
    >>> plan({}, {anna: Admitted(7, 60.0)}, now=0.0)
    [Deny(mac=MacAddress(text='02:00:00:00:00:01'))]
    """
    live = {mac: want for mac, want in wanted.items() if want.deadline > now}
    surplus: list[Allow | Deny] = [Deny(mac) for mac in sorted(actual.keys() - live.keys())]
    wrong = [
        mac
        for mac, want in live.items()
        if want.deadline - now >= SHORTEST_SECONDS and not _same(want, actual.get(mac), now)
    ]
    for mac in sorted(wrong, key=attrgetter("text")):  # ten times quicker than comparing addresses
        want = live[mac]
        surplus.append(Allow(mac, want.session, want.deadline - now, want.down, want.up))
    return surplus


def later(steps: Sequence[Allow | Deny], seconds: float) -> list[Allow | Deny]:
    """*steps* as they are when they are done *seconds* after they were planned: what is granted ends no later.

    >>> later([Allow(MacAddress.parse("02:00:00:00:00:01"), 7, 60.0, 1, 1)], 2.5)[0].seconds
    57.5
    """
    return [
        Allow(one.mac, one.session, max(SHORTEST_SECONDS, one.seconds - seconds), one.down, one.up)
        if isinstance(one, Allow)
        else one
        for one in steps
    ]


def direction(step: Allow | Deny, actual: Mapping[MacAddress, Admitted]) -> Direction:
    """In which way the kernel differed from the store before *step*."""
    if isinstance(step, Deny):
        return "surplus"
    return "different" if step.mac in actual else "missing"


def _same(want: Wanted, have: Admitted | None, now: float) -> bool:
    if have is None or have.session != want.session:
        return False
    return abs(have.seconds - (want.deadline - now)) <= TOLERANCE_SECONDS
