"""The monthly statement of one agent: duties, units, interventions, amounts, warnings. No I/O, no clock."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from monitor.astreinte import (
    UNITS,
    WORKWEEK,
    Duty,
    Rates,
    Sheet,
    Unit,
    amount,
    in_force,
    night_hours,
    recovered,
    units,
)
from monitor.rest import warnings
from monitor.rota import Roster

NAMES = {
    "week": "Semaine complète",
    "workweek": "Du lundi matin au vendredi soir",
    "weekend": "Fin de semaine",
    "saturday": "Samedi",
    "sunday": "Dimanche ou jour férié",
    "night": "Nuit",
    "short_night": "Nuit de moins de 10 h",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """What one person did in one month. *worked*: hours of intervention by day, on Saturdays, at night, on Sundays.

    What it is worth is *total* in euros or *recovery* in hours of rest, never both.
    """

    person: str
    month: date
    category: str
    duties: tuple[Duty, ...]
    units: tuple[Unit, ...]
    sheets: tuple[Sheet, ...]
    worked: tuple[timedelta, timedelta, timedelta, timedelta]
    total: Decimal | None
    warnings: tuple[str, ...]
    recovery: timedelta | None = None
    text: str = ""
    """The legal text the rates are from."""

    def rows(self) -> list[tuple[str, str, str]]:
        """(what, how much, remark), in French."""
        counted = [(name, [unit for unit in self.units if unit.name == name]) for name in UNITS]
        found = [(NAMES[name], str(len(some)), _short(some)) for name, some in counted if some]
        bands = zip(("de jour", "samedi", "de nuit", "dimanche ou jour férié"), self.worked, strict=True)
        found += [(f"Intervention {name}", hours(spent), "") for name, spent in bands if spent]
        if self.recovery is not None:
            due = f"Repos compensateur ({self.category})", hours(self.recovery), "au lieu de l'indemnité, à vérifier"
        else:
            due = f"Indemnité d'astreinte ({self.category})", f"{self.total} €", "brut, à vérifier par les RH"
        return [*found, due, ("Texte", self.text, "")] if self.text else [*found, due]


def statement(
    roster: Roster,
    person: str,
    month: date,
    sheets: Sequence[Sheet],
    rates: Sequence[Rates],
    category: str,
    holiday: Callable[[date], bool],
    *,
    as_rest: bool = False,
) -> Statement:
    """What *person* did in the *month* (its first day); a duty belongs to the month in which it begins.

    *as_rest*: they have chosen rest instead of money, where their *category* lets them. ValueError, Unconfirmed: see
    :func:`monitor.astreinte.in_force`.
    """
    first = datetime(month.year, month.month, 1, tzinfo=roster.zone)
    after = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=roster.zone)
    rate = in_force(rates, category, month)
    duties = [duty for duty in duties_of(roster, person, first, after, rate) if first <= duty.starts < after]
    workweeks = WORKWEEK in rate.worth
    found = [unit for duty in duties for unit in units(duty, holiday, roster.zone, workweeks=workweeks)]
    own = [sheet for sheet in sheets if sheet.person == person and first <= sheet.starts < after]
    return Statement(
        person,
        month,
        category,
        tuple(duties),
        tuple(found),
        tuple(own),
        night_hours(own, roster.zone, holiday),
        None if as_rest else amount(found, category, rates),
        tuple(warnings(own, roster.zone)),
        recovered(found, category, rates) if as_rest else None,
        rate.text,
    )


def duties_of(roster: Roster, person: str, start: datetime, end: datetime, rate: Rates) -> list[Duty]:
    """The times *person* is on duty at any level; turns that follow each other are one. *rate* says what late is."""
    found: list[Duty] = []
    for level in range(1, roster.levels + 1):
        for turn in roster.turns(level, start, end):
            if turn.person.name != person:
                continue
            told = roster.told(person, level, turn.starts)
            late = told is not None and rate.late(told, turn.starts.date())
            if found and found[-1].ends == turn.starts and found[-1].short_notice == late:
                found[-1] = Duty(person, found[-1].starts, turn.ends, late)
            else:
                found.append(Duty(person, turn.starts, turn.ends, late))
    return sorted(found, key=lambda duty: duty.starts)


def hours(spent: timedelta) -> str:
    """Hours and minutes.

    >>> hours(timedelta(minutes=95))
    '1 h 35'
    """
    minutes = round(spent.total_seconds() / 60)
    return f"{minutes // 60} h {minutes % 60:02d}"


def _short(some: Sequence[Unit]) -> str:
    late = sum(unit.short_notice for unit in some)
    return f"dont {late} annoncée(s) tard" if late else ""
