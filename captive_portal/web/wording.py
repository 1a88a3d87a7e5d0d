"""How things are said in the language of the page: texts, times, durations, sizes. Formats are Babel's (CLDR)."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Literal

import flask_babel
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from markupsafe import Markup

from captive_portal.typography import spaced
from parvis.languages import Language

LOCALES: dict[Language, str] = {"en": "en_GB", "pt": "pt_PT", "ar": "ar_MA"}
"""Where CLDR's default for a language is not what is written around here."""
NARROW: frozenset[Language] = frozenset({"es", "pt"})
"""Where Babel takes the plural of an abbreviated hour for its singular."""
Words = Mapping[str, str]
"""One text by language; French is always there."""


def locale(language: Language) -> str:
    """The CLDR locale whose formats a language's pages use."""
    return LOCALES.get(language, language)


def said(words: Words, language: Language) -> Markup:
    """A town's text in *language*, else in French and marked so (WCAG 3.1.2).

    >>> said({"fr": "Mairie", "en": "Town hall"}, "en"), said({"fr": "Mairie", "en": "Town hall"}, "ar")
    (Markup('Town hall'), Markup('<bdi lang="fr">Mairie</bdi>'))
    """
    if language in words:
        return Markup.escape(spaced(words[language]))
    return Markup('<bdi lang="fr">{}</bdi>').format(spaced(words["fr"]))


def plain(words: Words, language: Language) -> str:
    """The same where no mark-up can be: in titles and labels."""
    return spaced(words.get(language, words["fr"]))


def gettext_of(texts: Mapping[str, Words], spoken: Callable[[], Language]) -> Callable[[str], str]:
    """The pages' gettext: the town's own *texts* (French as the pages have it -> by language), else ours."""

    def gettext(message: str) -> str:
        own = texts.get(message, {}).get(spoken())
        return own or str(flask_babel.gettext(message))

    return gettext


def duration(seconds: float, language: Language) -> str:
    r"""A duration, in hours and minutes or in what is left of them.

    >>> duration(43200, "fr"), duration(5400, "en"), duration(20, "es")
    ('12\u202fh', '1 hr 30 mins', '20s')
    """
    minutes, hours = int(seconds) // 60, int(seconds) // 3600
    if not minutes:
        parts = [(int(seconds), "second")]
    elif not hours:
        parts = [(minutes, "minute")]
    else:
        parts = [(hours, "hour"), *([(minutes % 60, "minute")] if minutes % 60 else [])]
    length: Literal["short", "narrow"] = "narrow" if language in NARROW else "short"
    return " ".join(format_unit(n, f"duration-{unit}", length, locale=locale(language)) for n, unit in parts)


def period(seconds: float, language: Language) -> str:
    r"""A long time, in its largest unit.

    >>> period(365 * 86400, "fr"), period(90 * 86400, "en"), period(43200, "fr")
    ('1\xa0an', '3 months', '12\xa0heures')
    """
    return str(format_timedelta(timedelta(seconds=seconds), threshold=0.9, locale=locale(language)))


def size(count: int, language: Language) -> str:
    """A number of bytes, as people count data.

    >>> size(1_500_000_000, "en"), size(700_000, "en")
    ('1.5 GB', '1 MB')
    """
    if count >= 10**9:
        return str(format_unit(round(count / 1e9, 1), "digital-gigabyte", "short", locale=locale(language)))
    return str(format_unit(max(round(count / 1e6), 0), "digital-megabyte", "short", locale=locale(language)))


def mbits(rate: int, language: Language) -> str:
    """A rate in Mbit/s, the number only.

    >>> mbits(2_500_000, "fr")
    '2,5'
    """
    return str(format_decimal(rate / 1e6, format="#,##0.##", locale=locale(language)))


def clock(at: datetime, language: Language) -> str:
    """A time of day.

    >>> clock(datetime(2026, 5, 1, 18, 30), "fr"), clock(datetime(2026, 5, 1, 18, 30), "en")
    ('18:30', '18:30')
    """
    return str(format_time(at, "short", locale=locale(language)))


def day(at: date, language: Language) -> str:
    """A day.

    >>> day(date(2026, 5, 1), "fr")
    'vendredi 1 mai 2026'
    """
    return str(format_date(at, "full", locale=locale(language)))


def moment(at: datetime, now: datetime, language: Language, gettext: Callable[[str], str]) -> str:
    """When something will be, as it is said at *now*; both in the town's time.

    >>> noon = datetime(2026, 5, 1, 12, 0)
    >>> [moment(noon + timedelta(hours=h), noon, "fr", str) for h in (6, 13, 60)]
    ['18:00', 'demain à 01:00', 'le lundi 4 mai 2026 à 00:00']
    """
    days = (at.date() - now.date()) // timedelta(days=1)
    time = clock(at, language)
    if days == 0:
        return time
    if days == 1:
        return gettext("demain à %(time)s") % {"time": time}
    return gettext("le %(day)s à %(time)s") % {"day": day(at, language), "time": time}


def percent(share: float, language: Language) -> str:
    """A share of 1, in whole percent, never rounded up.

    >>> percent(0.999, "en")
    '99%'
    """
    return str(format_percent(int(share * 100) / 100, locale=locale(language)))
