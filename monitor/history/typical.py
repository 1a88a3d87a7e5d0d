"""The usual crowd of each hour of the week, from the hours on record. No I/O, no clock."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from statistics import fmean
from zoneinfo import ZoneInfo

from monitor.history.blocks import Block

Hour = tuple[int, int]
"""Day of the week (ISO: 1 is Monday) and hour of the day, in the town's local time."""


def typical(sites: Iterable[Iterable[tuple[int, Block]]], zone: ZoneInfo) -> Mapping[Hour, float]:
    """Mean devices at once over all *sites*, by hour of the week; each site's hours as (Unix time, roll-up).

    >>> typical([[(0, Block(60, 4.0, 0, 0, 0, 0))], [(0, Block(60, 3.0, 0, 0, 0, 0))]], ZoneInfo("Europe/Paris"))
    {(4, 1): 7.0}
    """
    at_once: dict[int, float] = defaultdict(float)
    for hours in sites:
        for at, block in hours:
            at_once[at] += block.mean
    found: dict[Hour, list[float]] = defaultdict(list)
    for at, clients in sorted(at_once.items()):
        local = datetime.fromtimestamp(at, zone)
        found[local.isoweekday(), local.hour].append(clients)
    return {hour: fmean(values) for hour, values in found.items()}
