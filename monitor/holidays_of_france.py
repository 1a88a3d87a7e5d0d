"""French public holidays (art. L3133-1 of the Code du travail), from the library holidays."""

from collections.abc import Callable
from datetime import date


def french_holidays() -> Callable[[date], bool]:
    """Whether a day is a public holiday in metropolitan France.

    >>> holiday = french_holidays()
    >>> holiday(date(2026, 5, 1)), holiday(date(2026, 5, 4))
    (True, False)
    """
    import holidays  # noqa: PLC0415 for statements only

    known = holidays.country_holidays("FR")
    return lambda day: day in known
