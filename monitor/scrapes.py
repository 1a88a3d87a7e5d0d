"""What the collectors and each site's gateway show on ``/metrics``, read every so often and kept."""

import time
import zlib
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from monitor.collectors import CollectorsSilent, fetch
from monitor.exposition import Figure, NoMetrics, figures, named, of_device
from monitor.history.series import OF_COLLECTORS, OF_PORTAL
from monitor.settings import MonitorSettings
from monitor.signals import WANTED_OF_COLLECTORS, WANTED_OF_GATEWAY
from parvis.inventory import Town, Uplink
from parvis.processes import EVIDENCE, GATEWAYD, PORTAL

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
        """Everything the page says of one device, and of an access point that another device speaks for."""
        return self._told(of_device(name))

    def light(self, uplink: Uplink) -> tuple[Figure, ...]:
        """Everything it says of the module of *uplink* and of its span."""
        here, span = of_device(uplink.switch), f'uplink="{uplink.name}"'
        return self._told(lambda line: line.startswith("optical_") and (here(line) or span in line))

    def _told(self, wanted: Callable[[str], bool]) -> tuple[Figure, ...]:
        return figures(zlib.decompress(self.page).decode("utf-8", "replace"), wanted) if self.page else ()


class Scrapes:
    """The newest scrape of the collectors and each gateway's processes; it is whole, and stays when the next fails."""

    def __init__(self, town: Town, settings: MonitorSettings) -> None:
        self._town = town
        self._settings = settings
        self.collectors = Scrape()
        self.portals: Mapping[str, Scrape] = {site.site: Scrape() for site in town.sites}
        self.gatewayds: Mapping[str, Scrape] = {site.site: Scrape() for site in town.sites}
        self.recorders: Mapping[str, Scrape] = {site.site: Scrape() for site in town.sites}

    def once(self) -> bool:
        """Read the collectors; False when they do not answer."""
        settings, names = self._settings, {*OF_COLLECTORS, *WANTED_OF_COLLECTORS}
        self.collectors = _read(settings.collectors_url, settings.collectors_timeout, names, self.collectors)
        return not self.collectors.wrong

    def gateways(self) -> bool:
        """Read each gateway's processes: small pages, read more often, because somebody waits for what they say."""
        names = {*OF_PORTAL, *WANTED_OF_GATEWAY}
        with ThreadPoolExecutor(AT_ONCE, "scrape") as pool:
            asked = {
                (process.name, site.site): pool.submit(
                    _read,
                    f"http://{site.gateway.address}:{process.port}",
                    self._settings.collectors_timeout,
                    names,
                    before[site.site],
                )
                for site in self._town.sites
                for process, before in ((PORTAL, self.portals), (GATEWAYD, self.gatewayds), (EVIDENCE, self.recorders))
            }
        found = {key: future.result() for key, future in asked.items()}
        self.portals = {site: one for (process, site), one in found.items() if process == PORTAL.name}
        self.gatewayds = {site: one for (process, site), one in found.items() if process == GATEWAYD.name}
        self.recorders = {site: one for (process, site), one in found.items() if process == EVIDENCE.name}
        return True


def _read(url: str, timeout: float, names: Collection[str], before: Scrape) -> Scrape:
    try:
        body = fetch(url, timeout, "/metrics", MOST_BYTES)
        seen = figures(body.decode("utf-8", "replace"), named(names))
    except (CollectorsSilent, NoMetrics) as error:
        return Scrape(before.at, before.figures, before.page, str(error))
    return Scrape(time.time(), seen, zlib.compress(body, 1), "")
