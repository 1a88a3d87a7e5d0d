"""BER as SNMP uses it (ITU-T X.690, restricted by RFC 3417 section 8): strict in bounds, lenient in spelling.

Devices send non-minimal integers, unsigned counters without their leading zero and long-form lengths; these are read.
A length that points outside its container never is. Every function raises ``Malformed`` and nothing else.

An OID stays the bytes of its encoding (``RawOid``): comparing and slicing bytes is what keeps a walk fast. The encoding
of a prefix is a prefix of the encoding, so ``raw.startswith(root)`` tells whether an object lies in a subtree.
"""

# ruff: noqa: PLR2004 the octets of X.690 are best read as they stand there

from functools import lru_cache

from collectors.snmp.errors import Malformed

RawOid = bytes
"""Content octets of an OBJECT IDENTIFIER, without tag and length."""

INTEGER, OCTET_STRING, NULL, OBJECT_IDENTIFIER, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE, COUNTER64 = 0x40, 0x41, 0x42, 0x43, 0x44, 0x46
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW = 0x80, 0x81, 0x82

VALUELESS = frozenset((NULL, NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW))
"""Tags that stand where a value would be."""
UNSIGNED = {COUNTER32: 2**32 - 1, GAUGE32: 2**32 - 1, TIME_TICKS: 2**32 - 1, COUNTER64: 2**64 - 1}
"""Unsigned application types and their greatest value (RFC 2578 section 7.1)."""

Value = int | bytes | None
"""An integer for numeric tags, bytes for strings, OIDs and unknown tags, None for NULL, exceptions and nonsense."""
VarBind = tuple[RawOid, int, Value]
"""Name, tag, value."""

WIDTH = {COUNTER32: 4, GAUGE32: 4, TIME_TICKS: 4, COUNTER64: 8}
"""Octets of the unsigned types that cannot exceed their greatest value."""
_MAX_INTEGER_OCTETS = 9
_MAX_OID_OCTETS = 5 * 128
_MAX_SUBIDENTIFIER = 2**32 - 1
_MAX_LENGTH_OCTETS = 4


def read_header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """Tag, start and stop of the content of the element at *at*, which must lie before *end*.

    >>> read_header(bytes.fromhex("0403616263"), 0, 5)
    (4, 2, 5)
    """
    if at + 2 > end:
        raise Malformed(f"truncated at octet {at}")
    size = data[at + 1]
    if size < 0x80:
        start = at + 2
    else:
        size, start = _long_length(data, at + 1, end)
    stop = start + size
    if stop > end:
        raise Malformed(f"element at octet {at} runs {stop - end} octets past its container")
    return data[at], start, stop


def expect(data: bytes, at: int, end: int, tag: int) -> tuple[int, int]:
    """Start and stop of the content of the element at *at*, which must have *tag*."""
    found, start, stop = read_header(data, at, end)
    if found != tag:
        raise Malformed(f"tag {found:#04x} where {tag:#04x} belongs, at octet {at}")
    return start, stop


