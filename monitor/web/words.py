"""The words of the pages, in French and English, from words.yml."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import TypeAdapter

from parvis.inventory import Text
from parvis.opening_words import Speech

Language = Literal["fr", "en"]

_DAYS = {
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_HOURS = ("holidays", "closed", "always", "every_day", "some_days")
_UNITS = ((86400, "days"), (3600, "hours"), (60, "minutes"))


@cache
def words() -> Mapping[str, Text]:
    """Every text by key."""
    raw = yaml.safe_load((files("monitor.web") / "words.yml").read_text("utf-8"))
    return TypeAdapter(dict[str, Text]).validate_python(raw)


def say(key: str, language: Language, **values: object) -> str:
    """The text called *key* with *values* filled in; KeyError for a key there is not.

    >>> say("ago", "en", duration="4 s")
    '4 s ago'
    """
    return pick(words()[key], language).format(**values)


def counted(key: str, count: int, language: Language, **values: object) -> str:
    """The text called *key* for *count* things; of one thing, and in French of none, the text called *key*-one.

    >>> counted("and-behind", 1, "fr"), counted("and-behind", 2, "fr")
    ('1 équipement injoignable derrière', '2 équipements injoignables derrière')
    """
    alone = count == 1 or (count == 0 and language == "fr")
    return say(f"{key}-one" if alone else key, language, **{"count": count, **values})


def pick(text: Text, language: Language) -> str:
    """*text* in *language*."""
    return text.en if language == "en" else text.fr


def duration(seconds: float, language: Language) -> str:
    """A duration in the largest unit that fits.

    >>> duration(0.4, "fr"), duration(7300, "fr")
    ('0 s', '2 h')
    """
    unit, key = next(((unit, key) for unit, key in _UNITS if seconds >= unit), (1, "seconds"))
    return say(key, language, count=int(max(0.0, seconds) // unit))


def age(seconds: float, language: Language) -> str:
    """How long ago.

    >>> age(61, "fr"), age(61, "en")
    ('il y a 1 min', '1 min ago')
    """
    return say("ago", language, duration=duration(seconds, language))


def moment(at: datetime, language: Language) -> str:
    """Day of the week and time of *at*, as it is told aloud; the date too, for it may be far.

    >>> moment(datetime(2026, 3, 30, 8, 0), "fr"), moment(datetime(2026, 3, 30, 8, 0), "en")
    ('lun. 30/03 à 08:00', 'Mon 30/03 08:00')
    """
    day = _DAYS[language][at.weekday()]
    return f"{day} {at:%d/%m}{' à' if language == 'fr' else ''} {at:%H:%M}"


def opening(hours: str, language: Language) -> list[str]:
    """A building's hours (OpenStreetMap's opening_hours), a line a rule.

    >>> opening("Mo-Fr 08:30-12:00,13:30-17:30; PH off", "fr")
    ['lun. – ven. : 08:30–12:00 et 13:30–17:30', 'jours fériés : fermé']
    """  # noqa: RUF002 the dash of ranges
    texts = {key: say(f"hours-{key.replace('_', '-')}", language) for key in _HOURS}
    return Speech(_DAYS[language], "{:02}:{:02}".format, lambda items: _joined(items, language), **texts).lines(hours)


def _joined(items: list[str], language: Language) -> str:
    *first, last = items
    return f"{', '.join(first)} {say('and', language)} {last}" if first else last
