"""When each device is polled: spread over the interval by a hash of its name, the same after every restart."""

from dataclasses import dataclass
from zlib import crc32

OPEN_AFTER = 3
"""Failed polls in a row after which the breaker opens."""
MOST_TURNS_LEFT_OUT = 3
"""A device that comes back is seen within one interval more than this; a trap of it is followed at once."""


GULP_SECONDS = 0.25
"""Turns lie on a grid so fine: devices polled side by side wake the process less often than one by one."""


def offset_seconds(name: str, interval_seconds: float) -> float:
    """Where in the interval the device called *name* has its turn: 0 <= offset < interval.

    >>> 0 <= offset_seconds("ap-msp-accueil", 60) < 60
    True
    """
    return crc32(name.encode()) / 2**32 * interval_seconds


def next_turn(name: str, interval_seconds: float, now: float) -> float:
    """The first turn of *name* after *now*, on the same clock in seconds.

    >>> next_turn("a", 60, 1000.0) - next_turn("a", 60, 1000.0 - 60)
    60.0
    """
    grid = min(GULP_SECONDS, interval_seconds / 8)
    offset = offset_seconds(name, interval_seconds) // grid * grid
    turns = (now - offset) // interval_seconds + 1
    return offset + turns * interval_seconds


@dataclass(frozen=True, slots=True)
class Breaker:
    """Counts failed polls; open, it lets one datagram through instead of a full poll's patience, ever less often.

    >>> Breaker(2).failed().is_open, Breaker(7).succeeded().is_open
    (True, False)
    """

    failures: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the device is taken for dead until it answers again."""
        return self.failures >= OPEN_AFTER

    @property
    def turns_left_out(self) -> int:
        """How many of the coming turns a dead device is not asked at: 1, then 2, then 3.

        >>> [Breaker(failures).turns_left_out for failures in (2, 3, 4, 5, 60)]
        [0, 1, 2, 3, 3]
        """
        return min(self.failures - OPEN_AFTER + 1, MOST_TURNS_LEFT_OUT) if self.is_open else 0

    def failed(self) -> "Breaker":
        """After a failed poll."""
        return Breaker(self.failures + 1)

    def succeeded(self) -> "Breaker":
        """After a successful poll."""
        return Breaker()
