"""Elements of nftables' sets and maps, read from the kernel as numbers by netlink, never as text.

The kernel writes all elements of one set alike, so the places of key, value, time left and bytes are found once, in the
first element; those that follow and have the same headers are read in one step. Others are read attribute by attribute.
"""

import errno
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import NamedTuple

from captive_portal import netlink as nl
from captive_portal.deadline import deadline

AT_ONCE = 32
"""Questions in one datagram; their answers must fit the socket's buffer."""
DATAGRAM = 1 << 16
"""Bytes; the kernel sends 32 kB at most, and a buffer from 128 kB on would be mapped anew for each call."""
TRIES = 5
_NUMBER = struct.Struct(">Q")


class Element(NamedTuple):
    """One element: its key, a map's value, seconds left (None: for ever), bytes and packets (None: not counted)."""

    key: bytes
    data: bytes = b""
    seconds: float | None = None
    counted: int | None = None
    packets: int | None = None


class Altered(OSError):
    """The set is changed faster than it can be read; ask again."""


class Elements(AbstractContextManager["Elements"]):
    """Reads sets and maps of *table* in this network namespace. Needs CAP_NET_ADMIN; one thread."""

    def __init__(self, table: str, family: int = nl.NFPROTO_INET) -> None:
        self._table, self._family = table, family
        self._socket, self._number = _connected(), 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def all(self, name: str) -> list[Element]:
        """Every element of the set or map *name*; FileNotFoundError when there is no such set, OSError otherwise."""
        return list(self.each(name))

    def each(self, name: str) -> Iterator[Element]:
        """The same one by one, for thousands of them are not needed at once."""
        learnt = Layout()
        for run in self._runs(name):
            yield from learnt.read(run)

    def parts(self, name: str) -> Iterator[list[Element]]:
        """The same some hundreds at a time, all as they were when the first were asked for."""
        learnt = Layout()
        for run in self._runs(name):
            yield list(learnt.read(run))

    def slices(self, name: str) -> Iterator[list[Element]]:
        """The same, each part as it is when the kernel gives it, which keeps nobody waiting.

        Whatever is changed between two slices may be there or not, or twice: for what is read again soon.
        """
        learnt, self._number = Layout(), self._number + 1
        self._socket.send(self._question(name, None, self._number))
        over = False
        try:
            while not over:
                for kind, _, _, body in nl.messages(self._socket.recv(DATAGRAM)):
                    over = over or kind in (nl.NLMSG_DONE, nl.NLMSG_ERROR)
                    if kind == nl.NLMSG_ERROR:
                        _raise(body)
                    elif kind == nl.NFT_MSG_NEWSETELEM:
                        yield list(learnt.read(elements_in(body)))
        finally:
            if not over:  # given up half-way: the kernel would go on with this dump before any other
                self._socket.close()
                self._socket = _connected()

    def count(self, name: str) -> int:
        """How many elements the set or map *name* has, 0 when there is no such set."""
        with suppress(FileNotFoundError):
            return sum(1 for run in self._runs(name) for _ in nl.attributes(run))
        return 0

    def find(self, name: str, keys: Sequence[bytes]) -> dict[bytes, Element]:
        """The elements of *name* with *keys*, by key; those that are not there are left out."""
        found: dict[bytes, Element] = {}
        for start in range(0, len(keys), AT_ONCE):
            part = keys[start : start + AT_ONCE]
            first = self._number + 1
            self._number += len(part)
            questions = (self._question(name, key, first + place) for place, key in enumerate(part))
            self._socket.send(b"".join(questions))
            self._collect(found, first, len(part))
        return found

    def _runs(self, name: str) -> list[bytes]:
        """The lists of elements that one dump of *name* consists of."""
        for _ in range(TRIES):
            self._number += 1
            self._socket.send(self._question(name, None, self._number))
            found: list[bytes] = []
            if self._dump(found):
                return found
        raise Altered(name)

    def _question(self, name: str, key: bytes | None, number: int) -> bytes:
        if key is None:
            every, flags = nl.of_set(self._family, self._table, name), nl.NLM_F_REQUEST | nl.NLM_F_DUMP
            return nl.message(nl.NFT_MSG_GETSETELEM, flags, number, every)
        about = nl.of_set(self._family, self._table, name)
        before, behind = nl.frame(len(key), nl.LIST_ELEMENTS, nl.LIST_ELEM, nl.KEY, nl.VALUE)
        return nl.message(nl.NFT_MSG_GETSETELEM, nl.NLM_F_REQUEST, number, about + before + key + behind)

    def _dump(self, found: list[bytes]) -> bool:
        """Fill *found* with one dump; False when the set changed under way."""
        whole = True
        while True:
            for kind, flags, number, body in nl.messages(self._socket.recv(DATAGRAM)):
                if number != self._number:
                    continue  # the rest of an answer that was given up
                whole = whole and not flags & nl.NLM_F_DUMP_INTR
                if kind == nl.NLMSG_DONE:
                    return whole
                if kind == nl.NLMSG_ERROR:
                    _raise(body)
                elif kind == nl.NFT_MSG_NEWSETELEM:
                    found.append(elements_in(body))

    def _collect(self, found: dict[bytes, Element], first: int, count: int) -> None:
        missing = set(range(first, first + count))
        while missing:
            for kind, _, number, body in nl.messages(self._socket.recv(DATAGRAM)):
                if number not in missing:
                    continue
                missing.discard(number)
                if kind == nl.NLMSG_ERROR:
                    _raise(body, but=errno.ENOENT)
                elif kind == nl.NFT_MSG_NEWSETELEM:
                    found.update((one.key, one) for one in Layout().read(elements_in(body)))


