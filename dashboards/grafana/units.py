"""The catalogue's units as Grafana calls them."""

from collections.abc import Mapping

from grafana_foundation_sdk.models import units

UNITS: Mapping[str, str] = {
    "1": units.Short,
    "info": units.Short,
    "1 per second": units.CountsPerSecond,
    "seconds": units.Seconds,
    "bytes": units.BytesSI,
    "bytes per second": units.BytesPerSecondSI,
    "bits per second": units.BitsPerSecondSI,
    "ratio": units.PercentUnit,
    "dbm": units.DecibelMilliWatt,
    "db": units.Decibel,
    "db per month": "suffix: dB/mois",
    "celsius": units.Celsius,
    "rpm": units.RevolutionsPerMinute,
    "hertz": units.Hertz,
    "watts": units.Watt,
    "amperes": units.Ampere,
    "volts": units.Volt,
    "meters": units.Meter,
    "days": units.Days,
    "minutes": units.Minutes,
    "euros": units.Euro,
    "moment": units.DatetimeISO,
}


def unit(measure: str) -> str:
    """Grafana's name of *measure*; KeyError for one nobody has thought of.

    >>> unit("ratio"), unit("dbm")
    ('percentunit', 'dBm')
    """
    return UNITS[measure]
