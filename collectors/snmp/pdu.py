"""PDUs (RFC 3416 section 3) and the community messages that carry them (RFC 1157 section 4, RFC 3416)."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

from collectors.snmp import ber
from collectors.snmp.ber import RawOid, VarBind
from collectors.snmp.errors import Malformed, Unauthentic

MAX_REQUEST_ID = 2**31 - 1


class Version(IntEnum):
    """The version field of a message."""

    V1 = 0
    V2C = 1
    V3 = 3


class Kind(IntEnum):
    """The tag of a PDU. The v1 Trap-PDU (0xa4) has another shape and is not among them."""

    GET = 0xA0
    GET_NEXT = 0xA1
    RESPONSE = 0xA2
    SET = 0xA3
    GET_BULK = 0xA5
    INFORM = 0xA6
    TRAP = 0xA7
    REPORT = 0xA8


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU; in a GETBULK the two error fields carry non-repeaters and max-repetitions (RFC 3416 section 3).

    >>> Pdu(Kind.GET_BULK, 7, 0, 10).max_repetitions
    10
    """

    kind: Kind
    request_id: int
    error_status: int = 0
    error_index: int = 0
    varbinds: tuple[VarBind, ...] | list[VarBind] = ()

    @property
    def max_repetitions(self) -> int:
        """How often the repeaters of a GETBULK are to be advanced."""
        return self.error_index


ReadVarbinds = Callable[[bytes, int, int], Any]
"""Reads the variable bindings between two places of a message; raises Malformed and nothing else."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request encoded once to be asked many times, and how the variables of its answer are read.

    *tail* is what follows the request-id. What *read* makes of an answer without error stands in its ``varbinds``.
    """

    kind: Kind
    tail: bytes
    read: ReadVarbinds


Request = Pdu | Prepared


def prepare(request: Pdu, read: ReadVarbinds) -> Prepared:
    """*request* encoded, its answer to be read by *read*."""
    return Prepared(request.kind, _tail(request), read)


def ask(kind: Kind, names: "list[RawOid] | tuple[RawOid, ...]", repetitions: int = 0) -> Pdu:
    """A request for *names*; its request-id is 0 until it is sent."""
    return Pdu(kind, 0, 0, repetitions, [(name, ber.NULL, None) for name in names])


def encode(pdu: Request, request_id: int | None = None) -> bytes:
    """A PDU as bytes, under *request_id* when given."""
    if isinstance(pdu, Prepared):
        return ber.tlv(pdu.kind, ber.integer(request_id or 0) + pdu.tail)
    return ber.tlv(pdu.kind, ber.integer(pdu.request_id if request_id is None else request_id) + _tail(pdu))


def _tail(pdu: Pdu) -> bytes:
    bindings = ber.tlv(ber.SEQUENCE, b"".join(ber.write_varbind(*varbind) for varbind in pdu.varbinds))
    return ber.integer(pdu.error_status) + ber.integer(pdu.error_index) + bindings


def decode(data: bytes, at: int, end: int, read: ReadVarbinds = ber.read_varbinds) -> Pdu:
    """The PDU between *at* and *end*; Malformed when it is none. Only a Response without error is read by *read*."""
    tag, at, stop = ber.read_header(data, at, end)
    if tag not in _KINDS:
        raise Malformed(f"PDU tag {tag:#04x}")
    request_id, at = ber.read_integer(data, at, stop)
    status, at = ber.read_integer(data, at, stop)
    index, at = ber.read_integer(data, at, stop)
    at, last = ber.expect(data, at, stop, ber.SEQUENCE)
    if status or tag != Kind.RESPONSE:
        read = ber.read_varbinds
    return Pdu(_KINDS[tag], request_id, status, index, read(data, at, last))


_KINDS = {int(kind): kind for kind in Kind}


def encode_message(version: Version, community: bytes, pdu: Request, request_id: int | None = None) -> bytes:
    """An SNMPv1 or SNMPv2c message."""
    body = ber.integer(version) + ber.tlv(ber.OCTET_STRING, community) + encode(pdu, request_id)
    return ber.tlv(ber.SEQUENCE, body)


