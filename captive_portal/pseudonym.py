"""The code of a device today: six characters to read out, from which nobody finds the device, new each day.

A resident reads it on the help page, staff find the device by it. It is a keyed hash (HMAC-SHA-256, RFC 2104) of the
MAC address under a key of that day; without the key it says nothing, and two days' codes of one device cannot be
joined.
"""

import hmac
from dataclasses import dataclass
from datetime import date

from parvis.addresses import MacAddress

LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0 O, 1 I L, and no U, which is heard as V: none of the rest is mistaken for another when read out."""
LENGTH = 6
"""30^6 codes: among 5,000 devices of a day, two share one in 2 of 100 towns; staff then see both."""
_BETWEEN = str.maketrans("", "", " -\u2011\u00a0")


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Makes the codes of one day from a secret *key* that all gateways of the town share."""

    key: bytes

    def of(self, mac: MacAddress, day: date) -> str:
        """The code of *mac* on *day*.

        >>> Pseudonyms(b"k" * 32).of(MacAddress.parse("02:00:00:00:00:0a"), date(2026, 5, 1))
        'J2Y-JF8'
        """
        today = hmac.digest(self.key, b"parvis pseudonym|" + day.isoformat().encode(), "sha256")
        number = int.from_bytes(hmac.digest(today, mac.text.encode(), "sha256"), "big")
        code = ""
        for _ in range(LENGTH):
            number, digit = divmod(number, len(LETTERS))
            code += LETTERS[digit]
        return f"{code[:3]}-{code[3:]}"


def heard(text: str) -> str | None:
    """The code somebody typed, as we write it; None when it cannot be one.

    >>> heard(" k7f 2qd "), heard("K7F-2Q0"), heard("K7F")
    ('K7F-2QD', None, None)
    """
    code = text.strip().upper().translate(_BETWEEN)
    if len(code) != LENGTH or set(code) - set(LETTERS):
        return None
    return f"{code[:3]}-{code[3:]}"
