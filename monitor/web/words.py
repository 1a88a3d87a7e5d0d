"""The words of the pages, in French and English, from words.yml."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Literal

import yaml
from pydantic import TypeAdapter

from parvis.inventory import Text

Language = Literal["fr", "en"]

_DAYS = {
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_AGES = ((86400, "days-ago"), (3600, "hours-ago"), (60, "minutes-ago"), (1, "seconds-ago"))


@cache
def words() -> Mapping[str, Text]:
    """Every text by key."""
    raw = yaml.safe_load((files("monitor.web") / "words.yml").read_text("utf-8"))
    return TypeAdapter(dict[str, Text]).validate_python(raw)


def say(key: str, language: Language, **values: object) -> str:
    """The text called *key* with *values* filled in; KeyError for a key there is not.

    >>> say("seconds-ago", "en", count=4)
    '4 s ago'
    """
    return pick(words()[key], language).format(**values)


def pick(text: Text, language: Language) -> str:
    """*text* in *language*."""
    return text.en if language == "en" else text.fr


def age(seconds: float, language: Language) -> str:
    """How long ago, in the largest unit that fits.

    >>> age(0.4, "fr"), age(7300, "fr")
    ('il y a 0 s', 'il y a 2 h')
    """
    for unit, key in _AGES:
        if seconds >= unit or unit == 1:
            return say(key, language, count=int(max(0.0, seconds) // unit))
    raise AssertionError("the last unit is a second")


def moment(at: datetime, language: Language) -> str:
    """Day of the week and time of *at*, as it is told aloud; the date too, for it may be far.

    >>> moment(datetime(2026, 3, 30, 8, 0), "fr"), moment(datetime(2026, 3, 30, 8, 0), "en")
    ('lun. 30/03 à 08:00', 'Mon 30/03 08:00')
    """
    day = _DAYS[language][at.weekday()]
    return f"{day} {at:%d/%m}{' à' if language == 'fr' else ''} {at:%H:%M}"
