"""What the town leans on, asked once a minute: its upstream resolvers, certificates shown to the centre, SMS credit."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from monitor.dispatch import Dispatcher
from monitor.findings import State
from monitor.instruments import MonitorMetrics
from monitor.probes import dns, tls
from monitor.watch import Picture
from parvis.inventory import Site, Town
from parvis.processes import MANAGEMENT_PORT

INTERVAL_SECONDS = 60.0
TIMEOUT_SECONDS = 3.0
CREDIT_SECONDS = 3600.0
AT_ONCE = 8


class Surroundings:
    """Asks, and shows what was said as metrics. *picture*: a gateway that does not answer is not asked."""

    def __init__(
        self, town: Town, metrics: MonitorMetrics, picture: Callable[[], Picture], dispatcher: Dispatcher
    ) -> None:
        self._town = town
        self._metrics = metrics
        self._picture = picture
        self._dispatcher = dispatcher
        self._credit_at = float("-inf")

    def once(self) -> bool:
        """Ask everybody; True: nothing here is a failure of the monitor's own."""
        for server in self._town.dns_upstream:
            self._resolver(str(server))
        up = {f.target.name for f in self._picture().findings if f.state in (State.UP, State.DEGRADED)}
        with ThreadPoolExecutor(AT_ONCE, "certificate") as pool:
            list(pool.map(lambda site: self._certificate(site, asked=site.gateway.name in up), self._town.sites))
        if time.monotonic() - self._credit_at >= CREDIT_SECONDS:
            self._credit_at = time.monotonic()
            for channel, credit in self._dispatcher.credits().items():
                self._metrics.made.gauge("oncall_sms_credits").labels(channel).set(credit)
        return True

    def _resolver(self, server: str) -> None:
        try:
            seconds = dns.ask(server, self._town.portal.host, TIMEOUT_SECONDS)
        except OSError:
            seconds = None
        self._metrics.set("dns_probe_success", float(seconds is not None), server)
        self._metrics.set("dns_probe_seconds", seconds, server)

    def _certificate(self, site: Site, *, asked: bool) -> None:
        ends = None
        if asked:
            try:
                ends = tls.not_after(str(site.gateway.address), MANAGEMENT_PORT, TIMEOUT_SECONDS)
            except OSError:
                ends = None
        self._metrics.set("tls_not_after_timestamp_seconds", ends, site.site, "management")
