"""Opening hours (OpenStreetMap's opening_hours) in people's words. What we do not understand is shown as written."""

import re
from collections.abc import Callable
from datetime import datetime

from babel.dates import get_day_names
from babel.lists import format_list

from captive_portal.web.wording import clock, locale
from parvis.languages import Language

DASH = "\N{EN DASH}"
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_RULE = re.compile(r"(?:(?P<days>(?:Mo|Tu|We|Th|Fr|Sa|Su|PH)[A-Za-z,\-]*) )?(?P<times>off|[0-9:,\-]+)")
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_ANY_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 only its time of day is shown


def lines(hours: str, language: Language, gettext: Callable[[str], str]) -> list[str]:
    """One line a rule.

    >>> lines("Tu,Th 14:00-18:00; We-Fr 10:00-12:00,14:00-18:00; PH off", "fr", str)
    ['mardi et jeudi : 14:00–18:00', 'mercredi – vendredi : 10:00–12:00 et 14:00–18:00', 'jours fériés : fermé']
    """  # noqa: RUF002 the dash of ranges
    if hours.strip() == "24/7":
        return [gettext("tous les jours, à toute heure")]
    found = [_line(rule.strip(), language, gettext) for rule in hours.split(";") if rule.strip()]
    return [hours] if None in found else [line for line in found if line]


def _line(rule: str, language: Language, gettext: Callable[[str], str]) -> str | None:
    match = _RULE.fullmatch(rule)
    if match is None:
        return None
    times = gettext("fermé") if match["times"] == "off" else _times(match["times"], language)
    if times is None:
        return None
    if not match["days"]:
        return gettext("tous les jours : %(times)s") % {"times": times}
    days = _list([_day(part, language, gettext) for part in match["days"].split(",")], language)
    return gettext("%(days)s : %(times)s") % {"days": days, "times": times}


def _times(text: str, language: Language) -> str | None:
    shown = []
    for part in text.split(","):
        span = _SPAN.fullmatch(part)
        if span is None:
            return None
        begins, minute, ends, last = (int(group) for group in span.groups())
        shown.append(f"{_clock(begins, minute, language)}{DASH}{_clock(ends, last, language)}")
    return _list(shown, language)


def _list(items: list[str], language: Language) -> str:
    return str(format_list(items, "standard", locale(language)))


def _clock(hour: int, minute: int, language: Language) -> str:
    return clock(_ANY_DAY.replace(hour=hour % 24, minute=minute), language)


def _day(part: str, language: Language, gettext: Callable[[str], str]) -> str:
    if part == "PH":
        return gettext("jours fériés")
    names = get_day_names("wide", "stand-alone", locale(language))
    return f" {DASH} ".join(str(names[DAYS.index(day)]) if day in DAYS else day for day in part.split("-"))
