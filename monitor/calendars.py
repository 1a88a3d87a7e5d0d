"""iCalendar (RFC 5545): rota/*.ics become shifts, events/*.ics what goes on in town; the rota becomes a calendar."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from monitor.rota import Roster, Shift, Turn
from parvis.inventory import Fault, Town

SPAN = timedelta(days=800)
LONGEST_TITLE = 80
_SUMMARY = re.compile(
    r"\s*(?P<person>[a-z0-9-]+)(?:\s*[,(]?\s*(?:niveau|level|N)\s*(?P<level>[1-5])\)?)?\s*", re.IGNORECASE
)
"""``agent-2``, ``agent-2 N2``, ``agent-2 (niveau 2)``."""


class CalendarFaulty(Exception):
    """A calendar of the town cannot be used; *fault* says where and why. Who keeps the rota must act."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def shifts_of(town: Town) -> tuple[Shift, ...]:
    """The shifts of every calendar of *town*, repeated events unrolled from the rota's start; CalendarFaulty."""
    if not town.calendars:
        return ()
    found: list[Shift] = []
    for name, text in sorted(town.calendars.items()):
        found += _shifts(town, name, text)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that goes on in town: a market, a fête. *site* is empty unless it has the name of one as its place."""

    title: str
    site: str
    starts: datetime
    ends: datetime


def happenings(town: Town, since: datetime, before: datetime) -> tuple[Happening, ...]:
    """What touches the span (aware), of every calendar of events/, earliest first; CalendarFaulty."""
    found = [one for name, text in sorted(town.events.items()) for one in _happenings(town, name, text, since, before)]
    return tuple(sorted(found, key=lambda one: (one.starts, one.title)))


def faults(town: Town) -> list[Fault]:
    """What is wrong with the calendars."""
    found = []
    start = town.rota.starts.replace(tzinfo=UTC)
    readers: list[Callable[[], object]] = [
        *(partial(_shifts, town, name, text) for name, text in sorted(town.calendars.items())),
        *(partial(_happenings, town, name, text, start, start + SPAN) for name, text in sorted(town.events.items())),
    ]
    for read in readers:
        try:
            read()
        except CalendarFaulty as error:
            found.append(error.fault)
    return found


def _shifts(town: Town, name: str, text: str) -> list[Shift]:
    begin = town.rota.starts.replace(tzinfo=None) - timedelta(days=31)
    found = _occurrences(f"rota/{name}", text, begin, begin + 2 * SPAN)
    return sorted((_shift(town, name, event) for event in found), key=lambda shift: shift.starts)


def _happenings(town: Town, name: str, text: str, since: datetime, before: datetime) -> list[Happening]:
    zone, sites = ZoneInfo(town.timezone), {site.site for site in town.sites}
    found = []
    for event in _occurrences(f"events/{name}", text, since, before):
        title = " ".join(str(event.get("SUMMARY", "")).split())[:LONGEST_TITLE]
        if not title:
            raise CalendarFaulty(Fault(f"events/{name}", 1, "", "an event has no title", "give it a SUMMARY"))
        place = str(event.get("LOCATION", "")).strip()
        starts = _aware(event["DTSTART"].dt, zone)
        ends = _aware(event["DTEND"].dt, zone) if "DTEND" in event else starts + timedelta(days=1)
        found.append(Happening(title, place if place in sites else "", starts, ends))
    return found


def _occurrences(shown_as: str, text: str, since: datetime, before: datetime) -> list[Any]:
    """Each time an event of the calendar *text* touches the span; icalendar's Event is a mapping without types."""
    import icalendar  # noqa: PLC0415 8 MB, for towns that have a calendar
    import recurring_ical_events  # noqa: PLC0415

    try:
        return list(recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between(since, before))
    except ValueError as error:
        raise CalendarFaulty(Fault(shown_as, 1, "", f"is no calendar: {error}", "export it again")) from error


def _shift(town: Town, name: str, event: Any) -> Shift:
    summary = str(event.get("SUMMARY", ""))
    found = _SUMMARY.fullmatch(summary)
    people = {person.name for person in town.people}
    if found is None or found["person"].lower() not in people:
        message = f"{summary!r} names nobody of people"
        raise CalendarFaulty(Fault(f"rota/{name}", 1, summary, message, "write agent-1, or agent-1 N2 for level 2"))
    zone = ZoneInfo(town.timezone)
    starts, ends = (_aware(event[key].dt, zone) for key in ("DTSTART", "DTEND"))
    return Shift(found["person"].lower(), int(found["level"] or 1), starts, ends)


def _aware(moment: date, zone: ZoneInfo) -> datetime:
    """A day begins at midnight; a time without a zone is the town's."""
    at = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


Event = tuple[str, datetime, datetime, str]
"""(name that never changes, starts, ends, title)."""


def exported(roster: Roster, start: datetime, days: int = 180) -> bytes:
    """The turns of the *days* after *start* (aware) as a calendar; it names functions, not telephone numbers."""
    found = [
        _event(turn, level)
        for level in range(1, roster.levels + 1)
        for turn in roster.turns(level, start, start + timedelta(days=days))
    ]
    return events("astreinte", found, start)


def events(what: str, found: Iterable[Event], made: datetime) -> bytes:
    """A calendar of *what*, made at an instant (aware)."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//Parvis//{what}//FR", "CALSCALE:GREGORIAN"]
    for name, starts, ends, title in found:
        begin, end, stamp = (f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}" for at in (starts, ends, made))
        told = re.sub(r"([\\;,])", r"\\\1", title)
        lines += ["BEGIN:VEVENT", f"UID:{name}@parvis", f"DTSTAMP:{stamp}"]
        lines += [f"DTSTART:{begin}", f"DTEND:{end}", f"SUMMARY:{told}", "END:VEVENT"]
    return "".join(f"{folded}\r\n" for line in [*lines, "END:VCALENDAR"] for folded in _folded(line)).encode()


def _event(turn: Turn, level: int) -> Event:
    name = f"{turn.person.name}-{level}-{turn.starts.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return name, turn.starts, turn.ends, f"{turn.person.title} (niveau {level})"


def _folded(line: str) -> Iterable[str]:
    """RFC 5545, 3.1: at most 75 octets a line; 60 letters, of which some take two octets."""
    for place in range(0, len(line), 60):
        yield (" " if place else "") + line[place : place + 60]
