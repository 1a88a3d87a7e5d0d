"""Writes down what the watch sees: the ring at each step, a roll-up every five minutes, spells and outages."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from zoneinfo import ZoneInfo

from monitor.findings import Finding, State
from monitor.history import series
from monitor.history.blocks import FIVE_MINUTES, HOUR, Block, rolled
from monitor.history.ring import SPAN_SECONDS, Ring
from monitor.history.typical import typical
from monitor.instruments import MonitorMetrics
from monitor.planned import Work, touched
from monitor.rounds import Rounds
from monitor.scrapes import Scrape, Scrapes
from monitor.settings import MonitorSettings
from monitor.sla.desk import Desk
from monitor.sla.hours import Span
from monitor.sla.outages import NOWHERE, Cause, Outage, announced, presumed_cause
from monitor.sla.throughput import Load, starved
from monitor.sla.tracking import Began, Leads, steps
from monitor.store_history import History
from monitor.store_outages import Register
from monitor.targets import Kind
from monitor.watch import Picture
from parvis.inventory import Town
from parvis.inventory.planned import MOST_SECONDS
from parvis.running import log

HISTORY_FILE = "history.sqlite"
STEP_SECONDS = 20.0
GAP_SECONDS = 90.0
"""What has not been seen for so long was not measured in between."""
FORGET_SECONDS = 86400.0
TYPICAL_SECONDS = 28 * 86400.0
USUAL_SECONDS = 7 * 86400.0
LATELY_SECONDS = 600.0
TURNED_SECONDS = LATELY_SECONDS / 2
"""A median over that time has turned once half of it is so."""
NOWHERE_SECONDS = 45.0
"""A gateway whose link has just come back needs so long to see what is beyond it."""
_SEEN = (State.UP, State.DEGRADED, State.DOWN)


class Recorder:
    """The ring, the file and the register of one town; nothing runs before :meth:`running`."""

    def __init__(
        self,
        town: Town,
        settings: MonitorSettings,
        metrics: MonitorMetrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._town = town
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self.ring = Ring(max(STEP_SECONDS, settings.probe_interval))
        self.history = History(settings.state / HISTORY_FILE)
        self.register = Register(self.history)
        self.scrapes = Scrapes(town, settings)
        self._desk = Desk(town, self.history, self.register)
        self._taken: dict[str, Scrape] = {}
        self._seen = 0.0
        self._slot: int | None = None
        self._tidied = 0
        self._forgotten = 0.0
        promised = [(s.uplink, s.uplink.line.sla) for s in town.sites if s.uplink.line and s.uplink.line.sla]
        self._partial = {uplink.name: sla.partial_loss for uplink, sla in promised}
        self._sold = {uplink.name: (uplink.capacity / series.MEGABIT, sla.partial_rate) for uplink, sla in promised}
        self._usual_rtt: dict[str, float] = {}
        self.beyond: Callable[[], Mapping[str, bool]] = dict
        """Whether anything beyond its uplink answers a site's gateway, where that is known; who gathers it gives it."""
        self.works: Callable[[float, float], Sequence[Work]] = lambda _since, _before: ()
        """Announced work that touches a span of time; who keeps it gives it."""
        self._leads: dict[str, Leads] = {}
        self._starving: dict[str, float] = {}
        """By uplink: since when it delivers far less than was sold."""

    @contextmanager
    def running(self, picture: Callable[[], Picture]) -> Iterator[None]:
        """The loops run while inside. *picture*: what the watch knows."""
        made = self._metrics.made
        with ExitStack() as stack:
            settings = self._settings
            stack.enter_context(Rounds("scrape", settings.scrape_interval, self.scrapes.once, made).turns)
            stack.enter_context(Rounds("gateways", settings.gateway_interval, self.scrapes.gateways, made).turns)
            interval = settings.probe_interval
            stack.enter_context(Rounds("history", interval, lambda: self.note(picture()), made).turns)
            yield

    def note(self, seen: Picture) -> bool:
        """Write down one picture; one that is no news changes nothing. False: the picture is late."""
        now = self._clock()
        if seen.at and seen.at != self._seen:
            self._seen = seen.at
            self._outages(seen.findings, now)
            if self.ring.lacks(now):  # what was counted between two scrapes is told once: not to a step that is full
                self.ring.add(now, self._values(seen, now))
                self._spells(seen, now)
                self._starving = {name: self._starving.get(name, now - TURNED_SECONDS) for name in self._starved()}
        self._roll(now)
        self._metrics.made.gauge("monitor_history_series").set(len(self.ring))
        return bool(seen.at)

    def _values(self, seen: Picture, now: float) -> series.Values:
        found = series.of_probes(seen.outcomes, seen.findings)
        if not seen.heard.wrong:
            found |= series.of_devices(seen.heard.samples, seen.sites, now)
        return found | self._scraped()

    def _scraped(self) -> series.Values:
        """What was scraped since the last time."""
        found: series.Values = {}
        newest: Mapping[str, Scrape] = {**self.scrapes.portals, series.COLLECTORS: self.scrapes.collectors}
        for name, scrape in newest.items():
            before = self._taken.get(name, Scrape())
            if scrape.wrong or scrape.at == before.at:
                continue
            self._taken[name] = scrape
            if name != series.COLLECTORS:
                found |= series.of_portal(name, before.figures, scrape.figures)
                continue
            seconds = scrape.at - before.at
            found |= series.of_light(self._town, scrape.figures) | series.of_radios(scrape.figures)
            found |= series.of_polls(scrape.figures)
            found |= series.of_traffic(self._town, before.figures, scrape.figures, seconds)
        return found

    def _spells(self, seen: Picture, now: float) -> None:
        states = {one.target.name: one.state for one in seen.findings if one.target.kind is Kind.UPLINK}
        states |= {view.site.site: view.state for view in seen.sites}
        self.register.see(
            {subject: state.value for subject, state in states.items() if state in _SEEN}, now, GAP_SECONDS
        )

    def _outages(self, findings: Sequence[Finding], now: float) -> None:
        under_way, leads = self.register.under_way(), self._leading(now)
        for step in steps(findings, under_way, self._partial, self._starving, now - TURNED_SECONDS, leads):
            if isinstance(step, Began):
                self._begin(step, findings)
            else:
                ended = self.register.change(step.number, verified_at=min(step.verified_at, now))
                self._exclude(ended, ended.span(now))
                log.info("outage over", number=step.number)

    def _leading(self, now: float) -> dict[str, Leads]:
        """Whether each uplink leads somewhere; that it does not is believed once it has lasted."""
        before, answers = self._leads, self.beyond()
        uplinks = {site.uplink.name: answers[site.site] for site in self._town.sites if site.site in answers}
        same = {name: one for name, one in before.items() if uplinks.get(name) == one.somewhere}
        self._leads = {name: same.get(name, Leads(well, now)) for name, well in uplinks.items()}
        return {name: one for name, one in self._leads.items() if one.somewhere or now - one.since >= NOWHERE_SECONDS}

    def _begin(self, step: Began, findings: Sequence[Finding]) -> None:
        links = [one for one in findings if one.target.kind is Kind.UPLINK and one.target.name != step.uplink]
        nowhere = {name for name, one in self._leads.items() if not one.somewhere}
        down = sum(one.state is State.DOWN or one.target.name in nowhere for one in links)
        evidence = self._evidence(step.uplink, findings, f"{down}/{len(links)}")
        evidence |= {NOWHERE: "down"} if step.nowhere else {}
        cause = Cause.PRESUMED if step.partial else presumed_cause(evidence, others_down=down, others=len(links))
        number = self.register.begin(
            step.uplink, step.detected_at, step.confirmed_at, partial=step.partial, cause=cause, evidence=evidence
        )
        self._exclude(self.register.outage(number), (step.detected_at, step.detected_at + MOST_SECONDS))
        log.warning("outage", number=number, uplink=step.uplink, partial=step.partial)

    def _exclude(self, outage: Outage, span: Span) -> None:
        """What falls into announced work on the link is no time of the operator's; residents feel it all the same."""
        site = next(site for site in self._town.sites if site.uplink.name == outage.uplink)
        ends = {site.uplink.name, site.gateway.name}
        begun = (one for one in self.works(*span) if one.starts <= self._clock())
        own = [one for one in begun if ends.intersection(touched(self._town, one))]
        self.register.exclude(outage.number, announced([((one.starts, one.ends), one.reason) for one in own], span))

    def _evidence(self, uplink: str, findings: Sequence[Finding], others: str) -> dict[str, str]:
        """What was known when it began (FIB-04): of the light, with its age, of the echoes, of everything else."""
        site = next(site for site in self._town.sites if site.uplink.name == uplink)
        scrape = self.scrapes.collectors
        found = {"others_down": others}
        if state := series.optical_state(site.uplink, scrape.figures):
            found |= {"optics": state, "optics_age_seconds": f"{max(0.0, self._clock() - scrape.at):.0f}"}
        light = series.of_light(self._town, scrape.figures).get(series.name("rx", uplink))
        if light is not None:
            found["rx_dbm"] = f"{light:.1f}"
        found |= self._beyond(site.site)
        if uplink in self._starving:
            carried = self._lately("in", uplink) + self._lately("out", uplink)
            found |= {
                "delivered_mbits": f"{max(carried, default=0.0):.0f}",
                "sold_mbits": f"{self._sold[uplink][0]:.0f}",
            }
        for finding in findings:
            if finding.target.site == site.site or finding.target.kind is Kind.INTERNET:
                found[finding.target.name] = finding.state.value
            if finding.target.name == uplink and finding.loss_ratio is not None:
                found["loss_percent"] = f"{finding.loss_ratio * 100:.0f}"
        return found

    def _beyond(self, site: str) -> dict[str, str]:
        """What the gateway last said of each address beyond its line, and how long ago."""
        scrape = self.scrapes.portals.get(site, Scrape())
        told = [one for one in scrape.figures if one.metric == "uplink_target_up"]
        found = {f"beyond {one.labels.get('target', '')}": "up" if one.value else "down" for one in told}
        return found | {"beyond_age_seconds": f"{max(0.0, self._clock() - scrape.at):.0f}"} if found else {}

    def _starved(self) -> Iterator[str]:
        """The uplinks that deliver far less than was sold, in one direction at least."""
        for uplink, (megabits, ratio) in self._sold.items():
            usual = self._usual_rtt.get(uplink)
            if usual is None:
                continue
            rtt = [milliseconds / 1000 for milliseconds in self._lately("rtt", uplink)]
            loads = (Load(self._lately(kind, uplink), rtt, usual) for kind in ("in", "out"))
            if any(starved(load, megabits, ratio) for load in loads):
                yield uplink

    def _lately(self, kind: str, uplink: str) -> list[float]:
        now = self._clock()
        return [value for _, value in self.ring.samples(series.name(kind, uplink), now - LATELY_SECONDS, now)]

    def _roll(self, now: float) -> None:
        """Write the slots that are over, each once; what the disk refuses is tried again while the ring has it."""
        slot = FIVE_MINUTES.slot_of(now)
        if self._slot is None or self._slot - slot > SPAN_SECONDS:  # the clock was set back, and the ring begins anew
            self._slot = slot
        oldest = FIVE_MINUTES.slot_of(now - SPAN_SECONDS) + FIVE_MINUTES.slot
        for start in range(max(self._slot, oldest), slot, FIVE_MINUTES.slot):
            self.history.write(start, self._blocks(start))
            self._slot = start + FIVE_MINUTES.slot
        if self._tidied != slot:
            self.history.tidy(now)
            if HOUR.slot_of(slot) != HOUR.slot_of(self._tidied):
                self._show_typical(now)
                self._learn_usual(now)
            for site in self._town.sites:
                used = self._desk.allowance_used(site, now)
                self._metrics.set("uplink_allowance_used_ratio", used, site.site, site.uplink.name)
            self._tidied = slot
        if not 0 <= now - self._forgotten <= FORGET_SECONDS:
            self.register.forget(now)
            self._forgotten = now

    def _show_typical(self, now: float) -> None:
        """The usual crowd of each hour of the week; once an hour, for nothing else changes it."""
        names = [series.name("clients", site.site) for site in self._town.sites]
        read = self.history.read(names, now - TYPICAL_SECONDS, now, HOUR)
        for (weekday, hour), clients in typical(read.values(), ZoneInfo(self._town.timezone)).items():
            self._metrics.set("town_clients_typical", clients, str(weekday), f"{hour:02d}")

    def _learn_usual(self, now: float) -> None:
        """What echoes of each uplink take when nothing waits: of a week's hours the lower quarter; once an hour."""
        names = {series.name("rtt", uplink): uplink for uplink in self._sold}
        read = self.history.read(list(names), now - USUAL_SECONDS, now, HOUR)
        found = {names[name]: sorted(block.middle for _, block in blocks) for name, blocks in read.items() if blocks}
        self._usual_rtt = {uplink: middles[len(middles) // 4] / 1000 for uplink, middles in found.items()}

    def _blocks(self, start: int) -> dict[str, Block]:
        found = {}
        for name in list(self.ring.names()):
            samples = (value for _, value in self.ring.samples(name, start, start + FIVE_MINUTES.slot))
            if (block := rolled(samples)) is not None:
                found[name] = block
        return found
