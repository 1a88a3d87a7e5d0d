"""A town that is only told: what answers, what figures say and what a visitor finds, given what is broken.

Nothing here decides anything; it is what the probes, the collectors and the visitor would bring home. Time is virtual.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from monitor.exposition import Figure
from monitor.observations import Outcome, Sample
from monitor.signals import EVIDENCE, GATEWAYD, PORTAL, Signals, Visited
from monitor.targets import Kind, Target, targets
from monitor.visitor.process import AGAIN_SECONDS, MOST_AGAIN
from parvis.drills import Step
from parvis.echo import Window
from parvis.inventory import Site, Snmp, Town, Ups
from parvis.inventory.model import FarEnd

WINDOW = 20
VISIT_SECONDS = 60.0
FAILING_SECONDS = 10.0
"""A visit that fails waits for what does not come."""
GATEWAY_SECONDS = 15.0
"""Between two readings of gateways; Prometheus reads the collectors as often, the monitor itself more rarely."""
POLL_SECONDS = 30.0
GONE_SECONDS = 15.0
"""A gateway says that nothing answers beyond its uplink after three rounds of echoes."""
FRESH_VISIT_SECONDS = 200.0
ALL_VISITED = ("lease", "addresses", "dns", "api-captive", "page", "accept", "internet-ipv4", "leave", "captive-again")
WELL_SECONDS = 90 * 86400.0


def drill_town(town: Town) -> Town:
    """*town* with what some drills need: a battery at the library, far ends of fibres, hours for some radios."""
    made = []
    for n, site in enumerate(town.sites):
        far = FarEnd(device=town.sites[(n + 1) % len(town.sites)].switches[0].name, port=f"far-{n}")
        changes: dict[str, object] = {
            "uplink": site.uplink.model_copy(update={"far": far, "hotline": "+33 1 99 00 00 09"})
        }
        if site.site == "bibliotheque-centrale":
            address = site.management.ipv4.network_address + 200
            snmp = Snmp(credential=town.credentials[0].name)
            changes["ups"] = (Ups(name="ups-biblio", model="1500 VA", address=address, snmp=snmp),)
        if site.site == "leo-lagrange":
            changes["radio_hours"] = "Mo-Su 06:00-23:00"
        made.append(site.model_copy(update=changes))
    return town.model_copy(update={"sites": tuple(made)})


@dataclass
class World:
    """The state of everything. *chance* draws lost echoes; *now* is virtual Unix time, set by whoever plays.

    *collected*: seconds between two readings of the collectors.
    """

    town: Town
    chance: random.Random
    now: float = 0.0
    collected: float = GATEWAY_SECONDS
    cut: set[str] = field(default_factory=set)
    flapping: dict[str, tuple[float, float]] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    mute: set[str] = field(default_factory=set)
    no_snmp: set[str] = field(default_factory=set)
    battery_ends: dict[str, float] = field(default_factory=dict)
    loss: dict[str, float] = field(default_factory=dict)
    stopped: set[tuple[str, str]] = field(default_factory=set)
    failing: dict[str, str] = field(default_factory=dict)
    gauges: dict[tuple[str, str], float] = field(default_factory=dict)
    margin: dict[str, float] = field(default_factory=dict)
    rogue: set[str] = field(default_factory=set)
    deserted: set[str] = field(default_factory=set)
    offline: dict[str, float] = field(default_factory=dict)
    """Sites beyond whose uplink nothing answers, and since when."""
    people: dict[str, int] = field(default_factory=dict)
    isolated: bool = False
    collectors: bool = True
    _windows: dict[str, Window] = field(default_factory=dict)
    _polled: dict[str, tuple[float, bool]] = field(default_factory=dict)
    _on_battery: set[str] = field(default_factory=set)
    _polled_at: float = -1e9
    _scraped_at: float = -1e9
    _collected_at: float = -1e9
    _of_gateways: tuple[Figure, ...] = ()
    _of_collectors: tuple[Figure, ...] = ()
    _running: dict[tuple[str, str], bool] = field(default_factory=dict)
    _visits: dict[str, tuple[float, Visited]] = field(default_factory=dict)
    _again: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.targets = targets(self.town)
        self.sites = {site.site: site for site in self.town.sites}
        self._names = {t.name: t for t in self.targets}
        self._polled_at = self.now - self.chance.uniform(0, POLL_SECONDS)
        self._scraped_at = self.now - self.chance.uniform(0, GATEWAY_SECONDS)
        self._collected_at = self.now - self.chance.uniform(0, self.collected)
        self._phases = {site: self.chance.uniform(0, VISIT_SECONDS) for site in self.sites}

    def do(self, step: Step) -> bool:
        """Let *step* happen; False when it is none of the world's (of a process, of the clock)."""
        deed = DEEDS.get(step.do)
        if deed is None:
            return False
        for on in (
            [step.where]
            if step.where and not step.where.startswith(".")
            else [f"{site}{step.where}" for site in self.sites]
        ):
            deed(self, on, step.value)
        return True

    def round(self) -> list[Outcome]:
        """One round of echoes."""
        found = []
        for target in self.targets:
            answered = self._answers(target)
            window = self._windows.setdefault(target.name, Window(WINDOW))
            window.add(0.004 if answered else None)
            rtt = window.rtt_seconds
            found.append(Outcome(target.name, answered, window.loss_ratio, rtt, 0.001, 0.004 if answered else None))
        return found

    def samples(self) -> tuple[list[Sample], float]:
        """What the collectors last said, and the newest answer of any device (Unix time)."""
        if self.collectors and not self.isolated and self.now - self._polled_at >= POLL_SECONDS:
            self._polled_at = self.now
            self._on_battery = set(self.battery_ends)
            for site in self.town.sites:
                for device in site.polled():
                    up = device.name not in self.no_snmp and self._alive(device.name, site)
                    at, _ = self._polled.get(device.name, (self.now, up))
                    self._polled[device.name] = (self.now if up else at, up)
        newest = max((at for at, _ in self._polled.values()), default=self.now)
        young = [
            Sample(name, up, "" if up else "timeout", at, 0 if name in self.deserted else 5)
            for name, (at, up) in self._polled.items()
            if self.now - at <= 180 or not up  # noqa: PLR2004 as the monitor believes
        ]
        return (young if self.collectors else []), newest

    def signals(self) -> Signals:
        """What scrapes and visits last said."""
        if self.now - self._scraped_at >= GATEWAY_SECONDS:
            self._scraped_at = self.now
            self._of_gateways = tuple(self._scrape())
        if self.now - self._collected_at >= self.collected:
            self._collected_at = self.now
            self._of_collectors = tuple(figure for site in self.town.sites for figure in self._of_equipment(site))
        self._visit()
        fresh = {s: v for s, (at, v) in self._visits.items() if self.now - at < FRESH_VISIT_SECONDS}
        visited_at = {site: at for site, (at, _) in self._visits.items()}
        reached = {site: count for site, count in self.people.items() if not self._off(self.sites[site])}
        return Signals((*self._of_gateways, *self._of_collectors), dict(self._running), fresh, visited_at, reached)

    def settled(self) -> bool:
        """Whether what answers now does not depend on the moment."""
        return not self.flapping and not self.loss and not self.isolated

    def _off(self, site: Site) -> bool:
        """Whether nothing of the site can be reached."""
        begun = self.flapping.get(site.site)
        away = begun is not None and (self.now - begun[0]) % (2.4 * begun[1]) < begun[1]
        return site.site in self.cut or away or self._dark(site) or site.gateway.name in self.dead

    def _dark(self, site: Site) -> bool:
        return self.now >= self.battery_ends.get(site.site, float("inf"))

    def _alive(self, name: str, site: Site) -> bool:
        """Whether a device is there and can be reached."""
        above = self._names[name].parents if name in self._names else ()
        return not self._off(site) and name not in self.dead and not self.dead.intersection(above)

    def _answers(self, target: Target) -> bool:
        if self.isolated:
            return False
        if target.kind is Kind.INTERNET:
            return True
        site = self.sites[target.site]
        if self._off(site) or target.name in self.mute or not self._alive(target.name, site):
            return False
        return self.chance.random() >= self.loss.get(target.site, 0.0)

    def _scrape(self) -> Iterator[Figure]:
        for site in self.town.sites:
            reached = not self._off(site) and not self.isolated and site.gateway.name not in self.mute
            for job in (PORTAL, GATEWAYD, EVIDENCE):
                self._running[site.site, job] = reached and (site.site, job) not in self.stopped
            yield from self._of_gateway(site)

    def _of_gateway(self, site: Site) -> Iterator[Figure]:
        place = {"site": site.site, "device": site.gateway.name}
        usual = {
            PORTAL: {"portal_gateway_up": 1.0, "portal_certificate_remaining_seconds": WELL_SECONDS},
            GATEWAYD: {"gateway_pool_used_ratio": 0.3, "gateway_ruleset_up": 1.0, "gateway_lease_file_up": 1.0},
            EVIDENCE: {"evidence_write_up": 1.0, "state_disk_free_bytes": 0.6, "state_disk_size_bytes": 1.0},
        }
        for job, gauges in usual.items():
            if self._running[site.site, job]:
                for metric, value in gauges.items():
                    yield Figure(metric, place, self.gauges.get((site.site, metric), value))
        if self._running[site.site, PORTAL]:
            gone = self.now - self.offline.get(site.site, self.now) >= GONE_SECONDS
            for target in self.town.beyond(site):
                yield Figure("uplink_target_up", {**place, "target": str(target)}, float(not gone))

    def _of_equipment(self, site: Site) -> Iterator[Figure]:
        if not self.collectors or self.isolated:
            return
        yield from self._polls(site)
        far = site.uplink.far
        if far is not None and self._alive(far.device, self._home(far.device)):
            state = "no_light" if site.site in self.cut or self._dark(site) else "ok"
            yield Figure("optical_state", {"device": far.device, "port": far.port, "state": state}, 1.0)
        if self._off(site):
            return
        near = {"site": site.site, "device": site.uplink.switch, "port": site.uplink.port}
        margin = self.margin.get(site.site, 6.0)
        yield Figure("optical_margin_db", {**near, "which": "rx_low_warn"}, margin)
        yield Figure("optical_rx_power_dbm", near, margin - 20.0)
        for ups in site.ups:
            on_battery = float(site.site in self._on_battery)
            yield Figure("ups_on_battery", {"site": site.site, "device": ups.name}, on_battery)

    def _polls(self, site: Site) -> Iterator[Figure]:
        for device in site.polled():
            if device.name in self._polled:
                at, answered = self._polled[device.name]
                place = {"site": site.site, "device": device.name}
                yield Figure("snmp_up", place, float(answered))
                yield Figure("snmp_poll_last_success_timestamp_seconds", place, at)

    def _home(self, device: str) -> Site:
        return next(site for site in self.town.sites if any(one.name == device for one in site.switches))

    def _visit(self) -> None:
        """A visit of each site a minute, each at its own second; sooner after one that failed, as the visitor does."""
        for site in self.town.sites:
            at, _ = self._visits.get(site.site, (self.now - self._phases[site.site], Visited()))
            wrong = self._failing_step(site)
            again = self._again.get(site.site, 0)
            pause = AGAIN_SECONDS if 0 < again <= MOST_AGAIN else VISIT_SECONDS
            if self.now - at >= pause + (FAILING_SECONDS if wrong else 0.0):
                self._again[site.site] = again + 1 if wrong else 0
                reached = ALL_VISITED.index(wrong) if wrong else len(ALL_VISITED)
                dns = None if reached < ALL_VISITED.index("dns") else wrong != "dns"
                hazards = ("rogue-dhcp",) if site.site in self.rogue else ()
                self._visits[site.site] = (self.now, Visited(wrong, dns, hazards))
            elif site.site not in self._visits:
                self._visits[site.site] = (at, Visited(dns=True))

    def _failing_step(self, site: Site) -> str:
        name = site.site
        if self._off(site) or self.dead.intersection(switch.name for switch in site.switches):
            return "lease"
        if self.gauges.get((name, "gateway_pool_used_ratio"), 0.0) >= 1.0:
            return "lease"
        if name in self.failing and self.failing[name] == "dns":
            return "dns"
        if (name, PORTAL) in self.stopped or self.gauges.get((name, "portal_certificate_remaining_seconds"), 1.0) <= 0:
            return "api-captive"
        if (name, GATEWAYD) in self.stopped or self.gauges.get((name, "gateway_ruleset_up"), 1.0) == 0:
            return "internet-ipv4"
        return self.failing.get(name, "internet-ipv4" if name in self.offline else "")


