"""The on-call engine at work: its file, its key, and the loops that feed it and empty its outbox."""

import http.client
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from monitor.alertmanager import picture as picture_of
from monitor.calendars import shifts_of
from monitor.causes import Evidence, in_words
from monitor.checks import check, moved
from monitor.dispatch import Dispatcher
from monitor.engine import OnCall, summary
from monitor.evidence import Memory, evidence
from monitor.happenings import Happenings
from monitor.hours import Hours
from monitor.incidents import LIVE, State
from monitor.instruments import MonitorMetrics
from monitor.letters import Letters
from monitor.mains import Mains
from monitor.oncall import Policy
from monitor.planned import Work, muted, works
from monitor.readiness import show_readiness
from monitor.rota import Roster
from monitor.rounds import Rounds
from monitor.settings import MonitorSettings
from monitor.sheets import rests_of
from monitor.signals import Signals
from monitor.store_oncall import Book, Row
from monitor.topology import elsewhere
from monitor.watch import Picture
from monitor.within import exchanged
from parvis.durable import write_once
from parvis.instruments import watch_disk
from parvis.inventory import Town
from parvis.reserve import Reserve
from parvis.running import log

PAGES_FILE = "pages.jsonl"
"""In the state folder: one line for each message of a channel of kind ``file``."""
BOOK_FILE = "oncall.sqlite"
KEY_FILE = "links.key"
RESERVE_FILE = "reserve"
RESERVE_OCTETS = 8 * 1024 * 1024
"""Room for some thousand messages on a full disk, its own page first."""
KEY_OCTETS = 32
TICK_SECONDS = 1.0
LATE_SECONDS = 30.0
GRACE_POLLS = 3
"""An alert has so many polls' time to come by the webhook before the poll takes it."""
ROTA_SECONDS = 15.0
SHOWN_STATES = tuple(state.value for state in State if state is not State.CLOSED)
MAX_LISTING_BYTES = 20_000_000
LISTING_SECONDS = 10.0
BEAT_SECONDS, BEAT_PATIENCE_SECONDS = 60.0, 20.0
SET_SECONDS = 5.0
"""A clock that has moved so far from the steady one was set."""
ADDED = "maintenance"
"""The fact that holds the work announced on the spot."""
REREAD_SECONDS = 10.0
KEEP_WORK_SECONDS = 395 * 86400.0
"""As long as the figures it is left out of are kept."""


