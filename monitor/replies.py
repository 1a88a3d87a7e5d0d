"""What somebody answers to an SMS: "OK 12", "NON", "MATIN 12"; from a number of the rota only. No I/O, no clock."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from monitor.incidents import Event
from parvis.inventory import Person

WORDS = {
    "ok": Event.ACKNOWLEDGE, "oui": Event.ACKNOWLEDGE, "vu": Event.ACKNOWLEDGE, "pris": Event.ACKNOWLEDGE,
    "non": Event.HAND_OVER, "no": Event.HAND_OVER, "suivant": Event.HAND_OVER,
    "matin": Event.SNOOZE, "demain": Event.SNOOZE,
}  # fmt: skip
KEYS = {"1": Event.ACKNOWLEDGE, "2": Event.HAND_OVER, "3": Event.SNOOZE}
"""What is pressed during a telephone call."""
_FORM = re.compile(r"\s*([^\W\d_]+)[\s.,:!]*(?:#|n[o°]\s*)?\s*(\d{1,9})?[\s.!]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is wanted; *number* of the incident, 0 when none was given: the one last called for."""

    event: Event
    number: int


def read(text: str) -> Reply | None:
    """What *text* asks for; None when it is nothing we know, and then nothing happens.

    >>> read("Ok 12!").event.value, read("matin #12").number, read("non").number, read("OK mais 12")
    ('acknowledge', 12, 0, None)
    """
    found = _FORM.fullmatch(text)
    event = WORDS.get(found[1].lower()) if found else None
    return Reply(event, int(found[2] or 0)) if found and event else None


def sender(number: str, people: Iterable[Person]) -> Person | None:
    """Who writes from *number*, told from the last nine digits with the country's; None for a stranger.

    >>> from parvis.inventory import Person
    >>> anna = Person(name="a", title="A", phone="+33 6 39 98 00 01", email="a@b.example")
    >>> [sender(n, [anna]) is anna for n in ("+33639980001", "0639980001", "0033639980001", "+44639980001")]
    [True, True, True, False]
    """
    wanted = _international(number)
    return next((person for person in people if _international(person.phone) == wanted), None)


def _international(number: str) -> str:
    digits = re.sub(r"[^\d+]", "", number)
    if digits.startswith("00"):
        return "+" + digits[2:]
    return "+33" + digits[1:] if digits.startswith("0") else digits
