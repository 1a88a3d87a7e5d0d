"""The on-call engine: takes what is told, keeps incidents, makes pages. What it answers for is on disk before.

Decisions are in incidents, oncall, rota and checks; sending is monitor.dispatch's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from threading import RLock
from typing import Any

from monitor.alertmanager import WATCHDOG, Message, Picture, beat_of
from monitor.checks import Verdict, disagreements
from monitor.incidents import (
    JOIN_SECONDS,
    LIVE,
    RANK,
    Alert,
    Event,
    Held,
    Incident,
    Joined,
    State,
    absorb,
    after,
    ended,
    leapt,
    unexplained,
    vanished,
    worsened,
)
from monitor.oncall import Kind, Page, Policy, all_clears, due, relieved, within_budget
from monitor.store_oncall import Book, Entries
from parvis.runbooks import runbook

PROMETHEUS, MONITOR, ENGINE = "prometheus", "monitor", "engine"
CLOSE_SECONDS = 86400.0
"""What is resolved stays on the page so long, then it is closed."""
TEST_SECONDS = 7 * 86400.0
TEST_HOURS = (9, 17)
FORGET_SECONDS = 86400.0
LEAP_SECONDS = 30.0
"""The engine works each second: after a gap of more, the machine has slept or its clock was set."""
MUTED = Alert(
    "SupervisionMuette",
    "",
    "",
    "page",
    "monitoring",
    "Prometheus ne bat plus : la supervision est peut-être muette",
    "Une panne ne serait plus vue que par les contrôles du moniteur ; rien ne se résout tout seul.",
    runbook("SupervisionMuette"),
    0.0,
)


class Unknown(Exception):
    """There is no such incident."""


class LinkUsed(Exception):
    """The link has been used before; nothing has changed."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A message taken apart. *opened*: new incidents; *waiting*: all-clears not to be believed yet."""

    new: int
    repeated: int
    beat: bool
    waiting: int
    opened: tuple[int, ...] = ()


