"""Plays a drill: a told world before the monitor's own judgement, checks, incidents and outbox, in virtual time."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.checks import Verdict, check, moved
from monitor.collectors import Heard, believable
from monitor.drills.chain import Chain
from monitor.drills.world import GATEWAY_SECONDS, World
from monitor.duty import PAGES_FILE, Duty
from monitor.findings import Finding, Policy, State, judge
from monitor.hindrances import Hindrance, barred, hindrances
from monitor.incidents import Event
from monitor.incidents import State as Stage
from monitor.instruments import UP_METRIC, MonitorMetrics
from monitor.planned import Work
from monitor.settings import MonitorSettings
from monitor.sites import views
from monitor.watch import Picture
from parvis.drills import Drill, Step
from parvis.inventory import Town
from parvis.inventory.people import FileChannel, ModemChannel

STEP_SECONDS = 5.0
"""A round of echoes, as in production."""
WARM_SECONDS = 90.0
"""So long everything is well before anything breaks."""
ACKNOWLEDGED_SECONDS = 60.0
"""Whoever is called answers after so long."""


@dataclass(frozen=True, slots=True)
class Call:
    """A message somebody got. *cause*: ``ALERT@SITE`` of its incident; *elapsed*: seconds since the drill began."""

    cause: str
    incident: int
    elapsed: float
    person: str
    text: str


@dataclass
class Played:
    """What came of it. *incidents*: cause by number, all that were opened; *duty*: who was on call at level 1."""

    calls: list[Call] = field(default_factory=list)
    incidents: dict[int, str] = field(default_factory=dict)
    severities: dict[int, str] = field(default_factory=dict)
    duty: str = ""
    rounds: int = 0


class Player:
    """One town, one folder of state, one run. *broken_channel*: the first channel is dead."""

    def __init__(
        self, town: Town, folder: Path, at: float, *, seed: int = 1, prometheus: bool = False, broken: bool = False
    ) -> None:
        spool = str(folder / "no-modem")
        dead = (ModemChannel(name="modem", kind="gsm", spool=spool),) if broken else ()
        town = town.model_copy(update={"channels": (*dead, FileChannel(name="carnet", kind="file"))})
        settings = MonitorSettings(state=folder, alertmanager_url="", message_budget=100)
        chance = random.Random(seed)  # noqa: S311 a drill is to be repeated
        collected = GATEWAY_SECONDS if prometheus else settings.scrape_interval
        self.world = World(town, chance, now=at - WARM_SECONDS, collected=collected)
        self.elapsed = -WARM_SECONDS
        metrics = MonitorMetrics(town.town)
        self.duty = Duty(town, settings, metrics, lambda: self.world.now, steady=lambda: self.elapsed)
        self.duty.signals = self.world.signals
        self.played = Played()
        self.findings: list[Finding] = []
        self.hindered: dict[str, Hindrance] = {}
        self._town = town
        self._file = folder / PAGES_FILE
        self._read = 0
        self._policy = Policy()
        self._chain = Chain(self.duty.engine) if prometheus else None
        self._rules: dict[str, Verdict] = {}
        self._unanswered: list[tuple[float, int, str]] = []
        local = self.duty.engine.policy.local(at)
        self.played.duty = self.duty.roster.duty(local)[1].name

    def run(self, steps: Sequence[Step], until: float) -> Played:
        """Play *steps* until *until* seconds after the beginning."""
        todo = sorted(steps, key=lambda step: step.after)
        while self.elapsed < until:
            while todo and todo[0].after <= self.elapsed:
                self.do(todo.pop(0))
            self.round()
        self._look_at_incidents()
        return self.played

    def do(self, step: Step) -> None:
        """Let one step happen."""
        if self.world.do(step):
            return
        if step.do == "announce":
            now = self.world.now
            of = (step.where,) if step.where else ()
            self.duty.announce(Work(now, now + (step.value or 0.0), "travaux", of), now)
        elif step.do == "clock-step":
            self.world.now += step.value or 0.0
            self._rules = moved(self._rules, step.value or 0.0)
        elif step.do == "prometheus-off" and self._chain:
            self._chain.kill(self.world.now)
        elif step.do == "prometheus-on" and self._chain:
            self._chain.alive = True
        elif step.do != "channel-off":
            raise KeyError(f"nothing is called {step.do}")

    def round(self) -> None:
        """Five seconds of the monitor's life."""
        world = self.world
        world.now += STEP_SECONDS
        self.elapsed += STEP_SECONDS
        self.played.rounds += 1
        samples, newest = world.samples()
        wrong = "" if world.collectors else "the collectors do not answer"
        heard = Heard(newest, tuple(samples), wrong)
        believed = believable(heard, world.now, 180.0)
        planned = self.duty.planned(world.now)
        outcomes = world.round()
        self.findings = judge(self._town, outcomes, believed, self.findings, world.now, self._policy, planned)
        closed = barred(self.duty.engine.verdicts.values())
        self.hindered = hindrances(self.hindered, world.signals().beyond(), closed, world.now)
        sites = views(self._town, self.findings, believed, self.hindered)
        self.duty.tick(Picture(world.now, self.findings, sites, heard))
        if self._chain is not None:
            age = None if wrong else world.now - newest
            signals = replace(world.signals(), mains=self.duty.mains.known)
            self._rules = check(self._town, self.findings, age, self._rules, world.now, signals=signals)
            self._chain.step(self._rules, _well(self.findings), world.now)
        self.duty.dispatcher.once()
        self._hear()
        self._answer()

    @property
    def calm(self) -> bool:
        """Whether nothing is wrong, suspected or under way."""
        quiet = all(v.wrong is False or (v.wrong is None and not v.firing) for v in self.duty.engine.verdicts.values())
        steady = all(not f.flap.value > 1 and f.answers.streak == 0 for f in self.findings)
        return quiet and steady and self.world.settled() and not self._unanswered

    def skip(self, seconds: float) -> None:
        """Let time pass in which nothing happens: each round would be as the last one."""
        self.world.now += seconds
        self.elapsed += seconds

    def _hear(self) -> None:
        """Who was called since the last round."""
        lines = self._file.read_text("utf-8").splitlines() if self._file.exists() else []
        for line in map(json.loads, lines[self._read :]):
            if line["kind"] == "call":
                cause = self._cause(line["incident"])
                self.played.calls.append(
                    Call(cause, line["incident"], self.elapsed, line["person"], self._title(line["incident"]))
                )
                self._unanswered.append((self.elapsed, line["incident"], line["person"]))
        self._read = len(lines)

    def _answer(self) -> None:
        """Whoever was called takes it after a minute."""
        ripe = [one for one in self._unanswered if self.elapsed - one[0] >= ACKNOWLEDGED_SECONDS]
        self._unanswered = [one for one in self._unanswered if one not in ripe]
        for _at, number, person in ripe:
            with self.duty.engine.book.look() as entries:
                incident = entries.incident(number)
            if incident is not None and incident.state is Stage.OPEN:
                self.duty.engine.act(number, Event.ACKNOWLEDGE, person, self.world.now)

    def _cause(self, number: int) -> str:
        with self.duty.engine.book.look() as entries:
            opened = next(line["text"] for line in entries.timeline_of(number) if line["what"] == "opened")
            row = entries.row(number)
        return f"{opened}@{row['site'] if row else ''}"

    def _title(self, number: int) -> str:
        with self.duty.engine.book.look() as entries:
            row = entries.row(number)
        return str(row["title"]) if row else ""

    def _look_at_incidents(self) -> None:
        with self.duty.engine.book.look() as entries:
            rows = entries.rows(1000)
        for row in rows:
            self.played.incidents[row["number"]] = self._cause(row["number"])
            self.played.severities[row["number"]] = row["severity"]


def _well(findings: Sequence[Finding]) -> set[tuple[str, str]]:
    """(metric, site) of all that the monitor shows as 1."""
    answering = (f.target for f in findings if f.state in (State.UP, State.DEGRADED))
    return {(UP_METRIC[target.kind], target.site) for target in answering if target.kind in UP_METRIC}


def play(drill: Drill, town: Town, folder: Path, seed: int = 1) -> Played:
    """Play *drill* in the empty *folder*."""
    at = drill.at.replace(tzinfo=ZoneInfo(town.timezone)).timestamp()
    broken = any(step.do == "channel-off" for step in drill.steps)
    player = Player(town, folder, at, seed=seed, prometheus=drill.prometheus, broken=broken)
    return player.run(drill.steps, drill.lasting)
