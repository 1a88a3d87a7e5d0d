"""Connections that have ended, or go on, as conntrack tells them (linux/netfilter/nfnetlink_conntrack.h).

The kernel writes all messages of one kind alike: where their values are is learnt from one and used for those that have
the same headers, which is three times quicker than walking through the attributes.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from operator import itemgetter
from typing import Any, NamedTuple

from captive_portal import netlink as nl

IPCTNL_MSG_CT_NEW, IPCTNL_MSG_CT_GET, IPCTNL_MSG_CT_DELETE = 1 << 8 | 0, 1 << 8 | 1, 1 << 8 | 2
ORIGINAL, REPLY, MARK, TIMESTAMP = 1, 2, 8, 20
IP, PROTO = 1, 2
V4_SOURCE, V4_TARGET, V6_SOURCE, V6_TARGET = 1, 2, 3, 4
NUMBER, SOURCE_PORT, TARGET_PORT = 1, 2, 3
START, STOP = 1, 2
_PLACES = {
    (ORIGINAL, IP, V4_SOURCE): ("source", "4s"),
    (ORIGINAL, IP, V6_SOURCE): ("source", "16s"),
    (ORIGINAL, IP, V4_TARGET): ("target", "4s"),
    (ORIGINAL, IP, V6_TARGET): ("target", "16s"),
    (ORIGINAL, PROTO, NUMBER): ("protocol", "B"),
    (ORIGINAL, PROTO, SOURCE_PORT): ("sport", "H"),
    (ORIGINAL, PROTO, TARGET_PORT): ("tport", "H"),
    (REPLY, IP, V4_SOURCE): ("peer", "4s"),
    (REPLY, IP, V6_SOURCE): ("peer", "16s"),
    (REPLY, IP, V4_TARGET): ("public", "4s"),
    (REPLY, IP, V6_TARGET): ("public", "16s"),
    (REPLY, PROTO, TARGET_PORT): ("pport", "H"),
    (MARK,): ("mark", "L"),
    (TIMESTAMP, START): ("start", "Q"),
    (TIMESTAMP, STOP): ("stop", "Q"),
}
"""Path of an attribute -> its name and shape here."""
_SIZES = {"4s": 4, "16s": 16, "B": 1, "H": 2, "L": 4, "Q": 8}
_NESTED = {(ORIGINAL,), (REPLY,), (ORIGINAL, IP), (ORIGINAL, PROTO), (REPLY, IP), (REPLY, PROTO), (TIMESTAMP,)}
_ROW = struct.Struct(">QQBBHLHHHxx16s16s")
ROW_BYTES = _ROW.size
TICK = 1_000_000
"""Nanoseconds in a row's unit of time: what is finer says nothing to anybody, and does not pack."""
OPEN = 1
"""A row's flag: at its *stop* the communication went on; its end stands in another row, if the kernel could tell it."""
WANTED = ("source", "target", "protocol", "sport", "tport", "peer", "public", "pport", "mark", "start", "stop")
_ABSENT: dict[str, bytes | int] = {"source": b"", "target": b"", "peer": b"", "public": b""}


class Flow(NamedTuple):
    """One communication; *start* and *stop* in nanoseconds since 1970, 0 where the kernel does not know."""

    start: int
    stop: int
    protocol: int
    mark: int
    source: IPv4Address | IPv6Address
    sport: int
    target: IPv4Address | IPv6Address
    tport: int
    pport: int
    """The port the public address had for it; for IPv6 the source's own."""
    open: bool = False
    """Whether it still went on at *stop*, when it was last looked at."""


@dataclass(frozen=True, slots=True)
class Guests:
    """Whose communications these are: those that left by the uplink for somebody else than the gateway."""

    public: bytes
    network6: IPv6Network | None
    gateway6: bytes

    def left(self, source: bytes, target: bytes, public: bytes) -> bool:
        """Whether a flow from *source* to *target*, answered to *public*, is a resident's and went out."""
        if len(source) == 4:  # noqa: PLR2004 IPv4
            return public == self.public and source != public
        inside = self.network6 is not None and source[:8] == self.network6.network_address.packed[:8]
        return inside and target != self.gateway6 and target[0] not in (0xFE, 0xFF)


