"""Carries a gateway's sessions to the shared database: each once when it begins, once when it has ended."""

from captive_portal.doorkeeper import Doorkeeper
from captive_portal.store import Store
from captive_portal.store_sessions import after, end, ended, erase, last_told, never_again, still_open, tell
from captive_portal.store_shared import Line

BATCHES = 4
"""An exchange tells at most so many; whoever begins to share has a year's to tell."""
ENDS_EVERY = 30
"""Exchanges; the end of a session is no hurry."""


class Proofs:
    """The sessions of *store*, told under the name *gateway*. For one thread."""

    def __init__(self, store: Store, doorkeeper: Doorkeeper, gateway: str) -> None:
        self._store, self._doorkeeper, self._gateway = store, doorkeeper, gateway
        self._told: int | None = None
        self._exchanges = 0

    def exchange(self, line: Line) -> None:
        """Tell what is new. SharedAway, StoreFailed, NotStored: nothing is lost, the next exchange goes on."""
        told = self._told if self._told is not None else self._begin(line)
        for _ in range(BATCHES):
            with self._store.connection() as here:
                rows = after(here, told)
            if not rows:
                break
            with line.transaction() as there:
                tell(there, self._gateway, rows)
            told = self._told = int(str(rows[-1]["number"]))
        if self._exchanges % ENDS_EVERY == 0:
            self._tell_ends(line)
        self._exchanges += 1

    def begin_again(self) -> None:
        """Ask the database anew what it knows."""
        self._told = None

    def _begin(self, line: Line) -> int:
        with line.transaction() as there:
            told = self._told = last_told(there, self._gateway)
        self._doorkeeper.within(lambda book, _now: never_again(book.connection, told))
        return told

    def _tell_ends(self, line: Line) -> None:
        with line.transaction() as there:
            numbers = still_open(there, self._gateway)
        with self._store.connection() as here:
            rows = ended(here, numbers)
        with line.transaction() as there:
            if rows:
                end(there, self._gateway, rows)
            erase(there)
