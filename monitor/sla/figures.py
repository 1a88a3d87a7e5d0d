"""What a contract's month or year comes to: GTR, IMS, availability, penalties (FIB-02, FIB-05, FIB-06). No I/O.

Two availabilities, never mixed: the contract's, by its rules, and the felt one, by what was seen at any hour.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from monitor.sla.hours import Holiday, Span, elapsed, less, merged, overlaps, running
from monitor.sla.outages import Attribution, Extent, Outage, attribution
from parvis.inventory import Penalty, Sla

REPEAT_SECONDS = 30 * 86400.0
"""An outage that begins within thirty days of the end of another one is a repetition (réitération)."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What is needed to reckon: the promise, the town's time zone, and which days are holidays by the contract."""

    sla: Sla
    zone: ZoneInfo
    holiday: Holiday


@dataclass(frozen=True, slots=True)
class Judged:
    """One outage under a contract; times in seconds.

    *raw_seconds*: from the first missing echo to what was verified. *gtr_seconds*: what of it ran against the operator,
    in the contract's hours, less the freezes; None when the GTR has not begun.
    """

    outage: Outage
    attribution: Attribution
    extent: Extent
    raw_seconds: float
    gtr_seconds: float | None
    gtr_kept: bool | None
    """None: no GTR was promised, or it does not count, or it goes on within its time."""

    @property
    def counts(self) -> bool:
        """Whether it is the operator's."""
        return self.attribution.counts


def judged(outage: Outage, terms: Terms, now: float) -> Judged:
    """*outage* by the *terms*, at *now* if it goes on."""
    sla = terms.sla
    found = attribution(outage, sla, now)
    start = outage.detected_at if sla.measured_from == "detection" else outage.signalled_at
    seconds = None if start is None else elapsed(_against(outage, (start, _end(outage, now)), terms))
    kept = None
    if found.counts and sla.gtr is not None and seconds is not None:
        over = seconds > sla.gtr
        kept = False if over else True if outage.verified_at is not None else None
    raw = elapsed([outage.span(now)])
    return Judged(outage, found, outage.extent(now), raw, seconds, kept)


def _end(outage: Outage, now: float) -> float:
    """The operator's word ends the GTR only once we have seen that it is so; else what we saw ends it."""
    if outage.verified_at is None:
        return now
    return min(outage.restored_at, outage.verified_at) if outage.restored_at is not None else outage.verified_at


def _against(outage: Outage, span: Span, terms: Terms) -> list[Span]:
    freezes = [(freeze.starts_at, freeze.ends_at) for freeze in outage.freezes]
    return less(running(span, terms.sla.gtr_hours, terms.zone, terms.holiday), freezes)


@dataclass(frozen=True, slots=True)
class Availability:
    """Of *seconds* in all, *measured*, of which *down*. *ratio* None: nothing was measured."""

    seconds: float
    measured: float
    down: float

    @property
    def ratio(self) -> float | None:
        """Up of measured: time in which nobody could tell is reported apart (FIB-07)."""
        return None if self.measured <= 0 else max(0.0, 1 - self.down / self.measured)

    @property
    def unmeasured(self) -> float:
        """Seconds in which nobody could tell."""
        return max(0.0, self.seconds - self.measured)


def contract_availability(found: Sequence[Judged], seen: Sequence[Span], period: Span, now: float) -> Availability:
    """By the contract: only what counts, less freezes; *seen*: when the link was measured, *period* to *now*."""
    whole = (period[0], min(period[1], now))
    down: list[Span] = []
    for one in found:
        if one.counts:
            freezes = [(freeze.starts_at, freeze.ends_at) for freeze in one.outage.freezes]
            down += less([one.outage.span(now)], freezes)
    return _availability(whole, seen, down)


def felt_availability(
    found: Sequence[Judged], seen: Sequence[Span], period: Span, now: float, hours: Sequence[Span] | None = None
) -> Availability:
    """As residents saw it: every total interruption, whoever's; within the site's opening *hours* if they are given."""
    whole = (period[0], min(period[1], now))
    down = [one.outage.span(now) for one in found if one.extent is not Extent.PARTIAL]
    if hours is None:
        return _availability(whole, seen, down)
    opened = overlaps([whole], hours)
    measured = overlaps(opened, merged(seen))
    return Availability(elapsed(opened), elapsed(measured), elapsed(overlaps(merged(down), measured)))


def _availability(whole: Span, seen: Sequence[Span], down: Sequence[Span]) -> Availability:
    measured = overlaps([whole], merged(seen))
    return Availability(max(0.0, whole[1] - whole[0]), elapsed(measured), elapsed(overlaps(merged(down), measured)))


def interrupted(found: Sequence[Judged], period: Span, now: float) -> float:
    """Seconds of the IMS used in *period*: the raw length of what counts, less the freezes."""
    down: list[Span] = []
    for one in found:
        if one.counts:
            freezes = [(freeze.starts_at, freeze.ends_at) for freeze in one.outage.freezes]
            down += less(overlaps([period], [one.outage.span(now)]), freezes)
    return elapsed(merged(down))


def repetitions(outages: Sequence[Outage], now: float) -> list[Outage]:
    """Outages that came back within thirty days of the one before; in the order they began."""
    ordered = sorted(outages, key=lambda one: one.detected_at)
    return [later for before, later in pairwise(ordered) if later.detected_at - before.span(now)[1] < REPEAT_SECONDS]


@dataclass(frozen=True, slots=True)
class Owed:
    """One penalty. *because* names the outage, or 0 for the whole period."""

    measure: str
    because: int
    percent: Decimal
    euros: Decimal | None


def penalties(
    terms: Terms, month: Sequence[Judged], ims_over: float, availability: float | None, fee: Decimal | None
) -> list[Owed]:
    """What is owed for a month, an estimate: *ims_over* in seconds, *availability* of its period, None: not known.

    All of a month together never exceed the contract's cap; what is beyond is cut from the last ones.
    """
    sla = terms.sla
    found: list[tuple[str, int, Decimal]] = []
    for one in month:
        if one.gtr_kept is False and sla.gtr is not None and one.gtr_seconds is not None:
            found += _step(sla, "gtr", one.gtr_seconds - sla.gtr, one.outage.number)
    if ims_over > 0:
        found += _step(sla, "ims", ims_over, 0)
    if availability is not None and sla.availability is not None and availability < sla.availability:
        found += _step(sla, "availability", sla.availability - availability, 0)
    return _capped(found, sla.penalty_cap_percent, fee)


def _step(sla: Sla, measure: str, value: float, because: int) -> list[tuple[str, int, Decimal]]:
    steps: list[Penalty] = [step for step in sla.penalties if step.measure == measure and value > step.above]
    return [(measure, because, steps[-1].percent)] if steps else []


def _capped(found: Sequence[tuple[str, int, Decimal]], cap: Decimal, fee: Decimal | None) -> list[Owed]:
    left = cap
    owed = []
    for measure, because, percent in found:
        given = min(percent, left)
        left -= given
        euros = None if fee is None else (fee * given / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        owed.append(Owed(measure, because, given, euros))
    return owed
