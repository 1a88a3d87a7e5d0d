"""What staff have ordered for a site, for a while: a device blocked, the site closed, a banner, the door open.

Values only. Each order ends by itself, on the clock that nobody can set (CLOCK_BOOTTIME); after a reboot by the wall
clock, and never later than it was meant to last.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from captive_portal.session import Now


class Kind(StrEnum):
    """What can be ordered."""

    BLOCK = "block"
    """One device is refused."""
    CLOSED = "closed"
    """Nobody is admitted at the site; sessions end."""
    BANNER = "banner"
    """A message on every page (CGU-11)."""
    OPEN_DOOR = "open-door"
    """Everybody is let through without the page."""


DAY = 86400.0
LONGEST = {Kind.BLOCK: 30 * DAY, Kind.CLOSED: 30 * DAY, Kind.BANNER: 30 * DAY, Kind.OPEN_DOOR: 4 * 3600.0}
"""Seconds; whoever wants longer orders again, and says why again."""
SHORTEST = 60.0
MAX_TEXT = 300
"""Characters of a reason or a banner."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order before it has a number. *device* is the key of :mod:`captive_portal.devices`, never an address."""

    kind: Kind
    by: str
    reason: str
    device: str = ""
    fr: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True)
class Directive:
    """An order in force: it lasts *seconds* from *made_at* (Unix seconds), until *deadline* (seconds since *boot*)."""

    number: int
    order: Order
    made_at: float
    seconds: float
    boot: str
    deadline: float

    def remaining(self, now: Now) -> float:
        """Seconds it still holds, 0 when it is over."""
        left = self.deadline - now.since_boot if self.boot == now.boot else self.made_at + self.seconds - now.wall
        return min(max(left, 0.0), self.seconds)

    def anchored(self, now: Now) -> "Directive":
        """The same on this boot's clock."""
        if self.boot == now.boot:
            return self
        return replace(self, boot=now.boot, deadline=now.since_boot + self.remaining(now))


def latest(directives: Iterable[Directive], kind: Kind, now: Now, device: str = "") -> Directive | None:
    """The newest of *kind* still in force, for *device* where it is about one."""
    found = (d for d in directives if d.order.kind is kind and d.order.device == device and d.remaining(now) > 0)
    return max(found, key=lambda directive: directive.number, default=None)


class Refused(ValueError):
    """An order that cannot be given; says why, in words for whoever gave it."""


def checked(order: Order, seconds: float) -> Order:
    """*order* as it is written down; Refused when it lacks something or lasts too long."""
    if not SHORTEST <= seconds <= LONGEST[order.kind]:
        raise Refused(f"{order.kind} lasts between {SHORTEST:g} and {LONGEST[order.kind]:g} seconds")
    if not order.by.strip() or not order.reason.strip():
        raise Refused("an order says by whom and why")
    if max(map(len, (order.reason, order.fr, order.en))) > MAX_TEXT:
        raise Refused(f"a reason and a banner have at most {MAX_TEXT} characters")
    if order.kind is Kind.BANNER and not (order.fr.strip() and order.en.strip()):
        raise Refused("a banner is written in French and in English")
    if (order.kind is Kind.BLOCK) != bool(order.device):
        raise Refused("a block, and nothing else, is about one device")
    return order
