"""Notices that one MAC address is in use at two sites at once: a copied address cannot be told apart in any other way.

A resident who walks from one site to the other is at both within a minute, too. So it counts only what a device itself
sends, in looks of :data:`LOOK_SECONDS`: two gateways that have both seen it send in every look for
:data:`TOGETHER_SECONDS` have seen two devices. The last look at the one may overlap the first at the other, no more.
"""

import time
from collections.abc import Callable, Mapping

from captive_portal.remote import Door, GatewayAway
from captive_portal.store_moving import forget, state, twice
from captive_portal.store_shared import Line, SharedAway
from parvis.addresses import MacAddress
from parvis.instruments import Instruments
from parvis.running import log

LOOK_SECONDS = 20.0
TOGETHER_SECONDS = 60.0
HOLDS_SECONDS = 600.0
"""The same device is not reported again for so long."""


class Senders:
    """Since when sessions have been sending without a pause, by what the kernel counts. Times on one clock.

    >>> book = Senders()
    >>> book.look({7: 100}, 0.0), book.look({7: 150}, 20.0), book.look({7: 180}, 40.0), book.since
    ((set(), set()), ({7}, set()), (set(), set()), {7: 0.0})
    >>> book.look({7: 180}, 60.0), book.since
    ((set(), {7}), {})
    """

    def __init__(self) -> None:
        self.since: dict[int, float] = {}
        self._before: Mapping[int, int] = {}
        self._at: float | None = None

    def look(self, sent: Mapping[int, int], now: float) -> tuple[set[int], set[int]]:
        """Session -> bytes it has *sent*; the sessions that have begun to send, and those that paused.

        After a look that came late nobody is known to send without a pause.
        """
        at, before = self._at, self._before
        self._at, self._before = now, sent
        late = at is None or now - at > 2 * LOOK_SECONDS
        sends = set() if late else {number for number, total in sent.items() if total != before.get(number, 0)}
        begun, paused = sends - self.since.keys(), self.since.keys() - sends
        for number in paused:
            del self.since[number]
        self.since |= dict.fromkeys(begun, at or 0.0)
        return begun, paused


class Elsewhere:
    """Tells the shared database who sends through *door*, and hears who does at another gateway. For one thread."""

    def __init__(
        self,
        door: Door,
        key: Callable[[MacAddress], str],
        gateway: str,
        instruments: Instruments,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._door, self._key, self._gateway, self._clock = door, key, gateway, clock
        self._counter = instruments.counter("portal_shared_seen_twice_total")
        self._senders = Senders()
        self._keys: dict[int, str] = {}
        self._told: dict[str, float] = {}
        self._next = 0.0
        self._again = True

    def exchange(self, line: Line) -> None:
        """Look, tell and hear, if it is time. SharedAway: all is told anew the next time."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + LOOK_SECONDS
        try:
            begun, paused = self._look(now)
        except GatewayAway:
            return  # whoever looks is told so by the doorkeeper
        stated = self._senders.since if self._again else begun
        try:
            with line.transaction() as there:
                if self._again:
                    forget(there, self._gateway)
                sending = {self._keys[n]: now - self._senders.since[n] for n in stated if n in self._keys}
                state(there, self._gateway, sending, [self._keys.pop(n) for n in paused if n in self._keys])
                found = twice(there, self._gateway, TOGETHER_SECONDS)
        except SharedAway:
            self._again = True
            raise
        self._again = False
        for device, other in found:
            self._tell(device, other, now)

    def _look(self, now: float) -> tuple[set[int], set[int]]:
        sent = {one.session: one.bytes_up for one in self._door.counters()}
        begun, paused = self._senders.look(sent, now)
        if begun:
            self._keys |= {
                one.session: self._key(mac) for mac, one in self._door.admitted().items() if one.session in begun
            }
        return begun, paused

    def _tell(self, device: str, other: str, now: float) -> None:
        self._told = {key: at for key, at in self._told.items() if now - at < HOLDS_SECONDS}
        if device not in self._told:
            self._told[device] = now
            self._counter.inc()
            log.warning("one address sends at two sites at once; a device may pass itself off as another", other=other)
