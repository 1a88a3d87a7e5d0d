"""To whom the first page was shown lately, by address, so that whoever posts its form need not be looked up again.

That is safe because the form's token is signed for its device (:mod:`captive_portal.forms`): somebody else who has the
address by then does not have the token.
"""

import threading
import time
from collections.abc import Callable
from itertools import takewhile

from captive_portal.forms import VALID_SECONDS
from parvis.addresses import MacAddress

MOST = 4096
"""Addresses remembered; the oldest is forgotten first."""


class Guests:
    """For any number of threads. Each is forgotten when asked for, and when the form is over (``forget``).

    >>> guests, anna = Guests(), MacAddress.parse("02:00:00:00:00:01")
    >>> guests.saw("10.11.0.5", anna)
    >>> guests.at("10.11.0.5") == anna, guests.at("10.11.0.5")
    (True, None)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._shown: dict[str, tuple[MacAddress, float]] = {}

    def saw(self, address: str, mac: MacAddress) -> None:
        """The page with *mac*'s form goes to *address*."""
        now = self._clock()
        with self._lock:
            self._shown.pop(address, None)  # put again at the end: the newest
            self._shown[address] = (mac, now)
            if len(self._shown) > MOST:
                del self._shown[next(iter(self._shown))]

    def forget(self) -> None:
        """Forget whose form is over; to be called now and then, for it may be that nobody comes any more."""
        now = self._clock()
        with self._lock:
            over = list(takewhile(lambda one: now - self._shown[one][1] > VALID_SECONDS, self._shown))
            for address in over:
                del self._shown[address]

    def at(self, address: str) -> MacAddress | None:
        """Whose form went to *address*, once."""
        with self._lock:
            mac, shown = self._shown.pop(address, (None, 0.0))
        return mac if self._clock() - shown <= VALID_SECONDS else None
