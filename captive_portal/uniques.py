"""How many different devices were online on a day, without knowing which: fingerprints under a key nobody keeps.

The key is drawn at random for each day, lives in this process' memory only and at most 24 hours, and is overwritten
with the fingerprints' end. What is kept is one number (PRI-03). After a restart, or in the 25th hour of a day, counting
begins anew under another key; the larger number is the day's: so many devices there were at least.
"""

import hmac
import secrets
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable

KEY_BYTES = 32
LONGEST_SECONDS = 86400.0
FINGERPRINT_BYTES = 8
"""Two of 100,000 devices get the same fingerprint once in four billion days."""


class DayUniques:
    """The devices of one day. *draw* gives random bytes. Not for several threads at once."""

    def __init__(self, draw: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._draw = draw
        self._key, self._seen = bytearray(), array("Q")  # in order: a set would take ten times the memory
        self._day, self._born = "", 0.0

    def saw(self, day: str, since_boot: float, devices: Iterable[str]) -> int:
        """*devices* are online on *day*; how many different ones this key has seen. *since_boot* in seconds."""
        if day != self._day or since_boot - self._born >= LONGEST_SECONDS:
            self.forget()
            self._key = bytearray(self._draw(KEY_BYTES))
            self._day, self._born = day, since_boot
        for device in devices:
            mark = self._fingerprint(device)
            place = bisect_left(self._seen, mark)
            if place == len(self._seen) or self._seen[place] != mark:
                self._seen.insert(place, mark)
        return len(self._seen)

    def forget(self) -> None:
        """Overwrite the key and let the fingerprints go."""
        self._key[:] = bytes(len(self._key))
        self._seen = array("Q")
        self._day = ""

    def _fingerprint(self, device: str) -> int:
        return int.from_bytes(hmac.digest(self._key, device.encode(), "sha256")[:FINGERPRINT_BYTES])
