"""Who is on call at an instant: turns of local time, right over clock changes. No I/O, no clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from parvis.inventory import Person, Town


@dataclass(frozen=True, slots=True)
class Turn:
    """*person* is on call from *starts* until just before *ends* (both aware, in the town's time zone)."""

    person: Person
    starts: datetime
    ends: datetime


def on_call(town: Town, at: datetime) -> Turn:
    """The turn in force at *at* (aware). A handover keeps its local hour in summer and in winter.

    A handover at an hour that a clock change skips happens an hour later by the new clock (02:30 at 03:30); at an hour
    that it repeats, the first time.
    Before the rota starts the order runs backwards, so that there always is exactly one person.
    """
    zone = ZoneInfo(town.timezone)
    first = _first(town, zone)
    turn = timedelta(seconds=town.rota.turn)
    number = (at.astimezone(zone).replace(tzinfo=None) - first) // turn
    while _instant(first + number * turn, zone) > at:
        number -= 1
    while _instant(first + (number + 1) * turn, zone) <= at:
        number += 1
    name = town.rota.order[number % len(town.rota.order)]
    person = next(person for person in town.people if person.name == name)
    starts, ends = (_instant(first + n * turn, zone) for n in (number, number + 1))
    return Turn(person, starts.astimezone(zone), ends.astimezone(zone))


def _first(town: Town, zone: ZoneInfo) -> datetime:
    starts = town.rota.starts
    return starts.astimezone(zone).replace(tzinfo=None) if starts.tzinfo else starts


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