class OnCall:
    """The engine of one town. Safe to use from several threads; every instant is an argument.

    *pace* scales within how long of each other alerts of one cause begin, as that of the rules' waits.
    """

    def __init__(
        self, book: Book, policy: Policy, *, beat_max_age: float, started_at: float, pace: float = 1.0
    ) -> None:
        self.book = book
        self.policy = policy
        self.verdicts: Mapping[str, Verdict] = {}
        self.disagreements: Sequence[str] = ()
        self.polled_at = 0.0
        """When Alertmanager last answered with its list; 0: never since the start."""
        self.in_words: Callable[[Alert], Alert] = lambda alert: alert
        """Says of an alert what whoever is called needs to know; whoever knows the town gives it."""
        self._beat_max_age = beat_max_age
        self._near = JOIN_SECONDS * pace
        self._since = self._worked_at = started_at
        """From when on, as this clock tells, Prometheus had time to beat; and the engine's last round."""
        self._lock = RLock()
        self._present: frozenset[str] | None = None
        with book.look() as entries:
            self.beat: float = entries.fact("beat", 0.0)

    def beats(self, now: float) -> bool:
        """Whether Prometheus's beat is young enough at *now* for its all-clears to be believed."""
        return now - self.beat <= self._beat_max_age

    def take(self, message: Message, now: datetime) -> Taken:
        """Take a webhook message; once this returns, its incidents and their first pages are on disk."""
        at = now.timestamp()
        told = [alert for alert in message.alerts if alert.name != WATCHDOG]
        beat = beat_of(message.alerts, now)
        with self._lock, self.book.page() as entries:
            self._heard(entries, beat)
            firing = [alert.taken() for alert in told if alert.status == "firing"]
            over = [alert.taken() for alert in told if alert.status == "resolved"]
            new, opened = self._absorb(entries, firing, PROMETHEUS, at)
            ended, waiting = self._end(entries, over, at)
            self._settle(entries, at)
            return Taken(new + ended, len(told) - new - ended - waiting, beat is not None, waiting, opened)

    def reconcile(self, found: Picture, now: datetime, *, grace: float) -> tuple[int, ...]:
        """Compare with Alertmanager's list: what its webhook lost is taken, what it no longer holds is over.

        *grace*: seconds an alert has to come by the webhook first. Returns the incidents opened.
        """
        at = now.timestamp()
        with self._lock, self.book.page() as entries:
            self._heard(entries, found.beat)
            # without a Watchdog the list is that of an Alertmanager that has just started: it proves no absence
            self._present = found.present if found.beat is not None else None
            self.polled_at = at
            late = [alert for alert in found.active if at - alert.starts_at >= grace]
            opened = self._absorb(entries, late, PROMETHEUS, at)[1]
            self._watch_over(entries, at)
            return opened

    def judge(self, verdicts: Mapping[str, Verdict], now: float, *, grace: float) -> tuple[int, ...]:
        """Take the monitor's own checks: they call when Prometheus does not beat, else they are only compared."""
        with self._lock, self.book.page() as entries:
            self.verdicts = verdicts
            alive = self.beats(now)
            told = {one.identity for incident in entries.live() for one in incident.held if one.ended_at is None}
            self.disagreements = disagreements(verdicts, told, now, grace) if alive else ()
            firing = [verdict.alert for verdict in verdicts.values() if verdict.firing and verdict.wrong is not False]
            opened = () if alive else self._absorb(entries, unexplained(firing), MONITOR, now)[1]
            self._watch_over(entries, now)
            return opened

    def tick(self, now: float) -> list[int]:
        """Wake, close, call, tell that it is over: everything that is due at *now*. Returns the messages made."""
        with self._lock, self.book.page() as entries:
            for incident in entries.live():
                if (event := ended(incident, now)) is not None:
                    entries.move(after(incident, event, now), now, event.value)
                elif incident.state is State.RESOLVED and self._old(entries, incident, now):
                    entries.move(after(incident, Event.CLOSE, now), now, "close")
            made = self._settle(entries, now)
            made += self._relay(entries, now) + self._tests(entries, now)
            if now - entries.fact("forgotten", 0.0) > FORGET_SECONDS:
                entries.forget(now)
                entries.remember("forgotten", now)
            return made

    def act(self, number: int, event: Event, who: str, now: float, text: str = "", link: str = "") -> Incident:
        """Let *who* acknowledge, snooze until the morning, hand over or close; Unknown, NotPossible, LinkUsed.

        Acknowledging what is acknowledged makes it last longer. A hand-over calls the next level. *link*: the mark of
        the link that asks for it, used up together with what it does.
        """
        with self._lock, self.book.page() as entries:
            incident = entries.incident(number)
            if incident is None:
                raise Unknown(f"there is no incident {number}")
            if link and not entries.use_link(link, now):
                raise LinkUsed
            until = self.policy.quiet_until(incident, event, now)
            level = min(self._level_of(entries, number, who) + 1, self.policy.roster.levels)
            changed = after(incident, event, now, until=until, level=level)
            entries.move(changed, now, event.value, who, text)
            self._settle(entries, now)
            return changed

    def leaps(self, seconds: float, now: float) -> None:
        """The clock was set by *seconds*, to *now*."""
        with self._lock, self.book.page() as entries:
            for incident in entries.live():
                if (changed := leapt(incident, seconds, now, self.policy.acknowledged_for)) != incident:
                    entries.move(changed, now, "clock", text=f"{seconds:+.0f} s")

    def note(self, number: int, who: str, text: str, now: float) -> None:
        """Add a line of words to the timeline; Unknown when there is no such incident."""
        with self.book.page() as entries:
            if entries.row(number) is None:
                raise Unknown(f"there is no incident {number}")
            entries.note(number, now, "note", who, text)

    def raise_alert(self, alert: Alert, *, firing: bool, now: float) -> None:
        """An alert of the engine's own, which nobody else can tell: it begins or ends."""
        with self._lock, self.book.page() as entries:
            if firing:
                self._absorb(entries, [alert], ENGINE, now)
            else:
                self._end(entries, [replace(alert, starts_at=now)], now, believed=True)
            self._settle(entries, now)

    def watch_beat(self, now: float) -> None:
        """Call when Prometheus, having beaten once, beats no more.

        A start of ours gives it time to, and so does a leap of the clock: the last beat was told by another one.
        """
        if not 0 <= now - self._worked_at <= LEAP_SECONDS:
            self._since = now
            self.beat = min(self.beat, now)
        self._worked_at = now
        if not self.beat:
            return
        silent = not self.beats(now) and now - self._since > self._beat_max_age
        if silent or self.beats(now):
            self.raise_alert(replace(MUTED, starts_at=now), firing=silent, now=now)

    def test(self, person: str, channel: str, now: float) -> int:
        """Put a test message for *person* on *channel* into the outbox; who is not on duty is not tested."""
        level = next((n for n, p in self.policy.roster.duty(self.policy.local(now)).items() if p.name == person), 0)
        if not level:
            raise Unknown(f"{person} is not on duty now; nobody is contacted outside their duty")
        with self._lock, self.book.page() as entries:
            return entries.make([Page(0, Kind.TEST, person, level, 0, 0)], now, only=channel)[0]

    def _heard(self, entries: Entries, beat: float | None) -> None:
        if beat is not None and beat > self.beat:
            self.beat = beat
            entries.remember("beat", beat)

    def _absorb(
        self, entries: Entries, alerts: Sequence[Alert], source: str, now: float
    ) -> tuple[int, tuple[int, ...]]:
        """(alerts that were news, incidents opened)."""
        live = [incident for incident in entries.live() if incident.live]
        said = [self.in_words(alert) for alert in alerts]
        known = entries.known([alert.identity for alert in said])
        standing = [verdict.alert for verdict in self.verdicts.values() if verdict.wrong]
        opened, new = [], 0
        for step in absorb(said, live, known, standing, near=self._near):
            if isinstance(step, Joined):
                if step.leads:
                    entries.retitle(step.number, step.alert)
                entries.hold(step.number, step.alert, source)
                entries.note(step.number, now, "joined", "", step.alert.summary)
                self._worsen(entries, step, now)
                new += 1
            else:
                opened.append(entries.open(step, source, now))
                new += len(step.alerts)
        return new, tuple(opened)

    def _worsen(self, entries: Entries, joined: Joined, now: float) -> None:
        incident = entries.incident(joined.number)
        if incident and RANK.get(joined.alert.severity, 0) > RANK.get(incident.severity, 0):
            entries.move(worsened(incident, joined.alert.severity, now), now, Event.WORSEN.value)

    def _end(
        self, entries: Entries, over: Iterable[Alert], now: float, *, believed: bool | None = None
    ) -> tuple[int, int]:
        """(alerts that are over now, alerts whose all-clear is not believed)."""
        held = {
            one.identity: one
            for incident in entries.live()
            for one in incident.held
            if incident.live and one.ended_at is None
        }
        ending = [
            held[alert.identity] for alert in over if alert.identity in held and _same(held[alert.identity], alert)
        ]
        if not (self.beats(now) if believed is None else believed):
            return 0, len(ending)
        entries.held([replace(one, ended_at=now) for one in ending])
        return len(ending), 0

    def _watch_over(self, entries: Entries, now: float) -> None:
        """End what its source tells no more, and settle what follows."""
        for incident in entries.live():
            if incident.live:
                entries.held(vanished(incident.held, lambda one: self._opinion(one, now), now, self._beat_max_age))
        self._settle(entries, now)

    def _opinion(self, one: Held, now: float) -> bool | None:
        """Whether an alert is there: by Prometheus while it beats, else by our own checks; None: nobody can tell."""
        if one.source == ENGINE:
            return True
        if self.beats(now):
            fresh = now - self.polled_at <= self._beat_max_age
            return one.identity in self._present if fresh and self._present is not None else None
        verdict = self.verdicts.get(one.identity)
        return None if verdict is None or verdict.wrong is None else verdict.firing or verdict.wrong

    def _settle(self, entries: Entries, now: float) -> list[int]:
        """Resolve what is over, then make the messages that are due."""
        live = entries.live()
        for incident in live:
            if incident.live and incident.held and all(one.ended_at is not None for one in incident.held):
                entries.move(after(incident, Event.RESOLVE, now), now, "resolve")
        sent = entries.sent_for([incident.number for incident in live])
        wanted: list[Page] = []
        for incident in entries.live():
            before = sent.get(incident.number, [])
            wanted += due(incident, self.policy, before, now) + all_clears(incident, self.policy, before, now)
        if not wanted:
            return []
        recent = entries.sent(since=now - self.policy.window)
        return entries.make(within_budget(wanted, recent, self.policy, now), now)

    def _old(self, entries: Entries, incident: Incident, now: float) -> bool:
        row = entries.row(incident.number)
        return row is None or now - (row["ended_at"] or now) > CLOSE_SECONDS

    def _level_of(self, entries: Entries, number: int, who: str) -> int:
        called = [row["level"] for row in entries.pages_of(number) if row["person"] == who]
        return int(called[-1]) if called else 1

    def _relay(self, entries: Entries, now: float) -> list[int]:
        """Tell who has just taken over duty what is going on."""
        found = relieved(self.policy, entries.fact("on-duty", ""), entries.live(), now)
        if found is None:
            return []
        entries.remember("on-duty", found[0].person)
        return entries.make([found[0]], now) if found[1] else []

    def _tests(self, entries: Entries, now: float) -> list[int]:
        """The weekly test of each channel of who is on duty, in working hours."""
        local = self.policy.local(now)
        if not TEST_HOURS[0] <= local.hour < TEST_HOURS[1]:
            return []
        made = []
        for level, person in self.policy.roster.duty(local).items():
            for channel in self.policy.channels_of(person.name):
                name = f"tested/{person.name}/{channel}"
                if now - entries.fact(name, 0.0) >= TEST_SECONDS:
                    entries.remember(name, now)
                    made += entries.make([Page(0, Kind.TEST, person.name, level, 0, 0)], now, only=channel)
        return made


def _same(held: Held, over: Alert) -> bool:
    """Whether an all-clear is of this occurrence, not of an earlier one that was told late."""
    return over.starts_at >= held.starts_at - 1.0


def summary(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Live incidents by severity."""
    live = [row["severity"] for row in rows if row["state"] in LIVE]
    return {severity: live.count(severity) for severity in RANK}
