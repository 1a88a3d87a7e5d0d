"""Do something again and again in a thread of its own, whatever happens."""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from parvis.instruments import Instruments
from parvis.running import log


class Rounds(AbstractContextManager["Rounds"]):
    """Calls *work* every *interval* seconds until left; it says whether it succeeded, which is counted.

    A round that raises is logged too, and tried again.
    """

    def __init__(self, part: str, interval: float, work: Callable[[], bool], instruments: Instruments) -> None:
        self._part = part
        self._interval = interval
        self._work = work
        self._counter = instruments.counter("monitor_rounds_total")
        self._seconds = instruments.gauge("monitor_round_seconds")
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=part, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            started = time.monotonic()
            self._once()
            self._seconds.labels(self._part).set(time.monotonic() - started)
            due = max(due + self._interval, time.monotonic())

    def _once(self) -> None:
        try:
            result = "done" if self._work() else "failed"
        except Exception:  # noqa: BLE001 one failed round must not end the rounds
            log.exception("round failed", part=self._part)
            result = "failed"
        self._counter.labels(self._part, result).inc()
