"""Who is called for an incident, when, and when not: pictures in, pages out. No I/O, no clock.

Times are Unix seconds. Nobody is called outside their duty: whoever is named in a page is on duty at *now*.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from monitor.incidents import CALLING, ENDS, Event, Incident, State
from monitor.rota import Roster

DAY = (time(7), time(20))
"""Local time in which ``page-jour`` calls somebody; at night it waits for the morning."""


class Kind(StrEnum):
    """Why a message goes to somebody."""

    CALL = "call"
    ALL_CLEAR = "all-clear"
    DIGEST = "digest"
    TEST = "test"
    RELAY = "relay"


@dataclass(frozen=True, slots=True)
class Page:
    """A message to be made: for *incident* (0: none) to *person*, who is on duty at *level*."""

    incident: int
    kind: Kind
    person: str
    level: int
    round: int
    step: int
    folds: tuple[int, ...] = ()
    """For a digest: the numbers of the incidents it tells of."""
    folded: bool = False
    """It is told by a digest, made just before it, and not by a message of its own."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was made before. *tried*: whether any channel has taken it up."""

    incident: int
    kind: Kind
    person: str
    round: int
    step: int
    made_at: float
    tried: bool = True
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of calling: the *roster* gives persons and waits; a person gets *budget* messages in *window* s."""

    roster: Roster
    budget: int = 5
    window: float = 900.0

    @property
    def acknowledged_for(self) -> float:
        """Seconds for which nobody is called for what somebody has taken."""
        return self.roster.town.rota.acknowledged_for

    def quiet_until(self, incident: Incident, event: Event, now: float) -> float | None:
        """Until when *event* keeps the telephone still for *incident*; None: it does not, or without an end."""
        if event is Event.SNOOZE:
            return self.morning(now)
        taken = event is Event.ACKNOWLEDGE and incident.severity in CALLING
        return now + self.acknowledged_for if taken else None

    def steps(self) -> Iterator[tuple[float, int]]:
        """(seconds after the first call, level), for ever: once more, each level, and all again."""
        rota = self.roster.town.rota
        one = sorted([(0.0, 1), (rota.repeat, 1), *((level.after, n) for n, level in enumerate(rota.levels, 2))])
        cycle = 0
        while True:
            yield from ((cycle * rota.again + after, level) for after, level in one)
            cycle += 1

    def channels_of(self, person: str) -> list[str]:
        """The names of the channels of *person*, best first."""
        own = self.roster.person(person).channels
        return list(own) or [channel.name for channel in self.roster.town.channels]

    def local(self, now: float) -> datetime:
        """*now* by the town's clock."""
        return datetime.fromtimestamp(now, UTC).astimezone(self.roster.zone)

    def morning(self, now: float) -> float:
        """The next time that the day begins, after *now*."""
        local = self.local(now)
        today = datetime.combine(local.date(), DAY[0], self.roster.zone)
        tomorrow = datetime.combine(local.date() + timedelta(days=1), DAY[0], self.roster.zone)
        return (today if today > local else tomorrow).timestamp()


def due(incident: Incident, policy: Policy, sent: Sequence[Sent], now: float) -> list[Page]:
    """Who must be called for *incident* now. *sent*: every message made for it before.

    Steps count from the first call of this round, so that whoever was not called while nothing ran is called first.
    A level where nobody is on duty is passed over to the next that has somebody.
    """
    begin = _begin(incident, policy, now)
    if incident.state is not State.OPEN or incident.severity not in CALLING or begin is None:
        return []
    calls = [s for s in sent if s.kind is Kind.CALL and s.round == incident.round and s.made_at >= begin]
    first = min((s.made_at for s in calls), default=now)
    made = {s.step for s in calls}
    duty = policy.roster.duty(policy.local(now))
    found: dict[str, Page] = {}
    for step, (after, level) in enumerate(policy.steps()):
        if after > now - first:
            break
        called = _answering(duty, max(level, incident.level))
        if step not in made and called:
            person, at_level = duty[called].name, called
            found[person] = Page(incident.number, Kind.CALL, person, at_level, incident.round, step)
    return list(found.values())


def all_clears(incident: Incident, policy: Policy, sent: Sequence[Sent], now: float) -> list[Page]:
    """Who is told that *incident* is over: who was called for it, nobody else, and only while on duty.

    What called by day only is told by day only.
    """
    if incident.state is not State.RESOLVED or (incident.severity == "page-jour" and not by_day(policy.local(now))):
        return []
    called = {s.person: s for s in sent if s.kind is Kind.CALL and s.tried}
    told = {s.person for s in sent if s.kind is Kind.ALL_CLEAR}
    duty = {person.name: level for level, person in policy.roster.duty(policy.local(now)).items()}
    return [
        Page(incident.number, Kind.ALL_CLEAR, name, duty[name], incident.round, 0)
        for name in called
        if name not in told and name in duty
    ]


def within_budget(pages: Sequence[Page], recent: Sequence[Sent], policy: Policy, now: float) -> list[Page]:
    """*pages*, less what would be too many messages for one person: those become one digest, once in a window.

    *recent*: messages made in the last *window* seconds. What finds no room now is due again the next time.
    """
    found: list[Page] = []
    for person in dict.fromkeys(page.person for page in pages):
        own = [page for page in pages if page.person == person]
        before = [s for s in recent if s.person == person and 0 <= now - s.made_at < policy.window]
        calls = sum(s.kind in (Kind.CALL, Kind.ALL_CLEAR) and not s.folded for s in before)
        room = max(0, policy.budget - calls)
        found += own[:room]
        rest = own[room:]
        if rest and not any(s.kind is Kind.DIGEST for s in before):
            folds = tuple(dict.fromkeys(page.incident for page in rest))
            found.append(Page(0, Kind.DIGEST, person, rest[0].level, 0, 0, folds))
            found += [replace(page, folded=True) for page in rest]
    return found


def relieved(policy: Policy, before: str, live: Sequence[Incident], now: float) -> tuple[Page, bool] | None:
    """What is going on, to who has taken over duty from *before*, and whether they are told; None: nobody has.

    They are told once, by day, and only of what they would not be called for: what somebody has taken or put off.
    """
    local = policy.local(now)
    duty = policy.roster.duty(local)
    level = min(duty, default=0)
    if not level or not by_day(local) or duty[level].name == before:
        return None
    lasts = any(incident.state in ENDS and incident.severity in CALLING for incident in live)
    return Page(0, Kind.RELAY, duty[level].name, level, 0, 0), bool(before) and lasts


def by_day(local: datetime) -> bool:
    """Whether ``page-jour`` may call at *local* time."""
    return DAY[0] <= local.time() < DAY[1]


def _begin(incident: Incident, policy: Policy, now: float) -> float | None:
    """From when calls count: of the day only today's, so that an unanswered one is repeated in the morning."""
    if incident.severity != "page-jour":
        return incident.called_at
    local = policy.local(now)
    if not by_day(local):
        return None
    return max(incident.called_at, datetime.combine(local.date(), DAY[0], policy.roster.zone).timestamp())


def _answering(duty: Mapping[int, object], level: int) -> int:
    """The first level from *level* on where somebody is on duty, else the last below it; 0: nobody anywhere."""
    return next((n for n in sorted(duty) if n >= level), max(duty, default=0))
