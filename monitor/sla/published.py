"""What open data tell of a month: availability as it was felt, interruptions, mean time to repair. No I/O."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from statistics import mean
from typing import Any

from monitor.sla.figures import Judged, felt_availability
from monitor.sla.hours import Span
from monitor.sla.outages import Extent

LEAST_MEASURED = 0.5
"""A month of which nobody knows the half is not published: its figure would be that of another month."""


def line(site: str, month: date, found: Sequence[Judged], seen: Sequence[Span], period: Span) -> dict[str, Any] | None:
    """One line of the availability file; None for a month that was hardly measured. *seen*: when the link was measured.

    Every interruption counts, whoever's it was: the public does not ask whose contract it is.
    """
    felt = felt_availability(found, seen, period, period[1])
    if felt.ratio is None or felt.measured < LEAST_MEASURED * felt.seconds:
        return None
    total = [one for one in found if one.extent is Extent.TOTAL]
    ended = [one.raw_seconds for one in total if one.outage.verified_at is not None]
    return {
        "month": f"{month:%Y-%m}",
        "site": site,
        "availability_pct": round(100 * felt.ratio, 3),
        "incidents": len(total),
        "mttr_minutes": round(mean(ended) / 60, 1) if ended else None,
    }


def months_over(first: date, today: date) -> Iterator[date]:
    """The first day of each month that is over, from the first whole one since *first*.

    >>> [f"{month:%Y-%m}" for month in months_over(date(2025, 11, 2), date(2026, 2, 1))]
    ['2025-12', '2026-01']
    """
    month = first if first.day == 1 else _next(first)
    while _next(month) <= today:
        yield month
        month = _next(month)


def _next(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1)
