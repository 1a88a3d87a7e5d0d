"""Who has this IP address, by the kernel's neighbour table: one RTM_GETNEIGH question over rtnetlink(7).

Trustworthy only behind the ruleset's ARP and router-advertisement guards. Needs no privilege.
"""

import errno
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from parvis.addresses import MacAddress

RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
NDA_DST, NDA_LLADDR, NDA_MASTER = 1, 2, 9
AF_BRIDGE = 7
USABLE = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
"""NUD_REACHABLE, STALE, DELAY, PROBE, PERMANENT (linux/neighbour.h)."""
STATES = (
    (0x02 | 0x80, "reachable"),
    (0x08, "delay"),
    (0x10, "probe"),
    (0x04, "stale"),
    (0x01, "incomplete"),
    (0x20, "failed"),
)
_HEADER = struct.Struct("=LHHLL")
_NDMSG = struct.Struct("=BBHiHBB")
_ATTRIBUTE = struct.Struct("=HH")
_INDEX = struct.Struct("=I")
_ETHERNET_ALEN = 6
_ADDRESS_LENGTHS = {int(socket.AF_INET): 4, int(socket.AF_INET6): 16}


def mac_of(address: IPv4Address | IPv6Address, interface: str) -> MacAddress | None:
    """The MAC address of *address* on *interface*; None when the kernel knows none. OSError when it cannot be asked."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as channel:
        channel.settimeout(1.0)
        channel.bind((0, 0))
        channel.send(_question(address, socket.if_nametoindex(interface)))
        return read_answer(channel.recv(8192))


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One entry of the neighbour table; *state* are the kernel's NUD bits."""

    address: IPv4Address | IPv6Address
    mac: MacAddress | None
    state: int
    index: int


def of(mac: MacAddress, interface: str) -> list[Neighbour]:
    """The entries of *mac* on *interface*; OSError when the table cannot be read."""
    return [one for one in everybody(interface) if one.mac == mac]


def everybody(interface: str) -> list[Neighbour]:
    """The neighbour table of *interface*, both families."""
    index = socket.if_nametoindex(interface)
    body = _NDMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0, 0, 0)
    ask = _HEADER.pack(_HEADER.size + len(body), RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + body
    found: list[Neighbour] = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as channel:
        channel.settimeout(1.0)
        channel.bind((0, 0))
        channel.send(ask)
        while True:
            data = channel.recv(1 << 16)
            found += [one for _, one in read(data) if one.index == index]
            if NLMSG_DONE in kinds(data):
                return found


def best(known: Iterable[Neighbour]) -> str | None:
    """The best state among *known*, in the kernel's word; None when there is none."""
    states = [one.state for one in known]
    return next((word for bits, word in STATES if any(state & bits for state in states)), None)


def kinds(data: bytes) -> list[int]:
    """The types of the messages in one datagram."""
    return [kind for kind, _ in _messages(data)]


def read(data: bytes) -> Iterator[tuple[int, Neighbour]]:
    """The entries told in one datagram, each with its message type (RTM_NEWNEIGH, RTM_DELNEIGH)."""
    for kind, body in _messages(data):
        if kind not in (RTM_NEWNEIGH, RTM_DELNEIGH) or len(body) < _NDMSG.size:
            continue
        family, _, _, index, state, _, _ = _NDMSG.unpack_from(body)
        told = _attributes(body, _NDMSG.size)
        if len(told.get(NDA_DST, b"")) != _ADDRESS_LENGTHS.get(family):
            continue
        link = told.get(NDA_LLADDR, b"")
        mac = MacAddress.parse(link.hex()) if len(link) == _ETHERNET_ALEN else None
        yield kind, Neighbour(ip_address(told[NDA_DST]), mac, state, index)


def ports(data: bytes) -> Iterator[tuple[MacAddress, int, int]]:
    """The MAC addresses a bridge has learned, by one datagram: address, port's and bridge's interface number."""
    for kind, body in _messages(data):
        if kind != RTM_NEWNEIGH or len(body) < _NDMSG.size:
            continue
        family, _, _, index, _, _, _ = _NDMSG.unpack_from(body)
        told = _attributes(body, _NDMSG.size)
        link, master = told.get(NDA_LLADDR, b""), told.get(NDA_MASTER, b"")
        if family == AF_BRIDGE and len(link) == _ETHERNET_ALEN and len(master) == _INDEX.size and not link[0] & 1:
            yield MacAddress.parse(link.hex()), index, _INDEX.unpack(master)[0]


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _, _, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size:
            return
        yield kind, data[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def _question(address: IPv4Address | IPv6Address, index: int) -> bytes:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 IPv4
    packed = address.packed
    attribute = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(packed), NDA_DST) + packed
    body = _NDMSG.pack(family, 0, 0, index, 0, 0, 0) + attribute
    return _HEADER.pack(_HEADER.size + len(body), RTM_GETNEIGH, NLM_F_REQUEST, 1, 0) + body


def read_answer(data: bytes) -> MacAddress | None:
    """The MAC address in one rtnetlink answer; None for "no such entry" and for entries that are not resolved."""
    _, kind, _, _, _ = _HEADER.unpack_from(data)
    if kind == NLMSG_ERROR:
        code = -struct.unpack_from("=i", data, _HEADER.size)[0]
        if code in (0, errno.ENOENT, errno.EINVAL):
            return None
        raise OSError(code, "the neighbour table cannot be read")
    if kind != RTM_NEWNEIGH:
        return None
    state = _NDMSG.unpack_from(data, _HEADER.size)[4]
    found = _attributes(data, _HEADER.size + _NDMSG.size).get(NDA_LLADDR, b"")
    if not state & USABLE or len(found) != _ETHERNET_ALEN:
        return None
    return MacAddress.parse(found.hex())


def _attributes(data: bytes, offset: int) -> dict[int, bytes]:
    found = {}
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size:
            break
        found[kind] = data[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return found


def plain(address: str) -> IPv4Address | IPv6Address:
    """The address a socket reports, with IPv4-mapped IPv6 (RFC 4291 section 2.5.5.2) and scopes undone.

    >>> plain("::ffff:10.11.0.5"), plain("fe80::1%guest0")
    (IPv4Address('10.11.0.5'), IPv6Address('fe80::1'))
    """
    dotted = address.removeprefix("::ffff:")
    if ":" not in dotted:
        return IPv4Address(dotted)
    found = IPv6Address(address.partition("%")[0])
    return found.ipv4_mapped or found
