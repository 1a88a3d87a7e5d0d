"""The audit log's upkeep: the chain is verified, months that are over go, by a clock that is believed."""

import time
from datetime import UTC, datetime

from captive_portal.console.audit import Audit, Broken
from captive_portal.legal.clock_marks import Witness
from parvis.running import log

EVERY_SECONDS = 3600.0


class Upkeep:
    """Looks after *audit* whenever it is asked how the log is."""

    def __init__(self, audit: Audit, witness: Witness) -> None:
        self._audit = audit
        self._witness = witness
        self._next = time.monotonic()

    def wrong(self) -> str:
        """Empty while the chain holds; months that are too old go first, once an hour."""
        try:
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + EVERY_SECONDS
                self._tidy()
            self._audit.verify()
        except (Broken, OSError) as error:
            return f"the audit log is broken: {error}"
        return ""

    def _tidy(self) -> None:
        """What is erased does not come back, so a clock that is not believed erases nothing, and says so."""
        today = datetime.now(UTC).date()
        doubts = self._witness.doubts_or_remembers()
        if not doubts:
            self._audit.tidy(today)
        elif months := self._audit.over(today):
            log.warning(
                "audit log not tidied",
                months=len(months),
                doubts=doubts,
                todo="put the clock right; if it is: parvis console --clock-is-right YOUR-NAME",
            )
