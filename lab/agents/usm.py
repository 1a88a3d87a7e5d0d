"""The User-based Security Model of a simulated agent (RFC 3414, RFC 7860, RFC 3826), proved by Net-SNMP's tools."""

import hashlib
import hmac
import secrets
from collections import Counter
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from lab.agents import ber
from lab.agents.answers import Picture, response

try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # cryptography before 47
    from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers.modes import CFB

AUTHENTICATION = {
    "MD5": ("md5", 12),
    "SHA-1": ("sha1", 12),
    "SHA-224": ("sha224", 16),
    "SHA-256": ("sha256", 24),
    "SHA-384": ("sha384", 32),
    "SHA-512": ("sha512", 48),
}
"""The inventory's names -> the hash, and the octets of it that a message carries."""
PRIVACY = {"DES": 16, "AES-128": 16, "AES-192": 24, "AES-256": 32, "AES-192-reeder": 24, "AES-256-reeder": 32}
"""The inventory's names -> the octets of key each needs."""
REPORTS = {
    "unsupportedSecLevels": 1,
    "notInTimeWindows": 2,
    "unknownUserNames": 3,
    "unknownEngineIDs": 4,
    "wrongDigests": 5,
    "decryptionErrors": 6,
}
"""usmStats, below 1.3.6.1.6.3.15.1.1."""
USM_STATS = (1, 3, 6, 1, 6, 3, 15, 1, 1)
TIME_WINDOW_SECONDS = 150
AUTHENTICATED, PRIVATE, BOTH = 1, 2, 3
MAX_MESSAGE_BYTES = 65_507
SNMP_V3 = USM_MODEL = 3
STRETCHED = 2**20
BLOCK = 8


@dataclass(frozen=True, slots=True)
class User:
    """A v3 user; the secrets are pass phrases, empty where that service is not used."""

    name: str
    auth: str
    privacy: str
    auth_secret: str
    privacy_secret: str

    @property
    def level(self) -> int:
        """The bits of msgFlags that its messages have (RFC 3412 section 6.4)."""
        return (AUTHENTICATED if self.auth_secret else 0) | (PRIVATE if self.privacy_secret else 0)


