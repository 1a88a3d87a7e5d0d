"""Which devices still answer whoever knows no secret: SNMPv2c with the communities they were delivered with (SEC-06).

One question each, RFC 3416's smallest: sysObjectID. Nothing is written, and what is answered is not read.
"""

import selectors
import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress

PORT = 161
KNOWN = ("public", "private")
"""What RFC 1157's examples and nearly every vendor's first start have."""
PATIENCE_SECONDS = 2.0
_SYS_OBJECT_ID = bytes((0x2B, 6, 1, 2, 1, 1, 2, 0))
_INTEGER, _TEXT, _NULL, _OID, _SEQUENCE, _GET = 0x02, 0x04, 0x05, 0x06, 0x30, 0xA0


def question(community: str) -> bytes:
    """A GetRequest of SNMPv2c (RFC 1901, 3416) in BER; all lengths are short.

    >>> question("public").hex()
    '302602010104067075626c6963a019020101020100020100300e300c06082b060102010102000500'
    """
    binding = _tlv(_SEQUENCE, _tlv(_OID, _SYS_OBJECT_ID) + _tlv(_NULL, b""))
    numbers = _tlv(_INTEGER, b"\1") + 2 * _tlv(_INTEGER, b"\0")
    request = _tlv(_GET, numbers + _tlv(_SEQUENCE, binding))
    return _tlv(_SEQUENCE, _tlv(_INTEGER, b"\1") + _tlv(_TEXT, community.encode()) + request)


def _tlv(tag: int, body: bytes) -> bytes:
    return bytes((tag, len(body))) + body


def answering(devices: Mapping[str, str], port: int = PORT, seconds: float = PATIENCE_SECONDS) -> dict[str, str]:
    """Of *devices* (name -> address) those that answer -> the community to which they do."""
    found: dict[str, str] = {}
    for community in KNOWN if devices else ():
        heard = _heard(question(community), devices.values(), port, seconds)
        found |= {name: community for name, address in devices.items() if address in heard and name not in found}
    return found


def _heard(datagram: bytes, addresses: Iterable[str], port: int, seconds: float) -> set[str]:
    """Send *datagram* to each address, twice, and collect for *seconds* who sends something back."""
    heard: set[str] = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking, selectors.DefaultSelector() as selector:
        asking.setblocking(False)
        selector.register(asking, selectors.EVENT_READ)
        ends = time.monotonic() + seconds
        for address in 2 * tuple(addresses):
            with suppress(OSError):  # no way there: silent
                asking.sendto(datagram, (address, port))
        while (left := ends - time.monotonic()) > 0:
            if selector.select(left):
                with suppress(OSError):  # an ICMP error about one of them
                    heard.add(asking.recvfrom(1500)[1][0])
    return heard