def since_boot() -> float:
    """Seconds since the machine was started, asleep or awake: nobody sets this clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Duty:
    """The parts of on-call duty for one town; nothing runs before :meth:`running`.

    *misses_beat*: whether Prometheus's silence is called for here; outside the town it is the monitor's to call.
    *steady*: a clock that nobody sets, which tells when *clock* was set.
    """

    def __init__(
        self,
        town: Town,
        settings: MonitorSettings,
        metrics: MonitorMetrics,
        clock: Callable[[], float] = time.time,
        *,
        steady: Callable[[], float] = since_boot,
        misses_beat: bool = True,
    ) -> None:
        self.settings = settings
        self.metrics = metrics
        self.clock = clock
        self._steady = steady
        self._offset = clock() - steady()
        policy = Policy(Roster(town, shifts_of(town)), settings.message_budget, settings.message_window)
        self._reserve = Reserve(settings.state / RESERVE_FILE, RESERVE_OCTETS)
        book = Book(settings.state / BOOK_FILE, self._reserve)
        self.key = _key(settings.state / KEY_FILE)
        self.engine = OnCall(
            book, policy, beat_max_age=settings.beat_max_age, started_at=clock(), pace=settings.alert_pace
        )
        self.letters = Letters(town, book, self.key, settings.public_url)
        self.dispatcher = Dispatcher(
            self.engine, self.letters, metrics, settings.secret, settings.state / PAGES_FILE, clock
        )
        self._town = town
        metrics.set("inventory_polled_devices", sum(1 for site in town.sites for _ in site.polled()))
        watch_disk(metrics.made, settings.state)
        self.worked_at = clock()
        self._judged = 0.0
        self._rota_shown = 0.0
        self._misses_beat = misses_beat
        self.hours = Hours(town)
        self._happenings = Happenings(town)
        self.signals: Callable[[], Signals] = Signals
        """What is known beside the echoes; whoever gathers it gives it."""
        self._memory = Memory()
        self.mains = Mains()
        """What the batteries said."""
        self._evidence: Mapping[str, Evidence] = {}
        self.engine.in_words = lambda alert: in_words(alert, town, self._evidence)
        self._planned: tuple[float, Mapping[str, str]] = (0.0, {})
        self._follow_rests()

    @property
    def roster(self) -> Roster:
        """The rota, less who is owed their weekly rest."""
        return self.engine.policy.roster

    @contextmanager
    def running(self, picture: Callable[[], Picture]) -> Iterator[None]:
        """The loops run while inside. *picture*: what the watch knows."""
        made, settings = self.metrics.made, self.settings
        loops: list[AbstractContextManager[object]] = [
            Rounds("oncall", TICK_SECONDS, lambda: self.tick(picture()), made).turns,
            self.dispatcher,
        ]
        if settings.alertmanager_url:
            loops.append(Rounds("alertmanager", settings.alertmanager_poll, self.poll, made).turns)
        if settings.heartbeat_url:
            loops.append(Rounds("heartbeat", BEAT_SECONDS, self.beat, made).turns)
        with ExitStack() as stack:
            for loop in loops:
                stack.enter_context(loop)
            yield

    def works(self, since: float, before: float) -> list[Work]:
        """All announced work that touches the span (Unix time): the inventory's and what was added on the spot."""
        return works(self._town, self.added(), since, before)

    def added(self) -> list[Work]:
        """The work announced on the spot, also what is over."""
        with self.engine.book.look() as entries:
            return [Work.of_facts(one) for one in entries.fact(ADDED, [])]

    def announce(self, work: Work, now: float) -> None:
        """Add *work*, or end what is going on: work that ends at *now* replaces the same that ends later."""
        with self.engine.book.page() as entries:
            kept = [Work.of_facts(one) for one in entries.fact(ADDED, [])]
            kept = [one for one in kept if now - one.ends < KEEP_WORK_SECONDS and (one.starts, one.of) != _same(work)]
            entries.remember(ADDED, [one.facts() for one in (*kept, work)])
        self._planned = (0.0, {})

    def planned(self, now: float) -> Mapping[str, str]:
        """Target -> why nobody is called for it at *now*; read anew every few seconds."""
        at, found = self._planned
        if not 0 <= now - at < REREAD_SECONDS:
            found = muted(self._town, now, self.works(now, now + 1), self.hours.at(now).dark)
            self._planned = (now, found)
        return found

    def late(self) -> str:
        """Empty while the engine does its rounds, else a sentence; a check for /healthz."""
        age = self.clock() - self.worked_at
        return "" if age <= LATE_SECONDS else f"the on-call engine has done nothing for {age:.0f} s"

    def tick(self, seen: Picture) -> bool:
        """One second of the engine's life."""
        now = self.clock()
        self._mind_the_clock(now)
        self._mind_the_book(now)
        if seen.at and seen.at != self._judged:
            newest = None if seen.heard.wrong else seen.heard.newest
            age = None if newest is None else max(0.0, now - newest)
            before, signals, town = self.engine.verdicts, self.signals(), self._town
            if newest is not None:
                signals = signals.with_polls({s.device: s.up for s in seen.heard.samples if s.up is not None})
            self.mains = self.mains.after(town, seen.findings, signals, now)
            signals = replace(signals, mains=self.mains.known)
            self._memory = self._memory.after(town, seen.sites, signals, now)
            self._wiring(signals)
            self._show_mains()
            self._evidence = evidence(town, seen.findings, signals, self._memory)
            verdicts = check(town, seen.findings, age, before, now, self.settings.alert_pace, signals)
            self.engine.judge(verdicts, now, grace=self._grace)
            self._judged = seen.at
        if self._misses_beat:
            self.engine.watch_beat(now)
        self.engine.tick(now)
        self.worked_at = now
        self.show()
        return True

    def _mind_the_clock(self, now: float) -> None:
        """Tell the engine when the clock was set; chrony slews it by less."""
        offset = now - self._steady()
        if abs(leap := offset - self._offset) >= SET_SECONDS:
            log.warning("the clock was set", seconds=round(leap, 1))
            self.engine.verdicts = moved(self.engine.verdicts, leap)
            self.engine.leaps(leap, now)
            self._offset = offset

    def _mind_the_book(self, now: float) -> None:
        """After a refusal a round counts only once something is written: else who can write nothing seemed well."""
        if self.engine.book.refused:
            with self.engine.book.page() as entries:
                entries.remember("written", now)
            self.engine.book.refused = False

    def _show_mains(self) -> None:
        for site in self._town.sites:
            for ups in site.ups:
                fed = self.mains.known.get(ups.name)
                self.metrics.set("mains_up", None if fed is None else float(fed), site.site, ups.name)

    def _wiring(self, signals: Signals) -> None:
        """Show, by switch, how many access points are seen on another port than the inventory's."""
        seen = [f for metric in ("lldp_neighbor_info", "port_device_info") for f in signals.of(metric)]
        for site in self._town.sites:
            wrong = Counter(there.partition("/")[0] for _name, _here, there in elsewhere(site, seen))
            for switch in site.switches:
                self.metrics.set("topology_disagreements", float(wrong[switch.name]), site.site, switch.name)

    def poll(self) -> bool:
        """Ask Alertmanager for its list once; False when it has none for us, and then nothing is concluded."""
        try:
            found = picture_of(_fetch(self.settings.alertmanager_url), datetime.fromtimestamp(self.clock(), UTC))
        except (OSError, http.client.HTTPException, ValidationError) as error:
            log.debug("alertmanager gives no list", error=type(error).__name__)
            return False
        self.engine.reconcile(found, datetime.fromtimestamp(self.clock(), UTC), grace=self._grace)
        return True

    def beat(self) -> bool:
        """Tell the dead man's switch outside that all is well; silent when the engine is late, so that it calls."""
        if self.late():
            return False
        from monitor.asking import asked  # noqa: PLC0415 for towns that have such a switch

        asked(self.settings.heartbeat_url, BEAT_PATIENCE_SECONDS, method="POST")
        return True

    def show(self) -> None:
        """The engine's gauges."""
        with self.engine.book.look() as entries:
            rows, waiting = entries.rows(), len(entries.waiting())
        made = self.metrics.made
        for severity, count in summary(rows).items():
            made.gauge("alerts_open").labels(severity).set(count)
        for state in SHOWN_STATES:
            made.gauge("oncall_incidents").labels(state).set(sum(row["state"] == state for row in rows))
        self._show_incidents(rows)
        self._show_rota()
        self.metrics.made.gauge("oncall_waiting_messages").set(waiting)
        self.metrics.made.gauge("oncall_disagreements").set(len(self.engine.disagreements))
        opened = self.hours.at(self.clock()).open
        for site in self._town.sites:
            self.metrics.set("site_open", float(site.site in opened), site.site)
        self.metrics.made.gauge("watchdog_beat_timestamp_seconds").set(self.engine.beat)

    def _show_incidents(self, rows: Iterable[Row]) -> None:
        """Which incidents are not over, since when, and who looks after each."""
        opened = self.metrics.made.gauge("oncall_incident_opened_timestamp_seconds")
        opened.clear()
        for row in rows:
            if row["state"] in LIVE:
                cause = row["key"].partition("/")[2]
                labels = (self._town.town, row["site"], cause, row["severity"], row["state"], row["owner"])
                opened.labels(*labels).set(row["opened_at"])

    def _show_rota(self) -> None:
        """Who is on call and for how long, how calls are answered; every quarter of a minute: it takes some reading."""
        now = self.clock()
        if 0 <= now - self._rota_shown < ROTA_SECONDS:
            return
        self._rota_shown = now
        self._reserve.fill()
        self._follow_rests()
        duty, left = (
            self.metrics.made.gauge("oncall_duty_info"),
            self.metrics.made.gauge("oncall_turn_remaining_seconds"),
        )
        after = self.metrics.made.gauge("oncall_next_info")
        for gauge in (duty, left, after):
            gauge.clear()
        at = datetime.fromtimestamp(now, UTC)
        for level, person in self.roster.duty(at).items():
            duty.labels(str(level), person.name).set(1)
            turn = self.roster.turn(at, level)
            left.labels(str(level)).set(turn.ends.timestamp() - now)
            if level in (following := self.roster.duty(turn.ends)):
                after.labels(str(level), following[level].name).set(1)
        self._happenings.show(self.metrics, now)
        with self.engine.book.look() as entries:
            show_readiness(entries, self.metrics, [person.name for person in self._town.people], now)

    def _follow_rests(self) -> None:
        """Take those off duty who are owed their weekly rest: sheets are written by a program beside this one."""
        owed = tuple(rests_of(self.engine.book, self.roster.zone))
        if owed != self.roster.rests:
            self.engine.policy = replace(self.engine.policy, roster=replace(self.roster, rests=owed))

    @property
    def _grace(self) -> float:
        return GRACE_POLLS * self.settings.alertmanager_poll


def _same(work: Work) -> tuple[float, tuple[str, ...]]:
    return work.starts, work.of


def _fetch(base_url: str) -> bytes:
    status, body = exchanged(base_url + "/api/v2/alerts", LISTING_SECONDS, most=MAX_LISTING_BYTES)
    if status != http.client.OK:
        raise http.client.HTTPException(f"answered {status}")
    return body


def _key(path: Path) -> bytes:
    """The key of the links, made at the first start and kept: links outlive a restart. One cut short is made anew."""
    if path.exists() and path.stat().st_size != KEY_OCTETS:
        path.unlink()
    write_once(path, os.urandom(KEY_OCTETS), 0o600)
    return path.read_bytes()
