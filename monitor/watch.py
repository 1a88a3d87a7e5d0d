"""The watch: ask, judge, show, round after round. The newest picture is always whole."""

import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from monitor.collectors import CollectorsSilent, Heard, believable, fetch, samples
from monitor.findings import Finding, judge
from monitor.hindrances import Hindrance, hindrances
from monitor.instruments import MonitorMetrics
from monitor.observations import Outcome
from monitor.probes.icmp import Prober
from monitor.rounds import Rounds
from monitor.settings import MonitorSettings
from monitor.sites import SiteView, views
from monitor.targets import targets
from monitor.town_metrics import show_town
from parvis.echo import EchoForbidden
from parvis.inventory import Town
from parvis.running import log

LATE_ROUNDS = 3
"""Intervals without a finished round after which the picture is late."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What was known when a round ended at *at* (Unix time; 0: no round yet)."""

    at: float
    findings: Sequence[Finding] = ()
    sites: Sequence[SiteView] = ()
    heard: Heard = field(default_factory=lambda: Heard(0.0))
    outcomes: Sequence[Outcome] = ()


class Watch(AbstractContextManager["Watch"]):
    """Two loops, one that sends echoes and judges, one that reads the collectors; neither waits for the other."""

    def __init__(
        self,
        town: Town,
        settings: MonitorSettings,
        metrics: MonitorMetrics,
        planned: Callable[[float], Mapping[str, str]] = lambda _now: {},
    ) -> None:
        """*planned*: for which targets nobody is called at an instant, and why."""
        self._planned = planned
        self._town = town
        self._settings = settings
        self._metrics = metrics
        show_town(town, metrics)
        self._heard = Heard(0.0, wrong="not asked yet")
        self._prober: Prober | None = None
        self._forbidden = ""
        self._stack = ExitStack()
        self.picture = Picture(0.0, heard=self._heard)
        self.obstacles: Callable[[], tuple[Mapping[str, bool], AbstractSet[str]]] = lambda: ({}, set())
        """Of sites whose equipment answers: whether anything answers beyond the uplink, and where nobody new gets in;
        whoever gathers it gives it."""
        self._hindered: Mapping[str, Hindrance] = {}

    def __enter__(self) -> Self:
        made = self._metrics.made
        with ExitStack() as opening:
            opening.callback(self._close_prober)
            for part, work in (("collectors", self._listen), ("probe", self._probe)):
                opening.enter_context(Rounds(part, self._settings.probe_interval, work, made).turns)
            self._stack = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def late(self) -> str:
        """Empty while rounds end in time, else a sentence; a check for /healthz."""
        age = time.time() - self.picture.at
        if self.picture.at and age <= LATE_ROUNDS * self._settings.probe_interval:
            return ""
        return f"no round has ended for {age:.0f} s" if self.picture.at else "no round has ended yet"

    def forbidden(self) -> str:
        """Why echoes cannot be sent, empty when they can; a check for /healthz."""
        return self._forbidden

    def _listen(self) -> bool:
        at = time.time()
        try:
            heard = Heard(at, samples(fetch(self._settings.collectors_url, self._settings.collectors_timeout), at))
        except CollectorsSilent as error:
            if not self._heard.wrong:
                log.warning("collectors silent", error=str(error))
            self._heard = Heard(self._heard.at, self._heard.samples, str(error))
            return False
        if self._heard.wrong:
            log.info("collectors answer", devices=len(heard.samples))
        self._heard = heard
        return True

    def _probe(self) -> bool:
        outcomes = self._echoes()
        now = time.time()
        heard = self._heard
        believed = believable(heard, now, self._settings.data_max_age)
        policy, planned = self._settings.policy, self._planned(now)
        findings = judge(self._town, outcomes, believed, self.picture.findings, now, policy, planned)
        self._hindered = hindrances(self._hindered, *self.obstacles(), now)
        sites = views(self._town, findings, believed, self._hindered)
        self.picture = Picture(now, findings, sites, heard, outcomes)
        newest = None if heard.wrong else heard.newest
        self._metrics.show(findings, sites, None if newest is None else max(0.0, now - newest))
        return not self._forbidden

    def _echoes(self) -> list[Outcome]:
        prober = self._prober or self._open_prober()
        if prober is None:
            return []
        found = prober.round()
        self._metrics.count_echoes(prober.counts)
        prober.counts.clear()
        return found

    def _open_prober(self) -> Prober | None:
        settings = self._settings
        made = Prober(targets(self._town), timeout=settings.probe_timeout, window=settings.probe_window)
        try:
            self._prober = made.__enter__()
        except EchoForbidden as error:
            if not self._forbidden:
                log.warning("echoes forbidden", error=error.strerror)
            self._forbidden = str(error.strerror)
            return None
        self._forbidden = ""
        return self._prober

    def _close_prober(self) -> None:
        if self._prober is not None:
            self._prober.__exit__(None, None, None)
