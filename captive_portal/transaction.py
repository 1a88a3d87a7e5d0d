"""Changes of set elements, written by netlink in one transaction, all or none: what goes, goes first."""

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

from captive_portal import netlink as nl
from captive_portal.deadline import deadline
from captive_portal.elements import Element
from captive_portal.tables import ARP_SETS, ARP_TABLE, TABLE

BEGIN, END = 0x10, 0x11
"""NFNL_MSG_BATCH_BEGIN and _END."""
_TO_NFTABLES = struct.pack(">BBH", 0, 0, 10)
_MILLISECONDS = 8
"""Bytes of a timeout."""
_TIMEOUT, _ = nl.frame(_MILLISECONDS, nl.TIMEOUT)
LIMIT_RATE, LIMIT_UNIT, LIMIT_BURST, LIMIT_TYPE, LIMIT_FLAGS = 1, 2, 3, 4, 5
_BYTES = 1
"""NFT_LIMIT_PKT_BYTES."""
TOGETHER = 128
"""Elements in one message; an attribute has room for 64 kB."""
SO_SNDBUFFORCE = 32
"""socket(7); the module socket has no name for it."""
_numbers = count(1 << 20, 1 << 16)
"""The first sequence number of each transaction: answers to an older one are told apart."""
BUFFER_BYTES = 32 * 1024 * 1024
"""The longest transaction; the kernel takes the memory only while it is under way."""


class TransactionFailed(Exception):
    """The kernel refused a transaction; nothing of it was done. The words are the kernel's or nftables'."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Bytes per second, and bytes that may come at once."""

    rate: int
    burst: int


class Transaction:
    """Elements to remove from and to add to the sets and maps of our tables."""

    def __init__(self) -> None:
        self._gone: dict[str, dict[bytes, bytes]] = {}
        self._new: dict[str, list[bytes]] = {}

    def remove(self, name: str, key: bytes, data: bytes = b"") -> None:
        """Take the element *key* out of *name*; *data* is what a map holds for it."""
        self._gone.setdefault(name, {})[key] = _element(key, data, 1)

    def add(self, name: str, key: bytes, seconds: int, data: bytes = b"") -> None:
        """Put *key* into *name* for *seconds*."""
        self._new.setdefault(name, []).append(_element(key, data, seconds))

    def count(self, name: str, key: bytes, seconds: int, limit: Limit, before: Element | None = None) -> None:
        """Put *key* with a limit and a counter into *name* for *seconds*; it goes on counting from *before*."""
        total, packets = (before.counted or 0, before.packets or 0) if before else (0, 0)
        self._new.setdefault(name, []).append(_element(key, b"", seconds, _statements(limit, total, packets)))

    def commit(self, channel: socket.socket, *, sure: bool = True) -> None:
        """Do it over *channel*, from :func:`connected`; TransactionFailed when nothing was done.

        When *sure*, what goes must be there and what comes must not; else it makes no difference.
        """
        bodies = list(self._bodies(sure=sure))
        if not bodies:
            return
        first = next(_numbers) % 2**32
        last, create = first + len(bodies), nl.NLM_F_CREATE | (nl.NLM_F_EXCL if sure else 0)
        parts = [nl.message(BEGIN, nl.NLM_F_REQUEST, first, _TO_NFTABLES)]
        for number, (kind, body) in enumerate(bodies, first + 1):
            flags = nl.NLM_F_REQUEST | (create if kind == nl.NFT_MSG_NEWSETELEM else 0)
            parts.append(nl.message(kind, flags | (nl.NLM_F_ACK if number == last else 0), number, body))
        parts.append(nl.message(END, nl.NLM_F_REQUEST, last, _TO_NFTABLES))
        channel.sendall(b"".join(parts))
        _wait(channel, first, last)

    def _bodies(self, *, sure: bool) -> Iterator[tuple[int, bytes]]:
        for name, gone in self._gone.items():
            if not sure:
                yield from self._messages(nl.NFT_MSG_NEWSETELEM, name, list(gone.values()))
            keys = [nl.element(nl.keyed(key)) for key in gone]
            yield from self._messages(nl.NFT_MSG_DELSETELEM, name, keys)
        for name, new in self._new.items():
            yield from self._messages(nl.NFT_MSG_NEWSETELEM, name, new)

    def _messages(self, kind: int, name: str, elements: list[bytes]) -> Iterator[tuple[int, bytes]]:
        for start in range(0, len(elements), TOGETHER):
            yield kind, nl.of_set(*_place(name), name, *elements[start : start + TOGETHER])


