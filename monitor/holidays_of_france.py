"""French public holidays (art. L3133-1 of the Code du travail), from the library holidays."""

from collections.abc import Callable
from datetime import date


def french_holidays(*, alsace_moselle: bool = False) -> Callable[[date], bool]:
    """Whether a day is a public holiday in metropolitan France; by the local law of *alsace_moselle* two more are.

    >>> holiday = french_holidays()
    >>> holiday(date(2026, 5, 1)), holiday(date(2026, 5, 4))
    (True, False)
    >>> french_holidays(alsace_moselle=True)(date(2026, 12, 26)), holiday(date(2026, 12, 26))
    (True, False)
    """
    import holidays  # noqa: PLC0415 for statements and contracts only

    known = holidays.country_holidays("FR", subdiv="57" if alsace_moselle else None)
    return lambda day: day in known
