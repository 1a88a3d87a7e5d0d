"""The little of DNS that asking for addresses takes (RFC 1035 section 4.1)."""

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

A, AAAA = 1, 28
_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
_COMPRESSED = 0xC0


def question(number: int, name: str, kind: int) -> bytes:
    """A DNS question (RFC 1035 section 4.1) of type *kind*.

    >>> question(7, "a.example", A).hex()
    '0007010000010000000000000161076578616d706c650000010001'
    """
    labels = b"".join(bytes((len(label),)) + label for label in name.encode("ascii").split(b"."))
    return _HEADER.pack(number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", kind, 1)


def answers(message: bytes) -> list[IPv4Address | IPv6Address]:
    """The addresses in an answer; ValueError when it cannot be read."""
    try:
        return list(_addresses(message))
    except (struct.error, IndexError) as error:
        raise ValueError("not a DNS answer") from error


def _addresses(message: bytes) -> Iterator[IPv4Address | IPv6Address]:
    _, _, asked, count, _, _ = _HEADER.unpack_from(message)
    offset = _HEADER.size
    for _ in range(asked):
        offset = _after_name(message, offset) + 4
    for _ in range(count):
        offset = _after_name(message, offset)
        kind, _, _, length = _RECORD.unpack_from(message, offset)
        offset += _RECORD.size
        if kind in (A, AAAA) and len(message) >= offset + length == offset + {A: 4, AAAA: 16}[kind]:
            yield ip_address(message[offset : offset + length])
        offset += length


def _after_name(message: bytes, offset: int) -> int:
    while message[offset]:
        if message[offset] & _COMPRESSED:
            return offset + 2
        offset += message[offset] + 1
    return offset + 1
