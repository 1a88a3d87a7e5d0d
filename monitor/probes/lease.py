"""A lease as a phone takes it: DISCOVER, all offers, REQUEST, ACK (RFC 2131), asking for option 114 (RFC 8910)."""

import secrets
from dataclasses import dataclass
from ipaddress import IPv4Address

from scapy.layers.dhcp import BOOTP
from scapy.packet import Packet

from monitor.probes.guest_wire import ACK, OFFER, Wire, discover, options

ASKED = [1, 3, 6, 15, 51, 114]
"""Subnet mask, router, resolvers, domain, lease time, captive portal."""
TRIES = 3
OFFER_SECONDS = 1.5
LATE_SECONDS = 0.5
"""After the right server's offer: a rogue one may be slower."""


class NoLease(Exception):
    """The DHCP server did not do what a phone needs; the words say what."""


@dataclass(frozen=True, slots=True)
class Lease:
    """What the server gave. *api*: the address of the captive portal's API."""

    address: IPv4Address
    prefix: int
    router: IPv4Address
    resolvers: tuple[IPv4Address, ...]
    api: str
    seconds: int


def take(wire: Wire, server: str) -> Lease:
    """A lease from the DHCP server with the address *server*; offers of others are noted on the wire. NoLease."""
    number = secrets.randbits(32)
    offered = None
    for _ in range(TRIES):
        discover(wire, number, [("message-type", "discover"), ("param_req_list", ASKED)])
        offered = wire.hear(OFFER_SECONDS, lambda packet: _is(packet, OFFER, number, server))
        if offered is not None:
            wire.hear(LATE_SECONDS)
            break
    if offered is None:
        raise NoLease("no offer from the gateway's DHCP server")
    address = str(offered[BOOTP].yiaddr)
    words = [("server_id", server), ("requested_addr", address), ("param_req_list", ASKED)]
    discover(wire, number, [("message-type", "request"), *words])
    given = wire.hear(OFFER_SECONDS, lambda packet: _is(packet, ACK, number, server))
    if given is None:
        raise NoLease("the server offered an address and did not give it")
    return _lease(address, options(given))


def _is(packet: Packet, kind: int, number: int, server: str) -> bool:
    if BOOTP not in packet or packet[BOOTP].xid != number:
        return False
    said = options(packet)
    return said.get("message-type") == kind and said.get("server_id") == server


def _lease(address: str, said: dict[str, object]) -> Lease:
    try:
        mask = IPv4Address(str(said["subnet_mask"]))
        resolvers = _listed(said["name_server"])
        router = _listed(said["router"])[0]
        api = said.get("captive-portal", b"")
        text = api.decode("ascii") if isinstance(api, bytes) else ""
        seconds = int(str(said["lease_time"]))
    except (KeyError, IndexError, ValueError) as error:
        raise NoLease(f"the lease lacks something a phone needs: {type(error).__name__} {error}") from error
    if not text.startswith("https://"):
        raise NoLease("the lease names no captive portal (option 114)")
    return Lease(IPv4Address(address), int(mask).bit_count(), router, resolvers, text, seconds)


def _listed(value: object) -> tuple[IPv4Address, ...]:
    return tuple(IPv4Address(str(one)) for one in (value if isinstance(value, list) else [value]))
