"""Radio arithmetic: channels, bands and frequencies (IEEE 802.11-2020 annex E, 802.11ax for 6 GHz)."""

MEGAHERTZ = 1_000_000
BANDS = {"2.4GHz": (2400, 2500), "5GHz": (4900, 5925), "6GHz": (5925, 7125), "60GHz": (57000, 71000)}
"""Edges in MHz; the lower belongs to the band."""
CHANNELS = {"2.4GHz": (2407, 1, 13), "5GHz": (5000, 7, 177), "6GHz": (5950, 1, 233)}
"""For each band the frequency of its channel 0 in MHz, and its first and last channel; channels are 5 MHz apart."""
ODD_CHANNELS: dict[tuple[str | None, float], int] = {("2.4GHz", 14): 2484, ("6GHz", 2): 5935}


def channel_hertz(number: float, band: str | None) -> float | None:
    """The centre frequency of a 20 MHz channel, in hertz; without its band a number alone says nothing.

    >>> channel_hertz(6, "2.4GHz"), channel_hertz(157, "5GHz"), channel_hertz(5, "6GHz"), channel_hertz(36, None)
    (2437000000, 5785000000, 5975000000, None)
    """
    exception = ODD_CHANNELS.get((band, number))
    if exception:
        return exception * MEGAHERTZ
    start, first, last = CHANNELS.get(band or "", (0, 1, 0))
    return (start + 5 * number) * MEGAHERTZ if first <= number <= last else None


def band(megahertz: float) -> str | None:
    """The band a frequency in MHz lies in.

    >>> band(5180), band(3600)
    ('5GHz', None)
    """
    return next((name for name, (low, high) in BANDS.items() if low <= megahertz < high), None)


def channel(megahertz: float) -> int | None:
    """The channel whose centre a frequency in MHz is.

    >>> channel(2437), channel(5785), channel(5935), channel(58320)
    (6, 157, 2, None)
    """
    where = band(megahertz)
    return next((n for n in range(1, 234) if channel_hertz(n, where) == megahertz * MEGAHERTZ), None)


def band_of_channel(number: int) -> str | None:
    """The band of a channel number on a device without 6 GHz, where 1 to 14 are 2.4 GHz and the rest 5 GHz.

    >>> band_of_channel(11), band_of_channel(36), band_of_channel(20)
    ('2.4GHz', '5GHz', None)
    """
    if 1 <= number <= 14:  # noqa: PLR2004 channels of 2.4 GHz
        return "2.4GHz"
    return "5GHz" if 36 <= number <= 177 else None  # noqa: PLR2004 channels of 5 GHz
