"""Which figures are kept, under which name and unit, and where each is read from. No I/O, no clock.

A series is ``KIND/SUBJECT``; units are chosen to fit a half float. What is not known has no value, never 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.exposition import Figure
from monitor.findings import Finding
from monitor.observations import Outcome, Sample
from monitor.sites import SiteView
from parvis.inventory import Town, Uplink

Values = dict[str, float]


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of series is shown: *unit* as printed, *decimals*, whether the axis begins at zero."""

    unit: str
    decimals: int = 0
    from_zero: bool = True


KINDS: Mapping[str, Kind] = {
    "rtt": Kind("ms", 1),
    "jitter": Kind("ms", 1),
    "loss": Kind("%"),
    "clients": Kind(""),
    "rx": Kind("dBm", 1, from_zero=False),
    "tx": Kind("dBm", 1, from_zero=False),
    "span-loss": Kind("dB", 1, from_zero=False),
    "in": Kind("Mbit/s", 1),
    "out": Kind("Mbit/s", 1),
    "airtime": Kind("%"),
    "sessions": Kind(""),
    "funnel": Kind(""),
    "data-age": Kind("s"),
    "poll": Kind("s", 2),
    "silent-devices": Kind(""),
}
COLLECTORS = "collectors"
"""The subject of the collectors' own series."""
FUNNEL_STEPS = ("lease", "probe", "api", "page", "accepted", "admitted", "first-byte")
"""The way to the internet, in order: the steps of portal_funnel_total."""
OF_COLLECTORS = (
    "optical_rx_power_dbm",
    "optical_tx_power_dbm",
    "optical_span_loss_db",
    "optical_state",
    "port_receive_bytes_total",
    "port_transmit_bytes_total",
    "snmp_poll_duration_seconds",
    "wifi_radio_channel_utilization_ratio",
)
OF_PORTAL = (
    "portal_funnel_total",
    "portal_sessions_active",
    "portal_errors_total",
    "portal_refusals_total",
    "portal_certificate_remaining_seconds",
    "portal_splash_pages_total",
    "portal_api_requests_total",
    "portal_probes_total",
)
MEGABIT = 1e6


def name(kind: str, subject: str) -> str:
    """The name of a series.

    >>> name("rtt", "fibre-msp")
    'rtt/fibre-msp'
    """
    return f"{kind}/{subject}"


def of_probes(outcomes: Iterable[Outcome], findings: Iterable[Finding]) -> Values:
    """Each target's own echo of this round: its time if it was answered, and whether it was lost, in percent."""
    found: Values = {}
    for outcome in outcomes:
        if outcome.answered is not None:
            found[name("loss", outcome.target)] = 0.0 if outcome.answered else 100.0
        if outcome.echo_seconds is not None:
            found[name("rtt", outcome.target)] = outcome.echo_seconds * 1000
    for finding in findings:
        if finding.jitter_seconds is not None and not finding.target.parents:
            found[name("jitter", finding.target.name)] = finding.jitter_seconds * 1000
    return found


def of_devices(samples: Iterable[Sample], sites: Iterable[SiteView], now: float) -> Values:
    """Clients of each access point and site; the collectors' age, and how many devices do not answer them."""
    heard = list(samples)
    found = {name("clients", one.device): float(one.clients) for one in heard if one.up and one.clients is not None}
    found |= {name("clients", view.site.site): float(view.clients) for view in sites if view.clients is not None}
    newest = max((one.succeeded_at for one in heard if one.succeeded_at is not None), default=None)
    if newest is not None:
        found[name("data-age", COLLECTORS)] = max(0.0, now - newest)
        found[name("silent-devices", COLLECTORS)] = float(sum(one.up is False for one in heard))
    return found


def of_light(town: Town, seen: Sequence[Figure]) -> Values:
    """Light at each uplink's own module: the weakest lane received, the strongest sent; loss of the span."""
    found: Values = {}
    by_port = {(site.uplink.switch, site.uplink.port): site.uplink for site in town.sites}
    for figure in seen:
        labels = figure.labels
        uplink = by_port.get((labels.get("device", ""), labels.get("port", "")))
        if uplink and figure.metric == "optical_rx_power_dbm":
            key = name("rx", uplink.name)
            found[key] = min(figure.value, found.get(key, figure.value))
        elif uplink and figure.metric == "optical_tx_power_dbm":
            key = name("tx", uplink.name)
            found[key] = max(figure.value, found.get(key, figure.value))
        elif figure.metric == "optical_span_loss_db" and labels.get("direction") == "in":
            key = name("span-loss", labels.get("uplink", ""))
            found[key] = max(figure.value, found.get(key, figure.value))
    return found


def optical_state(uplink: Uplink, seen: Iterable[Figure]) -> str:
    """What the module of *uplink* is said to be: ok, no_light …; empty when nobody says."""
    for figure in seen:
        here = (figure.labels.get("device"), figure.labels.get("port")) == (uplink.switch, uplink.port)
        if here and figure.metric == "optical_state" and figure.value:
            return figure.labels.get("state", "")
    return ""


def of_radios(seen: Iterable[Figure]) -> Values:
    """Airtime of the busiest radio of each access point, in percent."""
    found: Values = {}
    for figure in seen:
        if figure.metric == "wifi_radio_channel_utilization_ratio" and figure.labels.get("part") == "total":
            key = name("airtime", figure.labels.get("ap") or figure.labels.get("device", ""))
            found[key] = max(100 * figure.value, found.get(key, 0.0))
    return found


def of_polls(seen: Iterable[Figure]) -> Values:
    """The slowest poll of any device."""
    slowest = max((one.value for one in seen if one.metric == "snmp_poll_duration_seconds"), default=None)
    return {} if slowest is None else {name("poll", COLLECTORS): slowest}


def of_traffic(town: Town, before: Sequence[Figure], seen: Sequence[Figure], seconds: float) -> Values:
    """Mbit/s in and out of each site, from the octets its uplink's port counted between two readings."""
    found: Values = {}
    by_port = {(site.uplink.switch, site.uplink.port): site.uplink for site in town.sites}
    earlier = {(one.metric, one.labels.get("device"), one.labels.get("port")): one.value for one in before}
    for figure in seen:
        port = (figure.labels.get("device", ""), figure.labels.get("port", ""))
        uplink, kind = by_port.get(port), _DIRECTION.get(figure.metric)
        last = earlier.get((figure.metric, *port))
        if uplink is None or kind is None or last is None or seconds <= 0 or figure.value < last:
            continue
        megabits = (figure.value - last) * 8 / seconds / MEGABIT
        if megabits <= 1.1 * uplink.capacity / MEGABIT:
            found[name(kind, uplink.name)] = megabits
    return found


_DIRECTION = {"port_receive_bytes_total": "in", "port_transmit_bytes_total": "out"}


def of_portal(site: str, before: Sequence[Figure], seen: Sequence[Figure]) -> Values:
    """Sessions of a site's portal now, and how many devices came to each step of the funnel between two readings."""
    found: Values = {}
    earlier = {one.labels.get("step"): one.value for one in before if one.metric == "portal_funnel_total"}
    for figure in seen:
        if figure.metric == "portal_sessions_active":
            found[name("sessions", site)] = figure.value
        elif figure.metric == "portal_funnel_total" and before:
            step = figure.labels.get("step", "")
            last = earlier.get(step, 0.0)
            # a smaller count is that of a portal that has started again
            found[name("funnel", f"{site}/{step}")] = figure.value - last if figure.value >= last else figure.value
    return found
