"""From a town's folder to the programs to start, stage by stage; writes every file they need."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from lab import evidence, network, rooms, state
from lab.agents.agent import Device
from lab.agents.model import WEEK_HOURS
from lab.agents.standard import About
from lab.agents.usm import User
from lab.debian import SHARED_SECRET, Debian
from lab.evidence import Evidence
from lab.inet import NAMES
from lab.inside import set_sysctls
from lab.plan import DNS, Plan, centre_address, plan
from lab.probes import Check
from lab.processes import Program
from lab.rooms import Pace, Rooms
from lab.users import COLLECTORS, CONSOLE, MONITOR, PORTAL, ROOT, sight
from parvis import outputs, processes
from parvis.inventory import DEMO_TOWN, AccessPoint, CommunityCredential, Town, load
from parvis.inventory.portal_files import FOLDERS
from parvis.opening import Opening

HTTPS = 443
ORDERS = "agents.sock"
ORDINARY_MONDAY = (2026, 3, 9)
"""A week without public holidays."""


@dataclass(frozen=True, slots=True)
class Options:
    """What to build. *sites* picks some of the town's (all when empty); *without* leaves programs out by name."""

    town: Path = DEMO_TOWN
    sites: tuple[str, ...] = ()
    residents: int = 2
    prefix: str = "pv-"
    without: frozenset[str] = frozenset()
    windows: bool = True
    pace: Pace = field(default_factory=Pace)
    shared: bool = False
    """Whether the gateways share a database."""
    evidence: bool = False
    """Whether gateways record evidence and the centre archives it."""
    walks: Path | None = None
    """A folder of recordings: an access point of which there is one (NAME.snmprec, NAME.walk) answers what it holds."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Programs that may start together."""

    title: str
    programs: tuple[Program, ...]


def read(folder: Path) -> Town:
    """The town a built twin runs: its own copy, so that editing the original changes nothing."""
    return load(folder / "town")


def prepare(options: Options, folder: Path) -> tuple[Town, Plan]:
    """Copy the town's description into the state folder, reduced to the chosen sites, and plan it.

    Its texts and calendars come along: whoever is on call in the town is on call in the twin.
    """
    whole = load(options.town)
    chosen = [whole.site(name) for name in options.sites] or list(whole.sites)
    files = [options.town / "town.yml", *(options.town / "sites" / f"{site.site}.yml" for site in chosen)]
    files += [file for name in FOLDERS for file in (options.town / name).rglob("*") if file.is_file()]
    for file in files:
        state.file_for(folder / "town" / file.relative_to(options.town), file.read_text("utf-8"))
    town = read(folder)
    return town, plan(town, options.prefix, options.residents)


def stages(town: Town, wiring: Plan, options: Options, folder: Path) -> list[Stage]:
    """Everything to start: first what the sites are made of, then the centre with the residents."""
    drawn = _secrets(town, folder, options)
    _certificates(town, folder, options)
    _resolvers(town, wiring)
    script = str(state.file_for(folder / "sight.sh", sight(folder)))
    ours = Rooms(town, wiring, folder, options.pace, script, shared=options.shared)
    texts = outputs.generate(town)
    _kernel_settings(town, wiring, texts)
    debian = Debian(town, wiring, folder, texts, drawn, script)
    witness = Evidence(ours) if options.evidence else None
    without = options.without
    sites: list[Program] = [_simulated(town, wiring, folder, drawn, options.walks), debian.internet_dns()]
    for site in town.sites:
        sites += [*ours.gateway(site, without), debian.kea(site), debian.dnsmasq(site)]
        sites += [witness.recorder(site)] if witness else []
        sites += [debian.snmpd(site, switch) for switch in site.switches]
    centre = ours.centre(without)
    centre += [debian.postgresql()] if options.shared else []
    centre += [witness.archive()] if witness else []
    rules = folder / "centre" / "rules"
    if not {"prometheus", "alertmanager"} <= without:
        rooms.write_rules(rules, folder / "town", options.pace.alerts)
        centre += _left([debian.prometheus(rules), debian.alertmanager(rules)], without)
    phones = [debian.phone(resident, network.ETC / resident.namespace / "resolv.conf") for resident in wiring.residents]
    return [
        Stage("internet, gateways, switches, access points", _left(sites, without)),
        Stage("centre", tuple(centre)),
        Stage("residents", (*phones, *ours.visitor(without))),
    ]


