"""When each device is polled: spread over the interval by a hash of its name, the same after every restart."""

from dataclasses import dataclass
from hashlib import blake2b

OPEN_AFTER = 3
"""Failed polls in a row after which the breaker opens."""


def offset_seconds(name: str, interval_seconds: float) -> float:
    """Where in the interval the device called *name* has its turn: 0 <= offset < interval.

    >>> 0 <= offset_seconds("ap-msp-accueil", 60) < 60
    True
    """
    digest = blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 * interval_seconds


def next_turn(name: str, interval_seconds: float, now: float) -> float:
    """The first turn of *name* after *now*, on the same clock in seconds.

    >>> next_turn("a", 60, 1000.0) - next_turn("a", 60, 1000.0 - 60)
    60.0
    """
    offset = offset_seconds(name, interval_seconds)
    turns = (now - offset) // interval_seconds + 1
    return offset + turns * interval_seconds


@dataclass(frozen=True, slots=True)
class Breaker:
    """Counts failed polls; open, it lets one datagram per interval through instead of a full poll's patience.

    >>> Breaker(2).failed().is_open, Breaker(7).succeeded().is_open
    (True, False)
    """

    failures: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the device is taken for dead until it answers again."""
        return self.failures >= OPEN_AFTER

    def failed(self) -> "Breaker":
        """After a failed poll."""
        return Breaker(self.failures + 1)

    def succeeded(self) -> "Breaker":
        """After a successful poll."""
        return Breaker()