def _place(name: str) -> tuple[int, str]:
    return (nl.NFPROTO_ARP, ARP_TABLE) if name in ARP_SETS else (nl.NFPROTO_INET, TABLE)


def connected() -> socket.socket:
    """A socket for transactions; keep it, for the kernel takes 16 ms to close one. Needs CAP_NET_ADMIN."""
    channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, nl.NETLINK_NETFILTER)
    channel.bind((0, 0))
    deadline(channel, 5.0)
    channel.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES)
    return channel


def _wait(channel: socket.socket, first: int, last: int) -> None:
    """Wait for the answer to message *last*, the only one that is answered when nothing is wrong."""
    while True:
        for kind, _, number, body in nl.messages(channel.recv(1 << 16)):
            if kind != nl.NLMSG_ERROR or not first <= number <= last:
                continue  # the rest of the answers to one that failed
            if nl.error(body):
                raise TransactionFailed(os.strerror(nl.error(body)))
            if number == last:
                return


def _element(key: bytes, data: bytes, seconds: int, statements: bytes = b"") -> bytes:
    before, between, behind = _frames(len(key), len(data), len(statements))
    return b"".join((before, key, between, data, behind, (seconds * 1000).to_bytes(_MILLISECONDS, "big"), statements))


@lru_cache(maxsize=64)
def _frames(key: int, data: int, statements: int) -> tuple[bytes, bytes, bytes]:
    """What stands before the key, between it and the data, and before the timeout of an element with these sizes."""
    opened, closed = nl.frame(key, nl.KEY, nl.VALUE)
    begun, ended = nl.frame(data, nl.DATA, nl.VALUE) if data else (b"", b"")
    empty = (opened, bytes(key), closed, begun, bytes(data), ended, _TIMEOUT, bytes(_MILLISECONDS + statements))
    whole = nl.element(*empty)
    return whole[: nl.ATTRIBUTE.size] + opened, closed + begun, ended + _TIMEOUT


@lru_cache(maxsize=64)
def _statements(limit: Limit, total: int, packets: int) -> bytes:
    return nl.nested(nl.EXPRESSIONS, _limit(limit), _counter(total, packets))


def _limit(limit: Limit) -> bytes:
    numbers = (
        nl.attribute(LIMIT_RATE, struct.pack(">Q", limit.rate)),
        nl.attribute(LIMIT_UNIT, struct.pack(">Q", 1)),
        nl.attribute(LIMIT_BURST, struct.pack(">L", min(limit.burst, 2**32 - 1))),
        nl.attribute(LIMIT_TYPE, struct.pack(">L", _BYTES)),
        nl.attribute(LIMIT_FLAGS, struct.pack(">L", 0)),
    )
    return nl.nested(nl.LIST_ELEM, nl.text(nl.EXPR_NAME, "limit"), nl.nested(nl.EXPR_DATA, *numbers))


def _counter(total: int, packets: int) -> bytes:
    numbers = (
        nl.attribute(nl.COUNTER_BYTES, struct.pack(">Q", total)),
        nl.attribute(nl.COUNTER_PACKETS, struct.pack(">Q", packets)),
    )
    return nl.nested(nl.LIST_ELEM, nl.text(nl.EXPR_NAME, "counter"), nl.nested(nl.EXPR_DATA, *numbers))
