"""What no single field can tell: names used twice, addresses outside their network, references to nothing.

Each check takes the town and a way to locate a path in a site's file (or in town.yml: site None), and yields faults.
"""

from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network
from itertools import combinations
from typing import Any

from parvis.colours import TEXT_RATIO, contrast, readable
from parvis.inventory.abeille import faults as _children
from parvis.inventory.model import Site, Town
from parvis.inventory.yaml_lines import Fault, Path_

Locate = Callable[[Site | None, Path_, str, str], Fault]
"""(site or None for town.yml, path, message, fix) -> Fault."""
Placed = tuple[Any, Site | None, Path_]
"""A value, the file it stands in, and its path there."""


def all_faults(town: Town, locate: Locate, *, thorough: bool = False) -> list[Fault]:
    """Every fault of the town as a whole; *thorough* also those that need a library nobody keeps in memory."""
    checks = [_twice, _overlaps, _outside_networks, _references, _people, _gateway_network, _colours, _maintenance]
    checks.append(_children)
    checks += [_hours] if thorough else []
    return [fault for check in checks for fault in check(town, locate)]


def suggestion(word: str, known: Iterable[str]) -> str:
    """A hint for a word that is not known.

    >>> suggestion("titel", ["title", "kind"])
    'did you mean title?'
    """
    close = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(known)) or 'none'}"


def _devices(site: Site) -> Iterator[tuple[Any, Path_]]:
    yield site.gateway, ("gateway",)
    yield from ((switch, ("switches", i)) for i, switch in enumerate(site.switches))
    yield from ((point, ("access_points", i)) for i, point in enumerate(site.access_points))
    yield from ((ups, ("ups", i)) for i, ups in enumerate(site.ups))


def _names(town: Town) -> Iterator[Placed]:
    for site in town.sites:
        yield site.site, site, ("site",)
        yield site.uplink.name, site, ("uplink", "name")
        yield from ((device.name, site, (*path, "name")) for device, path in _devices(site))


def _addresses(town: Town) -> Iterator[Placed]:
    for site in town.sites:
        for key in ("address", "peer", "ipv6", "ipv6_peer"):
            if (value := getattr(site.uplink, key)) is not None:
                yield value, site, ("uplink", key)
        yield from ((device.address, site, (*path, "address")) for device, path in _devices(site))


def _macs(town: Town) -> Iterator[Placed]:
    for site in town.sites:
        yield from ((point.mac, site, ("access_points", i, "mac")) for i, point in enumerate(site.access_points))
        yield from ((known.mac, site, ("known_devices", i, "mac")) for i, known in enumerate(site.known_devices))
        if site.visitor is not None:
            yield site.visitor, site, ("visitor",)


def _engine_ids(town: Town) -> Iterator[Placed]:
    for site in town.sites:
        for device, path in _devices(site):
            if hasattr(device, "snmp") and device.snmp.engine_id:
                yield device.snmp.engine_id, site, (*path, "snmp", "engine_id")


def _contracts(town: Town) -> Iterator[Placed]:
    yield from ((site.uplink.contract, site, ("uplink", "contract")) for site in town.sites)


def _named(items: Iterable[Any], key: str) -> Iterator[Placed]:
    yield from ((item.name, None, (key, i, "name")) for i, item in enumerate(items))


def _twice(town: Town, locate: Locate) -> Iterator[Fault]:
    groups: tuple[tuple[str, Iterable[Placed]], ...] = (
        ("name", _names(town)),
        ("address", _addresses(town)),
        ("MAC address", _macs(town)),
        ("engine ID", _engine_ids(town)),
        ("contract", _contracts(town)),
        ("name", _named(town.credentials, "credentials")),
        ("name", _named(town.people, "people")),
        ("name", _named(town.channels, "channels")),
    )
    for what, values in groups:
        first: dict[Any, tuple[Site | None, Path_]] = {}
        for value, site, path in values:
            if value in first:
                other = locate(*first[value], "", "")
                yield locate(
                    site,
                    path,
                    f"{what} {value} is already used at {other.file}:{other.line}",
                    f"give it {'an' if what[0] in 'ae' else 'a'} {what} of its own",
                )
            first.setdefault(value, (site, path))


