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
    LEFT = "left"
    REVOKED = "revoked"
    REFUSED = "refused"
    """Closed, or blocked: the device's standing says why."""
    NOTHING = "nothing"
    WAITING = "waiting"
    """It is on disk; the gateway is away and will be told as soon as it is back."""


NOTED = {
    Outcome.ADMITTED: Seen.ACCEPTED,
    Outcome.AGAIN: Seen.ACCEPTED,
    Outcome.LEFT: Seen.LEFT,
    Outcome.REVOKED: Seen.REVOKED,
    Outcome.REFUSED: Seen.REFUSED,
}
"""What a device's timeline says of an outcome."""


ENDS = {Event.LEFT: Outcome.LEFT, Event.REVOKED: Outcome.REVOKED}
"""What is asked for to end a session, and what it is called when it was done."""
