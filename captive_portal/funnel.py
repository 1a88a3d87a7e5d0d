"""How far devices come: each counted once a day for each step it reaches. Numbers only, no device is kept here.

The timeline tells which step is new for a device today. Leases and first bytes come from the kernel: a thread waits
for gatewayd's news of arrivals and now and then reads the counters.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from captive_portal.admission import Admitted
from captive_portal.protocol import Counted
from captive_portal.remote import Door, GatewayAway
from captive_portal.timeline import Note, Step
from parvis.addresses import MacAddress
from parvis.instruments import Instruments
from parvis.running import thread_or_exit

STEPS = (Step.LEASE, Step.PROBE, Step.API, Step.PAGE, Step.ACCEPTED, Step.ADMITTED, Step.FIRST_BYTE)
"""In their order. A phone that knows RFC 8908 needs no probe, one that does not asks no API."""
LISTEN_SECONDS = 5.0
"""So often the counters are read, too; a first byte is as late as that in the figures."""
SHARE = 50
"""With very many sessions they are read less often, however many devices arrive: a fiftieth of the time."""
AWAY_SECONDS = 2.0
LEAVE_SECONDS = 0.1


def counting(instruments: Instruments) -> Callable[[Step], None]:
    """What the timeline calls when a device reaches a step for the first time today."""
    counter = instruments.counter("portal_funnel_total")
    by_step = {step: counter.labels(step.value) for step in STEPS}

    def count(step: Step) -> None:
        if step in by_step:
            by_step[step].inc()

    return count


def first_bytes(counters: Mapping[int, Counted], fed: set[int]) -> set[int]:
    """The sessions that have received something, and not before: those not in *fed*."""
    return {number for number, one in counters.items() if one.bytes_down > 0 and number not in fed}


class Following(AbstractContextManager["Following"]):
    """Notes leases and first bytes as the kernel has them, from the moment it is entered."""

    def __init__(self, door: Door, note: Note) -> None:
        self._door, self._note = door, note
        self._fed: set[int] | None = None
        self._next: int | None = None
        self._next_count = 0.0
        self._ended = threading.Event()
        self._thread = thread_or_exit("following", self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join(LEAVE_SECONDS)  # it changes nothing, and may be waiting for news

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self.look(LISTEN_SECONDS)
            except GatewayAway:
                self._ended.wait(AWAY_SECONDS)

    def look(self, wait: float) -> None:
        """Wait at most *wait* seconds for arrivals, note them, and note whose first byte has come. GatewayAway."""
        if self._next is None:
            self._next, _ = self._door.arrivals(0, 0)  # whoever was there before us is not new
        self._next, devices = self._door.arrivals(self._next, 0 if self._ended.is_set() else wait)
        for mac in devices:
            self._note(mac, Step.LEASE)
        started = time.monotonic()
        if not wait or started >= self._next_count:
            self._feed(self._door.counters())
            took = time.monotonic() - started
            self._next_count = started + max(LISTEN_SECONDS, took * SHARE)

    def _feed(self, counters: Mapping[int, Counted]) -> None:
        if self._fed is None:
            self._fed = first_bytes(counters, set())
            return
        new = first_bytes(counters, self._fed)
        self._fed = (self._fed & counters.keys()) | new
        if new:
            for mac in _who(self._door.admitted(), new):
                self._note(mac, Step.FIRST_BYTE)


def _who(admitted: Mapping[MacAddress, Admitted], sessions: set[int]) -> list[MacAddress]:
    return [mac for mac, one in admitted.items() if one.session in sessions]
