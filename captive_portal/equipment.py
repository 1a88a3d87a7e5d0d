"""Printers and kiosks: admitted as long as the town lists them, with numbers that no acceptance will ever have."""

import zlib
from collections.abc import Iterable

from captive_portal.admission import Wanted
from captive_portal.protocol import MAX_MARK
from captive_portal.session import Policy
from parvis.addresses import MacAddress

SPACE = 2**20
"""Numbers kept for equipment, at the very top; acceptances would need 4 billion sessions to meet them."""
DAY = 86400
DAYS = 7
"""The kernel is told again every day, and goes on alone for a week (MAX_SECONDS is eight days)."""


def numbers(macs: Iterable[MacAddress]) -> dict[MacAddress, int]:
    """A session number for each device, which does not change when others are listed (nearly always).

    >>> anna = MacAddress("02:00:00:00:00:0a")
    >>> numbers([anna])[anna] > MAX_MARK - SPACE
    True
    """
    found: dict[MacAddress, int] = {}
    taken: set[int] = set()
    for mac in sorted(macs):
        number = MAX_MARK - zlib.crc32(mac.text.encode()) % SPACE
        while number in taken:
            number = MAX_MARK - (MAX_MARK - number + 1) % SPACE
        taken.add(number)
        found[mac] = number
    return found


def wanted(known: dict[MacAddress, int], since_boot: float, policy: Policy) -> dict[MacAddress, Wanted]:
    """What the kernel should admit of *known*; the same for a whole day, whoever asks and how often."""
    deadline = (since_boot // DAY + DAYS) * DAY
    rates = policy.rates(slowed=False)
    return {mac: Wanted(number, deadline, *rates) for mac, number in known.items()}
