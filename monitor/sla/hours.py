"""A contract's hours: which part of an interruption runs against the operator. No I/O, no clock.

Spans are pairs of Unix seconds. Hours are the town's local time, so a night of 25 hours has 25.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from parvis.inventory.contracts import WEEKDAYS, WorkingHours

Span = tuple[float, float]
Holiday = Callable[[date], bool]


def none_is_a_holiday(_day: date) -> bool:
    """For contracts that know no holiday."""
    return False


def running(span: Span, hours: WorkingHours | None, zone: ZoneInfo, holiday: Holiday) -> list[Span]:
    """The parts of *span* that lie within *hours*, in order; without *hours* all of it.

    >>> paris = ZoneInfo("Europe/Paris")
    >>> friday = datetime(2026, 11, 27, 17, tzinfo=paris).timestamp()
    >>> monday = datetime(2026, 11, 30, 9, tzinfo=paris).timestamp()
    >>> office = WorkingHours(days=("mo", "tu", "we", "th", "fr"))
    >>> elapsed(running((friday, monday), office, paris, none_is_a_holiday))
    7200.0
    """
    if span[1] <= span[0]:
        return []
    if hours is None:
        return [span]
    return overlaps([span], _opened(span, hours, zone, holiday))


def elapsed(spans: Iterable[Span]) -> float:
    """Seconds in *spans*, which do not overlap."""
    return sum(end - start for start, end in spans)


def overlaps(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What *some* and *others* have in common; each without overlaps of its own."""
    cuts = sorted(others)
    found = []
    for start, end in sorted(some):
        for begin, until in cuts:
            if begin >= end:
                break
            if until > start:
                found.append((max(start, begin), min(end, until)))
    return found


def less(spans: Iterable[Span], taken: Iterable[Span]) -> list[Span]:
    """*spans* without what is *taken* from them.

    >>> less([(0, 10)], [(2, 4), (3, 5), (9, 20)])
    [(0, 2), (5, 9)]
    """
    found = []
    cuts = merged(taken)
    for start, end in sorted(spans):
        at = start
        for begin, until in cuts:
            if begin >= end or until <= at:
                continue
            if begin > at:
                found.append((at, begin))
            at = max(at, until)
        if at < end:
            found.append((at, end))
    return found


def merged(spans: Iterable[Span]) -> list[Span]:
    """*spans* in order, those that touch as one.

    >>> merged([(5, 7), (0, 2), (1, 5)])
    [(0, 7)]
    """
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif end > start:
            found.append((start, end))
    return found


def month_of(first: date, zone: ZoneInfo) -> Span:
    """The month that begins on *first*, in local time.

    >>> start, end = month_of(date(2026, 10, 1), ZoneInfo("Europe/Paris"))  # summer time ends on the 25th
    >>> (end - start) / 3600
    745.0
    """
    after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return _midnight(first.replace(day=1), zone), _midnight(after, zone)


def year_of(day: date, zone: ZoneInfo) -> Span:
    """The calendar year *day* is in, in local time."""
    return _midnight(date(day.year, 1, 1), zone), _midnight(date(day.year + 1, 1, 1), zone)


def days_of(span: Span, zone: ZoneInfo) -> Iterator[tuple[date, Span]]:
    """Each local day *span* touches, with its whole span."""
    day = datetime.fromtimestamp(span[0], zone).date()
    while _midnight(day, zone) < span[1]:
        following = day + timedelta(days=1)
        yield day, (_midnight(day, zone), _midnight(following, zone))
        day = following


def _opened(span: Span, hours: WorkingHours, zone: ZoneInfo, holiday: Holiday) -> Sequence[Span]:
    return [
        (_local(day, hours.begins, zone), _local(day, hours.ends, zone))
        for day, _ in days_of(span, zone)
        if WEEKDAYS[day.weekday()] in hours.days and not (hours.holidays != "none" and holiday(day))
    ]


def _midnight(day: date, zone: ZoneInfo) -> float:
    return _local(day, time(), zone)


def _local(day: date, at: time, zone: ZoneInfo) -> float:
    return datetime.combine(day, at, zone).astimezone(UTC).timestamp()
