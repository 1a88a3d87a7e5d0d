"""When an element came or went, to the kernel's tick, whenever the recorder gets round to hearing of it.

The kernel tells how long an element had still to live when it came or went, and says how long it has now. The
difference is how long ago that was. What has gone meanwhile is told by bounds: after we had last heard all, before now.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from captive_portal.legal.bindings import Thing

TICK_MS = 20
"""The kernel's timers count in steps of up to 10 ms (jiffies), and each of two numbers is rounded."""
AT_ONCE = 32
PROMPT_MS = 10
"""An answer that took longer is asked for again: somewhere within it the kernel has looked."""
TRIES = 3
LONG_MS = 1000
Left = Callable[[str, list[bytes]], Mapping[bytes, float | None]]
"""Asks the kernel for the seconds that elements of a set (name, keys) have left; those that are gone are left out."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was told of an element: set and key, whether it came, milliseconds it had *left* (None: for ever).

    *since*: it was after that moment (milliseconds since 1970).
    """

    name: str
    key: bytes
    came: bool
    left: int | None
    since: int


class Begun(NamedTuple):
    """Since when, until when (None: until it is told), and by how much later it may have begun; in milliseconds."""

    at: int
    until: int | None
    doubt: int = 0

    @property
    def sure(self) -> bool:
        """Whether it is told to the second."""
        return self.doubt <= LONG_MS


def came(changes: Mapping[Thing, Change], left: Left, wall: Callable[[], int]) -> dict[Thing, Begun]:
    """When each of those of *changes* that came has begun; *wall* is the clock."""
    found: dict[Thing, Begun] = {}
    for name in sorted({one.name for one in changes.values() if one.came}):
        things = [thing for thing, one in changes.items() if one.came and one.name == name]
        for start in range(0, len(things), AT_ONCE):
            group = {thing: changes[thing] for thing in things[start : start + AT_ONCE]}
            looked, told = _promptly(partial(left, name, [one.key for one in group.values()]), wall)
            for thing, one in group.items():
                seconds = told.get(one.key)
                found[thing] = began(one, None if seconds is None else round(seconds * 1000), looked, wall())
    return found


def committed(begun: Iterable[Begun]) -> int | None:
    """When a transaction was, by what has *begun* with it: all of it is at one moment."""
    return next((one.at for one in begun if not one.doubt), None)


def began(change: Change, left: int | None, looked: int, now: int) -> Begun:
    """When *change* was, by what was *left* at the moment *looked*; never too late where that does not tell.

    >>> change = Change("auth", b"", True, 3_600_000, 1_000_000)
    >>> began(change, 3_599_500, 1_000_800, 1_000_801)
    Begun(at=1000300, until=4600300, doubt=0)
    >>> began(change, None, 1_004_000, 1_004_000)
    Begun(at=1000000, until=4604000, doubt=4000)
    """
    if left is not None and change.left is not None:
        at = looked - (change.left - left)
        if change.since - TICK_MS <= at <= looked:
            return Begun(at, looked + left)
    until = None if change.left is None else now + change.left
    return Begun(change.since, until, now - change.since)


def ended(change: Change, until: int | None, now: int) -> int:
    """When *change* took away what would have lasted *until* then; *now*, never too early, where that does not tell.

    >>> ended(Change("auth", b"", False, 3_000_000, 1_000_000), 4_000_300, 1_000_400)
    1000300
    >>> ended(Change("auth", b"", False, None, 1_000_000), None, 1_000_400)
    1000400
    """
    if until is not None and change.left is not None:
        at = until - change.left
        if change.since - TICK_MS <= at <= now:
            return at
    return now


def _promptly(
    ask: Callable[[], Mapping[bytes, float | None]], wall: Callable[[], int]
) -> tuple[int, Mapping[bytes, float | None]]:
    """A moment, and what the kernel says just after it."""
    for _ in range(TRIES):
        before = wall()
        found = ask()
        if wall() - before <= PROMPT_MS:
            break
    return before, found
