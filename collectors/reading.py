"""One variable of an SNMP answer read as a number or a text; what cannot be read is nothing. No I/O, no clock."""

import re
import struct
from collections.abc import Callable

from collectors import radio
from collectors.column import Column, Reading
from collectors.snmp import ber
from collectors.snmp.errors import Malformed
from collectors.snmp.walk import Cell

Read = str | float | None
"""A text, a number, or nothing."""
MAX_TEXT = 128
_MAC_OCTETS = 6
_WRITTEN_MAC = re.compile(rb"[0-9A-Fa-f]{1,2}(?:[:-][0-9A-Fa-f]{1,2}){5}")
_OCTET = 256
_SIGN_32 = 2**31
_WIDTHS = 8 * _OCTET
"""Three bits above a channel's octet say how wide it is, on access points that do so."""
_OPAQUE_FLOAT_OCTETS = 7


def read(column: Column, cell: Cell) -> Read:
    """What *cell* means under *column*: a number in the column's unit, a text, or nothing."""
    return judged(column, cell)[0]


def judged(column: Column, cell: Cell) -> tuple[Read, str]:
    """What *cell* means under *column*; where that is nothing, why."""
    if cell[1] is None:
        return None, "empty"
    if column.extract or column.item is not None:
        part = _part(column, oid_or_text(cell))
        if part is None:
            return None, f"the text has no {column.extract or f'item {column.item}'}"
        cell = (ber.OCTET_STRING, part.encode())
    if column.bit is not None:
        cell = (ber.INTEGER, bit(cell, column.bit))
    if column.names:
        return _named(column, oid_or_text(cell))
    found = READ[column.read](cell)
    if found is None:
        return None, f"not readable as {column.read}"
    if found in column.absent:
        return None, f"sentinel {found!r}: it means none"
    return _bounded(column, found) if isinstance(found, int | float) else (found, "")


def _named(column: Column, word: str) -> tuple[Read, str]:
    """The profile's name for a raw text; digits are looked up before patterns are tried."""
    if word.isdigit() and word in column.names:
        return column.names[word], ""
    named = next((name for pattern, name in column.matchers if pattern.fullmatch(word)), None)
    return named, "" if named is not None else f"no name is given for {word!r}"


def _part(column: Column, whole: str) -> str | None:
    """The piece of a text that is meant: an item of a comma list, what a pattern captures."""
    if column.item is not None:
        items = whole.split(",")
        if not 0 <= column.item < len(items):
            return None
        whole = items[column.item].strip()
    if column.extract:
        found = re.search(column.extract, whole)
        return found[1] if found else None
    return whole


def _bounded(column: Column, number: float) -> tuple[Read, str]:
    if column.offset or column.scale != 1:
        number = (number + column.offset) * column.scale
    if column.range and not column.range[0] <= number <= column.range[1]:
        return None, f"{number:g} is out of the column's range {column.range[0]:g} to {column.range[1]:g}"
    return (number if column.cap is None else min(number, column.cap)), ""


