"""Radio arithmetic: channels, bands and frequencies (IEEE 802.11-2020 annex E, 802.11ax for 6 GHz)."""

MEGAHERTZ = 1_000_000
BANDS = {"2.4GHz": (2400, 2500), "5GHz": (4900, 5925), "6GHz": (5925, 7125), "60GHz": (57000, 71000)}
"""Edges in MHz; the lower belongs to the band."""
LINKS = (
    *((902, 928), (1350, 1530), (3300, 4200), (7125, 8500)),
    *((10000, 15350), (17100, 43500), (71000, 76000), (81000, 86000)),
)
"""Where bridges between roofs send beyond Wi-Fi's bands, in MHz: 902 to 928 in the Americas (ITU Radio Regulations
5.150), and the channel plans of the fixed service (CEPT T/R 13-02, ERC/REC 12-02 to 12-08, 14-01 to 14-03, ECC/REC
(05)07, among others)."""
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
    """The band of a channel number, where the device does not tell it.

    Numbers up to 14 are taken for 2.4 GHz and those of both other bands (149 to 177) for 5 GHz; 37, 53 or 233 can only
    be 6 GHz, whose channels are 1 more than a multiple of 4.

    >>> band_of_channel(11), band_of_channel(36), band_of_channel(20), band_of_channel(37), band_of_channel(149)
    ('2.4GHz', '5GHz', None, '6GHz', '5GHz')
    """
    if 1 <= number <= 14:  # noqa: PLR2004 channels of 2.4 GHz
        return "2.4GHz"
    if is_6ghz_channel(number) and not 149 <= number <= 177:  # noqa: PLR2004 channels of 5 GHz, too
        return "6GHz"
    return "5GHz" if 36 <= number <= 177 else None  # noqa: PLR2004 channels of 5 GHz


def is_6ghz_channel(number: int) -> bool:
    """Whether a 20 MHz channel of 6 GHz has that number (IEEE 802.11ax-2021 table E-4).

    >>> [number for number in (2, 5, 36, 37, 149, 237) if is_6ghz_channel(number)]
    [2, 5, 37, 149]
    """
    _, first, last = CHANNELS["6GHz"]
    return number == 2 or (first <= number <= last and number % 4 == 1)  # noqa: PLR2004 the odd one, 5935 MHz
