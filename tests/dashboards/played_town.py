"""The whole town on a clock of the test's own: what Prometheus would have scraped, for each fault, as lines to fill it.

Access points and switches are the twin's, polled by our poller; findings, light and board are the rooms' own. Each
fault has weeks of its own, at the same hours: one Prometheus holds them all, and each can be laid beside the quiet one.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import sin
from pathlib import Path

from played_devices import BREAKS_AT, MODULES, SILENT, STEP_SECONDS, STEPS
from played_door import OWN, WAY_IN, bare, evening
from played_faults import (
    ALARMS,
    BATTERY,
    BEHIND_SWITCH,
    GATEWAY,
    LINK,
    LOST,
    POINT,
    REFUSALS,
    REFUSED,
    SILENCES,
    SITE,
    SWITCH,
)

from collectors.board import Board
from collectors.device import Failed, Outcome, Polled, devices
from collectors.fibre import reference
from collectors.fibre.history import History, Light
from collectors.fibre.span import links
from collectors.fibre.watch import Watch, save_history
from collectors.sample import Sample
from collectors.snmp.transport import Traffic
from collectors.web import Questions
from monitor.exposition import Figure
from monitor.findings import Finding, judge
from monitor.hindrances import AT_THE_DOOR, Hindrance, hindrances
from monitor.incidents import Alert, key_of
from monitor.instruments import MonitorMetrics
from monitor.mains import Mains
from monitor.observations import Outcome as Echo
from monitor.observations import Sample as Heard
from monitor.signals import Signals
from monitor.sites import views
from monitor.targets import targets
from monitor.town_metrics import show_town
from parvis.alerts import alerts
from parvis.inventory import Town

BEGAN = 1_775_030_400.0
"""A Wednesday at 8:00 UTC."""
APART_SECONDS = 98 * 86400.0
"""Between two faults, back in time: longer than any panel looks back, and whole weeks."""
SUNDAY = 7
COUNTED = ("_total", "_bucket", "_sum", "_count", "_info", "_timestamp_seconds")
FAIR = "Fête de l'été"
ODD = "Médiathèque « l'été » (annexe + 1)"
"""A name nobody expects: a site like SITE under it shows what the reader's choices become in a query."""


