"""Waits at gatewayd for devices that appear, and has those admitted whose acceptance is remembered."""

import threading
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from captive_portal.doorkeeper import Doorkeeper, NotStored
from captive_portal.remote import Door, GatewayAway
from parvis.running import log, thread_or_exit

WAIT_SECONDS = 2.0
"""A question's length; stopping the portal waits for its end."""
AGAIN_SECONDS = 1.0


class Welcome(AbstractContextManager["Welcome"]):
    """A thread that asks *door* and tells *doorkeeper*; start it with ``with``."""

    def __init__(self, door: Door, doorkeeper: Doorkeeper, site: str) -> None:
        self._door, self._doorkeeper, self._site = door, doorkeeper, site
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
                self._doorkeeper.arrived(mac, self._site)
        except (GatewayAway, NotStored) as error:
            log.debug("nobody can be welcomed now", words=str(error))
            self._stop.wait(AGAIN_SECONDS)
            return
        self._after = reached
