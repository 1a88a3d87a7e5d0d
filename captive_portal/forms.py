"""Signed tokens that bind a form to the device it was shown to, for one purpose and half an hour. Nothing is stored.

A token says when it was made (seconds since boot) and carries a random part; the signature also covers the MAC
address, the boot, the purpose and what the form was *about*: the digest of the terms it agrees to. It shows none of
them. That it is used once is the store's business.
"""

import base64
import hashlib
import hmac
import os
import struct
from dataclasses import dataclass
from typing import Literal

from captive_portal.session import Now
from parvis.addresses import MacAddress

Purpose = Literal["accept", "extend", "leave"]
VALID_SECONDS = 1800.0
SHORTEST_KEY = 32
_ISSUED = struct.Struct(">d")
_RANDOM_SIZE, _SIGNATURE_SIZE = 12, 16
_SIZE = _ISSUED.size + _RANDOM_SIZE + _SIGNATURE_SIZE


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes and checks tokens with *key*, 32 bytes or more."""

    key: bytes

    def token(self, mac: MacAddress, purpose: Purpose, now: Now, about: str = "") -> str:
        """A fresh token for *mac*'s form."""
        visible = _ISSUED.pack(now.since_boot) + os.urandom(_RANDOM_SIZE)
        return base64.urlsafe_b64encode(visible + self._signature(visible, mac, purpose, now, about)).decode("ascii")

    def valid(self, token: str, mac: MacAddress, purpose: Purpose, now: Now, about: str = "") -> bool:
        """Whether *token* was made for just these by this key, in this boot, less than half an hour ago."""
        try:
            raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except ValueError:
            return False
        if len(raw) != _SIZE:
            return False
        visible, signature = raw[:-_SIGNATURE_SIZE], raw[-_SIGNATURE_SIZE:]
        if not hmac.compare_digest(signature, self._signature(visible, mac, purpose, now, about)):
            return False
        issued: float = _ISSUED.unpack_from(visible)[0]
        return 0 <= now.since_boot - issued <= VALID_SECONDS

    def _signature(self, visible: bytes, mac: MacAddress, purpose: Purpose, now: Now, about: str) -> bytes:
        said = b"|".join((visible, mac.text.encode(), purpose.encode(), now.boot.encode(), about.encode()))
        return hmac.digest(self.key, said, "sha256")[:_SIGNATURE_SIZE]


def fingerprint(token: str) -> str:
    """What the store keeps of a used token.

    >>> fingerprint("x") == fingerprint("x"), len(fingerprint("x"))
    (True, 64)
    """
    return hashlib.sha256(token.encode()).hexdigest()