Deed = Callable[[World, str, float | None], object]


def _gauge(metric: str, usual: float | None = None) -> Deed:
    def set_it(world: World, on: str, value: float | None) -> None:
        world.gauges[on, metric] = usual if usual is not None else float(value or 0.0)

    return set_it


def _mains_off(world: World, on: str, value: float | None) -> None:
    world.battery_ends[on] = world.now + (value or 0.0)


def _parts(on: str) -> tuple[str, str]:
    site, _, part = on.partition(".")
    return site, part


DEEDS: Mapping[str, Deed] = {
    "cut-fibre": lambda world, on, _: world.cut.add(on),
    "restore": lambda world, on, _: world.cut.discard(on),
    "flap": lambda world, on, value: world.flapping.__setitem__(on, (world.now, value or 30.0)),
    "calm": lambda world, on, _: world.flapping.pop(on, None),
    "mains-off": _mains_off,
    "mains-on": lambda world, on, _: world.battery_ends.pop(on, None),
    "device-off": lambda world, on, _: world.dead.add(on),
    "device-on": lambda world, on, _: world.dead.discard(on),
    "mute": lambda world, on, _: world.mute.add(on),
    "no-snmp": lambda world, on, _: world.no_snmp.update(
        [on] if on not in world.sites else [device.name for device in world.sites[on].polled()]
    ),
    "snmp": lambda world, on, _: world.no_snmp.discard(on),
    "zombie": lambda world, on, _: world.deserted.add(on),
    "loss": lambda world, on, value: world.loss.__setitem__(on, value or 0.0),
    "no-loss": lambda world, on, _: world.loss.pop(on, None),
    "dim": lambda world, on, value: world.margin.__setitem__(on, value or 0.0),
    "rogue": lambda world, on, _: world.rogue.add(on),
    "dns-off": lambda world, on, _: world.failing.__setitem__(on, "dns"),
    "certificate": _gauge("portal_certificate_remaining_seconds"),
    "pool": _gauge("gateway_pool_used_ratio"),
    "ruleset-off": _gauge("gateway_ruleset_up", 0.0),
    "evidence-unwritten": _gauge("evidence_write_up", 0.0),
    "disk": _gauge("state_disk_free_bytes"),
    "stop": lambda world, on, _: world.stopped.add(_parts(on)),
    "start": lambda world, on, _: world.stopped.discard(_parts(on)),
    "fail-step": lambda world, on, _: world.failing.__setitem__(*_parts(on)),
    "heal-step": lambda world, on, _: world.failing.pop(_parts(on)[0], None),
    "internet-off": lambda world, on, _: world.offline.setdefault(on, world.now),
    "internet-on": lambda world, on, _: world.offline.pop(on, None),
    "people": lambda world, on, value: world.people.__setitem__(on, int(value or 0)),
    "isolate": lambda world, _on, _: setattr(world, "isolated", True),
    "reconnect": lambda world, _on, _: setattr(world, "isolated", False),
    "collectors-off": lambda world, _on, _: setattr(world, "collectors", False),
    "collectors-on": lambda world, _on, _: setattr(world, "collectors", True),
}
"""What can be done to the world; on nothing, it is done to every site."""
