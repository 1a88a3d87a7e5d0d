"""Who has this IP address, by the kernel's neighbour table: one RTM_GETNEIGH question over rtnetlink(7).

Trustworthy only behind the ruleset's ARP and router-advertisement guards. Needs no privilege.
"""

import errno
import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

from parvis.addresses import MacAddress

RTM_NEWNEIGH, RTM_GETNEIGH = 28, 30
NLM_F_REQUEST = 1
NLMSG_ERROR = 2
NDA_DST, NDA_LLADDR = 1, 2
USABLE = 0x02 | 0x04 | 0x08 | 0x10 | 0x80
"""NUD_REACHABLE, STALE, DELAY, PROBE, PERMANENT (linux/neighbour.h)."""
_HEADER = struct.Struct("=LHHLL")
_NDMSG = struct.Struct("=BBHiHBB")
_ATTRIBUTE = struct.Struct("=HH")
_ETHERNET_ALEN = 6


def mac_of(address: IPv4Address | IPv6Address, interface: str) -> MacAddress | None:
    """The MAC address of *address* on *interface*; None when the kernel knows none. OSError when it cannot be asked."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as channel:
        channel.settimeout(1.0)
        channel.bind((0, 0))
        channel.send(_question(address, socket.if_nametoindex(interface)))
        return read_answer(channel.recv(8192))


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
    found = ip_address(address.partition("%")[0])
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
