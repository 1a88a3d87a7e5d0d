"""The twin's wiring as values, made from the town: namespaces, bridges, wires, routes, residents. No I/O."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_network

from parvis.inventory import Site, Town
from parvis.values import MacAddress

WEB = ("203.0.113.80", "2001:db8:80::80")
SERVICES = ("203.0.113.90", "2001:db8:80::90")
"""The town's online services: an address of their own, because the walled garden opens addresses, not names."""
DNS = ("203.0.113.53", "2001:db8:80::53")
EDGE = ("203.0.113.1", "2001:db8:80::1")
"""The centre's end of the link to the fake internet."""
VISITOR_INTERFACE = "wlan0"
MAX_PREFIX = 12
IFNAMSIZ = 16
"""The kernel's limit for an interface's name, with its final zero."""
IP_KEYWORDS = {"up", "br", "dev", "type", "name", "down"}


@dataclass(frozen=True, slots=True)
class End:
    """One end of a wire: an interface, with addresses or as a port of a bridge."""

    namespace: str
    interface: str
    addresses: tuple[str, ...] = ()
    bridge: str = ""
    isolated: bool = False
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Wire:
    """A veth pair."""

    one: End
    other: End


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge; on a switch it also carries the switch's own address."""

    namespace: str
    name: str
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A route of a namespace; *source* is the address its own packets take."""

    namespace: str
    to: str
    via: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Resident:
    """Somebody with a phone: ``SITE/1``, alias ``gw-short-r1``; the address is random-looking, as phones' are."""

    site: str
    number: int
    alias: str
    namespace: str
    mac: MacAddress

    @property
    def name(self) -> str:
        """``SITE/NUMBER``."""
        return f"{self.site}/{self.number}"


@dataclass(frozen=True, slots=True)
class Fibre:
    """A site's uplink: *end* is the operator's socket of the fibre, what ``cut-fibre`` unplugs."""

    site: str
    end: End


@dataclass(slots=True)
class Plan:
    """Everything there is to wire."""

    prefix: str
    namespaces: list[str] = field(default_factory=list)
    routers: set[str] = field(default_factory=set)
    bridges: list[Bridge] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    residents: list[Resident] = field(default_factory=list)
    visitors: dict[str, str] = field(default_factory=dict)
    """Site -> the namespace of the resident that is a program; its port hears what everybody sends to all."""
    fibres: list[Fibre] = field(default_factory=list)
    loopbacks: dict[str, str] = field(default_factory=dict)

    @property
    def inet(self) -> str:
        """The fake internet's namespace."""
        return f"{self.prefix}inet"

    @property
    def centre(self) -> str:
        """The machine room's namespace."""
        return f"{self.prefix}centre"

    @property
    def operator(self) -> str:
        """The namespace of the operators' networks, between the centre and each site's fibre."""
        return f"{self.prefix}operator"

    def namespace(self, device: str) -> str:
        """The namespace of a gateway, a switch or an access point."""
        return f"{self.prefix}{device}"


def plan(town: Town, prefix: str = "pv-", residents: int = 2) -> Plan:
    """Wire *town* with *residents* at each site; ValueError when a name would be used twice."""
    if not re.fullmatch(r"[a-z][a-z0-9]*-", prefix) or len(prefix) > MAX_PREFIX:
        raise ValueError(f"{prefix!r} is no prefix; write a short word and a hyphen, such as pv-")
    made = Plan(prefix)
    made.namespaces += [made.inet, made.centre, made.operator]
    made.routers.add(made.centre)
    made.loopbacks[made.centre] = f"{centre_address(town)}/32"
    _internet(made)
    for number, site in enumerate(town.sites, 1):
        _gateway(made, site, number, centre_address(town))
        _switches(made, site)
        _access_points(made, site)
        _residents(made, site, residents)
        _visitor(made, site)
    twice = [name for name, count in Counter(made.namespaces).items() if count > 1]
    if twice:
        raise ValueError(f"two things would be called {twice[0]}; rename the device in the town")
    return made


def centre_address(town: Town) -> str:
    """The machine room's own address: the first of its network."""
    return str(town.centre.address)


def resident_mac(name: str) -> MacAddress:
    """A locally administered unicast address that looks random and is always the same for *name*.

    >>> resident_mac("bibliotheque-centrale/1").is_random
    True
    """
    digest = sha256(name.encode()).digest()[:6]
    return MacAddress.parse(bytes([digest[0] & 0xFC | 0x02, *digest[1:]]).hex())


def port_name(port: str) -> str:
    """A switch port's name as an interface name.

    >>> port_name("25"), port_name("GigabitEthernet1/0/1"), port_name("up")
    ('25', 'GigabitEthernet', 'port-up')
    """
    clean = re.sub(r"[^A-Za-z0-9_.-]", "-", port)
    return f"port-{clean}" if clean in IP_KEYWORDS else clean[: IFNAMSIZ - 1]