@dataclass
class Run:
    """The town under one fault (empty: none), as lines of text for Prometheus."""

    town: Town
    fault: str
    number: float
    folder: Path
    quiet: Mapping[str, list[Outcome]]
    ailing: Mapping[str, list[Outcome]] = field(default_factory=dict)
    doubled: bool = False
    """Whether SITE is there once more, as ODD."""
    crowd: int = 0
    """How often SITE is there besides, each time with equipment of its own that is the busiest at another moment."""
    outlet: Callable[[list[Sample]], None] | None = None
    """Where the collectors' figures go besides: to InfluxDB."""

    @property
    def begins(self) -> float:
        """Unix time of its first scrape."""
        return BEGAN - self.number * APART_SECONDS

    @property
    def ends(self) -> float:
        """Unix time of its last scrape."""
        return self.begins + (STEPS - 1) * STEP_SECONDS

    def lines(self) -> Iterator[str]:
        """Every sample, in the order of time."""
        self._set_up()
        for step in range(STEPS):
            at = self.begins + step * STEP_SECONDS
            for line in self._scrape(step, at):
                yield f"{line} {at:.3f}"
                if self.doubled and f'site="{SITE}"' in line:
                    yield f"{line.replace(SITE, ODD)} {at:.3f}"
                if self.crowd and f'site="{SITE}"' in line:
                    yield from (f"{_another(line, number, step)} {at:.3f}" for number in range(self.crowd))

    def _set_up(self) -> None:
        asked = [one for one in devices(self.town) if one.name in self.quiet]
        self._board = Board(asked, 180)
        self._devices = {one.name: one for one in asked}
        self._questions = Questions(self._board, MODULES, lambda: self._now, gzip=False)
        self._metrics = MonitorMetrics(self.town.town)
        show_town(self.town, self._metrics)
        for weekday in range(1, 8):
            for hour in range(24):
                crowd = (1 + sin(hour)) * 20 * (weekday < SUNDAY)
                self._metrics.set("town_clients_typical", crowd, str(weekday), f"{hour:02d}")
        self._findings: list[Finding] = []
        self._hindered: Mapping[str, Hindrance] = {}
        self._mains = Mains()
        self._newest = self.begins
        self._sent = dict.fromkeys(self._devices, Traffic())
        days = _days(self.folder / f"optics-{self.number}", self.begins)
        self._light = Watch(links(self.town), self._board, days, self.outlet)

    def _scrape(self, step: int, at: float) -> Iterator[str]:
        self._now = at + 5
        broken = {self.fault} if self.fault and step >= BREAKS_AT else set()
        silent = self._silent() if broken else set()
        self._poll(step, at, silent, broken)
        yield from self._of_collectors(at, broken)
        yield from self._of_monitor(step, at, silent, broken)
        yield from self._of_doors(step, at, silent, broken)
        yield from self._of_others(at, broken)

    def _silent(self) -> set[str]:
        """What answers nobody while the fault lasts."""
        if self.fault == "centre-isolated":
            return {*self._devices, *(each.name for each in targets(self.town))}
        return set(SILENCES.get(self.fault, ()))

    def _poll(self, step: int, at: float, silent: set[str], broken: set[str]) -> None:
        for place, (name, device) in enumerate(self._devices.items()):
            outcome = self.quiet[name][step]
            if name in self.ailing and step >= BREAKS_AT - 1:
                outcome = self.ailing[name][step - BREAKS_AT + 1]
            outcome = REFUSED if "agent-silent" in broken and name == POINT else _dated(outcome, at)
            outcome = SILENT if name in silent else outcome
            before = self._sent[name]
            lost = isinstance(outcome, Failed)
            self._sent[name] = Traffic(before.sent + 4, before.resent + 3 * lost, before.timeouts + 4 * lost)
            taken = 4.5 if lost else 0.1 + place / 50
            standing = self._board.put(device, outcome, at, taken, 20, self._sent[name])
            if self.outlet:
                told = () if isinstance(outcome, Failed) else outcome.samples
                self.outlet([*told, *standing.own_samples(at)])
        self._light.look(at)

    def _of_collectors(self, at: float, broken: set[str]) -> Iterator[str]:
        yield f'up{{job="collectors",instance="127.0.0.1:9203",town="cachan"}} {int("collectors-dead" not in broken)}'
        if "collectors-dead" in broken:
            return
        away = "influx-away" in broken
        own = 'job="collectors",instance="127.0.0.1:9203"'
        yield from _told(self._board.metrics(self._now, {"sent": 4}, self._light.own_samples(at)), own)
        yield f"influx_up{{{own}}} {int(not away)}"
        yield f"influx_spool_bytes{{{own}}} {int(at - self.begins) * 1000 if away else 0}"
        if away:
            yield f"influx_spool_oldest_timestamp_seconds{{{own}}} {self.begins + BREAKS_AT * STEP_SECONDS}"
        yield f'influx_lines_total{{{own},outcome="dropped"}} 0'
        yield f'process_info{{{own},process="collectors",version="0.1.0"}} 1'
        yield from _of_process(own, at)
        for name in self._devices if self.doubled else ():
            yield from self._compatible(name)

    def _compatible(self, name: str) -> Iterator[str]:
        """As a Prometheus that has asked snmp_exporter so far scrapes one device."""
        standing = self._board.find(name)
        if standing and standing.up and standing.polled and standing.polled.modules:
            module = ",".join(each.removeprefix("compatible_") for each in standing.polled.modules)
            answer = b"".join(
                self._questions(
                    {"PATH_INFO": "/snmp", "QUERY_STRING": f"target={name}&module={module}"}, lambda *_: None
                )
            )
            yield from _told(answer.decode(), f'job="snmp",instance="{name}"')

    def _of_monitor(self, step: int, at: float, silent: set[str], broken: set[str]) -> Iterator[str]:
        heard = [self._heard(name, at) for name in self._devices] if "collectors-dead" not in broken else []
        for third in range(3):
            away = {LINK, GATEWAY, *BEHIND_SWITCH} if "link-flaps" in broken and third == 0 else silent
            echoes = [self._echo(each.name, step, away, broken) for each in targets(self.town)]
            self._findings = judge(self.town, echoes, heard, self._findings, at - 60 + third * 20)
        told = {alerts()[ALARMS[fault]].layer for fault in broken if ALARMS.get(fault) in alerts()}
        beyond = {SITE: "internet-cut" not in broken}
        self._hindered = hindrances(self._hindered, beyond, {SITE} if told.intersection(AT_THE_DOOR) else set(), at)
        sites = views(self.town, self._findings, heard, self._hindered)
        if any(each.up for each in heard):
            self._newest = at
        self._metrics.show(self._findings, sites, self._now - self._newest if heard else None)
        self._metrics.set("maintenance_active", float("work-announced" in broken), SITE, "")
        self._supply(at)
        self._visits(at, silent, broken)
        self._duty(at, broken)
        own = 'job="monitor",instance="127.0.0.1:9204"'
        yield f'up{{{own},town="cachan"}} 1'
        yield from (f"{name}{{{own}{rest}" for name, rest in bare(self._metrics.registry))
        yield from _of_process(own, at, ahead=3600.0 if "clock-off" in broken else 0.25)

    def _supply(self, at: float) -> None:
        standing = self._board.find(BATTERY)
        polled = standing.polled if standing and standing.up else None
        if polled and standing and standing.last_success:
            place = {"site": SITE, "device": BATTERY}
            told = [Figure(each.metric, place, each.value) for each in polled.samples]
            told.append(Figure("snmp_poll_last_success_timestamp_seconds", place, standing.last_success))
            self._mains = self._mains.after(self.town, self._findings, Signals(tuple(told)), at)
        if (fed := self._mains.known.get(BATTERY)) is not None:
            self._metrics.set("mains_up", float(fed), SITE, BATTERY)

    def _heard(self, name: str, at: float) -> Heard:
        standing = self._board.find(name)
        polled = standing.polled if standing and standing.up else None
        clients = polled.clients if isinstance(polled, Polled) and standing.device.kind == "access-point" else None
        return Heard(name, bool(polled), "", at if polled else None, clients)

    def _echo(self, name: str, step: int, silent: set[str], broken: set[str]) -> Echo:
        if name in silent:
            return Echo(name, False, 1.0)
        if name == LINK and broken & {"link-loses", "link-flaps"}:
            return Echo(name, True, LOST, 0.030 + 0.001 * sin(step), 0.012)
        return Echo(name, True, 0.0, 0.008 + 0.001 * sin(step), 0.0004)

    def _visits(self, at: float, silent: set[str], broken: set[str]) -> None:
        steps = WAY_IN["visitor"]
        for site in self.town.sites:
            here = site.site == SITE
            gone = site.uplink.name in silent
            wrong = next((step for fault, step in REFUSALS.items() if here and fault in broken), "")
            reached = steps[: steps.index(wrong) + 1] if wrong else steps
            show = self._metrics.set
            show("visitor_success", None if gone else float(not wrong), site.site)
            show("visitor_last_report_timestamp_seconds", at - 20, site.site)
            for each in steps:
                known = each in reached and not gone
                won = known and each != wrong
                show("visitor_step_success", float(won) if known else None, site.site, each)
                show("visitor_step_seconds", 0.05 if won else None, site.site, each)
            show("guest_hazard_devices", float(here and "rogue-dhcp" in broken), site.site, "rogue-dhcp")
            show("site_open", 1.0, site.site)

    def _duty(self, at: float, broken: set[str]) -> None:
        made = self._metrics.made
        self._metrics.set("town_event_info", 1.0, SITE, FAIR)
        name, severity, where = self._alarm(broken)
        for each in ("page", "page-jour", "ticket"):
            made.gauge("alerts_open").labels(each).set(float(bool(name) and each == severity))
        for state in ("open", "acknowledged", "snoozed", "resolved"):
            made.gauge("oncall_incidents").labels(state).set(float(bool(name) and state == "acknowledged"))
        opened = made.gauge("oncall_incident_opened_timestamp_seconds")
        opened.clear()
        if name:
            opened.labels(self.town.town, where, name, severity, "acknowledged", "agent-1").set(
                self.begins + BREAKS_AT * STEP_SECONDS
            )
        made.gauge("oncall_called_incidents").labels("no").set(1)
        made.gauge("oncall_duty_info").labels("1", "agent-1").set(1)
        made.gauge("oncall_next_info").labels("1", "agent-2").set(1)
        made.gauge("oncall_turn_remaining_seconds").labels("1").set(self.begins + 86400 - at)
        lost = "phone-dead" in broken
        made.counter("oncall_messages_total").labels("sms", "failed").inc(int(lost))
        made.counter("oncall_messages_total").labels("mail", "accepted").inc(int(lost or severity.startswith("page")))
        made.gauge("oncall_waiting_messages").set(float(lost))
        made.gauge("oncall_sms_credits").labels("ovh").set(120)
        for quantile, minutes in (("0.5", 4), ("0.9", 11)):
            made.gauge("oncall_acknowledge_seconds").labels(quantile).set(60 * minutes)
            made.gauge("oncall_recovery_seconds").labels(quantile).set(600 * minutes)
        for channel in ("sms", "mail"):
            made.gauge("oncall_test_success").labels(channel).set(float(not (lost and channel == "sms")))
            made.gauge("oncall_test_timestamp_seconds").labels(channel).set(self.begins - 86400)
        beat = self.begins + BREAKS_AT * STEP_SECONDS if "beat-lost" in broken else at
        made.gauge("watchdog_beat_timestamp_seconds").set(beat - 10)
        made.counter("alert_refusals_total").labels("unproven").inc(int("beat-lost" in broken))

    def _alarm(self, broken: set[str]) -> tuple[str, str, str]:
        """The alert of the fault, how urgent it is at SITE, and its site; the engine's own is of no rule."""
        name = ALARMS.get(self.fault, "") if broken else ""
        if name not in alerts():
            return name, "page" if name else "", ""
        known = alerts()[name]
        return name, known.severity_at(self.town.site(SITE).site_class), SITE if known.scope == "site" else ""

    def _of_doors(self, step: int, at: float, silent: set[str], broken: set[str]) -> Iterator[str]:
        for place, site in enumerate(self.town.sites):
            here = site.site == SITE
            beyond = tuple(str(address) for address in self.town.beyond(site))
            pages = evening(2 + place, self.fault if here else "", STEPS, BREAKS_AT, beyond)[step]
            for job, samples in pages.items():
                own = f'job="{job}",instance="{site.gateway.address}:9201",town="cachan",site="{site.site}"'
                own += f',device="{site.gateway.name}"'
                dead = site.uplink.name in silent or (here and f"{job}-dead" in broken)
                yield f"up{{{own}}} {int(not dead)}"
                if not dead:
                    yield from (f"{name}{{{own}{rest}" for name, rest in samples)
                    yield from _of_process(own, at)

    def _of_others(self, at: float, broken: set[str]) -> Iterator[str]:
        yield 'up{job="console",instance="127.0.0.1:9205",town="cachan"} 1'
        yield 'prometheus_tsdb_head_series{job="prometheus"} 4200'
        yield 'prometheus_rule_evaluation_failures_total{job="prometheus"} 0'
        yield 'prometheus_rule_group_last_duration_seconds{job="prometheus"} 0.02'
        yield f'prometheus_tsdb_head_samples_appended_total{{job="prometheus"}} {280 * (at - self.begins):.0f}'
        yield 'alertmanager_silences{job="alertmanager",state="active"} 0'
        yield 'ALERTS{alertname="Watchdog",alertstate="firing",severity="none",town="cachan"} 1'
        yield 'ALERTS{alertname="LienSature",alertstate="firing",severity="ticket",site="bibliotheque-centrale"} 1'
        name, severity, where = self._alarm(broken)
        if name in alerts():
            yield f'ALERTS{{alertname="{name}",severity="{severity}",site="{where}",alertstate="firing"}} 1'


