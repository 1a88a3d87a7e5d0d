"""What the visitor reports, checked; the newest of each site is shown as metrics for as long as it is fresh."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from monitor.guests import MOST_SUSPECTS, Hazard
from monitor.instruments import MonitorMetrics
from monitor.intruders import Place, nearest, place_of
from monitor.signals import Visited
from parvis.inventory import Town
from parvis.values import Mac

FRESH_SECONDS = 200.0
"""Three visits missed: what the last one found is not known to hold any more."""


Where = Callable[[str, str], list[tuple[str, str]]]


class Step(BaseModel):
    """One step of a visit; *wrong* is empty when it went as it must."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z0-9-]{1,30}$")
    seconds: float = Field(ge=0, le=300, allow_inf_nan=False)
    wrong: str = Field("", max_length=400)


class Report(BaseModel):
    """One visit: its steps in order, and how many devices do what must not be done on the residents' network."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    site: str = Field(max_length=64)
    steps: tuple[Step, ...] = Field(min_length=1, max_length=40)
    hazards: Mapping[Hazard, Annotated[int, Field(ge=1, le=100_000)]] = {}
    suspects: Mapping[Hazard, Annotated[tuple[Mac, ...], Field(max_length=MOST_SUSPECTS)]] = {}
    frames: int = Field(0, ge=0)
    frames_dropped: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _each_step_once(self) -> "Report":
        names = [step.name for step in self.steps]
        if len(set(names)) < len(names):
            raise ValueError("a step is there twice")
        return self

    @property
    def wrong(self) -> Step | None:
        """The step that failed; None when the resident got in and out again."""
        return next((step for step in self.steps if step.wrong), None)


class StrangeSite(Exception):
    """The report is of a site the town does not have."""


class Visits:
    """The newest report of each site. Safe to use from several threads."""

    def __init__(self, town: Town, metrics: MonitorMetrics, where: Where = lambda _site, _mac: []) -> None:
        """*where*: asks the site's switches behind which ports an address is."""
        self._sites = {site.site: site for site in town.sites}
        self._where = where
        self._places: dict[str, tuple[str, ...]] = {}
        self._metrics = metrics
        self._lock = threading.Lock()
        self._newest: dict[str, tuple[float, Report]] = {}
        self._heard_at: dict[str, float] = {}

    def take(self, report: Report, now: float) -> None:
        """Show *report*, heard at *now* (Unix time). StrangeSite."""
        if report.site not in self._sites:
            raise StrangeSite(report.site)
        found = self._located(report)
        report = report.model_copy(update={"suspects": {}})
        with self._lock:
            self._hide(report.site)
            self._places[report.site] = tuple(place.words for place in found)
            for place in found:
                self._metrics.set("guest_hazard_place_info", 1.0, *place.labels)
            self._newest[report.site] = now, report
            self._heard_at[report.site] = now
            self._show(report, now)

    def newest(self, site: str) -> tuple[float, Report] | None:
        """The newest report of *site* while it is fresh, and when it was heard."""
        return self._newest.get(site)

    def visited(self, now: float) -> tuple[dict[str, Visited], dict[str, float]]:
        """The fresh visits by site, as the checks read them, and when the newest of each was heard, however old."""
        with self._lock:
            young = {site: report for site, (at, report) in self._newest.items() if _is_fresh(at, now)}
            fresh = {site: _in_short(report, self._places.get(site, ())) for site, report in young.items()}
            return fresh, dict(self._heard_at)

    def _located(self, report: Report) -> list[Place]:
        """Behind which ports the intruders of *report* are, as far as switches say."""
        site = self._sites[report.site]
        sought = [(hazard, mac.text) for hazard, macs in report.suspects.items() for mac in macs]
        found = [
            place_of(site, hazard, device, port)
            for hazard, mac in sought
            for device, port in self._where(site.site, mac)
        ]
        return nearest(site, found)

    def forget(self) -> bool:
        """Show no more what is older than it may be; always True, a round of the monitor's."""
        now = time.time()
        with self._lock:
            for site in [site for site, (at, _) in self._newest.items() if not _is_fresh(at, now)]:
                self._hide(site)
        return True

    def _show(self, report: Report, now: float) -> None:
        site = report.site
        self._metrics.set("visitor_success", float(report.wrong is None), site)
        self._metrics.set("visitor_last_report_timestamp_seconds", now, site)
        for step in report.steps:
            self._metrics.set("visitor_step_success", float(not step.wrong), site, step.name)
            if not step.wrong:
                self._metrics.set("visitor_step_seconds", step.seconds, site, step.name)
        for hazard in Hazard:
            self._metrics.set("guest_hazard_devices", float(report.hazards.get(hazard, 0)), site, hazard.value)

    def _hide(self, site: str) -> None:
        """The moment of the last report stays: how old it is tells that the visitor is silent."""
        _, report = self._newest.pop(site, (0.0, None))
        if report is None:
            return
        self._metrics.set("visitor_success", None, site)
        for step in report.steps:
            self._metrics.set("visitor_step_success", None, site, step.name)
            self._metrics.set("visitor_step_seconds", None, site, step.name)
        for hazard in Hazard:
            self._metrics.set("guest_hazard_devices", None, site, hazard.value)
        self._metrics.clear("guest_hazard_place_info", site)


def _is_fresh(at: float, now: float) -> bool:
    """Whether a report of *at* still holds; of one that is later than *now* nobody knows: the clock was set back."""
    return 0 <= now - at < FRESH_SECONDS


def _in_short(report: Report, places: tuple[str, ...]) -> Visited:
    dns = next((not step.wrong for step in report.steps if step.name == "dns"), None)
    return Visited(
        report.wrong.name if report.wrong else "", dns, tuple(hazard.value for hazard in report.hazards), places
    )
