"""Values every room uses: frozen, one way in, the standard in the docstring."""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any

from parvis.addresses import MacAddress as MacAddress  # noqa: PLC0414 for everybody who imports values
from parvis.shapes import Before

_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(ms|s|min|m|h|d|)")
_RATE = re.compile(r"(\d+(?:\.\d+)?) ?([kMG]?)bit/s")
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?([kMG]?)B")
_OID = re.compile(r"[0-2](\.(0|[1-9]\d*))+")
_ENGINE_ID = re.compile(r"(?!0+$|f+$)(?:[0-9a-f]{2}){5,32}")
_SECONDS = {"ms": 0.001, "": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_BITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}
_MAX_SUBIDENTIFIER = 2**32 - 1
_MAX_SUBIDENTIFIERS = 128


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that never prints itself.

    >>> Secret("hunter2")
    Secret(***)
    """

    _text: str = field(repr=False)

    def reveal(self) -> str:
        """Return the secret itself; call this only where it is used."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__


def duration_seconds(text: str | float) -> float:
    """Seconds from ``90s``, ``30min``, ``12h``, ``7d`` or a bare number of seconds.

    >>> duration_seconds("12h"), duration_seconds("250ms"), duration_seconds("90")
    (43200.0, 0.25, 90.0)
    """
    if isinstance(text, bool):
        raise ValueError("a duration is not true or false; write 90s, 30min, 12h or 7d")  # noqa: TRY004 pydantic reads ValueError
    if isinstance(text, int | float):
        return float(text)
    match = _DURATION.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{text!r} is not a duration; write 90s, 30min, 12h or 7d")
    return float(match[1]) * _SECONDS[match[2]]


def rate_bits_per_second(text: str | int) -> int:
    """Bits per second from ``20 Mbit/s`` (decimal prefixes, IEC 80000-13).

    >>> rate_bits_per_second("20 Mbit/s")
    20000000
    """
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    match = _RATE.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{text!r} is not a rate; write 20 Mbit/s, 512 kbit/s or 1 Gbit/s")
    return round(float(match[1]) * _BITS[match[2]])


def size_bytes(text: str | int) -> int:
    """Bytes from ``500 MB`` (decimal prefixes, IEC 80000-13).

    >>> size_bytes("1.5 GB")
    1500000000
    """
    if isinstance(text, int) and not isinstance(text, bool):
        return text
    match = _SIZE.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{text!r} is not a size; write 500 MB or 2 GB")
    return round(float(match[1]) * _BITS[match[2]])


def object_identifier(text: Any) -> str:
    """Check a dotted OBJECT IDENTIFIER (RFC 2578 section 7.1.3: at most 128 sub-identifiers below 2^32).

    >>> object_identifier("1.3.6.1.4.1.41112")
    '1.3.6.1.4.1.41112'
    """
    parts = str(text).split(".")
    if not _OID.fullmatch(str(text)) or len(parts) > _MAX_SUBIDENTIFIERS or max(map(int, parts)) > _MAX_SUBIDENTIFIER:
        raise ValueError(f"{text!r} is not an OID; write numbers and dots such as 1.3.6.1.4.1.41112")
    return str(text)


def engine_id(text: Any) -> str:
    """An SNMP engine ID (SnmpEngineID of RFC 3411: 5 to 32 octets, neither all 0 nor all 255) in hexadecimal digits.

    >>> engine_id("80:00:1f:88:04:61"), engine_id("0x80001F880461")
    ('80001f880461', '80001f880461')
    """
    digits = re.sub(r"^0x|[: ]", "", text.strip().lower()) if isinstance(text, str) else ""
    if not _ENGINE_ID.fullmatch(digits):
        raise ValueError(
            f"{text!r} is not an engine ID; write its 5 to 32 octets in hexadecimal digits between quotes, "
            'such as "80001f880461"'
        )
    return digits


Mac = Annotated[MacAddress, Before(MacAddress.parse)]
Duration = Annotated[float, Before(duration_seconds)]
"""Seconds."""
Rate = Annotated[int, Before(rate_bits_per_second)]
"""Bits per second."""
Size = Annotated[int, Before(size_bytes)]
"""Bytes."""
Oid = Annotated[str, Before(object_identifier)]
EngineId = Annotated[str, Before(engine_id)]
