"""What became of a request to the doorkeeper."""

from enum import StrEnum

from captive_portal.session import Event
from captive_portal.timeline import Step as Seen


class Outcome(StrEnum):
    """What became of a request."""

    ADMITTED = "admitted"
    AGAIN = "again"
    REPLAYED = "replayed"
    EXTENDED = "extended"
    UNCHANGED = "unchanged"
    """It has all the time it can have: until the building closes."""
    LEFT = "left"
    REVOKED = "revoked"
    CLOSED = "closed"
    REFUSED = "refused"
    """Nothing was stored: the device's standing says why."""
    NOTHING = "nothing"
    WAITING = "waiting"
    """It is on disk; the gateway is away and will be told as soon as it is back."""


NOTED = {
    Outcome.ADMITTED: Seen.ACCEPTED,
    Outcome.AGAIN: Seen.ACCEPTED,
    Outcome.LEFT: Seen.LEFT,
    Outcome.REVOKED: Seen.REVOKED,
    Outcome.CLOSED: Seen.REVOKED,
    Outcome.REFUSED: Seen.REFUSED,
}
"""What a device's timeline says of an outcome."""
ENDS = {Event.LEFT: Outcome.LEFT, Event.REVOKED: Outcome.REVOKED, Event.CLOSED: Outcome.CLOSED}
"""What is asked for to end a session, and what it is called when it was done."""
FORGETS = {Event.LEFT, Event.REVOKED}
"""Who left, or was put out by staff, taps again; who comes back after an hour or a night does not."""
ENDINGS = {
    Event.LEFT: Seen.LEFT,
    Event.EXPIRED: Seen.EXPIRED,
    Event.IDLE: Seen.IDLE,
    Event.REVOKED: Seen.REVOKED,
    Event.CLOSED: Seen.REVOKED,
}
"""What a device's timeline says of an end."""
