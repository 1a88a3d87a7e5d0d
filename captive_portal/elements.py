"""Elements of nftables' sets and maps, read from the kernel as numbers (linux/netfilter/nf_tables.h), never as text.

The kernel writes all elements of one set alike, so the places of key, value, time left and bytes are found once, in the
first element; those that follow and have the same headers are read in one step. Others are read attribute by attribute.
"""

import errno
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import NamedTuple

NETLINK_NETFILTER = 12
NFPROTO_INET = 1
NFT_MSG_NEWSETELEM, NFT_MSG_GETSETELEM = 10 << 8 | 12, 10 << 8 | 13
NLM_F_REQUEST, NLM_F_DUMP, NLM_F_DUMP_INTR = 1, 0x300, 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3
LIST_TABLE, LIST_SET, LIST_ELEMENTS, LIST_ELEM = 1, 2, 3, 1
KEY, DATA, EXPIRATION, EXPRESSION, EXPRESSIONS = 1, 2, 5, 7, 11
VALUE, EXPR_NAME, COUNTER_BYTES = 1, 1, 1
AT_ONCE = 32
"""Questions in one datagram; their answers must fit the socket's buffer."""
TRIES = 5
_HEADER = struct.Struct("=LHHLL")
_NFGENMSG = struct.Struct(">BBH")
_ATTRIBUTE = struct.Struct("=HH")
_NUMBER = struct.Struct(">Q")
_PLAIN = 0x3FFF
"""An attribute's type without the flags for "nested" and "network byte order" (linux/netlink.h)."""


class Element(NamedTuple):
    """One element: its key, a map's value, seconds left (None: for ever), bytes counted (None: not counted)."""

    key: bytes
    data: bytes = b""
    seconds: float | None = None
    counted: int | None = None


class Altered(Exception):
    """The set is changed faster than it can be read; ask again."""


class Elements(AbstractContextManager["Elements"]):
    """Reads sets and maps of the ``inet`` table *table* in this network namespace. Needs CAP_NET_ADMIN; one thread."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER)
        self._socket.bind((0, 0))
        self._socket.settimeout(5.0)
        self._number = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def all(self, name: str) -> list[Element]:
        """Every element of the set or map *name*; FileNotFoundError when there is no such set, OSError otherwise."""
        for _ in range(TRIES):
            self._number += 1
            self._socket.send(_question(self._table, name, None, self._number))
            found: list[Element] = []
            if self._dump(found):
                return found
        raise Altered(name)

    def find(self, name: str, keys: Sequence[bytes]) -> dict[bytes, Element]:
        """The elements of *name* with *keys*, by key; those that are not there are left out."""
        found: dict[bytes, Element] = {}
        for start in range(0, len(keys), AT_ONCE):
            part = keys[start : start + AT_ONCE]
            first = self._number + 1
            self._number += len(part)
            questions = (_question(self._table, name, key, first + place) for place, key in enumerate(part))
            self._socket.send(b"".join(questions))
            self._collect(found, first, len(part))
        return found

    def _dump(self, found: list[Element]) -> bool:
        """Fill *found* with one dump; False when the set changed under way."""
        whole, learnt = True, _Layout()
        while True:
            for kind, flags, number, body in _messages(self._socket.recv(1 << 18)):
                if number != self._number:
                    continue  # the rest of an answer that was given up
                whole = whole and not flags & NLM_F_DUMP_INTR
                if kind == NLMSG_DONE:
                    return whole
                if kind == NLMSG_ERROR:
                    _raise(body)
                elif kind == NFT_MSG_NEWSETELEM:
                    found.extend(learnt.read(_elements(body)))

    def _collect(self, found: dict[bytes, Element], first: int, count: int) -> None:
        missing = set(range(first, first + count))
        while missing:
            for kind, _, number, body in _messages(self._socket.recv(1 << 18)):
                if number not in missing:
                    continue
                missing.discard(number)
                if kind == NLMSG_ERROR:
                    _raise(body, but=errno.ENOENT)
                elif kind == NFT_MSG_NEWSETELEM:
                    found.update((one.key, one) for one in _Layout().read(_elements(body)))


def _raise(body: bytes, but: int = 0) -> None:
    code = -struct.unpack_from("=i", body)[0]
    if code not in (0, but):
        raise OSError(code, "the elements cannot be read")


def _question(table: str, name: str, key: bytes | None, number: int) -> bytes:
    body = _NFGENMSG.pack(NFPROTO_INET, 0, 0)
    body += _attribute(LIST_TABLE, table.encode() + b"\0") + _attribute(LIST_SET, name.encode() + b"\0")
    flags = NLM_F_REQUEST
    if key is None:
        flags |= NLM_F_DUMP
    else:
        element = _nested(LIST_ELEM, _nested(KEY, _attribute(VALUE, key)))
        body += _nested(LIST_ELEMENTS, element)
    return _HEADER.pack(_HEADER.size + len(body), NFT_MSG_GETSETELEM, flags, number, 0) + body


def _attribute(kind: int, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def _nested(kind: int, value: bytes) -> bytes:
    return _attribute(kind | 0x8000, value)


def _messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Type, flags, sequence number and body of each message in one datagram."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, flags, number, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size:
            return
        yield kind, flags, number, data[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def attributes(data: bytes, offset: int = 0, end: int | None = None) -> Iterator[tuple[int, int, int]]:
    """Type, first byte and end of the value of each attribute in *data* between *offset* and *end*."""
    end = len(data) if end is None else end
    while offset + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size or offset + length > end:
            return
        yield kind & _PLAIN, offset + _ATTRIBUTE.size, offset + length
        offset += (length + 3) & ~3


def _elements(body: bytes) -> bytes:
    """The list of elements in a message's *body*, as one run of attributes."""
    for kind, start, end in attributes(body, _NFGENMSG.size):
        if kind == LIST_ELEMENTS:
            return body[start:end]
    return b""


