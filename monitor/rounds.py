"""Do something again and again in a thread of its own, whatever happens."""

import time
from collections.abc import Callable

from parvis.instruments import Instruments
from parvis.running import Turns, log

STOP_SECONDS = 5.0


class Rounds:
    """Calls *work* every *interval* seconds within ``with rounds.turns``; whether it succeeded, as it says, is counted.

    A round that raises is logged too, and tried again.
    """

    def __init__(self, part: str, interval: float, work: Callable[[], bool], instruments: Instruments) -> None:
        self._part = part
        self._interval = interval
        self._work = work
        self._counter = instruments.counter("monitor_rounds_total")
        self._seconds = instruments.gauge("monitor_round_seconds")
        self._due = time.monotonic()
        self.turns = Turns(part, self._round, patience=STOP_SECONDS)

    def _round(self) -> float:
        """A round, and the seconds until the next; one that took too long moves all that follow."""
        started = time.monotonic()
        self._once()
        ended = time.monotonic()
        self._seconds.labels(self._part).set(ended - started)
        self._due = max(self._due + self._interval, ended)
        return self._due - ended

    def _once(self) -> None:
        try:
            result = "done" if self._work() else "failed"
        except Exception:  # noqa: BLE001 one failed round must not end the rounds
            log.exception("round failed", part=self._part)
            result = "failed"
        self._counter.labels(self._part, result).inc()
