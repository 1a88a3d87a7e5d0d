"""Whom staff's orders refuse: a blocked device, everybody while the site is closed."""

from collections.abc import Callable
from dataclasses import dataclass

from captive_portal.directives import Directive, Kind
from captive_portal.session import Now
from captive_portal.standing import WELCOME, Refusal, Standing
from captive_portal.store_directives import Directives
from parvis.addresses import MacAddress


@dataclass(frozen=True, slots=True)
class Refusals:
    """Says how a device stands with staff's orders; the newest that refuses it counts."""

    directives: Directives
    key: Callable[[MacAddress], str]
    """What a block is written down under."""
    clock: Callable[[], Now]

    def __call__(self, mac: MacAddress) -> Standing:
        """The standing of *mac* now."""
        if not self.directives.standing():
            return WELCOME
        closed = self.directives.latest(Kind.CLOSED)
        if closed is not None:
            return self._until(Refusal.CLOSED_BY_STAFF, closed)
        block = self.directives.latest(Kind.BLOCK, self.key(mac))
        return self._until(Refusal.BLOCKED, block) if block else WELCOME

    def _until(self, refusal: Refusal, order: Directive) -> Standing:
        now = self.clock()
        return Standing(refusal, until=now.wall + order.remaining(now))
