"""What being on call is worth: units, interventions, amounts or rest instead. No I/O, no clock.

Facts: décret 2005-542 (intervention and travel are working time), arrêté of 14 April 2015 (units of astreinte). Amounts
stand in rates.yml, by date; holidays are given.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

UNITS = ("week", "weekend", "saturday", "sunday", "night", "short_night")
SHORT_NIGHT = timedelta(hours=10)
WEEK = timedelta(days=7)
EVENING, MORNING = time(18), time(8)
NIGHT = (time(22), time(7))
FRIDAY, SATURDAY, SUNDAY, MONDAY = 4, 5, 6, 0


@dataclass(frozen=True, slots=True)
class Duty:
    """One person's time on call, aware. *short_notice*: they learnt of it later than the rates' notice."""

    person: str
    starts: datetime
    ends: datetime
    short_notice: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """One intervention, aware; *travel*: there and back, working time as well."""

    person: str
    starts: datetime
    ends: datetime
    travel: timedelta = timedelta()
    on_site: bool = False
    incident: int = 0
    note: str = ""
    back: timedelta | None = None
    """Of the travel, the way back; None: nobody said, half of it."""
    called: datetime | None = None
    """When they were called for it."""
    result: str = ""
    """What came of it."""

    @property
    def worked(self) -> timedelta:
        """Effective working time."""
        return self.ends - self.starts + self.travel

    @property
    def leaves(self) -> datetime:
        """When they set out."""
        return self.starts - (self.travel - self._back)

    @property
    def home(self) -> datetime:
        """When they are back: rest begins."""
        return self.ends + self._back

    @property
    def at_night(self) -> bool:
        """Whether a part of it lies between 22:00 and 7:00, by the clock its instants carry."""
        begins = self.starts.time()
        return begins >= NIGHT[0] or begins < NIGHT[1] or self.ends.date() > self.starts.date()

    @property
    def _back(self) -> timedelta:
        return self.travel / 2 if self.back is None else self.back

    def local(self, zone: ZoneInfo) -> "Sheet":
        """The same by the clock of *zone*."""
        return replace(self, starts=self.starts.astimezone(zone), ends=self.ends.astimezone(zone))


@dataclass(frozen=True, slots=True)
class Rates:
    """What each unit is worth from *since* on, by category. *surcharge*: what short notice adds (0.5: half).

    *recovery*: by category, the hours of rest each unit gives instead of money, where that may be chosen.
    """

    since: date
    categories: Mapping[str, Mapping[str, Decimal]]
    notice_days: int
    surcharge: Decimal
    recovery: Mapping[str, Mapping[str, Decimal]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of astreinte: what it is called, when it begins."""

    name: str
    starts: datetime
    short_notice: bool = False


def units(duty: Duty, holiday: Callable[[date], bool], zone: ZoneInfo) -> list[Unit]:
    """The units of *duty*: whole weeks, then weekends, then single days and nights of what is left.

    A whole week is seven local days; a weekend runs from Friday evening to Monday morning; a night from 18:00 to 8:00.
    Part of a night of less than ten hours is a short one. Hours of a working day between 8:00 and 18:00 are none.
    """
    found: list[Unit] = []
    at, end = duty.starts.astimezone(zone), duty.ends.astimezone(zone)
    while _local(at) + WEEK <= _local(end):
        found.append(Unit("week", at, duty.short_notice))
        at = (_local(at) + WEEK).replace(tzinfo=zone)
    while at < end:
        name, until = _next(at, end, holiday, zone)
        if name:
            found.append(Unit(name, at, duty.short_notice))
        at = until
    return found


def amount(found: Sequence[Unit], category: str, rates: Sequence[Rates]) -> Decimal:
    """What *found* is worth in euros; KeyError for a category the rates do not have, ValueError before the first."""
    total = Decimal(0)
    for unit in found:
        rate = in_force(rates, unit.starts.date())
        worth = rate.categories[category][unit.name]
        total += worth * (1 + rate.surcharge) if unit.short_notice else worth
    return total.quantize(Decimal("0.01"))


def recovered(found: Sequence[Unit], category: str, rates: Sequence[Rates]) -> timedelta:
    """The rest that *found* gives instead of money; KeyError for a category that is only paid."""
    hours_ = sum((in_force(rates, unit.starts.date()).recovery[category][unit.name] for unit in found), Decimal(0))
    return timedelta(hours=float(hours_))


def in_force(rates: Sequence[Rates], day: date) -> Rates:
    """The rates that hold on *day*; ValueError when the first ones are later."""
    fitting = [rate for rate in rates if rate.since <= day]
    if not fitting:
        raise ValueError(f"no rates hold on {day}; add them to the rates file")
    return max(fitting, key=lambda rate: rate.since)


def night_hours(
    sheets: Iterable[Sheet], zone: ZoneInfo, holiday: Callable[[date], bool]
) -> tuple[timedelta, timedelta, timedelta]:
    """(by day, at night from 22:00 to 7:00, on Sundays and holidays) worked; travel counts with its intervention."""
    by_day = at_night = sundays = timedelta()
    for sheet in sheets:
        starts = sheet.starts.astimezone(zone)
        if starts.weekday() == SUNDAY or holiday(starts.date()):
            sundays += sheet.worked
        elif sheet.local(zone).at_night:
            at_night += sheet.worked
        else:
            by_day += sheet.worked
    return by_day, at_night, sundays


def _next(at: datetime, end: datetime, holiday: Callable[[date], bool], zone: ZoneInfo) -> tuple[str, datetime]:
    """(unit that begins at *at*, empty for none; when it ends)."""
    monday = datetime.combine(at.date() + timedelta(days=(7 - at.weekday()) % 7 or 7), MORNING, zone)
    friday_evening = at.weekday() == FRIDAY and at.time() >= time(17)
    if friday_evening and end >= monday:
        return "weekend", monday
    midnight = datetime.combine(at.date() + timedelta(days=1), time(), zone)
    if at.weekday() == SUNDAY or holiday(at.date()):
        return "sunday", min(end, midnight)
    if at.weekday() == SATURDAY:
        return "saturday", min(end, midnight)
    evening = datetime.combine(at.date(), EVENING, zone)
    if MORNING <= at.time() < EVENING:
        return "", min(end, evening)
    morning = datetime.combine(at.date() + timedelta(days=at.time() >= EVENING), MORNING, zone)
    until = min(end, morning)
    if at.time() >= EVENING and (midnight.weekday() in (SATURDAY, SUNDAY) or holiday(midnight.date())):
        until = min(end, midnight)
    return ("short_night" if until - at < SHORT_NIGHT else "night"), until


def _local(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)