def _connected() -> socket.socket:
    channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, nl.NETLINK_NETFILTER)
    channel.bind((0, 0))
    deadline(channel, 5.0)
    return channel


def _raise(body: bytes, but: int = 0) -> None:
    code = nl.error(body)
    if code not in (0, but):
        raise OSError(code, "the elements cannot be read")


def elements_in(body: bytes) -> bytes:
    """The list of elements in a message's *body*, as one run of attributes."""
    for kind, start, end in nl.attributes(body, nl.NFGENMSG.size):
        if kind == nl.LIST_ELEMENTS:
            return body[start:end]
    return b""


class Layout:
    """Where the values of a set's elements are, learnt from one and kept while the headers of the next are the same."""

    def __init__(self) -> None:
        self._size, self._mask, self._headers = 0, 0, -1
        self._key = self._data = slice(0)
        self._left = self._bytes = self._packets = 0  # 0: there is none, for a header comes first

    def read(self, run: bytes) -> Iterator[Element]:
        """The elements in *run*, a list of attributes."""
        offset = 0
        while offset + nl.ATTRIBUTE.size <= len(run):
            size = (nl.ATTRIBUTE.unpack_from(run, offset)[0] + 3) & ~3
            one = run[offset : offset + size]
            if size != self._size or int.from_bytes(one, "little") & self._mask != self._headers:
                self._learn(one)
            offset += max(size, nl.ATTRIBUTE.size)
            yield Element(
                one[self._key],
                one[self._data],
                _NUMBER.unpack_from(one, self._left)[0] / 1000 if self._left else None,
                _NUMBER.unpack_from(one, self._bytes)[0] if self._bytes else None,
                _NUMBER.unpack_from(one, self._packets)[0] if self._packets else None,
            )

    def _learn(self, one: bytes) -> None:
        self._size = len(one)
        self._key = self._data = slice(0)
        self._left = self._bytes = self._packets = 0
        mask = bytearray(b"\xff" * len(one))
        self._place(one, mask)
        self._mask = int.from_bytes(mask, "little")
        self._headers = int.from_bytes(one, "little") & self._mask

    def _place(self, one: bytes, mask: bytearray) -> None:
        """Find the values in *one*, and clear their bytes in *mask*: what stays are the headers."""
        for kind, start, end in nl.attributes(one, nl.ATTRIBUTE.size):
            if kind in (nl.KEY, nl.DATA):
                _, first, last = next(nl.attributes(one, start, end))
                value = slice(first, last)
                self._key, self._data = (value, self._data) if kind == nl.KEY else (self._key, value)
                mask[value] = bytes(last - first)
            elif kind == nl.EXPRESSION:
                self._expression(one, mask, start, end)
            elif kind == nl.EXPRESSIONS:
                for _, first, last in nl.attributes(one, start, end):
                    self._expression(one, mask, first, last)
            else:
                self._left = start if kind == nl.EXPIRATION else self._left
                mask[start:end] = bytes(end - start)

    def _expression(self, one: bytes, mask: bytearray, start: int, end: int) -> None:
        """A statement of the element: its name is kept among the headers, its numbers are not."""
        name = b""
        for kind, first, last in nl.attributes(one, start, end):
            if kind == nl.EXPR_NAME:
                name = one[first:last].rstrip(b"\0")
                continue
            for number, begins, ends in nl.attributes(one, first, last):
                mask[begins:ends] = bytes(ends - begins)
                if name == b"counter" and number == nl.COUNTER_BYTES:
                    self._bytes = begins
                elif name == b"counter" and number == nl.COUNTER_PACKETS:
                    self._packets = begins
