"""Sealing and signing: HPKE (RFC 9180, X25519, HKDF-SHA256, ChaCha20-Poly1305) and Ed25519 (RFC 8032).

Who seals needs a public key only and cannot open again what it has sealed.
"""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

KEY_BYTES = 32
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class NotOurs(Exception):
    """What was to be opened or believed was made for another key, by another one, or was changed."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A key pair for sealing; both are 32 raw octets. *private* prints as nothing."""

    private: bytes
    public: bytes

    def __repr__(self) -> str:
        return f"Pair({fingerprint(self.public)})"


def new_pair() -> Pair:
    """A fresh key pair."""
    return pair_of(X25519PrivateKey.generate().private_bytes_raw())


def pair_of(private: bytes) -> Pair:
    """The pair whose private half is *private*; ValueError when it is none."""
    return Pair(private, X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw())


def fingerprint(public: bytes) -> str:
    """How people tell keys apart: 16 hexadecimal digits.

    >>> fingerprint(bytes(32))
    '66687aadf862bd77'
    """
    return hashlib.sha256(public).hexdigest()[:16]


def seal(public: bytes, data: bytes, about: str) -> bytes:
    """*data* for the holder of *public* only; it opens with the same words *about* it and no others."""
    return _SUITE.encrypt(data, X25519PublicKey.from_public_bytes(public), info=about.encode())


def unseal(private: bytes, sealed: bytes, about: str) -> bytes:
    """What was sealed; NotOurs when it was for another key, is about something else, or was changed."""
    try:
        return _SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(private), info=about.encode())
    except (InvalidTag, ValueError) as error:
        raise NotOurs(f"{about}: cannot be opened with this key; it is another's, or was changed") from error


def new_signer() -> bytes:
    """A fresh private key for signing, 32 raw octets."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def signer_public(private: bytes) -> bytes:
    """What its signatures are checked with, 32 raw octets."""
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def signer_pem(public: bytes) -> str:
    """The same as PEM, which openssl(1) reads."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415 only here

    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def sign(private: bytes, data: bytes) -> bytes:
    """The signature of *data*, 64 octets."""
    return Ed25519PrivateKey.from_private_bytes(private).sign(data)


def signed(public: bytes, data: bytes, signature: bytes) -> bool:
    """Whether *signature* is of *data* by the key whose public half is *public*."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True
