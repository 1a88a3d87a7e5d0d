"""What will happen in a soak: drawn from a seed before anything begins, so that the same seed is the same town's day.

No clock, no town: seconds from the start, and names. A day of a town is packed into the soak, or as many as fit.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

DAY_SECONDS = 86_400.0
SHORTEST_DAY_SECONDS = 3_600.0
BUSY = (1, 1, 1, 1, 1, 1, 2, 6, 14, 22, 28, 26, 18, 20, 26, 28, 26, 22, 14, 8, 4, 2, 1, 1)
"""Deeds of residents in each hour of a day, relative to each other: a library's and a town hall's day."""
OPENS = 8
"""The hour a soak begins with."""
STEP_SECONDS = 2.0
"""Between two deeds of residents in the busiest hour."""
TROUBLE_SECONDS = 40.0
"""Between two faults, and between two kills, by mean."""
SIMULATED = ("silent", "delay", "loss", "garbage", "too-big", "disorder", "dirty-optic", "dead-radio", "agent-restart")
"""Faults of a simulated device that a town sees now and then; the twin knows more."""


@dataclass(frozen=True, slots=True)
class Cast:
    """Who and what can be struck, by name."""

    residents: Sequence[str]
    gateways: Sequence[str]
    sites: Sequence[str]
    devices: Sequence[str]
    """Simulated access points."""
    processes: Sequence[str]


@dataclass(frozen=True, slots=True, order=True)
class Deed:
    """*what* happens to *whom* at second *at*; what has an end ends by itself after *seconds*."""

    at: float
    what: str
    whom: str
    word: str = ""
    seconds: float = field(default=0.0, compare=False)


def busy(at: float, day: float) -> float:
    """How busy the town is, 0 to 1, at second *at* of days of *day* seconds; it begins when doors open.

    >>> busy(0.0, 24.0), busy(2.0, 24.0), busy(18.0, 24.0) < 0.1
    (0.5, 1.0, True)
    """
    hour = OPENS + int(at % day / day * len(BUSY))
    return BUSY[hour % len(BUSY)] / max(BUSY)


def plan(seed: int, seconds: float, cast: Cast) -> list[Deed]:
    """Everything that happens, in its order; the last tenth is left quiet, so that everything can come to rest."""
    dice = random.Random(seed)
    day = min(DAY_SECONDS, max(SHORTEST_DAY_SECONDS, seconds))
    until = seconds * 0.9
    deeds = [*_residents(dice, until, day, cast), *_faults(dice, until, cast), *_kills(dice, until, cast)]
    return sorted(deeds)


def _residents(dice: random.Random, until: float, day: float, cast: Cast) -> list[Deed]:
    deeds, at = [], 0.0
    kinds = ("accept", "glance", "leave", "wander")
    while (at := at + dice.expovariate(busy(at, day) / STEP_SECONDS)) < until:
        what = dice.choices(kinds, (5, 4, 2, 1))[0]
        deeds.append(Deed(at, what, dice.choice(list(cast.residents))))
    return deeds


def _faults(dice: random.Random, until: float, cast: Cast) -> list[Deed]:
    """Faults of one place never overlap: what the end of one mends, the other would still expect to be broken."""
    deeds, at = [], 0.0
    free: dict[str, float] = {}
    while (at := at + dice.expovariate(1 / TROUBLE_SECONDS)) < until:
        kind = dice.choices(("device", "ap-off", "cut-fibre", "flush-nft"), (6, 2, 2, 1))[0]
        lasts = dice.uniform(5, 90)
        names = {"cut-fibre": cast.sites, "flush-nft": cast.gateways}.get(kind, cast.devices)
        whom = dice.choice(list(names))
        if free.get(whom, 0.0) > at:
            continue
        free[whom] = at + lasts + 10
        word = dice.choice(SIMULATED) if kind == "device" else ""
        deeds.append(Deed(at, kind, whom, word, lasts))
    return deeds


def _kills(dice: random.Random, until: float, cast: Cast) -> list[Deed]:
    deeds, at = [], 0.0
    while (at := at + dice.expovariate(1 / TROUBLE_SECONDS)) < until:
        deeds.append(Deed(at, "kill", dice.choice(list(cast.processes)), "", dice.uniform(0.2, 5)))
    return deeds
