"""How long each store is kept, what must go today, and what an order keeps beyond. No disk, no clock.

Keeping too little and keeping too long are the same offence (L.39-3 CPCE): a day's file goes on the day after its
anniversary, UTC, at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from captive_portal.legal.segment import Store
from parvis.kept import kept_days

SECURITY_DAYS = kept_days("security-log")
LONGEST_HOLD_DAYS = 90
"""A new order may follow; each is for so long at most."""


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """One UTC day of a store of a gateway: what one key opens."""

    store: Store
    gateway: str
    day: date


@dataclass(frozen=True, slots=True)
class Hold:
    """A written order to keep days beyond their time (L.34-1 III bis): from whom, which reference, until when."""

    reference: str
    requester: str
    store: Store
    first: date
    last: date
    until: date
    gateway: str = ""
    """Empty: every gateway."""

    def keeps(self, one: Day, today: date) -> bool:
        """Whether *one* may not go today. After *until* it is released by itself."""
        here = not self.gateway or self.gateway == one.gateway
        return here and one.store is self.store and self.first <= one.day <= self.last and today <= self.until

    def faults(self, today: date) -> str:
        """What is wrong with it; empty when nothing is."""
        if not self.reference.strip() or not self.requester.strip():
            return "an order has a reference and somebody who gave it"
        if self.last < self.first:
            return "the last day is before the first"
        if not today <= self.until <= today + timedelta(days=LONGEST_HOLD_DAYS):
            return f"its end is in the past, or more than {LONGEST_HOLD_DAYS} days away"
        return ""


def last_day(store: Store, day: date) -> date:
    """The last day on which what was written on *day* is still there.

    >>> last_day(Store.SOURCE, date(2026, 11, 30)), last_day(Store.SOURCE, date(2028, 2, 29))
    (datetime.date(2027, 11, 30), datetime.date(2029, 2, 28))
    >>> last_day(Store.SECURITY, date(2026, 11, 30))
    datetime.date(2027, 2, 28)
    """
    if store is Store.SECURITY:
        return day + timedelta(days=SECURITY_DAYS)
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year + 1, day=28)


def due(days: Iterable[Day], holds: Iterable[Hold], today: date) -> list[Day]:
    """The days whose keys and files go now."""
    orders = list(holds)
    old = (one for one in days if last_day(one.store, one.day) < today)
    return sorted(one for one in old if not any(order.keeps(one, today) for order in orders))


def overdue(days: Iterable[Day], holds: Iterable[Hold], today: date) -> int:
    """How many days are there longer than they may be: nobody has erased them for a day."""
    return len(due(days, holds, today - timedelta(days=1)))