def _left(programs: list[Program], without: frozenset[str]) -> tuple[Program, ...]:
    return tuple(program for program in programs if program.name.rpartition(".")[2] not in without)


def _secrets(town: Town, folder: Path, options: Options) -> dict[str, str]:
    portals = [*processes.PORTAL.secrets, *([SHARED_SECRET] if options.shared else [])]
    owners = {
        "collectors": (COLLECTORS, town.snmp_secrets()),
        "portal": (PORTAL, portals),
        "console": (CONSOLE, processes.CONSOLE.secrets),
        "monitor": (MONITOR, processes.MONITOR.secrets),
        "visitor": (ROOT, processes.MONITOR.secrets),
        **(evidence.secrets() if options.evidence else {}),
    }
    return state.make_secrets(folder, owners)


def _certificates(town: Town, folder: Path, options: Options) -> None:
    portals = {site.gateway.name: (PORTAL, (town.policy(site).host,)) for site in town.sites}
    gateways = (site.gateway for site in town.sites)
    staff = {rooms.management(gateway.name): (PORTAL, (str(gateway.address),)) for gateway in gateways}
    console = {"console": (CONSOLE, ("localhost", rooms.LOOPBACK))}
    told = evidence.certificates(town) if options.evidence else {}
    state.make_certificates(folder, {"inet": (None, NAMES), **portals, **staff, **console, **told})


def _resolvers(town: Town, wiring: Plan) -> None:
    for namespace in (*(resident.namespace for resident in wiring.residents), *wiring.visitors.values()):
        network.resolver(namespace, ())
    for name in sorted(wiring.routers):
        network.resolver(name, map(str, town.dns_upstream))
    network.resolver(wiring.inet, DNS)


def _kernel_settings(town: Town, wiring: Plan, texts: Mapping[str, str]) -> None:
    """Each gateway's own sysctl.d file, as deployment would apply it."""
    for name in (site.gateway.name for site in town.sites):
        lines = [line.lstrip("-") for line in texts[f"gateway/{name}/sysctl.conf"].splitlines() if " = " in line]
        set_sysctls(wiring.namespace(name), dict(line.split(" = ") for line in lines))


def _simulated(town: Town, wiring: Plan, folder: Path, drawn: dict[str, str], recorded: Path | None) -> Program:
    listed = [asdict(device) for device in _devices(town, wiring, drawn, recorded)]
    file = state.file_for(folder / "agents.json", json.dumps(listed), mode=0o600)
    tls = folder / "tls" / "inet"
    argv = (sys.executable, "-OO", "-m", "lab.simulated", str(file), str(folder / ORDERS), f"{tls}.crt", f"{tls}.key")
    return Program("simulated", wiring.inet, argv, "ours", Check("tcp", HTTPS))


def _devices(town: Town, wiring: Plan, drawn: dict[str, str], recorded: Path | None) -> Iterator[Device]:
    for site in town.sites:
        hours = _hours(site.opening_hours, town.timezone)
        for point in site.access_points:
            device = _device(town, wiring, point, drawn, hours)
            yield replace(device, walk=_recording(recorded, point.name), trap_to=centre_address(town))


def _device(town: Town, wiring: Plan, point: AccessPoint, drawn: dict[str, str], hours: str) -> Device:
    about = About(point.name, point.model, str(point.address), point.mac.text, point.place.fr, hours)
    where = (point.vendor.value, about, wiring.namespace(point.name), point.snmp.port)
    credential = town.credential(point.snmp.credential)
    if isinstance(credential, CommunityCredential):
        return Device(*where, community=drawn[credential.community_secret])
    secrets = (drawn[name] if name else "" for name in (credential.auth_secret, credential.privacy_secret))
    return Device(*where, user=User(credential.user, credential.auth, credential.privacy, *secrets))


def _hours(opening: str, timezone: str) -> str:
    """Whether a building is open in each hour of the week, as the simulated devices have it."""
    known = Opening(opening, timezone)
    monday = datetime(*ORDINARY_MONDAY, 0, 30, tzinfo=ZoneInfo(timezone))
    return "".join(str(int(known.at((monday + timedelta(hours=hour)).timestamp())[0])) for hour in range(WEEK_HOURS))


def _recording(folder: Path | None, name: str) -> str:
    """The recording of the device called *name*; empty when there is none."""
    files = [folder / f"{name}{kind}" for kind in (".snmprec", ".walk")] if folder else []
    return next((str(file.absolute()) for file in files if file.is_file()), "")