def bit(cell: Cell, place: int) -> int:
    r"""One bit: of octets counted from the first's highest, where those not sent are 0; of an integer from its lowest.

    >>> bit((4, b"\x80\x10"), 0), bit((4, b"\x80\x10"), 11), bit((4, b"\x80"), 11), bit((2, 6), 1)
    (1, 1, 0, 1)
    """
    value = cell[1]
    if isinstance(value, int):
        return value >> place & 1
    octets = value or b""
    return octets[place // 8] >> 7 - place % 8 & 1 if place // 8 < len(octets) else 0


def number(cell: Cell) -> float | None:
    """An integer, or the number a text begins with, as some agents write them.

    >>> number((4, b"3.7 dBm")), number((4, b"-----")), number((65, 7))
    (3.7, None, 7)
    """
    tag, value = cell
    if isinstance(value, int):
        return value
    if tag != ber.OCTET_STRING or value is None:
        return None
    found = re.match(r"\s*([+-]?\d{1,18}(?:\.\d{1,9})?)(?![0-9A-Za-z:.])", text(value))
    return float(found[1]) if found else None


def negative(cell: Cell) -> float | None:
    """A number that is always below zero, whether or not the agent writes the sign, or sends it as unsigned 32 bits.

    >>> negative((2, 95)), negative((2, -95)), negative((2, 0)), negative((66, 4294967201))
    (-95, -95, None, -95)
    """
    found = number(cell) or 0
    if found >= _SIGN_32:
        found -= 2 * _SIGN_32
    return -abs(found) or None


def signed_octet(cell: Cell) -> float | None:
    """A negative number that an agent shows as the octet it is stored in.

    >>> signed_octet((2, 165)), signed_octet((2, 20))
    (-91, 20)
    """
    found = number(cell)
    return found - _OCTET if found is not None and _OCTET // 2 <= found < _OCTET else found


def text(octets: bytes) -> str:
    r"""UTF-8 (RFC 3411 SnmpAdminString) cleaned for display: no control characters, at most 128 characters.

    >>> text(b"Salle \xc3\xa9t\xe9\x00\n")
    'Salle \xe9t\ufffd'
    """
    decoded = octets.decode("utf-8", "replace")
    if not decoded.isprintable():
        decoded = "".join(char if char.isprintable() else " " for char in decoded)
    return " ".join(decoded.split())[:MAX_TEXT]


def oid_or_text(cell: Cell) -> str:
    """A text; an OBJECT IDENTIFIER in dotted form; a number in digits."""
    tag, value = cell
    if isinstance(value, bytes):
        try:
            return ber.oid_text(value) if tag == ber.OBJECT_IDENTIFIER else text(value)
        except Malformed:
            return ""
    return "" if value is None else str(value)


def mac(cell: Cell) -> str | None:
    """The hardware address of a port of the equipment itself, never of a client; some agents write it as a text.

    >>> mac((4, bytes.fromhex("f09fc200002a"))), mac((4, b"f0:9f:c2:0:0:2A")), mac((4, b"")), mac((4, b"eth0"))
    ('f0:9f:c2:00:00:2a', 'f0:9f:c2:00:00:2a', None, None)
    """
    value = cell[1]
    if not isinstance(value, bytes):
        return None
    if len(value) == _MAC_OCTETS:
        return value.hex(":")
    written = _WRITTEN_MAC.fullmatch(value)
    return ":".join(f"{int(octet, 16):02x}" for octet in re.split(rb"[:-]", written[0])) if written else None


def mac_or_text(cell: Cell) -> str:
    """A hardware address where the octets are one, else a text: LLDP's chassis and port names (IEEE 802.1AB)."""
    value = cell[1]
    is_address = isinstance(value, bytes) and len(value) == _MAC_OCTETS and not value.isascii()
    return (mac(cell) or "") if is_address else oid_or_text(cell)


def address(cell: Cell) -> str:
    r"""A hardware address of the equipment itself as snmp_exporter writes it: always six octets.

    >>> address((4, b"\xf0\x9f\xc2\x00\x00\x2a"))
    'F0:9F:C2:00:00:2A'
    """
    value = cell[1]
    octets = value if isinstance(value, bytes) else b""
    return octets[:_MAC_OCTETS].ljust(_MAC_OCTETS, b"\0").hex(":").upper()


def hexadecimal(cell: Cell) -> str:
    r"""Octets that are neither text nor address, as a serial number may be.

    >>> hexadecimal((4, b"\x48\x57\x00\x2a"))
    '4857002a'
    """
    value = cell[1]
    return value[: MAX_TEXT // 2].hex() if isinstance(value, bytes) else oid_or_text(cell)


def opaque_float(cell: Cell) -> float | None:
    r"""A float that Net-SNMP wraps in an Opaque: tags 9F 78, length 4, IEEE 754 single precision.

    >>> opaque_float((68, b"\x9f\x78\x04\x3e\x80\x00\x00"))
    0.25
    """
    value = cell[1]
    if not isinstance(value, bytes) or len(value) != _OPAQUE_FLOAT_OCTETS or value[:3] != b"\x9f\x78\x04":
        return None
    (found,) = struct.unpack(">f", value[3:])
    return float(found)


def channel(cell: Cell) -> int | None:
    """A channel number, also where its width is added: by letters (``116E``, ``53S``, ``11+``) or bits above the octet.

    A number that could be a frequency in MHz is none.

    >>> channel((4, b"116E")), channel((2, 11)), channel((4, b"auto")), channel((2, 0)), channel((2, 0x124))
    (116, 11, None, None, 36)
    >>> channel((2, 5180)), channel((2, -1))
    (None, None)
    """
    value = cell[1]
    if isinstance(value, int):
        return value % _OCTET or None if 0 < value < _WIDTHS else None
    found = re.match(r"\d{1,3}", text(value)) if value else None
    return int(found[0]) or None if found else None


def band_of_megahertz(cell: Cell) -> str | None:
    """The band a frequency in MHz lies in.

    >>> band_of_megahertz((2, 5180))
    '5GHz'
    """
    found = number(cell)
    return None if found is None else radio.band(found)


def channel_of_megahertz(cell: Cell) -> int | None:
    """The channel whose centre a frequency in MHz is.

    >>> channel_of_megahertz((2, 2437))
    6
    """
    found = number(cell)
    return None if found is None else radio.channel(found)


def band_of_channel(cell: Cell) -> str | None:
    """The band of a channel number, where the device does not tell it.

    >>> band_of_channel((4, b"36"))
    '5GHz'
    """
    found = channel(cell)
    return None if found is None else radio.band_of_channel(found)


def band_of_6e_channel(cell: Cell) -> str | None:
    """The band of a channel of a radio that works in 6 GHz wherever its number allows it.

    >>> band_of_6e_channel((2, 5)), band_of_6e_channel((2, 36))
    ('6GHz', '5GHz')
    """
    found = channel(cell)
    if found is None:
        return None
    return "6GHz" if radio.is_6ghz_channel(found) else radio.band_of_channel(found)


READ: dict[Reading, Callable[[Cell], Read]] = {
    "number": number,
    "negative": negative,
    "signed_octet": signed_octet,
    "text": oid_or_text,
    "mac": mac,
    "mac_or_text": mac_or_text,
    "address": address,
    "hex": hexadecimal,
    "opaque_float": opaque_float,
    "channel": channel,
    "band_of_megahertz": band_of_megahertz,
    "channel_of_megahertz": channel_of_megahertz,
    "band_of_channel": band_of_channel,
    "band_of_6e_channel": band_of_6e_channel,
}
"""How a profile's ``read`` words read one variable."""
