"""The ways a message leaves: each module sends, and where the channel can tell, proves and reads replies.

They run in monitor.sending's process only and import what they need when they are used.
"""

from typing import NotRequired, TypedDict


class Told(TypedDict):
    """What a channel says of a message. *pressed*: the key with which a telephone call was answered."""

    result: str
    proves: bool
    reference: str
    detail: str
    pressed: NotRequired[str]


class Reply(TypedDict):
    """An answer somebody sent. *mark*: what the channel calls it."""

    number: str
    text: str
    mark: str


def told(result: str, *, proves: bool = False, reference: str = "", detail: str = "", pressed: str = "") -> Told:
    """One answer."""
    found: Told = {"result": result, "proves": proves, "reference": reference, "detail": detail}
    return {**found, "pressed": pressed} if pressed else found