def decode_message(data: bytes, read: ReadVarbinds = ber.read_varbinds) -> tuple[Version, bytes, Pdu]:
    """Version, community and PDU of an SNMPv1 or SNMPv2c message; octets after it are ignored."""
    at, end = ber.expect(data, 0, len(data), ber.SEQUENCE)
    version, at = ber.read_integer(data, at, end)
    if version not in (Version.V1, Version.V2C):
        raise Malformed(f"version {version} in a community message")
    community, at = ber.read_octets(data, at, end)
    return _VERSIONS[version], community, decode(data, at, end, read)


_VERSIONS = {int(version): version for version in Version}


def identity(data: bytes) -> int:
    """The number by which a reply finds its request: request-id, or msgID in SNMPv3 (RFC 3412 section 6.2).

    Only this much is read before the reply is known to belong to somebody who waits for it.
    """
    at, end = ber.expect(data, 0, len(data), ber.SEQUENCE)
    version, at = ber.read_integer(data, at, end)
    if version == Version.V3:
        at, end = ber.expect(data, at, end, ber.SEQUENCE)
    elif version in (Version.V1, Version.V2C):
        _, at = ber.expect(data, at, end, ber.OCTET_STRING)
        _, at, end = ber.read_header(data, at, end)
    else:
        raise Malformed(f"version {version}")
    return ber.read_integer(data, at, end)[0]


def numbered(head: bytes, request: Prepared, number: int) -> bytes:
    """A community message with *request* under *number*, which has four octets; *head* is its version and community."""
    before = _before_number(head, len(request.tail), int(request.kind))
    return before + number.to_bytes(4) + request.tail


@lru_cache(maxsize=1024)
def _before_number(head: bytes, tail: int, kind: int) -> bytes:
    whole = ber.tlv(ber.SEQUENCE, head + ber.tlv(kind, bytes((ber.INTEGER, 4)) + bytes(4 + tail)))
    return whole[: len(whole) - 4 - tail]


def plain_bindings(data: bytes, head: bytes, number: int) -> int:
    """Where the bindings begin in a Response without error to *number*, all of whose lengths are spelled shortest.

    Everything before them is then known but for the number, and compared as one; 0: it is something else, or spelled
    in another way. *head* is version and community.
    """
    before, after = _before_bindings(head, len(data))
    at = len(before)
    if (
        before
        and data.startswith(before)
        and data[at : at + 4] == number.to_bytes(4)
        and data.startswith(after, at + 4)
    ):
        return at + 4 + len(after)
    return 0


@lru_cache(maxsize=4096)
def _before_bindings(head: bytes, size: int) -> tuple[bytes, bytes]:
    """What stands before and behind the number in such a message of *size* octets; nothing where none has that size."""
    no_error = ber.integer(0) + ber.integer(0)
    for many in range(max(size - len(head) - len(no_error) - 22, 0), size):
        listed = ber.tlv(ber.SEQUENCE, bytes(many))
        behind = no_error + listed[: len(listed) - many]
        inner = ber.tlv(Kind.RESPONSE, bytes((ber.INTEGER, 4)) + bytes(4 + len(behind) + many))
        whole = ber.tlv(ber.SEQUENCE, head + inner)
        if len(whole) >= size:
            return (whole[: size - many - len(behind) - 4], behind) if len(whole) == size else (b"", b"")
    return b"", b""


def open_reply(
    data: bytes, version: Version, community: bytes, request_id: int, read: ReadVarbinds = ber.read_varbinds
) -> Pdu:
    """The Response PDU in *data*, or Unauthentic when version, community or request-id are not those asked with."""
    found_version, found_community, pdu = decode_message(data, read)
    if (found_version, found_community) != (version, community):
        raise Unauthentic("reply with another version or community")
    if pdu.kind != Kind.RESPONSE or pdu.request_id != request_id:
        raise Unauthentic(f"{pdu.kind.name} {pdu.request_id} is no answer to request {request_id}")
    return pdu
