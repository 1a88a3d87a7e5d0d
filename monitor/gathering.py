"""Puts together what the monitor knows beside its echoes: the newest scrapes and visits, as far as they are fresh."""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from monitor.exposition import Figure
from monitor.scrapes import Scrape, Scrapes
from monitor.signals import EVIDENCE, GATEWAYD, PORTAL, Signals
from monitor.visits import Visits
from parvis.inventory import Town

SESSIONS = "portal_sessions_active"


class Gathering:
    """The signals of *town*. *max_ages*: seconds for which a scrape of the collectors, and one of a gateway, holds.

    *visits* is None where nobody visits; *own*: what the monitor says of itself.
    """

    def __init__(
        self,
        town: Town,
        scrapes: Scrapes,
        visits: Visits | None,
        max_ages: tuple[float, float],
        clock: Callable[[], float],
        own: Callable[[], Iterable[Figure]] = tuple,
    ) -> None:
        self._town = town
        self._scrapes = scrapes
        self._visits = visits
        self._of_collectors, self._of_gateway = max_ages
        self._clock = clock
        self._own = own

    def signals(self) -> Signals:
        """What is known now."""
        now, scrapes = self._clock(), self._scrapes
        figures = list(scrapes.collectors.figures) if _fresh(scrapes.collectors, now, self._of_collectors) else []
        figures += self._own()
        gateways = {PORTAL: scrapes.portals, GATEWAYD: scrapes.gatewayds, EVIDENCE: scrapes.recorders}
        for pages in gateways.values():
            figures += self._of_gateways(pages, now)
        visits, visited_at = self._visits.visited(now) if self._visits else ({}, {})
        people = {f.labels["site"]: int(f.value) for f in figures if f.metric == SESSIONS}
        running = {(site, job): not page.wrong for job, pages in gateways.items() for site, page in pages.items()}
        asked = {key: well for key, well in running.items() if gateways[key[1]][key[0]].at or well}
        return Signals(tuple(figures), asked, visits, visited_at, people)

    def beyond(self) -> dict[str, bool]:
        """Whether anything beyond its uplink answers a site's gateway, by site, where that is known now."""
        return Signals(tuple(self._of_gateways(self._scrapes.portals, self._clock()))).beyond()

    def _of_gateways(self, pages: Mapping[str, Scrape], now: float) -> Iterator[Figure]:
        for site in self._town.sites:
            page = pages.get(site.site)
            if page and _fresh(page, now, self._of_gateway):
                yield from _placed(page.figures, {"site": site.site, "device": site.gateway.name})


def own_disk(folder: Path) -> tuple[Figure, ...]:
    """How full the disk is on which the monitor keeps its state."""
    used = shutil.disk_usage(folder)
    labels = {"job": "monitor", "folder": "state"}
    return (
        Figure("state_disk_free_bytes", labels, float(used.free)),
        Figure("state_disk_size_bytes", labels, float(used.total)),
    )


def _fresh(page: Scrape, now: float, max_age: float) -> bool:
    return not page.wrong and now - page.at <= max_age


def _placed(figures: Iterable[Figure], place: Mapping[str, str]) -> Iterator[Figure]:
    for figure in figures:
        yield Figure(figure.metric, {**figure.labels, **place}, figure.value)