class Refused(Exception):
    """The message is answered by a Report; *reason* is a name of REPORTS. The manager must act."""

    def __init__(self, reason: str, *, signed: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.signed = signed


@dataclass(frozen=True, slots=True)
class Envelope:
    """A v3 message taken apart; *proof_at* is where its signature begins."""

    number: int
    flags: int
    engine_id: bytes
    boots: int
    time: int
    user: bytes
    proof: bytes
    proof_at: int
    salt: bytes
    content: bytes


@cache
def master_key(auth: str, secret: bytes) -> bytes:
    """The digest of a mebioctet of the repeated pass phrase (RFC 3414 section A.2)."""
    whole = (secret * (STRETCHED // len(secret) + 1))[:STRETCHED]
    return hashlib.new(AUTHENTICATION[auth][0], whole).digest()


def localized(auth: str, key: bytes, engine_id: bytes) -> bytes:
    """A user's key at one engine (RFC 3414 section 2.6)."""
    return hashlib.new(AUTHENTICATION[auth][0], key + engine_id + key).digest()


def privacy_key(user: User, engine_id: bytes) -> bytes:
    """The key that encrypts, made long enough as Blumenthal (the rest of) or Reeder (``-reeder``) have it."""
    key = part = localized(user.auth, master_key(user.auth, user.privacy_secret.encode()), engine_id)
    while len(key) < PRIVACY[user.privacy]:
        if user.privacy.endswith("-reeder"):
            part = localized(user.auth, master_key(user.auth, part), engine_id)
            key += part
        else:
            key += hashlib.new(AUTHENTICATION[user.auth][0], key).digest()
    return key[: PRIVACY[user.privacy]]


class Engine:
    """One device's authoritative engine."""

    def __init__(self, engine_id: bytes, user: User, boots: int = 1) -> None:
        self.engine_id = engine_id
        self.boots = boots
        self._user = user
        if user.level & AUTHENTICATED:
            self._hash, self._proof_octets = AUTHENTICATION[user.auth]
            self._auth_key = localized(user.auth, master_key(user.auth, user.auth_secret.encode()), engine_id)
        self._privacy_key = privacy_key(user, engine_id) if user.level & PRIVATE else b""
        self._counts: Counter[str] = Counter()

    @property
    def level(self) -> int:
        """The bits of msgFlags that its user's messages have."""
        return self._user.level

    def answer(self, datagram: bytes, picture: Picture, seconds: int, number: int | None = None) -> bytes | None:
        """The answer to a v3 message under its own number, or under *number*; None where silence is right."""
        asked = opened(datagram)
        shown = asked.number if number is None else number
        try:
            scoped = self._plain(datagram, asked, seconds)
        except Refused as refusal:
            return self._report(asked, shown, refusal, seconds)
        _, at, end = ber.element(scoped, 0, len(scoped), ber.SEQUENCE)
        _, at = ber.octets(scoped, at, end)
        _, at = ber.octets(scoped, at, end)
        answer = response(ber.request(scoped, at, end), picture)
        return None if answer is None else self.sealed(shown, answer, seconds, self.level)

    def _plain(self, datagram: bytes, asked: Envelope, seconds: int) -> bytes:
        if asked.engine_id != self.engine_id:
            raise Refused("unknownEngineIDs")
        if asked.user != self._user.name.encode():
            raise Refused("unknownUserNames")
        if asked.flags & BOTH != self._user.level:
            raise Refused("unsupportedSecLevels")
        if not self._user.level:
            return asked.content
        end = asked.proof_at + len(asked.proof)
        blank = datagram[: asked.proof_at] + bytes(len(asked.proof)) + datagram[end:]
        if not hmac.compare_digest(self._proof(blank), asked.proof):
            raise Refused("wrongDigests")
        if asked.boots != self.boots or abs(asked.time - seconds) > TIME_WINDOW_SECONDS:
            raise Refused("notInTimeWindows", signed=True)
        if not self._user.level & PRIVATE:
            return asked.content
        try:
            secret, _ = ber.octets(asked.content, 0, len(asked.content))
            plain = self._cipher(asked.salt, asked.boots, asked.time).decryptor().update(secret)
            ber.element(plain, 0, len(plain), ber.SEQUENCE)
        except ValueError as error:
            raise Refused("decryptionErrors") from error
        return plain

    def _report(self, asked: Envelope, shown: int, refusal: Refused, seconds: int) -> bytes:
        self._counts[refusal.reason] += 1
        name = (*USM_STATS, REPORTS[refusal.reason], 0)
        bindings = [(name, (ber.COUNTER32, self._counts[refusal.reason]))]
        flags = AUTHENTICATED if refusal.signed else 0
        pdu = ber.pdu(ber.REPORT, _asked_openly(asked), 0, 0, bindings)
        return self.sealed(shown, pdu, seconds, flags, self._user.name.encode() if refusal.signed else b"")

    def sealed(self, number: int, pdu: bytes, seconds: int, flags: int, who: bytes | None = None) -> bytes:
        """A message around *pdu*, signed and encrypted as *flags* say; *who* it is about: None for our user."""
        content = ber.tlv(ber.SEQUENCE, ber.tlv(ber.OCTETS, self.engine_id) + ber.tlv(ber.OCTETS, b"") + pdu)
        salt = b""
        if flags & PRIVATE:
            salt = self.boots.to_bytes(4) + secrets.token_bytes(4)
            padded = content + bytes(-len(content) % BLOCK) if self._user.privacy == "DES" else content
            content = ber.tlv(ber.OCTETS, self._cipher(salt, self.boots, seconds).encryptor().update(padded))
        blank = bytes(self._proof_octets if flags & AUTHENTICATED else 0)
        who = self._user.name.encode() if who is None else who
        parts = (who, blank, salt)
        security = ber.tlv(ber.OCTETS, self.engine_id) + ber.integer(self.boots) + ber.integer(seconds)
        security = ber.tlv(ber.SEQUENCE, security + b"".join(ber.tlv(ber.OCTETS, part) for part in parts))
        header = ber.integer(number) + ber.integer(MAX_MESSAGE_BYTES)
        header = ber.tlv(ber.SEQUENCE, header + ber.tlv(ber.OCTETS, bytes([flags])) + ber.integer(USM_MODEL))
        whole = ber.tlv(ber.SEQUENCE, ber.integer(SNMP_V3) + header + ber.tlv(ber.OCTETS, security) + content)
        if not blank:
            return whole
        at = len(whole) - len(content) - len(ber.tlv(ber.OCTETS, salt)) - len(blank)
        return whole[:at] + self._proof(whole) + whole[at + len(blank) :]

    def _proof(self, message: bytes) -> bytes:
        return hmac.digest(self._auth_key, message, self._hash)[: self._proof_octets]

    def _cipher(self, salt: bytes, boots: int, seconds: int) -> "Cipher[CBC] | Cipher[CFB]":
        if len(salt) != BLOCK:
            raise ValueError("a salt has eight octets")
        if self._user.privacy == "DES":  # three equal keys make Triple-DES single DES
            start = bytes(a ^ b for a, b in zip(self._privacy_key[BLOCK:16], salt, strict=True))
            return Cipher(TripleDES(self._privacy_key[:BLOCK] * 3), CBC(start))
        return Cipher(AES(self._privacy_key), CFB(boots.to_bytes(4) + seconds.to_bytes(4) + salt))


def opened(data: bytes) -> Envelope:
    """A v3 message taken apart, nothing proved; Garbled when it is none."""
    _, at, end = ber.element(data, 0, len(data), ber.SEQUENCE)
    _, at = ber.number(data, at, end)
    _, inner, at = ber.element(data, at, end, ber.SEQUENCE)
    number, inner = ber.number(data, inner, at)
    _, inner = ber.number(data, inner, at)
    flags, _ = ber.octets(data, inner, at)
    content_at = ber.element(data, at, end, ber.OCTETS)[2]
    _, inner, stop = ber.element(data, at, end, ber.OCTETS)
    _, inner, stop = ber.element(data, inner, stop, ber.SEQUENCE)
    engine_id, inner = ber.octets(data, inner, stop)
    boots, inner = ber.number(data, inner, stop)
    seconds, inner = ber.number(data, inner, stop)
    user, inner = ber.octets(data, inner, stop)
    proof, after = ber.octets(data, inner, stop)
    salt, _ = ber.octets(data, after, stop)
    proof_at = after - len(proof)
    return Envelope(
        number, int.from_bytes(flags), engine_id, boots, seconds, user, proof, proof_at, salt, data[content_at:end]
    )


def _asked_openly(asked: Envelope) -> int:
    """The request-id of a request that is not encrypted; 0 of one that is."""
    if asked.flags & PRIVATE:
        return 0
    data = asked.content
    _, at, end = ber.element(data, 0, len(data), ber.SEQUENCE)
    _, at = ber.octets(data, at, end)
    _, at = ber.octets(data, at, end)
    return ber.request(data, at, end).number
