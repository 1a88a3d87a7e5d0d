"""What happens at a simulated access point: a pure function of its name and of time, so that a run can be repeated."""

from dataclasses import dataclass
from hashlib import sha256
from math import cos, sin, tau
from typing import Literal

PUBLIC_SSID = "WiFi public"
STAFF_SSID = "Services"
MEAN_BYTES_PER_SECOND = 400_000
DAY_SECONDS = 86_400

BandName = Literal["2.4", "5"]


@dataclass(frozen=True, slots=True)
class Radio:
    """A radio's settings."""

    band: BandName
    channel: int
    frequency_mhz: int
    power_dbm: int


RADIOS = (Radio("2.4", 6, 2437, 20), Radio("5", 100, 5500, 23))


def number(*words: object) -> int:
    """A number below 2^32 that is always the same for *words*.

    >>> number("ap-1", "clients") == number("ap-1", "clients")
    True
    """
    return int.from_bytes(sha256("|".join(map(str, words)).encode()).digest()[:4])


def clients(device: str, band: str, ssid: str, seconds: float) -> int:
    """Associated stations: some tens at most, moving within minutes as in a real room."""
    most = 3 + number(device, band, ssid, "most") % 14
    phase = number(device, band, ssid, "phase") % 1000 / 1000
    slow = 0.5 + 0.5 * sin(tau * (seconds / 900 + phase))
    fast = 0.15 * sin(tau * (seconds / 70 + phase * 3))
    return max(0, round(most * (slow + fast)))


def busy_ratio(device: str, band: str, seconds: float) -> float:
    """The part of the time the channel is busy, 0 to 0.95."""
    base = 0.1 + number(device, band, "busy") % 30 / 100
    return min(0.95, max(0.0, base + 0.1 * sin(tau * seconds / 240)))


def octets(device: str, key: str, seconds: float) -> int:
    """Octets passed after *seconds*: never falls, its rate swings between a tenth and the double of the mean."""
    mean = MEAN_BYTES_PER_SECOND * (0.2 + number(device, key, "mean") % 100 / 100)
    swing, period = 0.9, 300
    return int(mean * (seconds + swing * period / tau * (1 - cos(tau * seconds / period))))


def celsius(device: str, seconds: float) -> int:
    """The board's temperature."""
    return 38 + number(device, "celsius") % 9 + round(2 * sin(tau * seconds / 1800))