def _networks(town: Town) -> Iterator[tuple[IPv4Network | IPv6Network, Site | None, Path_]]:
    yield town.centre.ipv4, None, ("centre", "ipv4")
    for site in town.sites:
        yield site.guest.ipv4, site, ("guest", "ipv4")
        if site.guest.ipv6:
            yield site.guest.ipv6, site, ("guest", "ipv6")
        yield site.management.ipv4, site, ("management", "ipv4")


def _overlaps(town: Town, locate: Locate) -> Iterator[Fault]:
    for (one, site_one, path_one), (two, site_two, path_two) in combinations(_networks(town), 2):
        if one.version == two.version and one.overlaps(two):
            other = locate(site_one, path_one, "", "")
            yield locate(
                site_two,
                path_two,
                f"{two} overlaps {one} at {other.file}:{other.line}",
                "give each network its own range",
            )


def _outside_networks(town: Town, locate: Locate) -> Iterator[Fault]:
    for site in town.sites:
        network = site.management.ipv4
        for device, path in _devices(site):
            if device.address not in network:
                yield locate(
                    site,
                    (*path, "address"),
                    f"{device.name} ({device.address}) is in no network of site {site.site}",
                    f"use an address in {network}, or move it to the file of its site",
                )
            elif device.address in (network.network_address, network.broadcast_address):
                yield locate(
                    site, (*path, "address"), f"{device.address} is not a host's address in {network}", "take another"
                )


def _gateway_network(town: Town, locate: Locate) -> Iterator[Fault]:
    for site in town.sites:
        if site.guest.ipv4.prefixlen > 29:  # noqa: PLR2004 a smaller network has no room for residents
            yield locate(
                site,
                ("guest", "ipv4"),
                f"{site.guest.ipv4} is too small for residents",
                "use /29 or larger, /22 is usual",
            )
        if site.guest.ipv6 and site.guest.ipv6.prefixlen != 64:  # noqa: PLR2004 RFC 4862: SLAAC needs 64 bits
            yield locate(
                site, ("guest", "ipv6"), f"{site.guest.ipv6} is not a /64", "phones configure themselves only in a /64"
            )
        if bool(site.uplink.ipv6) != bool(site.uplink.ipv6_peer) or (site.guest.ipv6 and not site.uplink.ipv6):
            yield locate(
                site,
                ("uplink", "ipv6"),
                "IPv6 needs guest.ipv6, uplink.ipv6 and uplink.ipv6_peer together",
                "add what is missing",
            )


def _far_end(town: Town, site: Site, locate: Locate) -> Iterator[Fault]:
    """The other end of a fibre is a switch of the town, and not this end."""
    far = site.uplink.far
    if far is None:
        return
    switches = {switch.name for other in town.sites for switch in other.switches}
    if far.device not in switches:
        message = f"no switch of the town is called {far.device}"
        yield locate(site, ("uplink", "far", "device"), message, suggestion(far.device, switches))
    elif (far.device, far.port) == (site.uplink.switch, site.uplink.port):
        message = "the far end of the fibre is its near end"
        yield locate(site, ("uplink", "far", "port"), message, "name the port at the other end, or leave far out")


