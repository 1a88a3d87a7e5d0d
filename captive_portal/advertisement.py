"""IPv6 router advertisements as bytes: prefix, resolver, MTU, and where the captive portal API is.

RFC 4861 section 4.2 (router advertisement), 4.6 (options), RFC 8106 section 5.1 (resolver), RFC 8910 section 2.3
(captive portal, which neither dnsmasq 2.90 nor radvd 2.19 can send).
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network

ROUTER_SOLICITATION, ROUTER_ADVERTISEMENT = 133, 134
SOURCE_LINK_LAYER, PREFIX, MTU, RESOLVER, CAPTIVE_PORTAL = 1, 3, 5, 25, 37
HOP_LIMIT = 64
OTHER_CONFIGURATION = 0x40
"""The O flag: ask DHCPv6 for the rest (RFC 4861 section 4.2), which is option 103."""
ON_LINK_AND_AUTONOMOUS = 0xC0
ROUTER_SECONDS = 2700
"""RFC 7772 section 5.1 wants 45 to 90 minutes, so that phones may sleep through advertisements."""
VALID_SECONDS, PREFERRED_SECONDS = 86_400, 14_400
_MAC_BYTES = 6
_HEADER = struct.Struct("!BBHBBHII")
_PREFIX = struct.Struct("!BBBBIII16s")
_MTU = struct.Struct("!BBHI")
_RESOLVER = struct.Struct("!BBHI16s")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a site offers: its prefix, the gateway's address as resolver, and the API's address."""

    prefix: IPv6Network
    resolver: IPv6Address
    api: str


def message(offer: Offer, mac: bytes, mtu: int) -> bytes:
    """The ICMPv6 message; the kernel fills in the checksum. *mac* is the guest interface's, six bytes.

    >>> offer = Offer(IPv6Network("2001:db8:11::/64"), IPv6Address("2001:db8:11::1"), "https://wifi.example/api")
    >>> found = options(message(offer, bytes(6), 1500))
    >>> found[CAPTIVE_PORTAL].rstrip(bytes(1)), sorted(found)
    (b'https://wifi.example/api', [1, 3, 5, 25, 37])
    """
    head = _HEADER.pack(ROUTER_ADVERTISEMENT, 0, 0, HOP_LIMIT, OTHER_CONFIGURATION, ROUTER_SECONDS, 0, 0)
    prefix = offer.prefix
    return head + b"".join(
        (
            bytes((SOURCE_LINK_LAYER, 1)) + mac[:_MAC_BYTES],
            _PREFIX.pack(
                PREFIX,
                4,
                prefix.prefixlen,
                ON_LINK_AND_AUTONOMOUS,
                VALID_SECONDS,
                PREFERRED_SECONDS,
                0,
                prefix.network_address.packed,
            ),
            _MTU.pack(MTU, 1, 0, mtu),
            _RESOLVER.pack(RESOLVER, 3, 0, ROUTER_SECONDS, offer.resolver.packed),
            _text(CAPTIVE_PORTAL, offer.api.encode("ascii")),
        )
    )


def options(advertisement: bytes) -> dict[int, bytes]:
    """The options of a message, by type, without their first two bytes; what is malformed ends the reading."""
    found, offset = {}, _HEADER.size
    while offset + 8 <= len(advertisement) and advertisement[offset + 1]:
        end = offset + 8 * advertisement[offset + 1]
        found[advertisement[offset]] = advertisement[offset + 2 : end]
        offset = end
    return found


def asks(message_: bytes, hop_limit: int) -> bool:
    """Whether a packet is a router solicitation that may be answered (RFC 4861 section 6.1.1).

    >>> asks(bytes.fromhex("8500000000000000"), 255), asks(bytes.fromhex("8500000000000000"), 64)
    (True, False)
    """
    return hop_limit == 255 and len(message_) >= 8 and message_[:2] == bytes((ROUTER_SOLICITATION, 0))  # noqa: PLR2004 RFC


def _text(kind: int, words: bytes) -> bytes:
    """An option with a text, padded with zeros to whole units of eight bytes."""
    units = -(-(len(words) + 2) // 8)
    return bytes((kind, units)) + words + bytes(units * 8 - 2 - len(words))
