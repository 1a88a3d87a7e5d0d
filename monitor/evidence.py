"""What is known of each site beside its alerts, remembered over the moment it went silent. No I/O, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.causes import Evidence, Light
from monitor.findings import Finding, State
from monitor.signals import Signals
from monitor.sites import SiteView
from monitor.targets import Kind
from parvis.inventory import Site, Town

Port = tuple[str, str]
"""A switch and its port."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What was last known: the light at a port and since when it is gone, how many devices a site had."""

    rx_dbm: Mapping[Port, float] = field(default_factory=dict)
    dark_since: Mapping[Port, float] = field(default_factory=dict)
    people: Mapping[str, int] = field(default_factory=dict)

    def after(self, town: Town, views: Sequence[SiteView], signals: Signals, now: float) -> "Memory":
        """The memory once *signals* are heard; a site's people are counted only while its link answers."""
        people = dict(self.people)
        for view in views:
            online = signals.people.get(view.site.site, view.clients)
            if view.uplink.state in (State.UP, State.DEGRADED) and online is not None:
                people[view.site.site] = online
        rx, dark = dict(self.rx_dbm), dict(self.dark_since)
        for port in _ports(town):
            lit = _lit(signals, port)
            power = signals.value("optical_rx_power_dbm", device=port[0], port=port[1])
            if power is not None:
                rx[port] = power
            if lit:
                dark.pop(port, None)
            elif lit is False:
                dark.setdefault(port, now)
        return Memory(rx, dark, people)


def evidence(town: Town, findings: Sequence[Finding], signals: Signals, memory: Memory) -> dict[str, Evidence]:
    """What can be said of each site now."""
    answering: dict[str, set[str]] = {}
    for finding in findings:
        if finding.state in (State.UP, State.DEGRADED) and finding.target.kind is not Kind.INTERNET:
            answering.setdefault(finding.target.site, set()).add(finding.target.name)
    zone = ZoneInfo(town.timezone)
    found = {}
    for site in town.sites:
        visit = signals.visits.get(site.site)
        found[site.site] = Evidence(
            far=_light(_far(site), signals, memory, zone),
            near=_light((site.uplink.switch, site.uplink.port), signals, memory, zone),
            people=memory.people.get(site.site),
            failing_step=visit.wrong if visit else "",
            answering=frozenset(answering.get(site.site, ())),
            intruders=visit.places if visit else (),
        )
    return found


def _light(port: Port | None, signals: Signals, memory: Memory, zone: ZoneInfo) -> Light:
    if port is None:
        return Light()
    since = memory.dark_since.get(port)
    return replace(
        Light(
            lit=_lit(signals, port),
            rx_dbm=memory.rx_dbm.get(port),
            margin_db=signals.value("optical_margin_db", device=port[0], port=port[1], which="rx_low_warn"),
        ),
        dark_since=datetime.fromtimestamp(since, zone) if since is not None else None,
    )


def _lit(signals: Signals, port: Port) -> bool | None:
    """Whether light comes in; None when the module does not say."""
    if signals.value("optical_state", device=port[0], port=port[1], state="no_light") == 1:
        return False
    lit = signals.value("optical_state", device=port[0], port=port[1], state="ok") == 1
    return True if lit else None


def _far(site: Site) -> Port | None:
    return (site.uplink.far.device, site.uplink.far.port) if site.uplink.far else None


def _ports(town: Town) -> list[Port]:
    near = [(site.uplink.switch, site.uplink.port) for site in town.sites]
    return near + [port for site in town.sites if (port := _far(site)) is not None]
