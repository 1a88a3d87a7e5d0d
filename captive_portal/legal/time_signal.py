"""The clocks evidence is dated with, and what the kernel knows of their truth (adjtimex(2)). Needs no privilege."""

import ctypes
import time
from dataclasses import dataclass

STA_UNSYNC, STA_NANO = 0x40, 0x2000


class _Timex(ctypes.Structure):
    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


@dataclass(frozen=True, slots=True)
class Truth:
    """*offset* in milliseconds still to be corrected; *synchronised*: whether somebody disciplines the clock."""

    offset: float
    synchronised: bool


def truth() -> Truth:
    """What the kernel says of its wall clock."""
    told = _Timex()
    ctypes.CDLL(None).adjtimex(ctypes.byref(told))
    scale = 1e6 if told.status & STA_NANO else 1e3
    return Truth(told.offset / scale, not told.status & STA_UNSYNC)


def wall() -> int:
    """Milliseconds since 1970 (UTC)."""
    return time.time_ns() // 1_000_000


def steady() -> int:
    """Milliseconds on the clock that nobody can set and that goes on in suspend (CLOCK_BOOTTIME)."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
