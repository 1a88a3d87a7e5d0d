"""What the collectors and each site's portal show on ``/metrics``, read every so often and kept for the pages."""

import time
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from monitor.collectors import CollectorsSilent, fetch
from monitor.exposition import Figure, NoMetrics, figures, named, of_device
from monitor.history.series import OF_COLLECTORS, OF_PORTAL
from monitor.settings import MonitorSettings
from parvis.inventory import Town
from parvis.processes import PORTAL

MOST_BYTES = 60_000_000
"""The figures of some ten thousand devices."""
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Scrape:
    """What was read at *at* (Unix time; 0: never); *wrong* says why it could not be read last, else empty."""

    at: float = 0.0
    figures: tuple[Figure, ...] = ()
    page: bytes = b""
    wrong: str = "not asked yet"

    def device(self, name: str) -> tuple[Figure, ...]:
        """Everything the page says of one device."""
        return figures(zlib.decompress(self.page).decode("utf-8", "replace"), of_device(name)) if self.page else ()


class Scrapes:
    """The newest scrape of the collectors and of each portal; each is whole, and stays when the next one fails."""

    def __init__(self, town: Town, settings: MonitorSettings) -> None:
        self._town = town
        self._settings = settings
        self.collectors = Scrape()
        self.portals: Mapping[str, Scrape] = {site.site: Scrape() for site in town.sites}

    def once(self) -> bool:
        """Read them all; False when the collectors do not answer."""
        settings = self._settings
        self.collectors = _read(settings.collectors_url, settings.collectors_timeout, OF_COLLECTORS, self.collectors)
        with ThreadPoolExecutor(AT_ONCE, "scrape") as pool:
            asked = {
                site.site: pool.submit(
                    _read,
                    f"http://{site.gateway.address}:{PORTAL.port}",
                    settings.collectors_timeout,
                    OF_PORTAL,
                    self.portals[site.site],
                )
                for site in self._town.sites
            }
        self.portals = {name: future.result() for name, future in asked.items()}
        return not self.collectors.wrong


def _read(url: str, timeout: float, names: tuple[str, ...], before: Scrape) -> Scrape:
    try:
        body = fetch(url, timeout, "/metrics", MOST_BYTES)
        seen = figures(body.decode("utf-8", "replace"), named(names))
    except (CollectorsSilent, NoMetrics) as error:
        return Scrape(before.at, before.figures, before.page, str(error))
    return Scrape(time.time(), seen, zlib.compress(body, 1), "")
