"""What portal and gatewayd of one site would show, minute by minute: their instruments, moved by a few residents."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from prometheus_client import CollectorRegistry

from parvis.catalogue import Instruments

STEPS = ("lease", "probe", "api", "page", "accepted", "admitted", "first-byte")
WAY_IN: Mapping[str, tuple[str, ...]] = {
    "visitor": ("lease", "addresses", "dns", "api-captive", "page", "accept", "api-online", "internet-ipv4", "leave"),
}
OWN = re.compile(r"^(python|process)_(?!info)|_created|^clock_")
"""What of a registry is the test's own process."""
Bare = tuple[str, str]
"""A sample's name, and what follows the labels Prometheus adds."""
NOW_AND_THEN = 3
"""Every so many minutes somebody refuses, errs, leaves."""


@cache
def evening(
    guests: int, fault: str, steps: int, breaks_at: int, beyond: tuple[str, ...] = ()
) -> tuple[Mapping[str, tuple[Bare, ...]], ...]:
    """What each process of a door shows at each step, by job; *fault* holds from *breaks_at* on."""
    door = Door(guests, beyond)
    found = []
    for step in range(steps):
        door.minute(frozenset({fault}) if fault and step >= breaks_at else frozenset())
        pages = {"portal": door.portal, "gatewayd": door.gatewayd}
        found.append({job: tuple(bare(registry)) for job, registry in pages.items()})
    return tuple(found)


def bare(registry: CollectorRegistry) -> Iterator[Bare]:
    """Every sample of *registry*, but what is the test's own process's."""
    for family in registry.collect():
        for sample in family.samples:
            if not OWN.search(sample.name):
                labels = "".join(f',{name}="{value}"' for name, value in sample.labels.items())
                yield sample.name, f"{labels}}} {sample.value}"


class Door:
    """One gateway's two processes; *guests* come each minute; *beyond* is what it asks behind its uplink."""

    def __init__(self, guests: int, beyond: tuple[str, ...] = ()) -> None:
        self._guests = guests
        self._beyond = beyond
        self._minutes = 0
        self.portal, self.gatewayd = CollectorRegistry(), CollectorRegistry()
        self._portal = Instruments("portal", self.portal)
        self._gatewayd = Instruments("gatewayd", self.gatewayd)
        for made, name in ((self._portal, "portal"), (self._gatewayd, "gatewayd")):
            made.gauge("process_info").labels(name, "0.1.0").set(1)

    def minute(self, faults: frozenset[str]) -> None:
        """One minute in which *faults* hold."""
        self._minutes += 1
        self._people(faults)
        self._state(faults)

    def _people(self, faults: frozenset[str]) -> None:
        counter = self._portal.counter
        broken, cut_off = "store-broken" in faults, "gatewayd-dead" in faults
        for step in STEPS:
            stopped = broken and STEPS.index(step) > STEPS.index("page")
            waits = cut_off and STEPS.index(step) > STEPS.index("accepted")
            lost = "internet-cut" in faults and step == "first-byte"
            counter("portal_funnel_total").labels(step).inc(0 if stopped or waits or lost else self._guests)
        result = "failed" if broken else "waiting" if cut_off else "admitted"
        counter("portal_acceptances_total").labels(result).inc(self._guests)
        counter("portal_http_responses_total").labels("5xx" if broken else "2xx").inc(4 * self._guests)
        counter("portal_errors_total").labels("gateway").inc(self._guests if cut_off else 0)
        counter("portal_errors_total").labels("store").inc(self._guests if broken else 0)
        for language, share in (("fr", 3), ("en", 1)):
            counter("portal_splash_pages_total").labels(language).inc(share * self._guests)
        for family in ("apple", "android", "windows"):
            counter("portal_probes_total").labels(family).inc(2 * self._guests)
        for ended in ("left", "expired", "idle"):
            counter("portal_sessions_ended_total").labels(ended).inc(int(self._minutes % NOW_AND_THEN == 0))
        counter("portal_refusals_total").labels("closed-hours").inc(int(self._minutes % NOW_AND_THEN == 0))
        for minutes in (7, 40, 150, 400):
            self._portal.histogram("portal_session_seconds").observe(60 * minutes)
        for number in range(self._guests):
            self._portal.histogram("portal_accept_seconds").observe(0.004 * (1 + number))

    def _state(self, faults: frozenset[str]) -> None:
        gauge = self._portal.gauge
        gauge("portal_sessions_active").set(12 * self._guests)
        for target in self._beyond:
            gauge("uplink_target_up").labels(target).set(float("internet-cut" not in faults))
        gauge("portal_gateway_up").set(float("gatewayd-dead" not in faults))
        gauge("portal_certificate_remaining_seconds").set(86400 * (5 if "certificate-ending" in faults else 60))
        gauge = self._gatewayd.gauge
        gauge("gateway_ruleset_up").set(float("rules-flushed" not in faults))
        gauge("gateway_lease_file_up").set(1)
        gauge("gateway_pool_used_ratio").set(0.99 if "pool-full" in faults else 0.05 * self._guests)
        self._gatewayd.histogram("gateway_request_seconds").labels("admit").observe(0.0006 * self._guests)
