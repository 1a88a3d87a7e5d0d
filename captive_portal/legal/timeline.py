"""From a gateway's lines to who held what from when until when. No clock, no I/O.

A recorder that was gone for a while may have missed an end: what is not there when it comes back ended at an unknown
moment in between, and says so (*certain*). What lasted while the gateway's clock was set says so too, and is there by
both clocks: whichever was right, who was there is found.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from captive_portal.port_blocks import Blocks

Record = dict[str, Any]
NEAR = 300
"""Seconds."""
QUIET_MS = 150_000
"""A gateway says each minute that it lives, and the archive fetches that half a minute later."""
SHARED_PORTS = "réseau du public trop grand pour des blocs de ports : une adresse IPv4 et un port n'y nomment personne"


@dataclass(slots=True)
class Span:
    """One thing from *begin* to *end* in milliseconds (None: still), the ends of the seconds included when compared."""

    kind: str
    mac: str
    ip: str
    number: int
    begin: int
    end: int | None = None
    certain: bool = True
    terms: str = ""

    def within(self, first: int, last: int) -> bool:
        """Whether it lasted during some of the seconds from *first* to *last* (Unix seconds, both included)."""
        return self.begin // 1000 <= last and (self.end is None or -(-self.end // 1000) - 1 >= first)


@dataclass(frozen=True, slots=True)
class Behind:
    """Which blocks of which public address there were, since *begin*."""

    begin: int
    blocks: Blocks


@dataclass(slots=True)
class Timeline:
    """What a gateway's lines tell."""

    gateway: str
    site: str = ""
    spans: list[Span] = field(default_factory=list)
    behind: list[Behind] = field(default_factory=list)
    notes: list[tuple[int, int, str]] = field(default_factory=list)
    """(from, to, in words), milliseconds: when the record is less than whole."""
    offsets: list[tuple[int, float, bool]] = field(default_factory=list)
    """(milliseconds, offset in milliseconds, synchronised) as the kernel knew its clock."""
    _open: dict[tuple[str, str, str, int], Span] = field(default_factory=dict)
    _unsure: set[tuple[str, str, str, int]] = field(default_factory=set)
    boots: list[int] = field(default_factory=list)
    """When it was first heard of again after each start of the machine (milliseconds): no connection lasts over one."""
    _boot: str = ""
    _last: int = 0
    _furthest: int = 0
    """The latest moment anything is written of, by whichever clock there was."""
    _gap: bool = False

    def read(self, lines: Iterable[Record]) -> "Timeline":
        """Take *lines* in; returns itself."""
        for line in lines:
            self._take(line)
            self._furthest = max(self._furthest, int(line["at"]))
            self._last = int(line["at"]) if line["k"] == "clock" else max(self._last, int(line["at"]))
        return self

    def offset_at(self, seconds: int) -> tuple[float, bool] | None:
        """The clock's offset (milliseconds, synchronised) noted last before; None when none was."""
        before = [one for one in self.offsets if one[0] <= seconds * 1000 + 999]
        return before[-1][1:] if before else None

    def notes_about(self, first: int, last: int) -> list[str]:
        """What there is to say about the seconds from *first* to *last*, and five minutes around them."""
        near = [one for one in self.notes if one[0] // 1000 - NEAR <= last and one[1] // 1000 + NEAR >= first]
        shared = [SHARED_PORTS] if any(not one.blocks.exist for one in self.behind) else []
        silent = [] if self.tells_of(last) else [f"rien n'est écrit après {_utc(self._furthest)}"]
        return shared + silent + [f"{_utc(begin)} à {_utc(end)} : {words}" for begin, end, words in near]

    def tells_of(self, second: int) -> bool:
        """Whether the record goes so far; where it ends before, the power may have gone, with all that lasted."""
        return second * 1000 <= self._furthest + QUIET_MS

    def _note(self, line: Record, words: str) -> None:
        self.notes.append((int(line["at"]), int(line["at"]), words))

    def _take(self, line: Record) -> None:
        match line["k"]:
            case "file":
                self._begin_file(line)
            case "all":
                self._all_said(int(line["at"]))
            case "alive":
                self.offsets.append((int(line["at"]), float(line["offset"]), bool(line["sync"])))
            case "clock":
                self._clock_set(int(line["at"]), int(line["step"]))
            case "lost":
                self._note(line, f"{line['count']} annonce(s) du noyau perdue(s)")
            case "lease" | "six" | "session" | "door":
                self._thing(line)

    def _begin_file(self, line: Record) -> None:
        self.site = str(line["site"])
        blocks = Blocks(IPv4Network(line["guest"]), IPv4Address(line["public"]))
        if not self.behind or self.behind[-1].blocks != blocks:
            self.behind.append(Behind(int(line["at"]), blocks))
        if line["restart"]:
            self._unsure = set(self._open)
            self._gap = bool(line.get("gap", 1))
            if self._gap and self._last:
                words = "l'enregistreur ne fonctionnait pas"
                self.notes.append((self._last, int(line["at"]), words))
        boot = str(line.get("boot", ""))
        if self._boot and boot not in {"", self._boot}:
            self.boots.append(int(line["at"]))
        self._boot = boot or self._boot

    def _clock_set(self, at: int, step: int) -> None:
        """At *at* on the clock as it is from then on. What lasts is there by the clock before and by this."""
        moments = (at - step, at)
        self.notes.append((min(moments), max(moments), f"l'horloge du routeur a été réglée de {step} ms"))
        for key, span in self._open.items():
            span.end, span.certain = at - step, False
            self._open[key] = replace(span, begin=span.begin + step, end=None)
            self.spans.append(self._open[key])

    def _all_said(self, at: int) -> None:
        """Whatever a restart has not found again had ended before."""
        for key in self._unsure & self._open.keys():
            span = self._open.pop(key)
            span.end, span.certain = at, not self._gap
        self._unsure = set()

    def _thing(self, line: Record) -> None:
        key = (str(line["k"]), str(line.get("mac", "")), str(line.get("ip", "")), int(line.get("n") or 0))
        self._unsure.discard(key)
        known = self._open.get(key)
        if line["on"]:
            if known is None:
                begin = int(line["since"] if "since" in line else line["at"])
                span = Span(*key, begin=begin, terms=str(line.get("terms", "")), certain=not line.get("unsure"))
                self._open[key] = span
                self.spans.append(span)
        elif known is not None:
            known.end = int(line["at"])
            del self._open[key]


def _utc(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
