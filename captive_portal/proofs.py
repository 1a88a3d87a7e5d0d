"""Carries a gateway's sessions to the shared database, each once when it begins and once when it has ended; and texts.

The text of the terms goes with the first session that names it, in one commit.
"""

from captive_portal import store_texts
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
        self._texts: set[str] = set()
        """The digests whose text was told."""
        self._exchanges = 0

    def exchange(self, line: Line) -> None:
        """Tell what is new. SharedAway, StoreFailed, NotStored: nothing is lost, the next exchange goes on."""
        told = self._told if self._told is not None else self._begin(line)
        for _ in range(BATCHES):
            with self._store.connection() as here:
                rows = after(here, told)
                digests = {str(row["terms_sha256"]) for row in rows} - self._texts
                texts = store_texts.of(here, digests)
            if not rows:
                break
            with line.transaction() as there:
                store_texts.tell(there, texts)
                tell(there, self._gateway, rows)
            self._texts |= digests
            told = self._told = int(str(rows[-1]["number"]))
        if self._exchanges % ENDS_EVERY == 0:
            self._tell_ends(line)
            self._learn_texts(line)
        self._exchanges += 1

    def begin_again(self) -> None:
        """Ask the database anew what it knows."""
        self._told = None

    def _begin(self, line: Line) -> int:
        with line.transaction() as there:
            told = self._told = last_told(there, self._gateway)
            untold = store_texts.untold(there, self._gateway)
        with self._store.connection() as here:
            texts = store_texts.of(here, untold)
        if texts:
            with line.transaction() as there:
                store_texts.tell(there, texts)
        self._texts = set()
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
            store_texts.erase(there)

    def _learn_texts(self, line: Line) -> None:
        """What residents of this site accepted at another one can be read here, too."""
        with self._store.connection() as here:
            unknown = store_texts.unknown(here)
        if not unknown:
            return
        with line.transaction() as there:
            found = store_texts.of(there, unknown)
        if found:
            self._doorkeeper.within(lambda book, _now: store_texts.learn(book.connection, found))
