"""Tells when the pages can be reached: the server opens its port after it was handed the application, and says nothing.

Whoever said "ready" before would send residents, and systemd the next unit, to a closed door.
"""

import socket
import threading
import time
from collections.abc import Callable

from parvis.running import thread_or_exit

LOOK_SECONDS = 0.01
MOST_SECONDS = 30.0
"""After so long it does not open any more: the process ends, and systemd starts it again."""


class NeverOpened(Exception):
    """Nothing listens at the port of the pages; another program may hold it."""


class Ready:
    """Calls *tell* once something listens at *place* (host and port). Until then :attr:`wrong` says what is missing."""

    def __init__(self, place: tuple[str, int], tell: Callable[[], None]) -> None:
        self._place, self._tell = place, tell
        self.wrong = "the pages are not served yet"
        self._thread: threading.Thread = thread_or_exit("ready", self._wait)

    def alive(self) -> bool:
        """Whether the pages' port takes connections, for systemd's watchdog."""
        return listens(self._place)

    def watch(self) -> None:
        """Begin to look, in a thread that ends with its task."""
        self._thread.start()

    def _wait(self) -> None:
        until = time.monotonic() + MOST_SECONDS
        while not listens(self._place):
            if time.monotonic() > until:
                raise NeverOpened(f"{self._place[0]}:{self._place[1]}")
            time.sleep(LOOK_SECONDS)
        self.wrong = ""
        self._tell()


def listens(place: tuple[str, int]) -> bool:
    """Whether a connection to *place* is taken; any address of this machine stands for ``::`` and ``0.0.0.0``."""
    host = {"::": "::1", "0.0.0.0": "127.0.0.1"}.get(place[0], place[0])  # noqa: S104 compared, not bound
    try:
        socket.create_connection((host, place[1]), 1.0).close()
    except OSError:
        return False
    return True
