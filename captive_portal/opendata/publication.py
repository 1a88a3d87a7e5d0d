"""What may be published of a month's figures: the rules PRI-04 and PRI-05. No clock, no file.

A cell (a site's month) is shown only when at least 11 devices are provably behind it. Days are counted under keys that
are destroyed, so the proof is the busiest day: so many different devices there were. When cells are held back, one more
is held back with them, the smallest that is large enough: whoever knows the town's total and subtracts what is shown is
left with a sum in which 11 devices are. Counts are rounded to 5, volumes to two digits. A month is published when it is
over, whole, and never again otherwise (:mod:`captive_portal.opendata.releases`): releases have nothing to subtract.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor, log10

LEAST_DEVICES = 11
STEP = 5
GIGABYTE = 1e9
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Measured:
    """A site's month as its portal counted it. *days*: different devices, bytes down, bytes up, of each active day."""

    days: tuple[tuple[int, int, int], ...]
    sessions: int
    median_seconds: float | None

    @property
    def devices(self) -> int:
        """So many different devices were there, at least."""
        return max((devices for devices, _, _ in self.days), default=0)


@dataclass(frozen=True, slots=True)
class Cell:
    """A site's month as it is published; *secret*: there are figures, and they are not told."""

    sessions: int | None = None
    devices_a_day: int | None = None
    gigabytes_down: float | None = None
    gigabytes_up: float | None = None
    median_minutes: int | None = None
    secret: bool = False


def published(month: Mapping[str, Measured]) -> dict[str, Cell]:
    """What is shown of each site's *month*."""
    hidden = held_back({site: measured.devices for site, measured in month.items()})
    return {site: Cell(secret=True) if site in hidden else _shown(measured) for site, measured in month.items()}


def held_back(devices: Mapping[str, int]) -> frozenset[str]:
    """The cells that are not shown, by how many different devices are provably behind each.

    >>> sorted(held_back({"park": 3, "library": 40, "hall": 15})), sorted(held_back({"library": 40, "hall": 15}))
    (['hall', 'park'], [])
    """
    small = {name for name, count in devices.items() if count < LEAST_DEVICES}
    large = sorted((count, name) for name, count in devices.items() if count >= LEAST_DEVICES)
    return frozenset(small | {name for _, name in large[:1]} if small else ())


def rounded(count: float) -> int:
    """To the nearest 5, halves upwards.

    >>> [rounded(n) for n in (12, 12.5, 17.4)]
    [10, 15, 15]
    """
    return floor(count / STEP + 0.5) * STEP


def two_digits(value: float) -> float:
    """To two significant digits.

    >>> two_digits(123.4), two_digits(0.0456), two_digits(0)
    (120.0, 0.046, 0.0)
    """
    return round(value, 1 - floor(log10(value))) if value > 0 else 0.0


def _shown(measured: Measured) -> Cell:
    active = [day for day in measured.days if day[0]]
    down, up = (sum(day[part] for day in measured.days) / GIGABYTE for part in (1, 2))
    median = measured.median_seconds
    return Cell(
        sessions=rounded(measured.sessions),
        devices_a_day=rounded(sum(day[0] for day in active) / len(active)),
        gigabytes_down=two_digits(down),
        gigabytes_up=two_digits(up),
        median_minutes=None if median is None else rounded(median / MINUTE),
    )
