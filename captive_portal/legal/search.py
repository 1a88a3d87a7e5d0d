"""Answer a requisition: who had this address and port at that second; what had this device. No clock, no I/O.

There are three questions and no others: an address with a port and a moment, a device with a window, a session's
number. None has a wildcard, none lists anybody who was not asked for.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from captive_portal.legal.bindings import DOOR, LEASE, SESSION, SIX
from captive_portal.legal.conntrack import Flow, each_once
from captive_portal.legal.timeline import Span, Timeline
from captive_portal.port_blocks import Blocks
from parvis.addresses import MacAddress

MOST_TOLERANCE = 300
LONG_WINDOW = 86_400
LONGEST_WINDOW = 31 * 86_400
LAST_PORT = 65535
SECOND = 1_000_000_000
"""In nanoseconds."""


class Unlawful(ValueError):
    """The question is wider than the law lets anybody ask; says how to narrow it."""


@dataclass(frozen=True, slots=True)
class AtMoment:
    """Who had *address* and *port* at *second* (Unix), give or take *tolerance* seconds. IPv6 needs no port."""

    address: IPv4Address | IPv6Address
    port: int | None
    second: int
    tolerance: int = 0

    @property
    def window(self) -> tuple[int, int]:
        """The seconds asked about, both included."""
        return self.second - self.tolerance, self.second + self.tolerance

    def check(self) -> None:
        """Unlawful when it is no question about one moment."""
        if not 0 <= self.tolerance <= MOST_TOLERANCE:
            raise Unlawful(f"a tolerance is {MOST_TOLERANCE} s at most")
        if self.port is None and self.address.version == 4:  # noqa: PLR2004 IPv4
            raise Unlawful("an IPv4 address is many residents' at once; give the source port too")
        if self.port is not None and not 1 <= self.port <= LAST_PORT:
            raise Unlawful("a port is a number from 1 to 65535")


@dataclass(frozen=True, slots=True)
class OfDevice:
    """What the device *mac* had from *first* to *last* (Unix seconds, both included)."""

    mac: MacAddress
    first: int
    last: int

    @property
    def window(self) -> tuple[int, int]:
        """The seconds asked about, both included."""
        return self.first, self.last

    def check(self) -> None:
        """Unlawful when the window is no window, or too long."""
        if self.last < self.first:
            raise Unlawful("the window ends before it begins")
        if self.last - self.first > LONGEST_WINDOW:
            raise Unlawful("a window is 31 days at most; ask for several")


@dataclass(frozen=True, slots=True)
class OfSession:
    """What session *number* at *site* had on the UTC day that begins at *day* (Unix seconds)."""

    site: str
    number: int
    day: int

    @property
    def window(self) -> tuple[int, int]:
        """The seconds asked about, both included."""
        return self.day, self.day + 86_399

    def check(self) -> None:
        """Unlawful for no session's number."""
        if self.number < 1:
            raise Unlawful("a session's number is 1 or more")


Question = AtMoment | OfDevice | OfSession


def is_long(question: Question) -> bool:
    """Whether it needs a second approval: it asks about more than 24 hours."""
    first, last = question.window
    return last - first > LONG_WINDOW


@dataclass(frozen=True, slots=True)
class Answer:
    """One line of an answer. Times in milliseconds; *end* None: still at the end of what was read."""

    site: str
    session: int
    mac: str
    private: str
    public: str
    ports: str
    begin: int
    end: int | None
    terms: str
    certain: bool


def answers(question: Question, timelines: Iterable[Timeline]) -> list[Answer]:
    """Everything that answers *question*, and nothing else."""
    question.check()
    found: list[Answer] = []
    for line in timelines:
        match question:
            case AtMoment():
                found += _at_moment(question, line)
            case OfDevice(mac, first, last):
                spans = [one for one in line.spans if one.mac == mac.text]
                found += _with_addresses(line, spans, first, last)
            case OfSession(site, number, _):
                found += _of_session(question, line) if line.site == site and number else []
    return sorted(set(found), key=lambda one: (one.begin, one.site, one.private))


