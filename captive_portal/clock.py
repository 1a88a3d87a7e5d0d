"""The moment it is, on the clocks a session needs."""

import time
from pathlib import Path

from captive_portal.session import Now

BOOT = Path("/proc/sys/kernel/random/boot_id")


def moment() -> Now:
    """Now: this boot's name, CLOCK_BOOTTIME (never stepped, counts through suspend), and the wall clock."""
    return Now(BOOT.read_text("ascii").strip(), time.clock_gettime(time.CLOCK_BOOTTIME), time.time())
