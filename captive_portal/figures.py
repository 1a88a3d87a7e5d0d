"""The doorkeeper's own metrics."""

from collections.abc import Sequence

from captive_portal.admission import Direction
from captive_portal.session import NEXT, Event, State
from captive_portal.standing import Refusal
from parvis.instruments import Instruments

DIRECTIONS: tuple[Direction, ...] = ("missing", "different", "surplus")


class Figures:
    """What the doorkeeper counts."""

    def __init__(self, instruments: Instruments) -> None:
        self._active = instruments.gauge("portal_sessions_active")
        self._slowed = instruments.gauge("portal_sessions_slowed")
        self._drift = instruments.gauge("portal_sessions_drift")
        self._repairs = instruments.counter("portal_repairs_total")
        self._gateway_up = instruments.gauge("portal_gateway_up")
        self._refusals = instruments.counter("portal_refusals_total")
        self._ended = instruments.counter("portal_sessions_ended_total")
        self._lasted = instruments.histogram("portal_session_seconds")
        self._waiting = instruments.gauge("portal_erasing_refused_proofs")
        for word in DIRECTIONS:
            self._drift.labels(word).set(0)
            self._repairs.labels(word)
        for reason in Refusal:
            self._refusals.labels(reason.value)
        for (_, event), state in NEXT.items():
            if state is State.ENDED:
                self._ended.labels(event.value)

    def refused(self, reason: Refusal) -> None:
        """A device was refused."""
        self._refusals.labels(reason.value).inc()

    def ended(self, event: Event) -> None:
        """A session ended."""
        self._ended.labels(event.value).inc()

    def waiting(self, proofs: int) -> None:
        """So many proofs of acceptance are over by a clock that is not believed."""
        self._waiting.set(proofs)

    def lasted(self, seconds: float) -> None:
        """A session that ended had lasted so long."""
        self._lasted.observe(seconds)

    def compared(self, found: Sequence[Direction], active: int, slowed: int) -> None:
        """Store and kernel were compared; *found* is what differed."""
        for word in DIRECTIONS:
            self._drift.labels(word).set(found.count(word))
            self._repairs.labels(word).inc(found.count(word))
        self._active.set(active)
        self._slowed.set(slowed)
        self._gateway_up.set(1)

    def away(self) -> None:
        """Gatewayd did not answer."""
        self._gateway_up.set(0)
