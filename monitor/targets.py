"""Whom the monitor asks, and who stands behind whom: all of it follows from the inventory."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from parvis.inventory import Site, Town


class Kind(StrEnum):
    """What answers at a target."""

    INTERNET = "internet"
    UPLINK = "uplink"
    GATEWAY = "gateway"
    SWITCH = "switch"
    ACCESS_POINT = "access-point"


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to ask. *parents*: the nearest first; *site* is empty and *parents* too for internet targets."""

    name: str
    kind: Kind
    site: str
    address: IPv4Address | IPv6Address
    parents: tuple[str, ...] = ()


def targets(town: Town) -> tuple[Target, ...]:
    """Every target: the internet's first, then each site's uplink, gateway, switches and access points."""
    internet = (Target(f"internet-{i}", Kind.INTERNET, "", a) for i, a in enumerate(town.internet_targets, 1))
    return (*internet, *(target for site in town.sites for target in _of_site(site)))


def _of_site(site: Site) -> list[Target]:
    uplink, gateway = site.uplink.name, site.gateway.name
    return [
        Target(uplink, Kind.UPLINK, site.site, site.uplink.address),
        Target(gateway, Kind.GATEWAY, site.site, site.gateway.address, (uplink,)),
        *(Target(switch.name, Kind.SWITCH, site.site, switch.address, (gateway, uplink)) for switch in site.switches),
        *(
            Target(point.name, Kind.ACCESS_POINT, site.site, point.address, (point.switch, gateway, uplink))
            for point in site.access_points
        ),
    ]
