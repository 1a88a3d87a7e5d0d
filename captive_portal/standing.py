"""How a device stands with the site: whether it may come in, until when not, and what is left to it."""

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Why somebody is not admitted; the page says it in words."""

    CLOSED_HOURS = "closed-hours"
    """The building is closed."""
    CLOSED_BY_STAFF = "closed-by-staff"
    FULL = "full"
    """As many devices are online as the site may have."""
    BLOCKED = "blocked"
    """Staff refuse this device for a while."""


@dataclass(frozen=True, slots=True)
class Standing:
    """*until*: when the refusal ends, Unix seconds; None when nobody knows.

    *slowed*: beyond the quota; *bytes_left*: None without a quota. *remembered*: it is admitted as soon as it asks.
    *may_extend*: extending would give more time. *known*: equipment of the site, always admitted. *closes*: when the
    building closes, Unix seconds, where that ends a session that begins now, or this one; None: its length does.
    """

    refusal: Refusal | None = None
    until: float | None = None
    slowed: bool = False
    bytes_left: int | None = None
    remembered: bool = False
    may_extend: bool = False
    known: bool = False
    closes: float | None = None


WELCOME = Standing()
"""Of a device nothing speaks against."""
