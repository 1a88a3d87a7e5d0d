"""What bears on an admission besides the policy: the building's hours, staff's orders, how many are online.

Values and decisions only; whoever asks brings the hours and the orders.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from captive_portal.directives import Directive, Kind, latest
from captive_portal.session import Now, Policy
from captive_portal.standing import Refusal
from parvis.addresses import MacAddress

Hours = Callable[[float], tuple[bool, float | None]]
"""Unix seconds -> whether the building is open, and when that changes; None: never, or not within a week."""


def always_open(_wall: float) -> tuple[bool, float | None]:
    """The hours of a site that keeps none."""
    return True, None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Of one device at one moment. *changes*: Unix seconds when the building opens or closes next; None: never.

    *closed_until*: Unix seconds when the site is open again that staff have closed; *blocked_until*: until when they
    have blocked the device; 0: not.
    """

    open: bool = True
    changes: float | None = None
    closed_until: float = 0.0
    blocked_until: float = 0.0
    online: int = 0

    def closing(self, now: Now) -> float:
        """Seconds until the building closes."""
        return self.changes - now.wall if self.open and self.changes is not None else inf

    def refusal(self, policy: Policy, *, online: bool = False) -> tuple[Refusal, float | None] | None:
        """Why a device is refused and until when (Unix seconds; None: nobody knows); *online*: it has a session.

        >>> Circumstances(open=False, changes=5.0).refusal(Policy(3600, 1, 1))
        (<Refusal.CLOSED_HOURS: 'closed-hours'>, 5.0)
        """
        if self.blocked_until:
            return Refusal.BLOCKED, self.blocked_until
        if self.closed_until:
            return Refusal.CLOSED_BY_STAFF, self.closed_until
        if not self.open:
            return Refusal.CLOSED_HOURS, self.changes
        if not online and policy.max_devices is not None and self.online >= policy.max_devices:
            return Refusal.FULL, None
        return None


@dataclass(frozen=True, slots=True)
class Rules:
    """Where the circumstances come from. *key* makes a device's key (:mod:`captive_portal.devices`).

    *known*: equipment that is always admitted, by what it is called.
    """

    hours: Hours = always_open
    orders: Callable[[], Sequence[Directive]] = tuple
    key: Callable[[MacAddress], str] = str
    known: Mapping[MacAddress, str] = field(default_factory=dict)

    def about(self, mac: MacAddress, now: Now, online: int) -> Circumstances:
        """The circumstances of *mac*, with *online* devices at the site."""
        is_open, changes = self.hours(now.wall)
        orders = self.orders()
        block = None
        if any(one.order.kind is Kind.BLOCK for one in orders):
            block = latest(orders, Kind.BLOCK, now, self.key(mac))
        closed = self._open_again(ends) if (ends := self.closed(now)) else 0.0
        return Circumstances(is_open, changes, closed, now.wall + block.remaining(now) if block else 0, online)

    def _open_again(self, ends: float) -> float:
        """When the site is open after an order that *ends* then: the building may be closed at that hour."""
        is_open, changes = self.hours(ends)
        return ends if is_open or changes is None else changes

    def closed(self, now: Now) -> float:
        """Until when staff have closed the site, in Unix seconds; 0: it is not closed."""
        order = latest(self.orders(), Kind.CLOSED, now)
        return now.wall + order.remaining(now) if order else 0.0

    def blocked(self, now: Now) -> dict[str, float]:
        """Devices' keys -> seconds for which they are still blocked."""
        orders = [one for one in self.orders() if one.order.kind is Kind.BLOCK]
        return {one.order.device: left for one in orders if (left := one.remaining(now)) > 0}