def _another(line: str, number: int, step: int) -> str:
    """*line* of a site like SITE; a figure that is no truth and no counter differs, the highest is another's each time.

    >>> _another('x{site="leo-lagrange",device="ap-lagrange"} 10', 2, 3)
    'x{site="leo-lagrange-2",device="ap-lagrange-2"} 13.8'
    """
    series, _, value = line.replace("lagrange", f"lagrange-{number}").rpartition(" ")
    metric = series.partition("{")[0]
    if metric.endswith(COUNTED) or value in {"0", "1", "0.0", "1.0"}:
        return f"{series} {value}"
    return f"{series} {float(value) * (1 + 0.02 * ((5 * number + 3 * step) % 20)):g}"


def _cause(name: str, site: str) -> str:
    """What the on-call engine calls the cause of an incident that the alert *name* opens."""
    layer = alerts()[name].layer if name in alerts() else "monitoring"
    return key_of(Alert(name, site, "", "", layer, "", "", "", 0.0)).partition("/")[2]


def _dated(outcome: Outcome, at: float) -> Outcome:
    """The poll as if it had been made at *at*."""
    if isinstance(outcome, Failed):
        return outcome
    return replace(outcome, samples=replace(outcome.samples, at=at))


def _told(text: str, own: str) -> Iterator[str]:
    """The samples of a page, with the labels Prometheus adds; none of those of the test's own process."""
    for line in text.splitlines():
        if not line.startswith("#") and not OWN.search(line):
            name, brace, rest = line.partition("{")
            if brace:
                yield f"{name}{{{own},{rest}"
            else:
                name, _, value = line.rpartition(" ")
                yield f"{name}{{{own}}} {value}"


def _of_process(own: str, at: float, ahead: float = 0.25) -> Iterator[str]:
    yield f"process_resident_memory_bytes{{{own}}} 40000000"
    yield f"process_cpu_seconds_total{{{own}}} 12"
    yield f"clock_timestamp_seconds{{{own}}} {at + ahead:.3f}"
    yield f'state_disk_free_bytes{{{own},folder="state"}} {9e9 - at % 86400 * 1e4:.0f}'
    yield f'state_disk_size_bytes{{{own},folder="state"}} 20000000000'


def _days(folder: Path, now: float) -> Path:
    """Thirty days of light that falls, and what it was when the fibre was taken over."""
    history, light = History(), Light(SWITCH, "25", "", "rx")
    for day in range(30, 0, -1):
        history.note(light, now - day * 86400, -8.0 - (30 - day) * 0.05)
    save_history(folder, history)
    rows = [reference.Reference(at=now - 40 * 86400, dbm=-7.5, **light._asdict())]
    reference.append(folder, rows)
    return folder
