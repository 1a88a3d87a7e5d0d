"""A month of one link under its contract (FIB-05): every figure, with its period and target. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from statistics import mean
from typing import NamedTuple

from monitor.sla.figures import (
    Availability,
    Judged,
    Owed,
    Terms,
    contract_availability,
    felt_availability,
    interrupted,
    judged,
    penalties,
    repetitions,
)
from monitor.sla.hours import Span, elapsed, less, merged, month_of, overlaps, year_of
from monitor.sla.outages import Extent, Outage, overlapping
from parvis.inventory import Site


class Quantiles(NamedTuple):
    """Percentiles of hourly values."""

    p5: float
    p50: float
    p95: float


Figures = Mapping[str, Quantiles]
"""Kind of series (rtt, loss, in, out, rx) -> what its hours of the month were."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a link.

    Its *outages* of the year and of thirty days before, the spans in which it was *measured* and those in which the
    building is open (*hours*), the month's *figures*.
    """

    outages: Sequence[Outage]
    measured: Sequence[Span]
    hours: Sequence[Span]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Report:
    """One link's month. *until*: the end of the month, or the instant of the report when it is under way.

    *year* is the calendar year's, up to *until*; *ims_used* in seconds of it. *mttr*, *mtbf* in seconds.
    """

    site: Site
    month: date
    period: Span
    until: float
    outages: tuple[Judged, ...]
    contract: Availability
    contract_year: Availability
    felt: Availability
    felt_open: Availability
    ims_used: float
    gtr_kept: int
    gtr_judged: int
    mttr: float | None
    mtbf: float | None
    repeated: tuple[Outage, ...]
    figures: Figures
    owed: tuple[Owed, ...]
    unmeasured_outage: float

    @property
    def total(self) -> list[Judged]:
        """The interruptions: all but partial ones and micro-cuts."""
        return [one for one in self.outages if one.extent is Extent.TOTAL]

    @property
    def micro(self) -> int:
        """How many micro-cuts."""
        return sum(one.extent is Extent.MICRO for one in self.outages)

    @property
    def down_seconds(self) -> float:
        """Of the month's interruptions, all causes together, within the month."""
        return elapsed(merged(overlaps([self.period], [one.outage.span(self.until) for one in self.total])))


def report(site: Site, month: date, seen: Seen, terms: Terms, now: float) -> Report:
    """The report of *site*'s link for the *month* (any day of it), as things stand at *now*."""
    period, year = month_of(month, terms.zone), year_of(month, terms.zone)
    until = min(period[1], now)
    here = [judged(one, terms, now) for one in overlapping(seen.outages, (period[0], until), now)]
    this_year = [judged(one, terms, now) for one in overlapping(seen.outages, (year[0], until), now)]
    contract = contract_availability(here, seen.measured, period, until)
    contract_year = contract_availability(this_year, seen.measured, year, until)
    ims = interrupted(this_year, (year[0], until), until)
    promised = [one for one in here if one.gtr_kept is not None]
    ended = [one for one in here if one.extent is Extent.TOTAL and one.outage.verified_at is not None]
    return Report(
        site,
        month.replace(day=1),
        period,
        until,
        tuple(here),
        contract,
        contract_year,
        felt_availability(here, seen.measured, period, until),
        felt_availability(here, seen.measured, period, until, seen.hours),
        ims,
        sum(one.gtr_kept is True for one in promised),
        len(promised),
        mean(one.raw_seconds for one in ended) if ended else None,
        _between(here, contract) if here else None,
        tuple(one for one in repetitions(seen.outages, now) if period[0] <= one.detected_at < until),
        seen.figures,
        tuple(_owed(site, terms, here, this_year, (period, year), seen, until)),
        elapsed(less(overlaps([(period[0], until)], merged(one.outage.span(until) for one in here)), seen.measured)),
    )


def _between(found: Sequence[Judged], measured: Availability) -> float | None:
    """Mean time between failures: time in service by the number of total interruptions."""
    count = sum(one.extent is Extent.TOTAL for one in found)
    return (measured.measured - measured.down) / count if count else None


def _owed(
    site: Site,
    terms: Terms,
    month: Sequence[Judged],
    this_year: Sequence[Judged],
    spans: tuple[Span, Span],
    seen: Seen,
    until: float,
) -> list[Owed]:
    """Penalties of the month. What the year's IMS was over at the month's beginning was owed then."""
    sla, line = terms.sla, site.uplink.line
    period, year = spans
    ended = [one for one in month if one.outage.verified_at is not None and period[0] <= one.outage.verified_at < until]
    over = 0.0
    if sla.ims_year is not None:
        used = interrupted(this_year, (year[0], until), until)
        before = interrupted(this_year, (year[0], period[0]), until)
        over = used - sla.ims_year if used > sla.ims_year and before < used else 0.0
    by = period if sla.availability_period == "month" else year
    over_with = by[1] <= until
    ratio = contract_availability(this_year, seen.measured, by, until).ratio if over_with else None
    return penalties(terms, ended, over, ratio, line.monthly_fee if line else None)


def quantiles(values: Sequence[float]) -> Quantiles | None:
    """5th, 50th and 95th percentile of *values* by nearest rank; None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    p5, p50, p95 = (ordered[max(0, ceil(part * len(ordered)) - 1)] for part in (0.05, 0.5, 0.95))
    return Quantiles(p5, p50, p95)