def _internet(made: Plan) -> None:
    addresses = tuple(f"{address}/{24 if '.' in address else 64}" for address in (*WEB, *SERVICES, *DNS))
    edge = (f"{EDGE[0]}/24", f"{EDGE[1]}/64")
    made.wires.append(Wire(End(made.inet, "town0", addresses), End(made.centre, "inet0", edge)))


def _gateway(made: Plan, site: Site, number: int, centre: str) -> None:
    gateway, link, guest = site.gateway, site.uplink, site.guest
    here, switch, lan = made.namespace(gateway.name), made.namespace(link.switch), f"{made.prefix}{gateway.name}-lan"
    made.namespaces += [here, lan]
    made.routers.add(here)
    made.bridges.append(Bridge(lan, "lan"))
    inner = [f"{guest.gateway_ipv4}/{guest.ipv4.prefixlen}"]
    inner += [f"{guest.gateway_ipv6}/64"] if guest.ipv6 else []
    management = (f"{gateway.address}/{site.management.ipv4.prefixlen}",)
    wan = End(switch, "gw-wan", bridge="vlan-wan")
    made.wires += [
        Wire(End(here, gateway.guest_interface, tuple(inner)), End(lan, "gateway", bridge="lan")),
        Wire(End(here, gateway.management_interface, management), End(switch, "gw-mgmt", bridge="vlan-mgmt")),
        Wire(End(here, gateway.uplink_interface, _fibre(link.address, link.ipv6)), wan),
    ]
    bridge = f"link{number}"
    made.bridges.append(Bridge(made.operator, bridge))
    fibre = End(made.operator, f"fibre{number}", bridge=bridge)
    made.fibres.append(Fibre(site.site, fibre))
    town = End(made.centre, f"site{number}", _fibre(link.peer, link.ipv6_peer))
    made.wires += [
        Wire(town, End(made.operator, f"centre{number}", bridge=bridge)),
        Wire(fibre, End(switch, port_name(link.port), bridge="vlan-wan")),
    ]
    made.routes += _routes(made, site, here, centre)


def _fibre(address: object, ipv6: object) -> tuple[str, ...]:
    return (f"{address}/30", f"{ipv6}/126") if ipv6 else (f"{address}/30",)


def _routes(made: Plan, site: Site, gateway: str, centre: str) -> Iterator[Route]:
    link = site.uplink
    yield Route(gateway, "default", str(link.peer))
    yield Route(made.centre, str(site.management.ipv4), str(link.address), centre)
    yield Route(made.inet, str(ip_network(f"{link.address}/30", strict=False)), EDGE[0])
    if link.ipv6:
        yield Route(gateway, "default", str(link.ipv6_peer))
        yield Route(made.inet, str(ip_network(f"{link.ipv6}/126", strict=False)), EDGE[1])
    if link.ipv6 and site.guest.ipv6:
        yield Route(made.centre, str(site.guest.ipv6), str(link.ipv6))
        yield Route(made.inet, str(site.guest.ipv6), EDGE[1])


def _switches(made: Plan, site: Site) -> None:
    root = made.namespace(site.uplink.switch)
    made.bridges.append(Bridge(root, "vlan-wan"))
    for number, switch in enumerate(site.switches):
        here = made.namespace(switch.name)
        made.namespaces.append(here)
        made.bridges.append(Bridge(here, "vlan-mgmt", (f"{switch.address}/{site.management.ipv4.prefixlen}",)))
        made.routes.append(Route(here, "default", str(site.gateway.address)))
        if here != root:
            trunk = End(root, f"trunk-{number}", bridge="vlan-mgmt")
            made.wires.append(Wire(End(here, "trunk", bridge="vlan-mgmt"), trunk))


def _access_points(made: Plan, site: Site) -> None:
    for point in site.access_points:
        here = made.namespace(point.name)
        made.namespaces.append(here)
        address = (f"{point.address}/{site.management.ipv4.prefixlen}",)
        port = End(made.namespace(point.switch), port_name(point.port), bridge="vlan-mgmt")
        made.wires.append(Wire(End(here, "eth0", address, mac=point.mac.text), port))
        made.routes.append(Route(here, "default", str(site.gateway.address)))


def _residents(made: Plan, site: Site, count: int) -> None:
    lan = f"{made.prefix}{site.gateway.name}-lan"
    for number in range(1, count + 1):
        alias = f"{site.gateway.name}-r{number}"
        mac = resident_mac(f"{site.site}/{number}")
        resident = Resident(site.site, number, alias, f"{made.prefix}{alias}", mac)
        made.residents.append(resident)
        made.namespaces.append(resident.namespace)
        port = End(lan, f"r{number}", bridge="lan", isolated=True)
        made.wires.append(Wire(End(resident.namespace, "wlan0", mac=mac.text), port))


def _visitor(made: Plan, site: Site) -> None:
    here = made.visitors[site.site] = f"{made.prefix}{site.gateway.name}-visitor"
    made.namespaces.append(here)
    port = End(f"{made.prefix}{site.gateway.name}-lan", "visitor", bridge="lan")
    made.wires.append(
        Wire(End(here, VISITOR_INTERFACE, mac=(site.visitor or resident_mac(f"{site.site}/visitor")).text), port)
    )
