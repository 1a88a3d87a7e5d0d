"""What happens at a simulated access point: a pure function of its name and of time, so that a run can be repeated.

People come while the building is open, most of them before noon and in the afternoon; what they load drives the
counters.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from math import cos, exp, sin, tau
from typing import Literal

PUBLIC_SSID = "WiFi public"
STAFF_SSID = "Services"
MEAN_BYTES_PER_SECOND = 400_000
HOUR_SECONDS, WEEK_HOURS = 3600, 168
WEEK_SECONDS = WEEK_HOURS * HOUR_SECONDS
USUAL_HOURS = ("0" * 9 + "1" * 9 + "0" * 6) * 5 + "0" * 48
"""Open on weekdays from nine to six: one digit an hour of the week, which begins on Monday."""
PEAKS = ((11.0, 1.5, 1.0), (15.5, 2.2, 0.9))
"""When a building is fullest: the hour, how long it lasts, how full."""
CLOSED_SHARE = 0.03
"""Of the clients of a full house, the machines that stay on at night."""

BandName = Literal["2.4", "5"]


@dataclass(frozen=True, slots=True)
class Radio:
    """A radio's settings."""

    band: BandName
    channel: int
    frequency_mhz: int
    power_dbm: int


RADIOS = (Radio("2.4", 6, 2437, 20), Radio("5", 100, 5500, 23))


@dataclass(frozen=True, slots=True)
class Moment:
    """A device at one moment: seconds on a clock that began on a Monday at midnight, and what is the matter with it."""

    now: float
    booted: float = 0.0
    agent_started: float = 0.0
    hours: str = USUAL_HOURS
    dead_bands: frozenset[str] = frozenset()
    is_deserted: bool = False
    """Its radios work, yet nobody is associated: what a zombie looks like."""

    @property
    def seconds(self) -> float:
        """Since the device booted."""
        return self.now - self.booted


def number(*words: object) -> int:
    """A number below 2^32 that is always the same for *words*.

    >>> number("ap-1", "clients") == number("ap-1", "clients")
    True
    """
    return int.from_bytes(sha256("|".join(map(str, words)).encode()).digest()[:4])


@cache
def _fullness(hours: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """How full the house is at each hour of the week, 0 to 1, and the hours' sum before each."""
    full = [
        max(CLOSED_SHARE, *(share * exp(-(((hour % 24 - top) / width) ** 2)) for top, width, share in PEAKS))
        if hours[hour] == "1"
        else CLOSED_SHARE
        for hour in range(WEEK_HOURS)
    ]
    before = [0.0]
    for hour in range(WEEK_HOURS):
        before.append(before[-1] + (full[hour] + full[(hour + 1) % WEEK_HOURS]) / 2)
    return tuple(full), tuple(before)


def fullness(hours: str, at: float) -> float:
    """How full the house is at *at* seconds, 0 to 1.

    >>> fullness(USUAL_HOURS, 3 * 3600) < 0.1 < fullness(USUAL_HOURS, 11 * 3600)
    True
    """
    full, _ = _fullness(hours)
    hour, part = divmod(at / HOUR_SECONDS, 1)
    here, there = full[int(hour) % WEEK_HOURS], full[(int(hour) + 1) % WEEK_HOURS]
    return here + (there - here) * part


def visited(hours: str, at: float) -> float:
    """Seconds of a full house from the beginning of time to *at*: the integral of ``fullness``."""
    full, before = _fullness(hours)
    weeks, rest = divmod(at, WEEK_SECONDS)
    hour, part = divmod(rest / HOUR_SECONDS, 1)
    here, there = full[int(hour)], full[(int(hour) + 1) % WEEK_HOURS]
    return (weeks * before[-1] + before[int(hour)] + here * part + (there - here) * part**2 / 2) * HOUR_SECONDS


def clients(device: str, band: str, ssid: str, moment: Moment) -> int:
    """Associated stations: some tens at most, as full as the house, moving within minutes as in a real room."""
    if band in moment.dead_bands or moment.is_deserted:
        return 0
    most = 4 + number(device, band, ssid, "most") % 14
    phase = number(device, band, ssid, "phase") % 1000 / 1000
    slow = 0.75 + 0.25 * sin(tau * (moment.now / 900 + phase))
    fast = 0.15 * sin(tau * (moment.now / 70 + phase * 3))
    return max(0, round(most * fullness(moment.hours, moment.now) * (slow + fast)))


def busy_ratio(device: str, band: str, moment: Moment) -> float:
    """The part of the time the channel is busy, 0 to 0.95."""
    if band in moment.dead_bands:
        return 0.0
    base = 0.05 + number(device, band, "busy") % 20 / 100
    people = 0.25 * fullness(moment.hours, moment.now)
    return min(0.95, max(0.0, base + people + 0.05 * sin(tau * moment.now / 240)))


def noise_dbm(device: str, band: str, moment: Moment) -> int:
    """The noise floor of a radio's channel: lower at 5 GHz, and rising a little with what is switched on by day."""
    quiet = {"2.4": -95, "5": -103}[band] + number(device, band, "noise") % 4
    return quiet + round(4 * fullness(moment.hours, moment.now))


def snr_db(device: str, band: str, stations: int, moment: Moment) -> dict[str, int]:
    """Signal to noise of a radio's clients taken together: the fuller the house, the farther away the farthest sits."""
    usual = 28 + number(device, band, "snr") % 8 + round(2 * sin(tau * moment.now / 600))
    spread = min(20, 2 * max(0, stations - 1))
    return {"min": usual - spread // 2, "avg": usual, "max": usual + spread // 3}


def octets(device: str, key: str, moment: Moment) -> int:
    """Octets passed since the device booted: never falls, its rate follows the house and swings around it."""
    mean = MEAN_BYTES_PER_SECOND * (0.2 + number(device, key, "mean") % 100 / 100)

    def until(at: float) -> float:
        full, swing, period = visited(moment.hours, at), 0.9, 300
        return full + swing * period / tau * (1 - cos(tau * full / period))

    return int(mean * (until(moment.now) - until(moment.booted)))


def celsius(device: str, moment: Moment) -> int:
    """The board's temperature."""
    return 38 + number(device, "celsius") % 9 + round(2 * sin(tau * moment.now / 1800))


def light_dbm(device: str, way: str, moment: Moment) -> float:
    """Optical power in dBm: a little of its own, a little with the temperature of the day."""
    base = {"rx": -8.0, "tx": -5.5}[way] - number(device, way) % 30 / 10
    return base + 0.1 * sin(tau * moment.now / 86_400)
