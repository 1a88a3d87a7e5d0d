"""Rest between interventions: where it is broken, and who may not be on duty until it is made up. No I/O, no clock.

Facts: décret 2000-815 art. 3: eleven hours a day, thirty-five in a row a week.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.astreinte import EVENING, FRIDAY, MONDAY, MORNING, SATURDAY, SUNDAY, WEEK, Sheet

DAILY_REST = timedelta(hours=11)
WEEKLY_REST = timedelta(hours=35)


@dataclass(frozen=True, slots=True)
class Rest:
    """*person* is owed the weekly rest of the weekend of *friday*: not on duty from *starts* until *ends* (aware)."""

    person: str
    friday: date
    starts: datetime
    ends: datetime


def warnings(sheets: Iterable[Sheet], zone: ZoneInfo, works_at: time = MORNING) -> list[str]:
    """Where rest is broken, in French, for one person's *sheets*: 11 h a day before work at *works_at*, 35 h a week."""
    ordered = sorted(sheets, key=lambda sheet: sheet.starts)
    found = []
    for sheet in ordered:
        end = sheet.home.astimezone(zone)
        day = end.date() if end.time() < works_at else end.date() + timedelta(days=1)
        start = datetime.combine(day, works_at, zone)
        if day.weekday() < SATURDAY and start - end < DAILY_REST and sheet.local(zone).at_night:
            late = (end + DAILY_REST).strftime("%d/%m à %H:%M")
            found.append(f"Repos de 11 h rompu le {day:%d/%m} : reprise du travail pas avant le {late}.")
    return found + [
        f"Repos de 35 h rompu, fin de semaine du {friday:%d/%m} : à compenser avant l'astreinte suivante."
        for friday in broken_weekends(ordered, zone)
    ]


def rests(sheets: Iterable[Sheet], zone: ZoneInfo, lifted: Collection[tuple[str, date]] = ()) -> list[Rest]:
    """Who may not be on duty, and when: for the week after a weekend without thirty-five hours of rest in a row.

    *lifted*: person and Friday of those that somebody has lifted, with a reason.
    """
    of_person: dict[str, list[Sheet]] = {}
    for sheet in sheets:
        of_person.setdefault(sheet.person, []).append(sheet)
    found = []
    for person, own in sorted(of_person.items()):
        for friday in broken_weekends(sorted(own, key=lambda sheet: sheet.starts), zone):
            monday = datetime.combine(friday + timedelta(days=3), MORNING, zone)
            if (person, friday) not in lifted:
                found.append(Rest(person, friday, monday, monday + WEEK))
    return found


def broken_weekends(ordered: Sequence[Sheet], zone: ZoneInfo) -> list[date]:
    """The Fridays of weekends whose longest pause between Friday 18:00 and Monday 8:00 is under 35 hours."""
    fridays = {friday for sheet in ordered if (friday := _friday(sheet.starts.astimezone(zone)))}
    return [friday for friday in sorted(fridays) if _longest_pause(ordered, friday, zone) < WEEKLY_REST]


def _longest_pause(ordered: Sequence[Sheet], friday: date, zone: ZoneInfo) -> timedelta:
    edge = datetime.combine(friday, EVENING, zone)
    end = datetime.combine(friday + timedelta(days=3), MORNING, zone)
    longest = timedelta()
    for sheet in ordered:
        if edge < sheet.home and sheet.leaves < end:
            longest = max(longest, sheet.leaves - edge)
            edge = sheet.home
    return max(longest, end - edge)


def _friday(local: datetime) -> date | None:
    """The Friday of the weekend an instant is in; None: it is in none."""
    day = local.date()
    if local.weekday() == FRIDAY and local.time() >= EVENING:
        return day
    back = {SATURDAY: 1, SUNDAY: 2, MONDAY: 3}.get(local.weekday())
    return day - timedelta(days=back) if back and (local.weekday() != MONDAY or local.time() < MORNING) else None
