"""Until when a certificate is valid, read from its PEM: X.509's own times (RFC 5280 section 4.1.2.5), DER (X.690).

Only what is needed, because a library for all of X.509 costs a process 8 MB.
"""

import base64
import re
from datetime import UTC, datetime

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
UTC_TIME, VERSION = 0x17, 0xA0
LONG_FORM = 0x80
FIELDS_BEFORE_VALIDITY = 3
"""Serial number, signature algorithm, issuer."""


class NoCertificate(Exception):
    """The file holds no certificate we can read; deliver the whole chain as PEM."""


def ends(pem: bytes) -> datetime:
    """When the first certificate of *pem*, the portal's own, ends; NoCertificate."""
    found = _PEM.search(pem)
    if found is None:
        raise NoCertificate("no certificate in PEM")
    try:
        return _not_after(base64.b64decode(found[1]))
    except (ValueError, IndexError) as error:
        raise NoCertificate(f"not a certificate: {error}") from error


def _not_after(der: bytes) -> datetime:
    certificate = _open(der, 0)[1]
    signed = _open(der, certificate)[1]
    at = signed
    if der[at] == VERSION:
        at = _open(der, at)[2]
    for _ in range(FIELDS_BEFORE_VALIDITY):
        at = _open(der, at)[2]
    validity = _open(der, at)[1]
    tag, start, end = _open(der, _open(der, validity)[2])
    said = der[start:end].decode("ascii")
    year = "%y" if tag == UTC_TIME else "%Y"
    return datetime.strptime(said, f"{year}%m%d%H%M%SZ").replace(tzinfo=UTC)


def _open(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag, and where the contents of the element at *at* start and end."""
    tag, length, start = der[at], der[at + 1], at + 2
    if length & LONG_FORM:
        octets = length - LONG_FORM
        length, start = int.from_bytes(der[start : start + octets]), start + octets
    if start + length > len(der):
        raise ValueError("cut off")
    return tag, start, start + length
