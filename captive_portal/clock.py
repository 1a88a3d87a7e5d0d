"""The moment it is, on the clocks a session needs."""

import time
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from captive_portal.session import Now

BOOT = Path("/proc/sys/kernel/random/boot_id")


def moment() -> Now:
    """Now: this boot's name, CLOCK_BOOTTIME (never stepped, counts through suspend), and the wall clock."""
    return Now(_boot(), boot_seconds(), time.time())


def boot_seconds() -> float:
    """Seconds since boot, suspend included; nobody can set this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Calendar:
    """Which day it is in *zone*, worked out anew only when a midnight lies between.

    >>> calendar = Calendar(ZoneInfo("Europe/Paris"))
    >>> calendar.day(1_774_738_799.0), calendar.day(1_774_738_800.0)  # the night before summer time
    (datetime.date(2026, 3, 28), datetime.date(2026, 3, 29))
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone, self._known = zone, (date.min, 0.0, 0.0)

    def day(self, wall: float) -> date:
        """The day at *wall*, in Unix seconds; from any thread."""
        day, begins, ends = self._known
        if not begins <= wall < ends:
            midnight = datetime.fromtimestamp(wall, self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
            day = midnight.date()
            self._known = (day, midnight.timestamp(), (midnight + timedelta(days=1)).timestamp())
        return day


@cache
def _boot() -> str:
    """This boot's name; no process outlives it."""
    return BOOT.read_text("ascii").strip()
