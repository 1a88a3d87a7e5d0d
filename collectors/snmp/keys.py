"""From passwords to keys, and what is done with them: HMAC, AES and DES of the User-based Security Model.

Sources: RFC 3414 (MD5, SHA-1, DES), RFC 7860 (SHA-2), RFC 3826 (AES-128), draft-blumenthal-aes-usm-04 and
draft-reeder-snmpv3-usm-3desede-00 (the two ways to stretch a key for AES-192 and AES-256).
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from itertools import count
from typing import TYPE_CHECKING, Any

from collectors.snmp.errors import UndecipherableReply

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import Cipher

    from collectors.snmp.ciphers import Aes, Des

_PASSWORD_STRETCH = 2**20
_BLOCK = 8


class AuthProtocol(StrEnum):
    """Authentication protocols."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA224 = "sha224"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


DIGEST_OCTETS = {"md5": 12, "sha1": 12, "sha224": 16, "sha256": 24, "sha384": 32, "sha512": 48}
"""Octets of the truncated HMAC in a message (RFC 3414 section 6, RFC 7860 section 4.2)."""


class PrivProtocol(StrEnum):
    """Privacy protocols; ``c`` marks the key extension of Reeder, as Cisco and others use it."""

    DES = "des"
    AES128 = "aes128"
    AES192 = "aes192"
    AES256 = "aes256"
    AES192C = "aes192c"
    AES256C = "aes256c"


_OTHER_EXTENSION = {
    PrivProtocol.AES192: PrivProtocol.AES192C,
    PrivProtocol.AES256: PrivProtocol.AES256C,
    PrivProtocol.AES192C: PrivProtocol.AES192,
    PrivProtocol.AES256C: PrivProtocol.AES256,
}
_KEY_OCTETS = {"des": 16, "aes128": 16, "aes192": 24, "aes256": 32, "aes192c": 24, "aes256c": 32}


def other_extension(auth: AuthProtocol, priv: PrivProtocol) -> PrivProtocol | None:
    """The same cipher with the key stretched the other way; None where nothing has to be stretched.

    >>> sha1, sha256 = AuthProtocol.SHA1, AuthProtocol.SHA256
    >>> other_extension(sha1, PrivProtocol.AES256), other_extension(sha256, PrivProtocol.AES256)
    (<PrivProtocol.AES256C: 'aes256c'>, None)
    """
    return _OTHER_EXTENSION.get(priv) if hashlib.new(auth).digest_size < _KEY_OCTETS[priv] else None


@lru_cache(maxsize=256)
def _user_key(protocol: str, password: bytes) -> bytes:
    """Ku: the digest of one mebioctet of the repeated password (RFC 3414 section A.2); about 2 ms, hence the cache."""
    repeats = _PASSWORD_STRETCH // max(len(password), 1) + 1
    return hashlib.new(protocol, (password * repeats)[:_PASSWORD_STRETCH], usedforsecurity=True).digest()


def _localized(protocol: str, key: bytes, engine_id: bytes) -> bytes:
    """Kul: a user's key for one engine (RFC 3414 section 2.6)."""
    return hashlib.new(protocol, key + engine_id + key).digest()


@lru_cache(maxsize=8192)
def auth_key(protocol: AuthProtocol, password: bytes, engine_id: bytes) -> bytes:
    r"""The key that signs messages to and from one engine.

    >>> auth_key(AuthProtocol.MD5, b"maplesyrup", bytes(11) + b"\x02").hex()  # RFC 3414 section A.3.1
    '526f5eed9fcce26f8964c2930787d82b'
    """
    return _localized(protocol, _user_key(protocol, password), engine_id)


@lru_cache(maxsize=8192)
def priv_key(auth: AuthProtocol, priv: PrivProtocol, password: bytes, engine_id: bytes) -> bytes:
    """The key that encrypts messages to and from one engine, stretched to what *priv* needs."""
    key = part = auth_key(auth, password, engine_id)
    wanted = _KEY_OCTETS[priv]
    while len(key) < wanted:
        if priv in (PrivProtocol.AES192C, PrivProtocol.AES256C):
            part = _localized(auth, _user_key(auth, part), engine_id)
            key += part
        else:
            key += hashlib.new(auth, key).digest()
    return key[:wanted]


def sign(protocol: AuthProtocol, key: bytes, message: bytes) -> bytes:
    """The truncated HMAC of a message whose digest field is zero."""
    signing = _signing(protocol, key).copy()
    signing.update(message)
    return signing.digest()[: DIGEST_OCTETS[protocol]]


@lru_cache(maxsize=8192)
def _signing(protocol: AuthProtocol, key: bytes) -> hmac.HMAC:
    """An HMAC that knows its key and no message yet."""
    return hmac.new(key, digestmod=protocol.value)


@dataclass(frozen=True, slots=True)
class Privacy:
    """Encrypts and decrypts scoped PDUs under one localised key."""

    protocol: PrivProtocol
    key: bytes
    _keyed: "Aes | Des" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        from collectors.snmp import ciphers  # noqa: PLC0415 only where somebody encrypts

        keyed = ciphers.Des(self.key[:8]) if self.protocol == PrivProtocol.DES else ciphers.Aes(self.key)
        object.__setattr__(self, "_keyed", keyed)

    def encrypt(self, plain: bytes, boots: int, time: int) -> tuple[bytes, bytes]:
        """Cipher text and msgPrivacyParameters (the salt)."""
        salt = _next_salt(boots if self.protocol == PrivProtocol.DES else None)
        encryptor = self._cipher(salt, boots, time).encryptor()
        if self.protocol == PrivProtocol.DES:
            plain += bytes(-len(plain) % _BLOCK)
        return encryptor.update(plain) + encryptor.finalize(), salt

    def decrypt(self, secret: bytes, salt: bytes, boots: int, time: int) -> bytes:
        """Plain text; boots and time are those of the message. UndecipherableReply when the shape is wrong."""
        if len(salt) != _BLOCK or (self.protocol == PrivProtocol.DES and len(secret) % _BLOCK):
            raise UndecipherableReply("privacy parameters of the wrong size")
        decryptor = self._cipher(salt, boots, time).decryptor()
        return decryptor.update(secret) + decryptor.finalize()

    def _cipher(self, salt: bytes, boots: int, time: int) -> "Cipher[Any]":
        if self.protocol == PrivProtocol.DES:
            return self._keyed.cipher(bytes(a ^ b for a, b in zip(self.key[8:16], salt, strict=True)))
        return self._keyed.cipher(boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt)


_salts = count(secrets.randbits(63))


def _next_salt(boots: int | None) -> bytes:
    """Eight octets this process never used before (RFC 3826 section 3.1.2.1; *boots*: RFC 3414 section 8.1.1.1)."""
    octets = (next(_salts) % 2**64).to_bytes(8, "big")
    return octets if boots is None else boots.to_bytes(4, "big") + octets[4:]
