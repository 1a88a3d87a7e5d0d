"""The upkeep of what the console keeps: the log's chain is verified; months and the officer's records that are over go.

What is erased does not come back, so nothing is by a clock that is not believed.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from captive_portal.console.audit import ITSELF, Audit, Broken, Entry, NotWritten
from captive_portal.dpo import erasing
from captive_portal.dpo.duties import CLOSED
from captive_portal.legal.clock_marks import Witness
from parvis.kept import kept_days
from parvis.running import log

EVERY_SECONDS = 3600.0


def _nobody(_count: float) -> None:
    """Nobody wants to know."""


class Upkeep:
    """Looks after *audit* and the officer's *records* whenever it is asked how they are, as the watchdog does.

    *refused* is told how many files stay, though their time is over, because the clock is not believed.
    """

    def __init__(
        self, audit: Audit, witness: Witness, records: Path, refused: Callable[[float], object] = _nobody
    ) -> None:
        self._audit, self._witness, self._records, self._refused = audit, witness, records, refused
        self._next = time.monotonic()
        self._unread = ""

    def wrong(self) -> str:
        """Empty while the chain holds and the records can be read; what is too old goes first, once an hour."""
        try:
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + EVERY_SECONDS
                self._tidy(datetime.now(UTC).date())
            self._audit.verify()
        except (Broken, NotWritten, OSError) as error:
            return f"the audit log is broken: {error}"
        return self._unread

    def _tidy(self, today: date) -> None:
        found, doubts = self._found(today), self._witness.doubts_or_remembers()
        months = len(self._audit.over(today))
        waiting = months + len(found) if doubts else 0
        self._refused(waiting)
        if not doubts:
            self._audit.tidy(today)
            for folder, paths in found.over.items():
                self._erase(folder, paths)
        elif waiting:
            log.warning(
                "nothing is erased",
                months=months,
                records=len(found),
                doubts=doubts,
                todo="put the clock right; if it is: parvis console --clock-is-right YOUR-NAME",
            )

    def _found(self, today: date) -> erasing.Found:
        """The records that are over; none, and a word of it, where they cannot be read."""
        self._unread = ""
        try:
            found = erasing.find(self._records, today)
        except OSError as error:
            self._unread = f"the officer's records cannot be read: {error}; they must be the console's own (chown)"
            return erasing.Found()
        for path in found.damaged:
            log.warning("a record is damaged, and nobody can say when it is over; restore it", record=_name(path))
        return found

    def _erase(self, folder: str, paths: Sequence[Path]) -> None:
        """Write into the log what goes, then erase it: whatever interrupts it, it goes on in an hour."""
        names = sorted(path.stem for path in paths)
        about = f"{folder} {names[0]}" + (f" to {names[-1]}" if len(names) > 1 else "")
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        why = f"kept {kept_days(CLOSED[folder][0])} days"
        self._audit.write(Entry(at, ITSELF, "", "purge", "", about, why, f"{len(names)} erased"))
        erasing.erase(paths)


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
