"""Whether a link delivers far less than was sold (FIB-04): its queue is full although little passes. No I/O, no clock.

Nothing is sent to find out. Where much is wanted and little is let through, echoes wait behind it and what passes
stands still at one height; a link that is merely little used has a low delay, one whose way is longer has no ceiling.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

QUEUE_SECONDS = 0.05
QUEUE_TIMES = 3.0
"""An echo that takes so much longer than it used to, and so many times as long, waits in a queue."""
PLATEAU = 0.7
"""The least reading of a ceiling, of its greatest."""
READINGS = 8
"""Ten minutes of readings a minute apart, less two that may be missing."""


@dataclass(frozen=True, slots=True)
class Load:
    """What one link carried and how its echoes fared, lately.

    *megabits*: readings of one direction, Mbit/s, oldest first; *rtt*: seconds of echoes meanwhile; *usual_rtt*: what
    they take when nothing waits.
    """

    megabits: Sequence[float]
    rtt: Sequence[float]
    usual_rtt: float


def starved(load: Load, capacity_megabits: float, ratio: float) -> bool | None:
    """Whether it delivers less than *ratio* of its capacity while more is wanted; None when too little is known.

    >>> starved(Load([41, 43, 42, 44, 43, 42, 43, 44], [0.18, 0.2, 0.19], 0.004), 500.0, 0.5)
    True
    >>> starved(Load([1, 43, 5, 44, 9, 42, 3, 44], [0.004, 0.005, 0.004], 0.004), 500.0, 0.5)
    False
    """
    if len(load.megabits) < READINGS or not load.rtt:
        return None
    waits = median(load.rtt)
    queued = waits > load.usual_rtt + QUEUE_SECONDS and waits > QUEUE_TIMES * load.usual_rtt
    most = max(load.megabits)
    return queued and 0 < most < ratio * capacity_megabits and min(load.megabits) > PLATEAU * most
