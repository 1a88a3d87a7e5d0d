"""When a building is open: OpenStreetMap's opening_hours, read by a library (opening-hours-py) and nobody else.

French public holidays (``PH``) are known to it until 2050 and beyond. School holidays (``SH``) are not: it would read
``SH off`` and do nothing, so an expression with ``SH`` is a fault; dates say the same (``Jul 4-Aug 31``).
"""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, ParserError  # type: ignore[attr-defined]

COUNTRY = "FR"
"""Whose public holidays PH means."""
MOST_CHANGES = 100
"""Whoever stays open, or closed, over so many is taken to do so for ever: it is weeks away."""
_SCHOOL = re.compile(r"\bSH\b")
_PLACE = re.compile(r"--> 1:(\d+)")


def fault(expression: str, timezone: str) -> tuple[str, str] | None:
    """What is wrong with *expression* and what to do; None when nothing is.

    >>> fault("Mo-Fr 08:30-17:30; PH off", "Europe/Paris")
    >>> fault("Mo-Fr 8h30", "Europe/Paris")[0]
    'is not read from its character 7 on: 8h30'
    """
    try:
        OpeningHours(expression, timezone=ZoneInfo(timezone), country=COUNTRY)
    except ParserError as error:
        found = _PLACE.search(str(error))
        place = int(found[1]) if found else 1
        words = f"is not read from its character {place} on: {expression[place - 1 :]}"
        return words, "write it as OpenStreetMap does, such as Mo-Fr 08:30-17:30; PH off"
    if _SCHOOL.search(expression):
        return "school holidays (SH) are not known here and would be ignored", "write their dates: Jul 4-Aug 31 off"
    return None


class Opening:
    """The opening hours *expression* of a building in *timezone*."""

    def __init__(self, expression: str, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._hours = OpeningHours(expression, timezone=self._zone, country=COUNTRY)

    def at(self, wall: float) -> tuple[bool, float | None]:
        """Whether it is open at *wall* (Unix seconds), and when that changes next; None: never.

        >>> monday = datetime(2026, 3, 30, 9, tzinfo=ZoneInfo("Europe/Paris")).timestamp()
        >>> opened, until = Opening("Mo-Fr 08:30-17:30", "Europe/Paris").at(monday)
        >>> opened, until - monday
        (True, 30600.0)
        """
        moment = datetime.fromtimestamp(wall, self._zone)
        is_open, change = self._hours.is_open(moment), self._hours.next_change(moment)
        for _ in range(MOST_CHANGES):  # another comment, or from closed to unknown, is a change for the library
            if change is None or self._hours.is_open(change) is not is_open:
                return is_open, change.timestamp() if change else None
            change = self._hours.next_change(change)
        return is_open, None
