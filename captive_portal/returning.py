"""Devices that come back: an acceptance is remembered under the device's key, and admits it again without a tap.

It holds as long as the site's policy says, at most until the terms change, and ends when the resident leaves: at any
gateway of the town, where gateways share (:mod:`captive_portal.sharing`).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from captive_portal.admission import Deny
from captive_portal.devices import key
from captive_portal.session import Event, Now
from captive_portal.store import Acceptance, Book
from captive_portal.store_passes import Pass, Word, heed, told
from captive_portal.store_remembered import Memory, Remembered
from parvis.addresses import MacAddress


@dataclass(frozen=True, slots=True)
class Returning:
    """Knows devices again for *seconds* (0: never) that accepted *terms_version*. *secret* is the town's.

    *shared*: whatever changes is also told to the other gateways.
    """

    secret: bytes
    seconds: float
    terms_version: str
    shared: bool = False

    def remember(self, book: Book, given: Sequence[Acceptance], now: Now) -> None:
        """Remember the devices of *given*, one acceptance each, from now on."""
        if self.seconds > 0:
            self._memory(book).remember([self._remembered(one, now) for one in given], now)

    def _remembered(self, one: Acceptance, now: Now) -> Remembered:
        device, until = key(one.mac, self.secret), now.wall + self.seconds
        return Remembered(device, one.site, now.wall, until, one.terms_version, one.terms_sha256, one.language)

    def forget(self, book: Book, macs: Sequence[MacAddress], now: Now) -> None:
        """Forget all of *macs*, everywhere."""
        self._memory(book).forget([key(mac, self.secret) for mac in macs], now)

    def recall(self, book: Book, mac: MacAddress, site: str, now: Now) -> Acceptance | None:
        """An acceptance at *site* for a device that comes back; None when it has to be asked."""
        known = self._memory(book).recall(key(mac, self.secret)) if self.seconds > 0 else None
        if known is None or known.until <= now.wall or known.terms_version != self.terms_version:
            return None
        if known.accepted_at + self.seconds <= now.wall:  # what another site promised, this one need not keep
            return None
        proof = (known.language, known.terms_version, known.terms_sha256)
        return Acceptance(mac, site, *proof, token=f"returning-{uuid.uuid4().hex}")

    def purge(self, book: Book, now: Now) -> int:
        """Forget what is over; how many devices."""
        return self._memory(book).purge(now)

    def heed(self, book: Book, said: Sequence[Word], heard: Sequence[Pass], now: Now) -> list[Deny]:
        """Note that *said* was told and what others say, and end the sessions of devices that were forgotten."""
        told(book.connection, said)
        forgotten = heed(book.connection, heard, now)
        gone = []
        for mac, live in book.live().items() if forgotten else ():
            if key(mac, self.secret) in forgotten:
                book.end(live.number, Event.LEFT, now)
                gone.append(Deny(mac))
        return gone

    def _memory(self, book: Book) -> Memory:
        return Memory(book.connection, told=self.shared)