class _Layout:
    """Where the values of a set's elements are, learnt from one and kept while the headers of the next are the same."""

    def __init__(self) -> None:
        self._size, self._mask, self._headers = 0, 0, -1
        self._key = self._data = slice(0)
        self._left = self._count = 0  # 0: there is none, for a header comes first

    def read(self, run: bytes) -> Iterator[Element]:
        """The elements in *run*, a list of attributes."""
        offset = 0
        while offset + _ATTRIBUTE.size <= len(run):
            size = (_ATTRIBUTE.unpack_from(run, offset)[0] + 3) & ~3
            one = run[offset : offset + size]
            if size != self._size or int.from_bytes(one, "little") & self._mask != self._headers:
                self._learn(one)
            offset += max(size, _ATTRIBUTE.size)
            yield Element(
                one[self._key],
                one[self._data],
                _NUMBER.unpack_from(one, self._left)[0] / 1000 if self._left else None,
                _NUMBER.unpack_from(one, self._count)[0] if self._count else None,
            )

    def _learn(self, one: bytes) -> None:
        self._size = len(one)
        self._key = self._data = slice(0)
        self._left = self._count = 0
        mask = bytearray(b"\xff" * len(one))
        self._place(one, mask)
        self._mask = int.from_bytes(mask, "little")
        self._headers = int.from_bytes(one, "little") & self._mask

    def _place(self, one: bytes, mask: bytearray) -> None:
        """Find the values in *one*, and clear their bytes in *mask*: what stays are the headers."""
        for kind, start, end in attributes(one, _ATTRIBUTE.size):
            if kind in (KEY, DATA):
                value = slice(start + _ATTRIBUTE.size, end)
                self._key, self._data = (value, self._data) if kind == KEY else (self._key, value)
                mask[value] = bytes(end - value.start)
            elif kind == EXPRESSION:
                self._expression(one, mask, start, end)
            elif kind == EXPRESSIONS:
                for _, first, last in attributes(one, start, end):
                    self._expression(one, mask, first, last)
            else:
                self._left = start if kind == EXPIRATION else self._left
                mask[start:end] = bytes(end - start)

    def _expression(self, one: bytes, mask: bytearray, start: int, end: int) -> None:
        """A statement of the element: its name is kept among the headers, its numbers are not."""
        name = b""
        for kind, first, last in attributes(one, start, end):
            if kind == EXPR_NAME:
                name = one[first:last].rstrip(b"\0")
                continue
            for number, begins, ends in attributes(one, first, last):
                mask[begins:ends] = bytes(ends - begins)
                if name == b"counter" and number == COUNTER_BYTES:
                    self._count = begins