def _references(town: Town, locate: Locate) -> Iterator[Fault]:
    credentials = {credential.name for credential in town.credentials}
    for site in town.sites:
        switches = {switch.name for switch in site.switches}
        named: list[tuple[str, Path_]] = [(site.uplink.switch, ("uplink", "switch"))]
        named += [(point.switch, ("access_points", i, "switch")) for i, point in enumerate(site.access_points)]
        for name, path in named:
            if name not in switches:
                yield locate(site, path, f"no switch of site {site.site} is called {name}", suggestion(name, switches))
        yield from _far_end(town, site, locate)
        for device, path in _devices(site):
            wants = device.snmp.credential if hasattr(device, "snmp") else None
            if wants and wants not in credentials:
                yield locate(
                    site,
                    (*path, "snmp", "credential"),
                    f"no credential is called {wants}",
                    suggestion(wants, credentials),
                )
            elif wants:
                yield from _of_version_3(town, site, device, path, locate)


def _of_version_3(town: Town, site: Site, device: Any, path: Path_, locate: Locate) -> Iterator[Fault]:
    """What only SNMPv3 knows is given to nobody who is asked in another version."""
    version = town.credential(device.snmp.credential).version
    for field in ("context", "engine_id"):
        if version != "v3" and getattr(device.snmp, field):
            message = f"{device.name} is asked in {version}, which has no {field}"
            yield locate(site, (*path, "snmp", field), message, "take it out, or name a credential of v3")
    if device.snmp.slow_lane and device.snmp.engine_id:
        message = f"{device.name} is asked in the slow lane, which takes whatever engine answers"
        yield locate(site, (*path, "snmp", "engine_id"), message, "take it out, or slow_lane")


def _people(town: Town, locate: Locate) -> Iterator[Fault]:
    people = {person.name for person in town.people}
    channels = {channel.name for channel in town.channels}
    rota = town.rota
    named: list[tuple[Path_, str]] = [(("rota", "order", i), name) for i, name in enumerate(rota.order)]
    for n, level in enumerate(rota.levels):
        named += [(("rota", "levels", n, "order", i), name) for i, name in enumerate(level.order)]
    named += [(("rota", "swaps", i, "person"), swap.person) for i, swap in enumerate(rota.swaps)]
    named += [(("rota", "absences", i, "person"), absence.person) for i, absence in enumerate(rota.absences)]
    for path, name in named:
        if name not in people:
            yield locate(None, path, f"nobody is called {name}", suggestion(name, people))
    for i, swap in enumerate(rota.swaps):
        if swap.level > len(rota.levels) + 1:
            yield locate(None, ("rota", "swaps", i, "level"), f"there is no level {swap.level}", "add it to levels")
    for i, person in enumerate(town.people):
        for n, name in enumerate(person.channels):
            if name not in channels:
                path = ("people", i, "channels", n)
                yield locate(None, path, f"no channel is called {name}", suggestion(name, channels))


def _colours(town: Town, locate: Locate) -> Iterator[Fault]:
    """Text is written in *main* on white and on *paper*, in white on *main* and *dark* (RGAA 3.2)."""
    look = town.appearance
    for key, grounds in (("main", ("#ffffff", look.paper)), ("dark", ("#ffffff",)), ("paper", ("#16302b",))):
        colour = getattr(look, key)
        for ground in grounds:
            found = contrast(colour, ground)
            if found < TEXT_RATIO:
                yield locate(
                    None,
                    ("appearance", key),
                    f"{colour} and {ground} have a contrast of {found:.2f}:1, text needs {TEXT_RATIO}:1",
                    f"take {readable(colour, grounds)}, the nearest that can be read",
                )


def _hours(town: Town, locate: Locate) -> Iterator[Fault]:
    from parvis.opening import fault  # noqa: PLC0415 4 MB, for this check only

    for site in town.sites:
        for key in ("opening_hours", "radio_hours"):
            said = getattr(site, key)
            if said is not None and (found := fault(said, town.timezone)):
                yield locate(site, (key,), *found)


def _maintenance(town: Town, locate: Locate) -> Iterator[Fault]:
    known = {value for value, _site, _path in _names(town)}
    for n, work in enumerate(town.maintenance):
        for i, name in enumerate(work.of):
            if name not in known:
                message = f"nothing in the town is called {name}"
                yield locate(None, ("maintenance", n, "of", i), message, suggestion(name, known))
