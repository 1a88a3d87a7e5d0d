"""What being on call is worth and what it costs in rest: units, interventions, warnings. No I/O, no clock.

Facts: décret 2005-542 (intervention and travel are working time), décret 2000-815 art. 3 (11 h of rest a day, 35 h a
week), arrêté of 14 April 2015 (units of astreinte). Amounts stand in rates.yml, by date; holidays are given.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

UNITS = ("week", "weekend", "saturday", "sunday", "night", "short_night")
DAILY_REST = timedelta(hours=11)
WEEKLY_REST = timedelta(hours=35)
SHORT_NIGHT = timedelta(hours=10)
WEEK = timedelta(days=7)
_EVENING, _MORNING = time(18), time(8)
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

    @property
    def worked(self) -> timedelta:
        """Effective working time."""
        return self.ends - self.starts + self.travel


@dataclass(frozen=True, slots=True)
class Rates:
    """What each unit is worth from *since* on, by category. *surcharge*: what short notice adds (0.5: half)."""

    since: date
    categories: Mapping[str, Mapping[str, Decimal]]
    notice_days: int
    surcharge: Decimal


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


def in_force(rates: Sequence[Rates], day: date) -> Rates:
    """The rates that hold on *day*; ValueError when the first ones are later."""
    fitting = [rate for rate in rates if rate.since <= day]
    if not fitting:
        raise ValueError(f"no rates hold on {day}; add them to the rates file")
    return max(fitting, key=lambda rate: rate.since)


def warnings(sheets: Iterable[Sheet], zone: ZoneInfo, works_at: time = _MORNING) -> list[str]:
    """Where rest is broken, in French, for one person's *sheets*: 11 h a day before work at *works_at*, 35 h a week."""
    ordered = sorted(sheets, key=lambda sheet: sheet.starts)
    found = []
    for sheet in ordered:
        end = (sheet.ends + sheet.travel / 2).astimezone(zone)
        day = end.date() if end.time() < works_at else end.date() + timedelta(days=1)
        start = datetime.combine(day, works_at, zone)
        if day.weekday() < SATURDAY and start - end < DAILY_REST and _at_night(sheet, zone):
            late = (end + DAILY_REST).strftime("%d/%m à %H:%M")
            found.append(f"Repos de 11 h rompu le {day:%d/%m} : reprise du travail pas avant le {late}.")
    return found + _weekly(ordered, zone)


def night_hours(
    sheets: Iterable[Sheet], zone: ZoneInfo, holiday: Callable[[date], bool]
) -> tuple[timedelta, timedelta, timedelta]:
    """(by day, at night from 22:00 to 7:00, on Sundays and holidays) worked; travel counts with its intervention."""
    by_day = at_night = sundays = timedelta()
    for sheet in sheets:
        starts = sheet.starts.astimezone(zone)
        if starts.weekday() == SUNDAY or holiday(starts.date()):
            sundays += sheet.worked
        elif _at_night(sheet, zone):
            at_night += sheet.worked
        else:
            by_day += sheet.worked
    return by_day, at_night, sundays


def _weekly(ordered: Sequence[Sheet], zone: ZoneInfo) -> list[str]:
    """Weeks whose longest pause between Friday 18:00 and Monday 8:00 is under 35 hours."""
    found = []
    fridays = {friday for sheet in ordered if (friday := _friday(sheet.starts.astimezone(zone)))}
    for friday in sorted(fridays):
        edge = datetime.combine(friday, _EVENING, zone)
        end = datetime.combine(friday + timedelta(days=3), _MORNING, zone)
        longest = timedelta()
        for sheet in ordered:
            if edge < sheet.ends and sheet.starts < end:
                longest = max(longest, sheet.starts - sheet.travel / 2 - edge)
                edge = sheet.ends + sheet.travel / 2
        if max(longest, end - edge) < WEEKLY_REST:
            found.append(
                f"Repos de 35 h rompu, fin de semaine du {friday:%d/%m} : à compenser avant l'astreinte suivante."
            )
    return found


def _friday(local: datetime) -> date | None:
    """The Friday of the weekend an instant is in; None: it is in none."""
    day = local.date()
    if local.weekday() == FRIDAY and local.time() >= _EVENING:
        return day
    back = {SATURDAY: 1, SUNDAY: 2, MONDAY: 3}.get(local.weekday())
    return day - timedelta(days=back) if back and (local.weekday() != MONDAY or local.time() < _MORNING) else None


def _at_night(sheet: Sheet, zone: ZoneInfo) -> bool:
    first, last = sheet.starts.astimezone(zone), sheet.ends.astimezone(zone)
    return first.time() >= time(22) or first.time() < time(7) or last.date() > first.date()


def _next(at: datetime, end: datetime, holiday: Callable[[date], bool], zone: ZoneInfo) -> tuple[str, datetime]:
    """(unit that begins at *at*, empty for none; when it ends)."""
    monday = datetime.combine(at.date() + timedelta(days=(7 - at.weekday()) % 7 or 7), _MORNING, zone)
    friday_evening = at.weekday() == FRIDAY and at.time() >= time(17)
    if friday_evening and end >= monday:
        return "weekend", monday
    midnight = datetime.combine(at.date() + timedelta(days=1), time(), zone)
    if at.weekday() == SUNDAY or holiday(at.date()):
        return "sunday", min(end, midnight)
    if at.weekday() == SATURDAY:
        return "saturday", min(end, midnight)
    evening = datetime.combine(at.date(), _EVENING, zone)
    if _MORNING <= at.time() < _EVENING:
        return "", min(end, evening)
    morning = datetime.combine(at.date() + timedelta(days=at.time() >= _EVENING), _MORNING, zone)
    until = min(end, morning)
    if at.time() >= _EVENING and (midnight.weekday() in (SATURDAY, SUNDAY) or holiday(midnight.date())):
        until = min(end, midnight)
    return ("short_night" if until - at < SHORT_NIGHT else "night"), until


def _local(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)
