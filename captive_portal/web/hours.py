"""Opening hours in the words of the residents' pages; days, times and lists as CLDR has them."""

from collections.abc import Callable
from datetime import datetime

from babel.dates import get_day_names
from babel.lists import format_list

from captive_portal.web.wording import clock, locale
from parvis.languages import Language
from parvis.opening_words import Speech

_ANY_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 only its time of day is shown


def lines(hours: str, language: Language, gettext: Callable[[str], str]) -> list[str]:
    """One line a rule of *hours* (OpenStreetMap's opening_hours).

    >>> lines("Tu,Th 14:00-18:00; PH off", "fr", str)
    ['mardi et jeudi : 14:00–18:00', 'jours fériés : fermé']
    """  # noqa: RUF002 the dash of ranges
    names = get_day_names("wide", "stand-alone", locale(language))
    return Speech(
        [str(names[day]) for day in range(7)],
        lambda hour, minute: clock(_ANY_DAY.replace(hour=hour, minute=minute), language),
        lambda items: str(format_list(items, "standard", locale(language))),
        holidays=gettext("jours fériés"),
        closed=gettext("fermé"),
        always=gettext("tous les jours, à toute heure"),
        every_day=gettext("tous les jours : %(times)s"),
        some_days=gettext("%(days)s : %(times)s"),
    ).lines(hours)