def read_integer(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Signed INTEGER at *at* and the octet after it."""
    start, stop = expect(data, at, end, INTEGER)
    if not 0 < stop - start <= _MAX_INTEGER_OCTETS:
        raise Malformed(f"integer of {stop - start} octets")
    return int.from_bytes(data[start:stop], "big", signed=True), stop


def read_octets(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    """OCTET STRING at *at* and the octet after it."""
    start, stop = expect(data, at, end, OCTET_STRING)
    return data[start:stop], stop


def read_varbinds(data: bytes, at: int, end: int) -> list[VarBind]:
    """Every variable binding between *at* and *end*; one with an odd value keeps its name and loses its value.

    The headers are read in line: this loop is where a poll spends its time.
    """
    found: list[VarBind] = []
    from_bytes = int.from_bytes
    while at < end:
        if at + 2 > end or data[at] != SEQUENCE:
            raise Malformed(f"no variable binding at octet {at}")
        size = data[at + 1]
        at += 2
        if size > 0x7F:
            size, at = _long_length(data, at - 1, end)
        stop = at + size
        if stop > end or size < 4 or data[at] != OBJECT_IDENTIFIER:
            raise Malformed(f"no room or no name in the variable binding at octet {at}")
        size = data[at + 1]
        at += 2
        if size > 0x7F:
            size, at = _long_length(data, at - 1, stop)
        start = at + size
        if start + 2 > stop or not 0 < size <= _MAX_OID_OCTETS or data[start - 1] > 0x7F:
            raise Malformed(f"broken name in the variable binding at octet {at}")
        name = data[at:start]
        tag = data[start]
        size = data[start + 1]
        start += 2
        if size > 0x7F:
            size, start = _long_length(data, start - 1, stop)
        at = start + size
        if at != stop:
            raise Malformed(f"value at octet {start} does not fill its binding")
        is_simple = 0 < size <= WIDTH.get(tag, 0)
        found.append((name, tag, from_bytes(data[start:at], "big") if is_simple else value(tag, data[start:at])))
    return found


def value(tag: int, content: bytes) -> Value:
    """What *content* means under *tag*; None for NULL, exceptions and nonsense."""
    if tag == OCTET_STRING:
        return content
    if tag in UNSIGNED:
        number = int.from_bytes(content, "big") if 0 < len(content) <= _MAX_INTEGER_OCTETS else -1
        return number if 0 <= number <= UNSIGNED[tag] else _sign_extended(tag, content)
    if tag == INTEGER:
        fits = 0 < len(content) <= _MAX_INTEGER_OCTETS
        return int.from_bytes(content, "big", signed=True) if fits else None
    is_broken_oid = tag == OBJECT_IDENTIFIER and (not content or content[-1] > 0x7F)
    return None if is_broken_oid or tag in VALUELESS else content


def _sign_extended(tag: int, content: bytes) -> int | None:
    """A counter some agents widen with 0xff octets instead of zeros; None when it is no counter at all."""
    width = 8 if tag == COUNTER64 else 4
    head = content[:-width]
    return int.from_bytes(content[-width:], "big") if head and set(head) == {0xFF} and len(content) <= 9 else None


def _long_length(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Long-form length whose first octet is at *at*, and the octet after it."""
    octets = data[at] & 0x7F
    stop = at + 1 + octets
    if not 0 < octets <= _MAX_LENGTH_OCTETS or stop > end:
        raise Malformed(f"bad length at octet {at}")
    return int.from_bytes(data[at + 1 : stop], "big"), stop


# --- object identifiers


@lru_cache(maxsize=4096)
def oid(text: str) -> RawOid:
    """Encode a dotted OID, with or without leading dot (X.690 section 8.19).

    >>> oid("1.3.6.1.4.1.41112").hex()
    '2b0601040182c118'
    """
    try:
        numbers = [int(part) for part in text.lstrip(".").split(".")]
    except ValueError:
        raise Malformed(f"{text!r} is not an OID") from None
    if len(numbers) < 2 or numbers[0] > 2 or (numbers[0] < 2 and numbers[1] > 39):
        raise Malformed(f"{text!r} is not an OID: its first two numbers name no arc")
    if min(numbers) < 0 or max(numbers) > _MAX_SUBIDENTIFIER:
        raise Malformed(f"{text!r} is not an OID: numbers are 0 to 2^32 - 1")
    return encode_index((numbers[0] * 40 + numbers[1], *numbers[2:]))


def encode_index(numbers: tuple[int, ...]) -> bytes:
    """Sub-identifiers as they stand in the middle of an OID; what is appended to a column's OID to name a row.

    >>> encode_index((4, 300)).hex()
    '04822c'
    """
    out = bytearray()
    for number in numbers:
        if number < 0x80:
            out.append(number)
            continue
        groups = [number & 0x7F]
        number >>= 7  # noqa: PLW2901 the rest of the number
        while number:
            groups.append(number & 0x7F | 0x80)
            number >>= 7  # noqa: PLW2901
        out += bytes(reversed(groups))
    return bytes(out)


def index(raw: bytes) -> tuple[int, ...]:
    """Sub-identifiers of a row's suffix; also the key by which OIDs are ordered (RFC 3416 section 4.2.2).

    >>> index(bytes.fromhex("04822c"))
    (4, 300)
    """
    if raw.isascii():
        return tuple(raw)
    numbers = []
    number = 0
    for octet in raw:
        number = number << 7 | octet & 0x7F
        if octet < 0x80:
            numbers.append(number)
            number = 0
        elif number > _MAX_SUBIDENTIFIER:
            break
    if raw[-1] > 0x7F or number or max(numbers) > _MAX_SUBIDENTIFIER:
        raise Malformed(f"sub-identifier out of range in {raw.hex()}")
    return tuple(numbers)


def oid_text(raw: RawOid) -> str:
    """Dotted form of an encoded OID.

    >>> oid_text(oid("1.3.6.1.2.1.1.5.0"))
    '1.3.6.1.2.1.1.5.0'
    """
    if not raw:
        raise Malformed("empty OID")
    first, *rest = index(raw)
    top = min(first // 40, 2)
    return ".".join(map(str, (top, first - 40 * top, *rest)))


# --- writing


def tlv(tag: int, content: bytes) -> bytes:
    """One element: tag, definite length, content.

    >>> tlv(OCTET_STRING, b"abc").hex()
    '0403616263'
    """
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def integer(number: int, tag: int = INTEGER) -> bytes:
    """An integer in the fewest octets of two's complement (X.690 section 8.3).

    >>> integer(128).hex(), integer(-1).hex()
    ('02020080', '0201ff')
    """
    bits = number if number >= 0 else ~number
    return tlv(tag, number.to_bytes(bits.bit_length() // 8 + 1, "big", signed=True))


def write_varbind(name: RawOid, tag: int, value: Value) -> bytes:
    """One variable binding; ``(name, NULL, None)`` asks for a value."""
    content = integer(value, tag) if isinstance(value, int) else tlv(tag, value or b"")
    return tlv(SEQUENCE, tlv(OBJECT_IDENTIFIER, name) + content)
