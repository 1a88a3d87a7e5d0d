"""PDUs (RFC 3416 section 3) and the community messages that carry them (RFC 1157 section 4, RFC 3416)."""

from dataclasses import dataclass
from enum import IntEnum

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


def ask(kind: Kind, names: "list[RawOid] | tuple[RawOid, ...]", repetitions: int = 0) -> Pdu:
    """A request for *names*; its request-id is 0 until it is sent."""
    return Pdu(kind, 0, 0, repetitions, [(name, ber.NULL, None) for name in names])


def encode(pdu: Pdu, request_id: int | None = None) -> bytes:
    """A PDU as bytes, under *request_id* when given."""
    body = b"".join(
        (
            ber.integer(pdu.request_id if request_id is None else request_id),
            ber.integer(pdu.error_status),
            ber.integer(pdu.error_index),
            ber.tlv(ber.SEQUENCE, b"".join(ber.write_varbind(*varbind) for varbind in pdu.varbinds)),
        )
    )
    return ber.tlv(pdu.kind, body)


def decode(data: bytes, at: int, end: int) -> Pdu:
    """The PDU between *at* and *end*; Malformed when it is none."""
    tag, at, stop = ber.read_header(data, at, end)
    if tag not in _KINDS:
        raise Malformed(f"PDU tag {tag:#04x}")
    request_id, at = ber.read_integer(data, at, stop)
    status, at = ber.read_integer(data, at, stop)
    index, at = ber.read_integer(data, at, stop)
    at, last = ber.expect(data, at, stop, ber.SEQUENCE)
    return Pdu(Kind(tag), request_id, status, index, ber.read_varbinds(data, at, last))


_KINDS = frozenset(Kind)


def encode_message(version: Version, community: bytes, pdu: Pdu, request_id: int | None = None) -> bytes:
    """An SNMPv1 or SNMPv2c message."""
    body = ber.integer(version) + ber.tlv(ber.OCTET_STRING, community) + encode(pdu, request_id)
    return ber.tlv(ber.SEQUENCE, body)


def decode_message(data: bytes) -> tuple[Version, bytes, Pdu]:
    """Version, community and PDU of an SNMPv1 or SNMPv2c message; octets after it are ignored."""
    at, end = ber.expect(data, 0, len(data), ber.SEQUENCE)
    version, at = ber.read_integer(data, at, end)
    if version not in (Version.V1, Version.V2C):
        raise Malformed(f"version {version} in a community message")
    community, at = ber.read_octets(data, at, end)
    return Version(version), community, decode(data, at, end)


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


def open_reply(data: bytes, version: Version, community: bytes, request_id: int) -> Pdu:
    """The Response PDU in *data*, or Unauthentic when version, community or request-id are not those asked with."""
    found_version, found_community, pdu = decode_message(data)
    if (found_version, found_community) != (version, community):
        raise Unauthentic("reply with another version or community")
    if pdu.kind != Kind.RESPONSE or pdu.request_id != request_id:
        raise Unauthentic(f"{pdu.kind.name} {pdu.request_id} is no answer to request {request_id}")
    return pdu
