"""Enough BER for an agent (ITU-T X.690): read requests, write answers. The lab's own, to prove the collectors'.

A value is a pair ``(tag, content)``: an integer for numeric tags, octets for the others, None where there is no value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

Oid = tuple[int, ...]
Cell = tuple[int, int | bytes | None]
"""Tag and value of one variable."""
Binding = tuple[Oid, Cell]

INTEGER, OCTETS, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
ADDRESS, COUNTER32, GAUGE32, TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
NO_SUCH_OBJECT, END_OF_MIB = 0x80, 0x82
GET, GET_NEXT, RESPONSE, SET, GET_BULK, TRAP, REPORT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA5, 0xA7, 0xA8
MODULUS = {COUNTER32: 2**32, GAUGE32: 2**32, TICKS: 2**32, COUNTER64: 2**64}
"""Where the unsigned types begin anew."""
_LONG = 0x80


class Garbled(ValueError):
    """These octets are no request of SNMP; whoever sent them must act, an agent says nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """A PDU as it was asked; of a GETBULK *first* and *second* are non-repeaters and max-repetitions."""

    kind: int
    number: int
    first: int
    second: int
    names: tuple[Oid, ...]


def element(data: bytes, at: int, end: int, tag: int | None = None) -> tuple[int, int, int]:
    """Tag, start and stop of the element at *at*, which must end before *end* and have *tag* where one is given."""
    if at + 2 > end:
        raise Garbled(f"truncated at octet {at}")
    found, size, start = data[at], data[at + 1], at + 2
    if size >= _LONG:
        start += size - _LONG
        size = int.from_bytes(data[at + 2 : start])
    if start + size > end or (tag is not None and found != tag):
        raise Garbled(f"tag {found:#x} of {size} octets at octet {at}")
    return found, start, start + size


def number(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The INTEGER at *at* and the octet after it."""
    _, start, stop = element(data, at, end, INTEGER)
    return int.from_bytes(data[start:stop], signed=True), stop


def octets(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    """The OCTET STRING at *at* and the octet after it."""
    _, start, stop = element(data, at, end, OCTETS)
    return data[start:stop], stop


def request(data: bytes, at: int, end: int) -> Request:
    """The PDU at *at*."""
    kind, at, end = element(data, at, end)
    asked, at = number(data, at, end)
    first, at = number(data, at, end)
    second, at = number(data, at, end)
    _, at, end = element(data, at, end, SEQUENCE)
    names = []
    while at < end:
        _, start, at = element(data, at, end, SEQUENCE)
        _, start, stop = element(data, start, at, OID)
        names.append(read_oid(data[start:stop]))
    return Request(kind, asked, first, second, tuple(names))


@lru_cache(maxsize=8192)
def read_oid(content: bytes) -> Oid:
    """An OBJECT IDENTIFIER from its content octets.

    >>> read_oid(bytes.fromhex("2b0601040182c118"))
    (1, 3, 6, 1, 4, 1, 41112)
    """
    numbers, part = [], 0
    for octet in content:
        part = part << 7 | octet & 0x7F
        if octet < _LONG:
            numbers.append(part)
            part = 0
    if not numbers or content[-1] >= _LONG:
        raise Garbled("an OID without end")
    top = min(numbers[0] // 40, 2)
    return (top, numbers[0] - 40 * top, *numbers[1:])


@lru_cache(maxsize=16384)
def oid(numbers: Oid) -> bytes:
    """An OBJECT IDENTIFIER's content octets.

    >>> oid((1, 3, 6, 1, 4, 1, 41112)).hex()
    '2b0601040182c118'
    """
    out = bytearray()
    for part in (numbers[0] * 40 + numbers[1], *numbers[2:]) if len(numbers) > 1 else (0,):
        groups = [part & 0x7F]
        while part := part >> 7:
            groups.append(part & 0x7F | _LONG)
        out += bytes(reversed(groups))
    return bytes(out)


def tlv(tag: int, content: bytes) -> bytes:
    """One element."""
    size = len(content)
    if size < _LONG:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, _LONG | len(length))) + length + content


def integer(value: int, tag: int = INTEGER) -> bytes:
    """An integer in the fewest octets."""
    bits = value if value >= 0 else ~value
    return tlv(tag, value.to_bytes(bits.bit_length() // 8 + 1, signed=True))


def binding(name: Oid, cell: Cell) -> bytes:
    """One variable binding."""
    tag, value = cell
    content = integer(value, tag) if isinstance(value, int) else tlv(tag, value or b"")
    return tlv(SEQUENCE, tlv(OID, oid(name)) + content)


def pdu(kind: int, asked: int, status: int, index: int, bindings: Sequence[Binding]) -> bytes:
    """A PDU as octets."""
    head = integer(asked) + integer(status) + integer(index)
    return tlv(kind, head + tlv(SEQUENCE, b"".join(binding(*each) for each in bindings)))


def message(version: int, community: bytes, content: bytes) -> bytes:
    """A message of SNMPv1 or v2c around a PDU."""
    return tlv(SEQUENCE, integer(version) + tlv(OCTETS, community) + content)
