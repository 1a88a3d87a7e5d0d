"""When a building is open: OpenStreetMap's opening_hours, read by a library (opening-hours-py) and nobody else.

French public holidays (``PH``) are known to it until 2050 and beyond. School holidays (``SH``) are not: it would read
``SH off`` and do nothing, so an expression with ``SH`` is a fault; dates say the same (``Jul 4-Aug 31``).
"""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, ParserError, State  # type: ignore[attr-defined]

COUNTRY = "FR"
"""Whose public holidays PH means."""
MOST_STRETCHES = 12_000
"""So many are looked at in one question: whoever asks waits for it."""
LOOKED_SECONDS = (MOST_STRETCHES - 1) * 60.0
"""So far ahead every change is found: no stretch is shorter than a minute."""
FAR_SECONDS = 400 * 86400.0
"""Whoever stays open, or closed, for so long over many stretches is taken to do so for ever."""
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
        """Whether it is open at *wall* (Unix seconds), and when that changes next; None: not within LOOKED_SECONDS.

        None mostly means never; of hours with thousands of comments no more than that is looked at.

        >>> monday = datetime(2026, 3, 30, 9, tzinfo=ZoneInfo("Europe/Paris")).timestamp()
        >>> opened, until = Opening("Mo-Fr 08:30-17:30", "Europe/Paris").at(monday)
        >>> opened, until - monday
        (True, 30600.0)
        """
        moment = datetime.fromtimestamp(wall, self._zone)
        is_open, until = self._hours.is_open(moment), wall
        for ends, opened in islice(self._stretches(moment), MOST_STRETCHES):
            if opened is not is_open:
                return is_open, until
            if ends is None or until - wall > FAR_SECONDS:
                return is_open, None
            until = ends
        return is_open, None

    def _stretches(self, moment: datetime) -> Iterator[tuple[float | None, bool]]:
        """(end, whether open) from *moment* on: another comment, or unknown after closed, begins one too."""
        for _starts, ends, state, _comments in self._hours.intervals(moment):
            yield ends.timestamp() if ends else None, state is State.OPEN