class _Shape:
    """Where the values are in messages with the same headers."""

    def __init__(self, body: bytes) -> None:
        mask = bytearray(b"\xff" * len(body))
        found: dict[str, tuple[int, str]] = {}
        self._learn(body, nl.NFGENMSG.size, len(body), (), found, mask)
        self._mask = int.from_bytes(mask, "little")
        self._headers = int.from_bytes(body, "little") & self._mask
        places = sorted(found.items(), key=lambda one: one[1][0])
        shape, at = ">", 0
        for _name, (start, kind) in places:
            shape += f"{start - at}x{kind}"
            at = start + _SIZES[kind]
        self._struct = struct.Struct(shape)
        lacking = [name for name in WANTED if name not in found]
        order = [name for name, _ in places] + lacking
        self._missing = [_ABSENT.get(name, 0) for name in lacking]
        self._pick = itemgetter(*(order.index(name) for name in WANTED))
        self.known = {"source", "target", "public"} <= found.keys()

    def fits(self, body: bytes) -> bool:
        return int.from_bytes(body, "little") & self._mask == self._headers

    def values(self, body: bytes) -> tuple[Any, ...]:
        found: tuple[Any, ...] = self._pick((*self._struct.unpack_from(body), *self._missing))
        return found

    def _learn(
        self,
        body: bytes,
        start: int,
        end: int,
        path: tuple[int, ...],
        found: dict[str, tuple[int, str]],
        mask: bytearray,
    ) -> None:
        for kind, first, last in nl.attributes(body, start, end):
            here = (*path, kind)
            if here in _NESTED:
                self._learn(body, first, last, here, found, mask)
                continue
            if here in _PLACES and _SIZES[_PLACES[here][1]] == last - first:
                found[_PLACES[here][0]] = (first, _PLACES[here][1])
            mask[first:last] = bytes(last - first)


class Reader:
    """Turns conntrack's messages into rows."""

    def __init__(self, guests: Guests) -> None:
        self._guests = guests
        self._shapes: dict[int, list[_Shape]] = {}

    def row(self, body: bytes, now: int, flags: int = 0, since: int = 0) -> bytes | None:
        """The row of one message's *body*; None for what is not a resident's, or began before *since*.

        *now*: what is written where there is no end; both in nanoseconds since 1970. *flags*: OPEN while it goes on.
        """
        shapes = self._shapes.setdefault(len(body), [])
        shape = next((one for one in shapes if one.fits(body)), None)
        if shape is None:
            shape = _Shape(body)
            shapes.insert(0, shape)
            del shapes[16:]
        if not shape.known:
            return None
        source, target, protocol, sport, tport, _peer, public, pport, mark, start, stop = shape.values(body)
        if start < since or not self._guests.left(source, target, public):
            return None
        times = (start // TICK, (stop or now) // TICK)
        return _ROW.pack(*times, protocol, len(source), flags, mark, sport, tport, pport, source, target)


def columns(rows: bytes) -> bytes:
    """*rows* turned: octets that mean the same stand side by side, and pack into half.

    >>> rows_of(columns(bytes(range(ROW_BYTES)) * 3)) == bytes(range(ROW_BYTES)) * 3
    True
    """
    return b"".join(rows[place::ROW_BYTES] for place in range(ROW_BYTES))


def rows_of(turned: bytes) -> bytes:
    """The rows that :func:`columns` has turned."""
    made, count = bytearray(len(turned)), len(turned) // ROW_BYTES
    for place in range(ROW_BYTES):
        made[place::ROW_BYTES] = turned[place * count : (place + 1) * count]
    return bytes(made)


def flows(rows: bytes, tick: int = TICK) -> Iterator[Flow]:
    """The communications in *rows*; *tick*: nanoseconds in their unit of time."""
    for start, stop, protocol, size, flags, mark, sport, tport, pport, source, target in _ROW.iter_unpack(rows):
        here, there = ip_address(source[:size]), ip_address(target[:size])
        yield Flow(start * tick, stop * tick, protocol, mark, here, sport, there, tport, pport, bool(flags & OPEN))


def each_once(found: Iterable[Flow]) -> list[Flow]:
    """Every communication once: with its end where that was told, else as it was seen last."""
    kept: dict[tuple[Any, ...], Flow] = {}
    for one in found:
        key = (one.start or one.stop, one.protocol, one.source, one.sport, one.target, one.tport)
        known = kept.get(key)
        if known is None or (known.open and (not one.open or one.stop > known.stop)):
            kept[key] = one
    return list(kept.values())
