"""What testifies for this machine's clock: the kernel, what was written last, and the last moment that was believed."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from captive_portal.clock import moment
from captive_portal.legal import clock_doubts, time_signal
from captive_portal.legal.clock_doubts import Mark, Observed
from parvis.durable import write_whole
from parvis.running import log


class ClockDoubted(Exception):
    """Days would be erased by a clock that is not believed; nothing was. Says why, and what to do."""

    def __init__(self, why: str, days: int) -> None:
        super().__init__(
            f"{days} days of a store would be erased now, but {why}. Nothing was erased, for what is destroyed does "
            "not come back. Put the clock right; if it is, answer for it: --clock-is-right YOUR-NAME"
        )
        self.days = days


@dataclass(frozen=True, slots=True)
class Witness:
    """What is known about the clock. *mark*: the file of the last moment believed; *newest*: the last day on record."""

    mark: Path
    newest: Callable[[], date | None]

    def observed(self) -> Observed:
        """What can be known now."""
        kept = time_signal.truth().synchronised
        return Observed(time_signal.wall(), time_signal.steady(), moment().boot, kept, self.newest())

    def doubts(self) -> str:
        """Why the clock is not believed; empty when it is."""
        return clock_doubts.doubts(self.observed(), self.last())

    def doubts_or_remembers(self) -> str:
        """Why the clock is not believed; when it is, this moment is remembered as one."""
        why = self.doubts()
        if not why:
            self.remember_if_it_can_be()
        return why

    def jumped(self) -> str:
        """What speaks against the clock, whether or not anything keeps it; empty when nothing does."""
        return clock_doubts.jumped(self.observed(), self.last())

    def last(self) -> Mark | None:
        """The last moment that was believed; None before the first, or where the file cannot be read."""
        with suppress(OSError, ValueError, TypeError):
            return Mark(**json.loads(self.mark.read_text("utf-8")))
        return None

    def remember_if_it_can_be(self) -> None:
        """:meth:`remember`; on a disk that takes nothing the moment before counts, and what is over can be erased."""
        try:
            self.remember()
        except OSError as error:
            log.error("the moment of a believed clock could not be written down", file=str(self.mark), error=str(error))

    def remember(self, by: str = "") -> None:
        """This moment is believed; *by*: who answers for it, whatever was doubted before."""
        now, before = self.observed(), self.last()
        misdated = before.misdated if before else ""
        if now.newest is not None and now.newest > now.day:
            misdated = max(misdated, now.newest.isoformat())
        made = Mark(now.wall, now.up, now.boot, by or (before.by if before else ""), misdated)
        write_whole(self.mark, json.dumps(asdict(made)).encode())
