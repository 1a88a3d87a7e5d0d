"""How far devices come: each counted once a day for each step it reaches. Numbers only, no device is kept here.

The timeline tells which step is new for a device today. Leases and first bytes come from the kernel: from gatewayd's
news of arrivals (:mod:`captive_portal.arriving`) and from its counters, read now and then.
"""

import time
from collections.abc import Callable, Iterable, Mapping

from captive_portal.admission import Admitted
from captive_portal.protocol import Counted
from captive_portal.remote import Door
from captive_portal.timeline import Note, Step
from parvis.addresses import MacAddress
from parvis.instruments import Instruments

STEPS = (Step.LEASE, Step.PROBE, Step.API, Step.PAGE, Step.ACCEPTED, Step.ADMITTED, Step.FIRST_BYTE)
"""In their order. A phone that knows RFC 8908 needs no probe, one that does not asks no API."""
LISTEN_SECONDS = 5.0
"""So often the counters are read, too; a first byte is as late as that in the figures."""
SHARE = 50
"""With very many sessions they are read less often, however many devices arrive: a fiftieth of the time."""


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


class Following:
    """Notes leases and first bytes as the kernel has them. For one thread."""

    def __init__(self, door: Door, note: Note) -> None:
        self._door, self._note = door, note
        self._fed: set[int] | None = None
        self._next_reading = 0.0

    def meet(self, devices: Iterable[MacAddress]) -> None:
        """Note that *devices* have appeared, hence have a lease."""
        for mac in devices:
            self._note(mac, Step.LEASE)

    def read(self) -> None:
        """Note whose first byte has come, if it is time to read the counters again. GatewayAway."""
        started = time.monotonic()
        if started >= self._next_reading:
            self._feed(self._door.counters())
            took = time.monotonic() - started
            self._next_reading = started + max(LISTEN_SECONDS, took * SHARE)

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
