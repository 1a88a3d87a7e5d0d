"""Who is on call at an instant: turns of local time, right over clock changes; swaps, absences. No I/O, no clock."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.rest import Rest
from parvis.inventory import Level, Person, Rota, Town

FAR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Shift:
    """An exception from the turns: *person* is on duty at *level* from *starts* until *ends* (aware).

    *told*: the day on which they were, where that is known.
    """

    person: str
    level: int
    starts: datetime
    ends: datetime
    told: date | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """*person* is on call from *starts* until just before *ends* (both aware, in the town's time zone)."""

    person: Person
    starts: datetime
    ends: datetime


class NobodyOnCall(Exception):
    """At that instant nobody is on duty at that level: an absence nobody stands in for. Whoever keeps the rota acts."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The rota of *town* with the *shifts* of its calendars, which prevail over turns; swaps prevail over both.

    *rests*: who is owed their weekly rest, and is therefore not on duty.
    """

    town: Town
    shifts: tuple[Shift, ...] = ()
    rests: tuple[Rest, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The town's time zone."""
        return ZoneInfo(self.town.timezone)

    @property
    def levels(self) -> int:
        """How many levels there are."""
        return 1 + len(self.town.rota.levels)

    def person(self, name: str) -> Person:
        """The person called *name*; KeyError when there is none."""
        for person in self.town.people:
            if person.name == name:
                return person
        raise KeyError(name)

    def turn(self, at: datetime, level: int = 1) -> Turn:
        """Who is on duty at *at* (aware), from when until when; NobodyOnCall when nobody is."""
        starts, ends, name = self._turn_of_order(at, level)
        exceptions = [shift for shift in self._exceptions() if shift.level == level]
        away = [shift for shift in self._away() if shift.starts < ends and shift.ends > starts]
        for shift in exceptions:
            if shift.starts <= at < shift.ends:
                name = shift.person
        away = [shift for shift in away if shift.person == name]
        if any(shift.starts <= at < shift.ends for shift in away):
            raise NobodyOnCall(f"{name} is away at {at.astimezone(self.zone):%Y-%m-%d %H:%M} and nobody stands in")
        edges = [edge for shift in (*exceptions, *away) for edge in (shift.starts, shift.ends)]
        starts = max([starts, *(edge for edge in edges if starts < edge <= at)])
        ends = min([ends, *(edge for edge in edges if at < edge < ends)])
        return Turn(self.person(name), starts.astimezone(self.zone), ends.astimezone(self.zone))

    def duty(self, at: datetime) -> dict[int, Person]:
        """Who is on duty, by level; a level with nobody is left out.

        When all of them are owed their rest, they are on duty all the same: somebody must be called.
        """
        found: dict[int, Person] = {}
        for level in range(1, self.levels + 1):
            try:
                found[level] = self.turn(at, level).person
            except NobodyOnCall:
                continue
        return found or (replace(self, rests=()).duty(at) if self.rests else found)

    def turns(self, level: int, start: datetime, end: datetime) -> Iterator[Turn]:
        """Every turn that is in force between *start* and *end* (aware); hours with nobody are left out."""
        at = start
        while at < end:
            try:
                turn = self.turn(at, level)
            except NobodyOnCall:
                at = min(shift.ends for shift in self._away() if shift.ends > at)
                continue
            yield turn
            at = turn.ends

    def told(self, person: str, level: int, starts: datetime) -> date | None:
        """The day on which *person* learnt of the exception that puts them on duty at *starts*; None: by the rota."""
        found = [s for s in self._exceptions() if s.level == level and s.starts <= starts < s.ends]
        return found[-1].told if found and found[-1].person == person else None

    def edges(self) -> list[datetime]:
        """Instants at which an exception or an absence begins or ends."""
        return [edge for shift in (*self._exceptions(), *self._away()) for edge in (shift.starts, shift.ends)]

    def _exceptions(self) -> list[Shift]:
        """Calendars first, swaps last: the last that covers an instant prevails."""
        swaps = self.town.rota.swaps
        return [
            *self.shifts,
            *(Shift(s.person, s.level, self._at(s.starts), self._at(s.ends), s.told) for s in swaps),
        ]

    def _away(self) -> list[Shift]:
        away = [Shift(a.person, 0, self._at(a.starts), self._at(a.ends)) for a in self.town.rota.absences]
        return away + [Shift(rest.person, 0, rest.starts, rest.ends) for rest in self.rests]

    def _at(self, moment: datetime) -> datetime:
        return _instant(_local(moment, self.zone), self.zone)

    def _turn_of_order(self, at: datetime, level: int) -> tuple[datetime, datetime, str]:
        """(start, end, person) by the order alone.

        A handover at an hour that a clock change skips happens an hour later by the new clock (02:30 at 03:30); at an
        hour that it repeats, the first time. Before the rota starts the order runs backwards.
        """
        rota: Rota | Level = self.town.rota if level == 1 else self.town.rota.levels[level - 2]
        first = _local(rota.starts or self.town.rota.starts, self.zone)
        turn = timedelta(seconds=rota.turn or self.town.rota.turn)
        number = (at.astimezone(self.zone).replace(tzinfo=None) - first) // turn
        while _instant(first + number * turn, self.zone) > at:
            number -= 1
        while _instant(first + (number + 1) * turn, self.zone) <= at:
            number += 1
        starts, ends = (_instant(first + n * turn, self.zone) for n in (number, number + 1))
        return starts, ends, rota.order[number % len(rota.order)]


def on_call(town: Town, at: datetime, shifts: Sequence[Shift] = ()) -> Turn:
    """The turn in force at *at* (aware) at the first level; NobodyOnCall when there is none."""
    return Roster(town, tuple(shifts)).turn(at)


def faults(roster: Roster, start: datetime) -> list[str]:
    """What is wrong with the rota in the year after *start*, and wherever it was changed: gaps, one person twice."""
    ends = [start + FAR, *(edge for edge in roster.edges() if edge > start)]
    found = []
    at = start
    instants = sorted({start, *_changes(roster, start, max(ends)), *(e for e in roster.edges() if e >= start)})
    for at in instants:
        local = f"{at.astimezone(roster.zone):%Y-%m-%d %H:%M}"
        on_duty: dict[str, int] = {}
        for level in range(1, roster.levels + 1):
            try:
                name = roster.turn(at, level).person.name
            except NobodyOnCall as gap:
                found.append(f"level {level}: {gap}")
                continue
            if name in on_duty:
                found.append(f"{name} is on duty at levels {on_duty[name]} and {level} from {local}")
            on_duty[name] = level
    return found


def _changes(roster: Roster, start: datetime, end: datetime) -> set[datetime]:
    """The starts of the turns of every level."""
    return {
        turn.starts
        for level in range(1, roster.levels + 1)
        for turn in roster.turns(level, start, end)
        if turn.starts >= start
    }


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    return local.replace(tzinfo=zone).astimezone(UTC)
