"""How a device is known once its session is over, and to other gateways: by a key, never by its address.

The key is a keyed hash (HMAC-SHA-256, RFC 2104) of the MAC address under a secret that all gateways of the town share.
Whoever has the key but not the secret cannot try the 2^46 addresses there are.
"""

import hmac

from parvis.addresses import MacAddress

DOMAIN = b"parvis device|"
"""Keeps these hashes apart from all others made under the same secret."""


def key(mac: MacAddress, secret: bytes) -> str:
    """The key of *mac*, 64 hexadecimal digits.

    >>> key(MacAddress.parse("02:00:00:00:00:0a"), b"k" * 32)[:16]
    'f4b68cf4a1d28cc9'
    """
    return hmac.digest(secret, DOMAIN + mac.text.encode(), "sha256").hex()
