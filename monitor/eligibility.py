"""Who may be on call by the council's deliberation (décret 2001-623, art. 5). No I/O, no clock."""

from collections.abc import Iterator

from monitor.rota import Roster
from parvis.inventory import Person, Rota


def faults(roster: Roster) -> list[str]:
    """Whom the rota, its levels, swaps or calendars put on duty although they may not be."""
    rota = roster.town.rota
    named = [*rota.order, *(name for level in rota.levels for name in level.order)]
    named += [swap.person for swap in rota.swaps] + [shift.person for shift in roster.shifts]
    people = (roster.person(name) for name in dict.fromkeys(named))
    return [f"{person.name} is on the rota and {why}" for person in people for why in _against(person, rota)]


def _against(person: Person, rota: Rota) -> Iterator[str]:
    if person.housed:
        yield "is lodged by absolute necessity of service, which excludes astreinte"
    if person.status is not None and person.status not in rota.statuses:
        yield f"is {person.status}, which the deliberation (statuses) does not name"
    if rota.jobs and person.job not in rota.jobs:
        yield f"has the job {person.job!r}, which the deliberation (jobs) does not name"
