"""What must not be on the residents' network, judged from what was seen there. No I/O, no clock.

A finding is a kind, a number, and the port behind which it is: the addresses it was judged from stay in memory and go
with it (rule: never a resident in a log, a label or an alert).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Hazard(StrEnum):
    """What is wrong on the residents' network."""

    ROGUE_DHCP = "rogue-dhcp"
    """Somebody else gives leases: residents get his resolver and his gateway."""
    ROGUE_ROUTER = "rogue-router"
    """Somebody else advertises himself as a router (RFC 6104)."""
    GATEWAY_SPOOFED = "gateway-spoofed"
    """Somebody else says that the gateway's address is his: ARP or neighbour discovery (RFC 826, RFC 3756)."""
    ADDRESS_CONFLICT = "address-conflict"
    """Two devices use one address (RFC 5227), or one refused the address it was given (DHCPDECLINE, RFC 2131)."""


INTRUDERS = (Hazard.ROGUE_DHCP, Hazard.ROGUE_ROUTER, Hazard.GATEWAY_SPOOFED)
"""Whose devices are looked for: those that do harm to others. Two who share an address by mistake are left alone."""
MOST_SUSPECTS = 4


class Kind(StrEnum):
    """What a frame said."""

    DHCP_SERVER = "dhcp-server"
    ROUTER = "router"
    CLAIM = "claim"
    DECLINE = "decline"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One frame: the device *mac* says that *address* is a DHCP server, a router, or its own."""

    kind: Kind
    mac: str
    address: str


@dataclass(frozen=True, slots=True)
class Known:
    """What is right. *gateway*: its MAC address, empty while unproven; *addresses*: its own on this network."""

    gateway: str
    addresses: frozenset[str]


def judge(sightings: Iterable[Sighting], known: Known) -> Mapping[Hazard, frozenset[str]]:
    """Who does each wrong thing: MAC addresses, and for a conflict the address that is used twice.

    While the gateway's MAC is unproven, who speaks for one of its addresses is taken for it; two who do are not.

    >>> seen = [Sighting(Kind.DHCP_SERVER, "02:00:00:00:00:01", "10.0.0.1"),
    ...         Sighting(Kind.DHCP_SERVER, "02:00:00:00:00:66", "10.0.0.66")]
    >>> judge(seen, Known("02:00:00:00:00:01", frozenset({"10.0.0.1"})))
    {<Hazard.ROGUE_DHCP: 'rogue-dhcp'>: frozenset({'02:00:00:00:00:66'})}
    """
    wrong: dict[Hazard, set[str]] = defaultdict(set)
    claims: dict[str, set[str]] = defaultdict(set)
    for seen in sightings:
        if seen.kind is Kind.DECLINE:
            wrong[Hazard.ADDRESS_CONFLICT].add(seen.address)
        elif seen.kind is Kind.CLAIM:
            claims[seen.address].add(seen.mac)
        elif not _right(seen, known):
            wrong[Hazard.ROGUE_DHCP if seen.kind is Kind.DHCP_SERVER else Hazard.ROGUE_ROUTER].add(seen.mac)
    for address, macs in claims.items():
        if address in known.addresses:
            wrong[Hazard.GATEWAY_SPOOFED] |= _impostors(macs, known)
        elif len(macs) > 1:
            wrong[Hazard.ADDRESS_CONFLICT].add(address)
    return {hazard: frozenset(wrong[hazard]) for hazard in Hazard if wrong[hazard]}


def _right(seen: Sighting, known: Known) -> bool:
    if known.gateway:
        return seen.mac == known.gateway
    return seen.address in known.addresses


def _impostors(macs: set[str], known: Known) -> set[str]:
    if known.gateway:
        return macs - {known.gateway}
    return macs if len(macs) > 1 else set()
