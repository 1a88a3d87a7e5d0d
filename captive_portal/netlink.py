"""How netlink(7) frames messages and attributes, and the numbers of nftables (linux/netfilter/nf_tables.h)."""

import struct
from collections.abc import Iterator
from functools import lru_cache

NETLINK_NETFILTER = 12
NFPROTO_INET, NFPROTO_ARP = 1, 3
NFT_MSG_NEWSETELEM, NFT_MSG_GETSETELEM, NFT_MSG_DELSETELEM = 10 << 8 | 12, 10 << 8 | 13, 10 << 8 | 14
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP_INTR, NLM_F_DUMP = 0x1, 0x4, 0x10, 0x300
NLM_F_EXCL, NLM_F_CREATE = 0x200, 0x400
NLMSG_ERROR, NLMSG_DONE = 2, 3
LIST_TABLE, LIST_SET, LIST_ELEMENTS, LIST_ELEM = 1, 2, 3, 1
KEY, DATA, TIMEOUT, EXPIRATION, EXPRESSION, EXPRESSIONS = 1, 2, 4, 5, 7, 11
VALUE, EXPR_NAME, EXPR_DATA, COUNTER_BYTES, COUNTER_PACKETS = 1, 1, 2, 1, 2
HEADER = struct.Struct("=LHHLL")
"""struct nlmsghdr: length, type, flags, sequence number, port."""
NFGENMSG = struct.Struct(">BBH")
ATTRIBUTE = struct.Struct("=HH")
_NESTED = 0x8000
_PLAIN = 0x3FFF
"""An attribute's type without the flags for "nested" and "network byte order" (linux/netlink.h)."""


def message(kind: int, flags: int, number: int, body: bytes) -> bytes:
    """One message; *number* comes back in its answers."""
    return HEADER.pack(HEADER.size + len(body), kind, flags, number, 0) + body


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes.

    >>> attribute(2, b"up").hex()
    '0600020075700000'
    """
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *values: bytes) -> bytes:
    """An attribute that consists of attributes."""
    return attribute(kind | _NESTED, b"".join(values))


@lru_cache(maxsize=64)
def frame(size: int, *kinds: int) -> tuple[bytes, bytes]:
    """What stands before and behind a value of *size* bytes in attributes *kinds*, the outermost first.

    >>> before, behind = frame(2, 3, 1)
    >>> before + b"up" + behind == nested(3, attribute(1, b"up"))
    True
    """
    value = bytes(size)
    whole = attribute(kinds[-1], value)
    for kind in reversed(kinds[:-1]):
        whole = nested(kind, whole)
    start = ATTRIBUTE.size * len(kinds)
    return whole[:start], whole[start + size :]


def text(kind: int, words: str) -> bytes:
    """An attribute that is a text of C."""
    return attribute(kind, words.encode() + b"\0")


def messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Type, flags, sequence number and body of each message in one datagram."""
    offset = 0
    while offset + HEADER.size <= len(data):
        length, kind, flags, number, _ = HEADER.unpack_from(data, offset)
        if length < HEADER.size:
            return
        yield kind, flags, number, data[offset + HEADER.size : offset + length]
        offset += (length + 3) & ~3


def attributes(data: bytes, offset: int = 0, end: int | None = None) -> Iterator[tuple[int, int, int]]:
    """Type, first byte and end of the value of each attribute in *data* between *offset* and *end*."""
    end = len(data) if end is None else end
    while offset + ATTRIBUTE.size <= end:
        length, kind = ATTRIBUTE.unpack_from(data, offset)
        if length < ATTRIBUTE.size or offset + length > end:
            return
        yield kind & _PLAIN, offset + ATTRIBUTE.size, offset + length
        offset += (length + 3) & ~3


def error(body: bytes) -> int:
    """The error number in the body of NLMSG_ERROR, 0 for "done as you said"."""
    return -int(struct.unpack_from("=i", body)[0])


def of_set(family: int, table: str, name: str, *elements: bytes) -> bytes:
    """The body of a message about *elements*, each from :func:`element`, of the set *name*; none: about all."""
    about = _about(family, table, name)
    return about + nested(LIST_ELEMENTS, *elements) if elements else about


@lru_cache(maxsize=64)
def _about(family: int, table: str, name: str) -> bytes:
    return NFGENMSG.pack(family, 0, 0) + text(LIST_TABLE, table) + text(LIST_SET, name)


def element(*parts: bytes) -> bytes:
    """An element that consists of attributes KEY, DATA … (from :func:`keyed`, say); their lengths are whole words."""
    one = b"".join(parts)
    return ATTRIBUTE.pack(ATTRIBUTE.size + len(one), LIST_ELEM | _NESTED) + one


def keyed(key: bytes, kind: int = KEY) -> bytes:
    """The attribute that holds an element's key, or its value (DATA)."""
    before, behind = frame(len(key), kind, VALUE)
    return before + key + behind
