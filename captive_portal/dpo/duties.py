"""Who must be told of an incident and by when, and since when a record is closed. No I/O, and no library.

The officer's commands and the console, which erases what is over, both decide by it.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal

Authority = Literal["cnil", "cnil-complement", "interior", "anssi", "residents"]
FIRST, WHOLE = timedelta(hours=24), timedelta(hours=72)
"""Regulation (EU) 611/2013 art. 2, taken as the rule; GDPR art. 33."""
Said = Mapping[str, Any]
"""A record as its file has it (JSON)."""


def duties(*, personal_data: bool, high_risk: bool, cyber: bool, degree: str) -> dict[Authority, timedelta]:
    """Whom an incident concerns -> within which time of the town's knowing.

    >>> list(duties(personal_data=False, high_risk=False, cyber=True, degree="none"))
    ['interior', 'anssi']
    """
    wanted: list[tuple[Authority, bool, timedelta]] = [
        ("cnil", personal_data, FIRST),
        ("cnil-complement", personal_data, WHOLE),
        ("interior", degree != "none" or cyber, FIRST),
        ("anssi", cyber, FIRST),
        ("residents", personal_data and high_risk, WHOLE),
    ]
    return {who: time for who, due, time in wanted if due}


def letter_closed(said: Said) -> date:
    """A letter's time runs from the day it came.

    >>> letter_closed({"received": "2026-11-30"})
    datetime.date(2026, 11, 30)
    """
    return date.fromisoformat(said["received"])


def incident_closed(said: Said) -> date | None:
    """The day an incident ended; None while it goes on, or somebody who must know was not told."""
    facts = {name: said[name] for name in ("personal_data", "high_risk", "cyber", "degree")}
    if not said["ended"] or duties(**facts).keys() - said["told"].keys():
        return None
    return datetime.fromisoformat(said["ended"]).date()


def report_closed(said: Said) -> date:
    """A retention report's time runs from its day, which is its name."""
    return date.fromisoformat(said["name"])


CLOSED: Mapping[str, tuple[str, Callable[[Said], date | None]]] = {
    "arcom": ("arcom-letter", letter_closed),
    "incidents": ("incident-record", incident_closed),
    "retention": ("retention-report", report_closed),
}
"""Folder of records -> their kind in the data inventory, and since when one is closed."""


def over(closed: date | None, days: int, today: date) -> bool:
    """Whether what was *closed* then may be kept no longer.

    >>> over(date(2025, 1, 1), 365, date(2026, 1, 1)), over(date(2025, 1, 1), 365, date(2026, 1, 2))
    (False, True)
    """
    return closed is not None and (today - closed).days > days
