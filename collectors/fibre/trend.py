"""Where the light is going: a robust slope over daily medians, and when it will reach a limit. No I/O, no clock.

The slope is Theil's and Sen's: the median of the slopes of all pairs of days, which a few odd days do not move. Whether
it goes anywhere at all is Mann's and Kendall's question: do later days lie lower more often than chance would have it?
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

DAYS_PER_MONTH = 365.25 / 12
SECONDS_PER_DAY = 86_400
MIN_POINTS = 10
MIN_DAYS = 14
"""Fewer days say nothing about a month: temperature moves light by tenths of a dB from one day to the next."""
SURE = 1.96
"""Standard deviations of Kendall's sum: chance alone gives more once in twenty times."""
FARTHEST_DAYS = 3650
"""A limit farther away than ten years is not worth a number."""

Day = tuple[float, float]
"""A day's number, and the median of its light in dBm."""


def median(values: Iterable[float]) -> float:
    """The middle of some values, of two the mean. The statistics module brings half a megabyte of fractions with it.

    >>> median([3, 1, 2]), median([4, 1, 2, 3])
    (2, 2.5)
    """
    found = sorted(values)
    middle = len(found) // 2
    return found[middle] if len(found) % 2 else (found[middle - 1] + found[middle]) / 2


@dataclass(frozen=True, slots=True)
class Trend:
    """How light changes: *level* is where the line stands on the last day, in dBm; *is_sure*: not by chance."""

    db_per_day: float
    level: float
    is_sure: bool

    @property
    def db_per_month(self) -> float:
        """The slope over a mean month."""
        return self.db_per_day * DAYS_PER_MONTH

    def seconds_to(self, limit: float) -> float | None:
        """When the line reaches *limit* from above; 0 below it; None when it does not go there for certain.

        >>> Trend(-0.1, -15.0, is_sure=True).seconds_to(-18.0) == 30 * SECONDS_PER_DAY
        True
        >>> Trend(-0.1, -15.0, is_sure=False).seconds_to(-18.0), Trend(0.1, -15.0, is_sure=True).seconds_to(-18.0)
        (None, None)
        """
        if self.level <= limit:
            return 0.0
        if not self.is_sure or self.db_per_day >= 0:
            return None
        days = (limit - self.level) / self.db_per_day
        return round(days, 6) * SECONDS_PER_DAY if days <= FARTHEST_DAYS else None


def trend(days: Sequence[Day]) -> Trend | None:
    """The trend of *days*, which are in order; None with fewer than ten days in two weeks.

    >>> falling = trend([(day, -12 - day / 30) for day in range(30)])
    >>> (round(falling.db_per_month, 2), falling.is_sure) if falling else None
    (-1.01, True)
    >>> trend([(day, -12.0) for day in range(9)]) is None
    True
    """
    if len(days) < MIN_POINTS or days[-1][0] - days[0][0] < MIN_DAYS - 1:
        return None
    slope = median((b - a) / (later - earlier) for (earlier, a), (later, b) in combinations(days, 2))
    last = days[-1][0]
    level = median(value + slope * (last - day) for day, value in days)
    return Trend(slope, level, abs(_kendall([value for _, value in days])) > SURE)


def _kendall(values: Sequence[float]) -> float:
    """Mann's and Kendall's sum in standard deviations; days of equal light count for neither side."""
    total = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    count = len(values)
    deviation = sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return (total - (total > 0) + (total < 0)) / deviation
