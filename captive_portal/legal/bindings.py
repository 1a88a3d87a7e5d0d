"""Who holds what at the gateway, and what of it is written down: a picture, changed thing by thing. No clock, no I/O.

A thing is a lease, an IPv6 address in use, a session, the door open to all, or a device kept out. Each begins and ends
once; at the start of a file everything that lasts is said again, so that a day's files speak for themselves.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import Any, NamedTuple

Record = dict[str, Any]
SLOT = 16
"""IFNAMSIZ: the interface's name in the keys of our sets."""
_MARK = struct.Struct("=L")
LEASE, SIX, SESSION, DOOR, KEPT_OUT = "lease", "six", "session", "door", "blocked"
KINDS = {"lease4": LEASE, "known6": SIX, "came6": SIX, "auth": SESSION, "open": DOOR, "blocked": KEPT_OUT}
"""Set of the ruleset -> what its elements are."""


class Thing(NamedTuple):
    """One thing somebody holds; *mac* is empty for the open door, *number* 0 for what is no session."""

    kind: str
    mac: str = ""
    ip: str = ""
    number: int = 0

    def record(self, at: int, *, on: bool, **more: object) -> Record:
        """The line that says it began or ended; *at* in milliseconds since 1970 (UTC)."""
        facts: Record = {"mac": self.mac, "ip": self.ip, "n": self.number}
        said = {key: value for key, value in facts.items() if value}
        return {"k": self.kind, "at": at, "on": int(on), **said, **more}


def thing_of(name: str, key: bytes, data: bytes) -> Thing | None:
    """What an element of the set *name* is; None when that is of no interest.

    >>> thing_of("lease4", bytes(16) + bytes.fromhex("0200000000010000") + bytes([10, 11, 0, 5]), b"")
    Thing(kind='lease', mac='02:00:00:00:00:01', ip='10.11.0.5', number=0)
    """
    match KINDS.get(name):
        case "lease":
            return Thing(LEASE, _mac(key[SLOT:]), str(IPv4Address(key[SLOT + 8 : SLOT + 12])))
        case "six":
            address = IPv6Address(key[8:24])
            return None if address.is_link_local else Thing(SIX, _mac(key), str(address))
        case "session":
            return Thing(SESSION, _mac(key[SLOT:]), number=_MARK.unpack(data[:4])[0])
        case "door":
            return Thing(DOOR, number=_MARK.unpack(data[:4])[0])
        case "blocked":
            return Thing(KEPT_OUT, _mac(key))
    return None


def _mac(data: bytes) -> str:
    return data[:6].hex(":")


@dataclass(slots=True)
class Span:
    """Since when, and until when at the latest (None: until it is told)."""

    since: int
    until: int | None


class Picture:
    """All that is held now. Every method gives the records that make the file say the same; times in milliseconds."""

    def __init__(self) -> None:
        self._held: dict[Thing, Span] = {}

    def __len__(self) -> int:
        return len(self._held)

    def sessions(self) -> int:
        """How many sessions there are."""
        return len(self.things(SESSION))

    def things(self, kind: str) -> list[Thing]:
        """The things of one kind."""
        return [thing for thing in self._held if thing.kind == kind]

    def since(self, kind: str) -> dict[Thing, int]:
        """Since when each thing of one kind is held."""
        return {thing: one.since for thing, one in self._held.items() if thing.kind == kind}

    def until(self, thing: Thing) -> int | None:
        """Until when *thing* is held at the latest; None when that is told by nobody, or it is not held."""
        known = self._held.get(thing)
        return known.until if known else None

    def begins(self, thing: Thing, at: int, until: int | None = None, **more: object) -> Iterator[Record]:
        """*thing* is there; said once, however often it is prolonged."""
        known = self._held.get(thing)
        if known:
            known.until = until
            return
        self._held[thing] = Span(at, until)
        yield thing.record(at, on=True, **more)

    def ends(self, thing: Thing, at: int) -> Iterator[Record]:
        """*thing* is gone; of what nobody knew the file hears nevertheless."""
        self._held.pop(thing, None)
        yield thing.record(at, on=False)

    def expires(self, now: int) -> list[Record]:
        """What the kernel has let expire by *now*: it tells nobody."""
        due = [(thing, one.until) for thing, one in self._held.items() if one.until is not None and one.until <= now]
        return [line for thing, until in due for line in self.ends(thing, until or now)]

    def becomes(
        self,
        seen: Mapping[Thing, int | None],
        kinds: Iterable[str],
        at: int,
        since: int,
        moments: Mapping[Thing, int] = MappingProxyType({}),
    ) -> list[Record]:
        """All things of *kinds* are *seen* (-> until): what is new began after *since*, what is missing has ended.

        *moments*: of those of which it is known when they began or ended.
        """
        wanted = frozenset(kinds)
        gone = [thing for thing in self._held if thing.kind in wanted and thing not in seen]
        lines = [line for thing in gone for line in self.ends(thing, moments.get(thing, at))]
        for thing, until in seen.items():
            lines += self.begins(thing, moments.get(thing, since), until)
        return lines

    def clock_set(self, step: int) -> None:
        """The wall clock was set by *step*: when what lasts began, and will end, by the clock as it is now."""
        for span in self._held.values():
            span.since += step
            span.until = None if span.until is None else span.until + step

    def again(self, at: int) -> list[Record]:
        """Everything that lasts, with when it began; then the mark that all was said."""
        lines = [thing.record(at, on=True, since=span.since, re=1) for thing, span in self._held.items()]
        return [*lines, {"k": "all", "at": at}]
