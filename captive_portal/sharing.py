"""What a resident has accepted at one gateway holds at all of them: what happens is told, what others say is heeded.

Each gateway's own file stays its truth, and the shared database (PostgreSQL) only carries words between them: while it
is away, slow or frozen, nobody's acceptance waits, and what has happened is told afterwards. No address goes there,
only keys of devices.
"""

import threading
from collections.abc import Callable, Collection, Sequence

from captive_portal.doorkeeper import Doorkeeper, NotStored
from captive_portal.elsewhere import Elsewhere
from captive_portal.proofs import Proofs
from captive_portal.returning import Returning
from captive_portal.session import Now
from captive_portal.store import Store, StoreFailed
from captive_portal.store_passes import MOST_AT_ONCE, Pass, Word, erase, hear, say, tell_again, waiting, words
from captive_portal.store_shared import Line, SharedAway
from parvis.instruments import Instruments
from parvis.running import Turns, log

EVERY_SECONDS = 1.0
ERASE_EVERY = 60
"""Exchanges."""
DEADLINE_SECONDS = 10.0
"""After so long without an end the exchange's connection is cut."""
STOP_SECONDS = 15.0


class Sharing:
    """Tells and heeds, once a second, in a thread of its own; start it with ``with sharing.turns``.

    *known* hears which devices others have admitted; *elsewhere* notices who is at two sites.
    """

    def __init__(
        self,
        line: Line,
        store: Store,
        doorkeeper: Doorkeeper,
        returning: Returning,
        site: str,
        instruments: Instruments,
        clock: Callable[[], Now],
        known: Callable[[Collection[str]], None],
        elsewhere: Elsewhere,
    ) -> None:
        self._known, self._elsewhere = known, elsewhere
        self._proofs = Proofs(store, doorkeeper, site)
        self._line, self._store, self._doorkeeper, self._returning = line, store, doorkeeper, returning
        self._site, self._clock = site, clock
        self._up = instruments.gauge("portal_shared_up")
        self._backlog = instruments.gauge("portal_shared_backlog")
        self._words = instruments.counter("portal_shared_words_total")
        for direction in ("told", "heard"):
            self._words.labels(direction)
        self._heard_up_to, self._exchanges, self._away = 0, 0, ""
        self.turns = Turns("sharing", self._turn, hurry=line.cut, last=line.hang_up, patience=STOP_SECONDS)

    def _turn(self) -> float:
        self.exchange()
        return EVERY_SECONDS

    def exchange(self) -> bool:
        """Tell and heed once; whether it worked. What did not is tried again the next time."""
        guard = threading.Timer(DEADLINE_SECONDS, self._line.cut)
        guard.daemon = True
        guard.start()
        try:
            self._tell()
            self._heed()
            self._proofs.exchange(self._line)
            self._elsewhere.exchange(self._line)
            self._count()
        except (SharedAway, NotStored, StoreFailed) as error:
            self._failed(str(error))
            return False
        except Exception as error:  # noqa: BLE001 sharing is an extra: whatever it stumbles over, the gateway goes on
            self._line.hang_up()
            self._failed(type(error).__name__)
            return False
        finally:
            guard.cancel()
        if self._away:
            log.info("the shared database answers again")
        self._away = ""
        self._up.set(1)
        return True

    def _tell(self) -> None:
        while True:
            with self._store.connection() as here:
                said = words(here)
            if not said:
                return
            with self._line.transaction() as there:
                standing = say(there, self._site, said, self._clock)
            self._note(said, standing)
            self._words.labels("told").inc(len(said))
            if len(said) < MOST_AT_ONCE:
                return

    def _heed(self) -> None:
        while True:
            with self._line.transaction() as there:
                reached, heard = hear(there, self._site, self._heard_up_to)
                if self._exchanges % ERASE_EVERY == 0:
                    erase(there)
            if reached < self._heard_up_to:
                self._went_back()
            if heard:
                self._note((), heard)
                self._words.labels("heard").inc(sum(one.gateway != self._site for one in heard))
            self._heard_up_to = reached
            if len(heard) < MOST_AT_ONCE:
                return

    def _note(self, said: Sequence[Word], heard: Sequence[Pass]) -> None:
        self._doorkeeper.within(lambda book, now: self._returning.heed(book, said, heard, now))
        self._known({one.device for one in heard if not one.forgotten and one.gateway != self._site})

    def _went_back(self) -> None:
        """The database was restored from a copy: what was accepted here since is told again."""
        log.warning("the shared database has lost what it knew; telling it again")
        self._proofs.begin_again()
        self._doorkeeper.within(lambda book, now: tell_again(book.connection, self._site, now))

    def _count(self) -> None:
        self._exchanges += 1
        with self._store.connection() as here:
            self._backlog.set(waiting(here))

    def _failed(self, words: str) -> None:
        if not self._away:
            log.warning("the shared database does not answer", words=words)
        self._away = words
        self._up.set(0)
        try:
            self._count()
        except StoreFailed as error:
            log.error("the store cannot be read", words=str(error))
