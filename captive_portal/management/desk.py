"""The site's side of the console: sessions, devices and orders, under codes of the day. No address leaves here."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from captive_portal.admission import Block, Unblock
from captive_portal.directives import Directive, Kind, Order, Refused
from captive_portal.doorkeeper import Doorkeeper
from captive_portal.remote import Door, GatewayAway
from captive_portal.session import Now
from captive_portal.store import Store
from captive_portal.store_directives import Directives
from captive_portal.store_figures import accepted
from captive_portal.store_usage import month_of
from captive_portal.timeline import Seen, Timeline
from parvis.addresses import MacAddress

Facts = dict[str, Any]
"""What becomes a JSON object."""


class Unknown(LookupError):
    """No device here has this code today, or no order this number; the console asks the other sites."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What staff may ask of this site. Methods raise GatewayAway, StoreFailed, NotStored, Refused or Unknown."""

    site: str
    zone: ZoneInfo
    clock: Callable[[], Now]
    store: Store
    door: Door
    doorkeeper: Doorkeeper
    timeline: Timeline
    directives: Directives
    key: Callable[[MacAddress], str]
    """The device key that a block is written down with."""
    uplink: Callable[[], bool]
    writing: threading.Lock = field(default_factory=threading.Lock)

    def state(self) -> Facts:
        """How the site is, and staff's orders in force."""
        standing = [self._order(directive) for directive in self.directives.standing()]
        facts: Facts = {"site": self.site, "portal": self.doorkeeper.wrong, "uplink": self.uplink()}
        try:
            status = self.door.status()
            facts |= {"gateway": status.wrong, "sessions": len(self.door.admitted()), "open": round(status.open)}
        except GatewayAway:
            facts |= {"gateway": "gatewayd does not answer", "sessions": None, "open": None}
        return {**facts, "orders": standing}

    def sessions(self, after: int, limit: int) -> Facts:
        """At most *limit* sessions with numbers above *after*, and the number to go on after; None at the end."""
        counted = {one.session: one for one in self.door.counters()}
        rows = sorted((one.session, mac, one.seconds) for mac, one in self.door.admitted().items())
        rows = [row for row in rows if row[0] > after]
        shown: list[Facts] = []
        for number, mac, seconds in rows[:limit]:
            bytes_ = counted.get(number)
            up, down = (bytes_.bytes_up, bytes_.bytes_down) if bytes_ else (0, 0)
            shown.append({"code": self.timeline.code(mac), "seconds": round(seconds), "up": up, "down": down})
        return {"sessions": shown, "next": rows[limit - 1][0] if len(rows) > limit else None}

    def device(self, code: str) -> Facts:
        """Why the device called *code* is, or is not, online: what was seen of it here and what the kernel says now."""
        mac = self._mac(code)
        found = self.timeline.device(code)
        now = self.clock()
        seen = {step.value: _ago(when, now) for step, when in (found[1] if found else {}).items()}
        block, closed = self.directives.latest(Kind.BLOCK, self.key(mac)), self.directives.latest(Kind.CLOSED)
        facts: Facts = {"site": self.site, "code": code, "steps": seen, "uplink": self.uplink()}
        facts["blocked"] = self._order(block) if block else None
        facts["closed"] = self._order(closed) if closed else None
        stands = self.doorkeeper.standing(mac)
        facts |= {"refusal": stands.refusal.value if stands.refusal else None, "slowed": stands.slowed}
        return facts | {"gateway": asdict(self.door.device(mac)), "open": round(self.door.status().open)}

    def figures(self, days: int) -> Facts:
        """Acceptances of the last *days* by day, language and version of the terms."""
        rows = accepted(self.store, days, self.clock().wall, self.zone)
        names = ("day", "language", "terms", "acceptances")
        return {"figures": [dict(zip(names, row, strict=True)) for row in rows]}

    def usage(self, month: str) -> Facts:
        """What *month* was, in numbers; Refused when it is no month."""
        try:
            return asdict(month_of(self.store, self.site, month, self.zone))
        except ValueError as error:
            raise Refused(f"{month!r} is no month; write it as 2026-11") from error

    def disconnect(self, code: str) -> Facts:
        """End the device's session now; running connections stop."""
        mac = self._mac(code)
        return {"outcome": self.doorkeeper.revoke(mac).value}

    def disconnect_all(self) -> Facts:
        """End every session of the site, in one transaction."""
        return {"outcome": self.doorkeeper.revoke_all().value}

    def block(self, code: str, by: str, reason: str, seconds: float) -> Facts:
        """Refuse the device for a while, end its session, and have the kernel keep it out."""
        mac = self._mac(code)
        order = Order(Kind.BLOCK, by, reason, device=self.key(mac))
        with self.writing:
            given = self.directives.give(order, seconds)
            self.doorkeeper.revoke(mac)
            self.door.apply([Block(mac, seconds)])
        return self._order(given)

    def order(self, order: Order, seconds: float) -> Facts:
        """Close the site, put a banner up, or open the door, for a while."""
        if order.kind is Kind.BLOCK:
            raise Refused("a block is given by the device's code")
        with self.writing:
            given = self.directives.give(order, seconds)
            if order.kind is Kind.OPEN_DOOR:
                self._open(given)
            if order.kind is Kind.CLOSED:
                self.doorkeeper.close()
        return self._order(given)

    def end(self, number: int, kind: str, by: str) -> Facts:
        """End the order *number*, which is of *kind*, before its time."""
        with self.writing:
            gone = next((d for d in self.directives.standing() if d.number == number and d.order.kind == kind), None)
            if gone is None:
                raise Unknown("no such order is in force")
            self.directives.end(number, by)
            if gone.order.kind is Kind.OPEN_DOOR:
                self.door.open(0)
            if gone.order.kind is Kind.BLOCK:
                known = {*self.timeline.macs(), *self.door.arrivals(0, 0)[1]}
                self.door.apply([Unblock(mac) for mac in sorted(known) if self.key(mac) == gone.order.device])
        return {"ended": number}

    def reopen(self) -> None:
        """After a reboot the kernel knows nothing of a door that staff ordered open: tell it again."""
        order = self.directives.latest(Kind.OPEN_DOOR)
        with suppress(GatewayAway):
            if order is not None and not self.door.status().open:
                self.door.open(max(1, int(order.remaining(self.clock()))))

    def _open(self, given: Directive) -> None:
        """Open the door in the kernel; the order is taken back when the gateway could not be told."""
        try:
            self.door.open(int(given.seconds))
        except GatewayAway:
            self.directives.end(given.number, given.order.by)
            raise

    def _mac(self, code: str) -> MacAddress:
        """The one device that *code* means today: what was heard of, or is online."""
        self.timeline.settle(self.door.identify)
        found = {mac for mac in self.door.admitted() if self.timeline.code(mac) == code}
        noted = self.timeline.device(code)
        found |= {noted[0]} if noted else set()
        if not found:
            raise Unknown("no device here has this code today")
        if len(found) > 1:
            raise Refused("two devices have this code today; look for another sign, such as the time")
        return found.pop()

    def _order(self, directive: Directive) -> Facts:
        order = directive.order
        words = {"by": order.by, "reason": order.reason, "fr": order.fr, "en": order.en}
        left = round(directive.remaining(self.clock()))
        return {
            "number": directive.number,
            "kind": order.kind.value,
            "made_at": directive.made_at,
            "left": left,
            **words,
        }


def _ago(when: Seen, now: Now) -> Facts:
    first, last = now.since_boot - when.first, now.since_boot - when.last
    return {"first": round(first, 1), "last": round(last, 1), "count": when.count}