def _at_moment(question: AtMoment, line: Timeline) -> Iterator[Answer]:
    first, last = question.window
    for private, blocks in _privates(question, line):
        holders = {one.mac for one in line.spans if one.ip == private and one.within(first, last)}
        spans = [one for one in line.spans if one.mac in holders and (one.kind == SESSION or one.ip == private)]
        yield from _with_addresses(line, spans, first, last, blocks)


def _privates(question: AtMoment, line: Timeline) -> Iterator[tuple[str, Blocks | None]]:
    """Whose addresses the asked one may have stood for."""
    if isinstance(question.address, IPv6Address):
        yield str(question.address), None
        return
    first, last = question.window
    for place, one in enumerate(line.behind):
        ended = line.behind[place + 1].begin if place + 1 < len(line.behind) else None
        begun = place == 0 or one.begin // 1000 <= last + 86_400  # nothing is known from before the first
        during = begun and (ended is None or ended // 1000 >= first)
        if during and one.blocks.public == question.address and question.port is not None:
            holder = one.blocks.holder(question.port)
            if holder is not None:
                yield str(holder), one.blocks


def _with_addresses(
    line: Timeline, spans: list[Span], first: int, last: int, blocks: Blocks | None = None
) -> Iterator[Answer]:
    """Each session of *spans* with each address it had at the same time, within the seconds asked about."""
    doors = [one for one in line.spans if one.kind == DOOR]
    sessions = [one for one in (*spans, *doors) if one.kind in {SESSION, DOOR}]
    for session in sessions:
        for held in spans:
            both = _both(session, held)
            if held.kind in {LEASE, SIX} and session.mac in {held.mac, ""} and both and both.within(first, last):
                both.certain = both.certain and (both.end is not None or line.tells_of(last))
                yield _answer(line, session, held, both, blocks)


def _both(one: Span, other: Span) -> Span | None:
    """When both lasted; None when they never did at the same time."""
    ends = [span.end for span in (one, other) if span.end is not None]
    begin, end = max(one.begin, other.begin), min(ends) if ends else None
    if end is not None and end < begin:
        return None
    return Span(other.kind, other.mac, other.ip, one.number, begin, end, one.certain and other.certain)


def _answer(line: Timeline, session: Span, held: Span, both: Span, blocks: Blocks | None) -> Answer:
    public, ports = held.ip, ""
    if held.kind == LEASE:
        known = blocks or line.behind[-1].blocks
        block = known.of(IPv4Address(held.ip))
        public, ports = str(known.public), f"{block[0]}-{block[-1]}" if block else ""
    return Answer(
        line.site, session.number, held.mac, held.ip, public, ports, both.begin, both.end, session.terms, both.certain
    )


def _of_session(question: OfSession, line: Timeline) -> Iterator[Answer]:
    first, last = question.window
    sessions = [one for one in line.spans if one.kind == SESSION and one.number == question.number]
    for session in sessions:
        held = [one for one in line.spans if one.mac == session.mac and one.kind in {LEASE, SIX}]
        yield from _with_addresses(line, [session, *held], first, last)


def communications(
    answer: Iterable[Answer], flows: Iterable[Flow], first: int, last: int, boots: Iterable[tuple[str, int]] = ()
) -> list[Flow]:
    """Of *flows*, those of the sessions and addresses in *answer*, begun or going on in the seconds asked about.

    *boots*: (site, milliseconds) of each start of a gateway: what went on before it had ended by then at the latest.
    """
    held = {(one.session, one.private): one.site for one in answer}
    theirs = (one for one in flows if (one.mark, str(one.source)) in held and one.start // SECOND <= last)
    starts = sorted((at, site) for site, at in boots)
    found = []
    for one in each_once(theirs):
        site = held[one.mark, str(one.source)]
        later = (at * 1_000_000 for at, where in starts if where == site and at * 1_000_000 > one.start)
        stop = next(later, None) if one.open else one.stop
        if stop is None or stop // SECOND >= first:
            found.append(one)
    return sorted(found, key=lambda one: (one.start, one.stop, str(one.source), one.sport, str(one.target), one.tport))
