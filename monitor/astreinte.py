"""What being on call is worth: units, interventions, amounts or rest instead. No I/O, no clock.

Facts: décret 2005-542 (intervention and travel are working time), the texts named in rates.yml (units of astreinte).
Amounts stand there, by category and date; holidays are given.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

UNITS = ("week", "workweek", "weekend", "saturday", "sunday", "night", "short_night")
WORKWEEK = "workweek"
"""Monday morning to Friday evening: a unit outside the technical services only."""
SHORT_NIGHT = timedelta(hours=10)
WEEK = timedelta(days=7)
EVENING, MORNING = time(18), time(8)
NIGHT = (time(22), time(7))
FRIDAY, SATURDAY, SUNDAY, MONDAY = 4, 5, 6, 0
FRIDAY_EVENING = time(17)


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
    """What each unit of *category* is worth from *since* on, by *text*; *worth* in euros, *rest* in hours instead.

    *surcharge*: what short notice adds (0.5: half). *confirmed*: somebody has read it in the text.
    """

    category: str
    since: date
    worth: Mapping[str, Decimal]
    notice_days: int
    surcharge: Decimal
    text: str = ""
    clear_days: bool = False
    confirmed: bool = True
    rest: Mapping[str, Decimal] = field(default_factory=dict)

    def late(self, told: date, starts: date) -> bool:
        """Whether who was *told* that day learnt too late of what *starts*; of clear days neither end counts.

        >>> clear = Rates("x", date(2026, 1, 1), {}, 15, Decimal(0), clear_days=True)
        >>> clear.late(date(2026, 6, 1), date(2026, 6, 16)), clear.late(date(2026, 6, 1), date(2026, 6, 17))
        (True, False)
        """
        return (starts - told).days - self.clear_days < self.notice_days


class Unconfirmed(Exception):
    """Nobody has read these rates in a legal text; whoever keeps the town's own rates file confirms them there."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of astreinte: what it is called, when it begins."""

    name: str
    starts: datetime
    short_notice: bool = False


def units(duty: Duty, holiday: Callable[[date], bool], zone: ZoneInfo, *, workweeks: bool = False) -> list[Unit]:
    """The units of *duty*: whole weeks, then weekends, then single days and nights of what is left.

    A whole week is seven local days; a weekend runs from Friday evening to Monday morning; a night from 18:00 to 8:00.
    Part of a night of less than ten hours is a short one. Hours of a working day between 8:00 and 18:00 are none. With
    *workweeks* Monday morning to Friday evening is one.
    """
    found: list[Unit] = []
    at, end = duty.starts.astimezone(zone), duty.ends.astimezone(zone)
    while _local(at) + WEEK <= _local(end):
        found.append(Unit("week", at, duty.short_notice))
        at = (_local(at) + WEEK).replace(tzinfo=zone)
    while at < end:
        name, until = _workweek(at, end, zone) if workweeks else ("", at)
        if not name:
            name, until = _next(at, end, holiday, zone)
        if name:
            found.append(Unit(name, at, duty.short_notice))
        at = until
    return found


def amount(found: Sequence[Unit], category: str, rates: Sequence[Rates]) -> Decimal:
    """What *found* is worth in euros, by :func:`in_force`."""
    total = Decimal(0)
    for unit in found:
        rate = in_force(rates, category, unit.starts.date())
        worth = rate.worth[unit.name]
        total += worth * (1 + rate.surcharge) if unit.short_notice else worth
    return total.quantize(Decimal("0.01"))


def recovered(found: Sequence[Unit], category: str, rates: Sequence[Rates]) -> timedelta:
    """The rest that *found* gives instead of money; ValueError for a category that is only paid."""
    total = Decimal(0)
    for unit in found:
        rate = in_force(rates, category, unit.starts.date())
        if not rate.rest:
            raise ValueError(f"the category {category} is paid and gives no rest instead ({rate.text})")
        total += rate.rest[unit.name]
    return timedelta(hours=float(total))


def in_force(rates: Sequence[Rates], category: str, day: date) -> Rates:
    """The rates of *category* on *day*; ValueError when there are none, Unconfirmed when nobody has read them."""
    own = [rate for rate in rates if rate.category == category]
    if not own:
        raise ValueError(
            f"no category is called {category}; there are {', '.join(sorted({r.category for r in rates}))}"
        )
    fitting = [rate for rate in own if rate.since <= day]
    if not fitting:
        raise ValueError(f"no rates of {category} hold on {day}; add them to the rates file")
    found = max(fitting, key=lambda rate: rate.since)
    if not found.confirmed:
        raise Unconfirmed(
            f"the rates of {category} could not be read in {found.text}; copy the entry into the town's own "
            "rates file, check it, leave confirmed out, and give it with --rates"
        )
    return found


def night_hours(
    sheets: Iterable[Sheet], zone: ZoneInfo, holiday: Callable[[date], bool]
) -> tuple[timedelta, timedelta, timedelta, timedelta]:
    """(by day, on Saturdays, at night from 22:00 to 7:00, on Sundays and holidays) worked, travel included."""
    by_day = saturdays = at_night = sundays = timedelta()
    for sheet in sheets:
        starts = sheet.starts.astimezone(zone)
        if starts.weekday() == SUNDAY or holiday(starts.date()):
            sundays += sheet.worked
        elif sheet.local(zone).at_night:
            at_night += sheet.worked
        elif starts.weekday() == SATURDAY:
            saturdays += sheet.worked
        else:
            by_day += sheet.worked
    return by_day, saturdays, at_night, sundays


def _workweek(at: datetime, end: datetime, zone: ZoneInfo) -> tuple[str, datetime]:
    """A working week that begins at *at* and its end; an empty name when there is none."""
    friday = datetime.combine(at.date() + timedelta(days=FRIDAY), FRIDAY_EVENING, zone)
    begins = at.weekday() == MONDAY and at.time() <= MORNING
    return (WORKWEEK, min(end, friday.replace(hour=EVENING.hour))) if begins and end >= friday else ("", at)


def _next(at: datetime, end: datetime, holiday: Callable[[date], bool], zone: ZoneInfo) -> tuple[str, datetime]:
    """(unit that begins at *at*, empty for none; when it ends)."""
    monday = datetime.combine(at.date() + timedelta(days=(7 - at.weekday()) % 7 or 7), MORNING, zone)
    friday_evening = at.weekday() == FRIDAY and at.time() >= FRIDAY_EVENING
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
