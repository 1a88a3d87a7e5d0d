"""Waits at gatewayd for devices that appear, and has those admitted whose acceptance is remembered.

A device may appear before the word of its acceptance elsewhere: whoever had to be asked lately is looked at again.
"""

import threading
from collections.abc import Collection
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from captive_portal.devices import key
from captive_portal.doorkeeper import Doorkeeper, NotStored, Outcome
from captive_portal.remote import Door, GatewayAway
from parvis.addresses import MacAddress
from parvis.running import log, thread_or_exit

WAIT_SECONDS = 2.0
"""A question's length; stopping the portal waits for its end."""
AGAIN_SECONDS = 1.0
MOST_LATELY = 1024


class Welcome(AbstractContextManager["Welcome"]):
    """A thread that asks *door* and tells *doorkeeper*; start it with ``with``."""

    def __init__(self, door: Door, doorkeeper: Doorkeeper, site: str, secret: bytes) -> None:
        self._door, self._doorkeeper, self.site, self._secret = door, doorkeeper, site, secret
        self._lately: dict[MacAddress, None] = {}
        self._after = 0
        self._stop = threading.Event()
        self._thread = thread_or_exit("welcome", self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self.look(WAIT_SECONDS)

    def look(self, seconds: float) -> None:
        """Wait at most *seconds* for devices and welcome them; whoever could not be is welcomed the next time."""
        try:
            reached, devices = self._door.arrivals(self._after, seconds)
            for mac in devices:
                self._lately.pop(mac, None)
                if self._doorkeeper.arrived(mac, self.site) is Outcome.NOTHING:
                    self._lately[mac] = None
            for mac in list(self._lately)[:-MOST_LATELY]:
                del self._lately[mac]
        except (GatewayAway, NotStored) as error:
            log.debug("nobody can be welcomed now", words=str(error))
            self._stop.wait(AGAIN_SECONDS)
            return
        self._after = reached

    def known(self, devices: Collection[str]) -> None:
        """Another gateway has told of *devices*: whoever of them appeared here lately is welcome. NotStored."""
        for mac in list(self._lately):
            if key(mac, self._secret) in devices:
                self._doorkeeper.arrived(mac, self.site)
                self._lately.pop(mac, None)
