"""What makes the gateway admit exactly the sessions it should: start, expiry, restart, reboot, a foreign flush.

Two pictures in, the difference out. No clock, no socket.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
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


class Picture(NamedTuple):
    """Everybody the kernel admitted *at* seconds since boot, but for *unsure*, who have been changed since."""

    admitted: Mapping[MacAddress, Admitted]
    at: float
    unsure: Collection[MacAddress] = ()


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


def plan(wanted: Mapping[MacAddress, Wanted], actual: Picture) -> list[Allow | Deny]:
    """What makes the gateway admit exactly *wanted* when it looks as in *actual*; of the unsure nothing is said.

    >>> anna = MacAddress.parse("02:00:00:00:00:01")
    >>> plan({}, Picture({anna: Admitted(7, 60.0)}, at=0.0))
    [Deny(mac=MacAddress(text='02:00:00:00:00:01'))]
    >>> plan({}, Picture({anna: Admitted(7, 60.0)}, at=0.0, unsure={anna}))
    []
    """
    now, unsure = actual.at, actual.unsure
    gone: list[MacAddress] = []
    wrong: dict[MacAddress, Wanted] = {}
    met = 0
    for mac, have in actual.admitted.items():  # one by one: both may be made out of something smaller as they are read
        want = None if mac in unsure else wanted.get(mac)
        if want is not None and want.deadline > now:
            met += 1
            if not _same(want, have, now):
                wrong[mac] = want
        elif mac not in unsure:
            gone.append(mac)
    if not actual.admitted or sum(1 for _ in _live(wanted, actual)) > met:
        wrong |= {mac: want for mac, want in _live(wanted, actual) if mac not in actual.admitted}
    steps: list[Allow | Deny] = [Deny(mac) for mac in sorted(gone)]
    for mac in sorted(wrong, key=attrgetter("text")):  # ten times quicker than comparing addresses
        want = wrong[mac]
        if want.deadline - now >= SHORTEST_SECONDS:
            steps.append(Allow(mac, want.session, want.deadline - now, want.down, want.up))
    return steps


def _live(wanted: Mapping[MacAddress, Wanted], actual: Picture) -> Iterator[tuple[MacAddress, Wanted]]:
    return ((mac, want) for mac, want in wanted.items() if want.deadline > actual.at and mac not in actual.unsure)


def later(steps: Iterable[Allow | Deny], elapsed: Callable[[], float]) -> Iterator[Allow | Deny]:
    """*steps* as they are when taken, *elapsed* seconds after they were planned: what is granted ends no later.

    >>> [one] = later([Allow(MacAddress.parse("02:00:00:00:00:01"), 7, 60.0, 1, 1)], lambda: 2.5)
    >>> one.seconds
    57.5
    """
    for one in steps:
        if isinstance(one, Allow):
            seconds = max(SHORTEST_SECONDS, one.seconds - elapsed())
            yield Allow(one.mac, one.session, seconds, one.down, one.up)
        else:
            yield one


def direction(step: Allow | Deny, actual: Mapping[MacAddress, Admitted]) -> Direction:
    """In which way the kernel differed from the store before *step*."""
    if isinstance(step, Deny):
        return "surplus"
    return "different" if step.mac in actual else "missing"


def _same(want: Wanted, have: Admitted, now: float) -> bool:
    return have.session == want.session and abs(have.seconds - (want.deadline - now)) <= TOLERANCE_SECONDS
