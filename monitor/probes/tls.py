"""When the certificate ends that a TLS server shows, whoever issued it: to be told before nobody trusts it any more."""

import socket
import ssl
from datetime import UTC, datetime

from monitor.within import Cut

_SEQUENCE, _UTC_TIME, _GENERALIZED_TIME, _VERSION = 0x30, 0x17, 0x18, 0xA0
_LONG = 0x80


class NoCertificate(OSError):
    """The server shows none, or one that cannot be read."""


def not_after(host: str, port: int, timeout: float) -> float:
    """Unix time at which the certificate of *host* ends; NoCertificate, or OSError when nobody answers.

    It is not verified: an expired or unknown one is exactly what is looked for.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with Cut(timeout).running() as cut, socket.create_connection((host, port), timeout) as plain:
        cut.hold(plain)
        with context.wrap_socket(plain) as channel:
            shown = channel.getpeercert(binary_form=True)
    if not shown:
        raise NoCertificate(f"{host}:{port} shows no certificate")
    try:
        return end_of(shown)
    except (ValueError, IndexError) as error:
        raise NoCertificate(f"{host}:{port} shows a certificate that cannot be read") from error


def end_of(certificate: bytes) -> float:
    """Unix time of notAfter in a DER certificate (RFC 5280 section 4.1); ValueError, IndexError when it is none."""
    _, whole, _ = _part(certificate)
    _, inner, _ = _part(whole)
    tag, _, rest = _part(inner)
    if tag == _VERSION:
        _, _, rest = _part(rest)
    for _skipped in ("signature", "issuer"):
        _, _, rest = _part(rest)
    tag, validity, _ = _part(rest)
    _, _, after = _part(validity)
    kind, text, _ = _part(after)
    if tag != _SEQUENCE or kind not in {_UTC_TIME, _GENERALIZED_TIME}:
        raise ValueError("no validity")
    shape = "%y%m%d%H%M%SZ" if kind == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text.decode("ascii"), shape).replace(tzinfo=UTC).timestamp()


def _part(data: bytes) -> tuple[int, bytes, bytes]:
    """(tag, content, what follows) of the first DER value in *data*."""
    tag, length, at = data[0], data[1], 2
    if length & _LONG:
        count = length ^ _LONG
        at += count
        length = int.from_bytes(data[2:at], "big")
    if len(data) < at + length:
        raise ValueError("cut short")
    return tag, data[at : at + length], data[at + length :]
