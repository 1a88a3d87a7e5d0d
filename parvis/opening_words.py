"""Opening hours (OpenStreetMap's opening_hours) in people's words. What we do not understand is shown as written."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

DASH = "\N{EN DASH}"
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_RULE = re.compile(r"(?:(?P<days>(?:Mo|Tu|We|Th|Fr|Sa|Su|PH)[A-Za-z,\-]*) )?(?P<times>off|[0-9:,\-]+)")
_SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class Speech:
    """How a room says it in the language of its page."""

    days: Sequence[str]
    """Monday first."""
    clock: Callable[[int, int], str]
    """Hour (0 to 23) and minute."""
    enumerated: Callable[[list[str]], str]
    """Several things, joined as the language does."""
    holidays: str = "jours fériés"
    closed: str = "fermé"
    always: str = "tous les jours, à toute heure"
    every_day: str = "tous les jours : %(times)s"
    some_days: str = "%(days)s : %(times)s"

    def lines(self, hours: str) -> list[str]:
        """One line a rule.

        >>> french = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
        >>> speech = Speech(french, "{:02}:{:02}".format, " et ".join)
        >>> speech.lines("Tu,Th 14:00-18:00; We-Fr 10:00-12:00,14:00-18:00; PH off")
        ['mardi et jeudi : 14:00–18:00', 'mercredi – vendredi : 10:00–12:00 et 14:00–18:00', 'jours fériés : fermé']
        """  # noqa: RUF002 the dash of ranges
        if hours.strip() == "24/7":
            return [self.always]
        found = [self._line(rule.strip()) for rule in hours.split(";") if rule.strip()]
        return [hours] if None in found else [line for line in found if line]

    def _line(self, rule: str) -> str | None:
        match = _RULE.fullmatch(rule)
        if match is None:
            return None
        times = self.closed if match["times"] == "off" else self._times(match["times"])
        if times is None:
            return None
        if not match["days"]:
            return self.every_day % {"times": times}
        days = self.enumerated([self._day(part) for part in match["days"].split(",")])
        return self.some_days % {"days": days, "times": times}

    def _times(self, text: str) -> str | None:
        shown = []
        for part in text.split(","):
            span = _SPAN.fullmatch(part)
            if span is None:
                return None
            begins, minute, ends, last = (int(group) for group in span.groups())
            shown.append(f"{self.clock(begins % 24, minute)}{DASH}{self.clock(ends % 24, last)}")
        return self.enumerated(shown)

    def _day(self, part: str) -> str:
        if part == "PH":
            return self.holidays
        return f" {DASH} ".join(self.days[DAYS.index(day)] if day in DAYS else day for day in part.split("-"))
