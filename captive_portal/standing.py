"""How a device stands with the site: whether it may come in, until when not, and what is left to it."""

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Why somebody is not admitted; the page says it in words."""

    CLOSED_HOURS = "closed-hours"
    CLOSED_BY_STAFF = "closed-by-staff"
    FULL = "full"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Standing:
    """*until*: when the refusal ends, Unix seconds; *slowed*: beyond the quota; *bytes_left*: None without a quota."""

    refusal: Refusal | None = None
    until: float | None = None
    slowed: bool = False
    bytes_left: int | None = None
    remembered: bool = False


WELCOME = Standing()
"""Of a device nothing speaks against."""
