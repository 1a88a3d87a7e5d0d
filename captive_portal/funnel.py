"""How far devices come: each counted once a day for each step it reaches. Numbers only, no device is kept here.

The timeline tells which step is new for a device today. Leases and first bytes come from the kernel: from gatewayd's
news of arrivals (:mod:`captive_portal.arriving`) and from its counters, read now and then; then whose addresses have
probed for the first time is asked, too.
"""

import time
from collections.abc import Callable, Iterable

from captive_portal.protocol import Counted
from captive_portal.remote import Door
from captive_portal.timeline import Step, Timeline
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


def first_bytes(counters: Iterable[Counted], fed: set[int]) -> tuple[set[int], set[int]]:
    """The sessions of *fed* that go on, and those that have received something, and not before."""
    still, new = set(), set()
    for number, _, down, _ in counters:
        if number in fed:
            still.add(number)
        elif down > 0:
            new.add(number)
    return still, new


class Following:
    """Notes leases and first bytes as the kernel has them, and whose probes *timeline* has heard. For one thread.

    *whose* tells the devices of sessions.
    """

    def __init__(self, door: Door, whose: Callable[[set[int]], Iterable[MacAddress]], timeline: Timeline) -> None:
        self._door, self._whose, self._timeline, self._note = door, whose, timeline, timeline.note
        self._fed: set[int] | None = None
        self._next_reading = 0.0

    def meet(self, devices: Iterable[MacAddress]) -> None:
        """Note that *devices* have appeared, hence have a lease."""
        for mac in devices:
            self._note(mac, Step.LEASE)

    def read(self) -> None:
        """Note who has probed and whose first byte has come, if it is time to read the counters again. GatewayAway."""
        started = time.monotonic()
        if started >= self._next_reading:
            self._timeline.settle_fresh(self._door.identify)
            self._feed(self._door.counters())
            took = time.monotonic() - started
            self._next_reading = started + max(LISTEN_SECONDS, took * SHARE)

    def _feed(self, counters: Iterable[Counted]) -> None:
        still, new = first_bytes(counters, self._fed or set())
        if self._fed is not None and new:
            for mac in self._whose(new):
                self._note(mac, Step.FIRST_BYTE)
        self._fed = still | new
