"""The moment it is, on the clocks a session needs."""

import time
from functools import cache
from pathlib import Path

from captive_portal.session import Now

BOOT = Path("/proc/sys/kernel/random/boot_id")


def moment() -> Now:
    """Now: this boot's name, CLOCK_BOOTTIME (never stepped, counts through suspend), and the wall clock."""
    return Now(_boot(), boot_seconds(), time.time())


def boot_seconds() -> float:
    """Seconds since boot, suspend included; nobody can set this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@cache
def _boot() -> str:
    """This boot's name; no process outlives it."""
    return BOOT.read_text("ascii").strip()
