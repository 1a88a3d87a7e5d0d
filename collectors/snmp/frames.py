"""The quick way of SNMPv3 with privacy: what is the same in each message of one user and one engine is made once.

A request is put together around octets made for its shape. An answer that has the very octets of one that was opened
step by step (usm.py), but for number, boots, time, signature, salt and cipher text, is read by places; its number and
HMAC are proven all the same. Whatever differs in one octet goes the other way.
"""

import hmac
from dataclasses import dataclass, field
from functools import lru_cache

from collectors.snmp import ber, pdu, usm
from collectors.snmp.keys import DIGEST_OCTETS, PrivProtocol, sign
from collectors.snmp.pdu import Kind, Pdu, Prepared, Version
from collectors.snmp.usm import Engine, Keys, Opened, User

FRAMES_KEPT = 64
_NUMBER, _SALT = 4, 8
"""Octets of our numbers and of a salt."""
Part = tuple[int, int]
"""Where it begins and ends."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the parts of an answer stand that differ from answer to answer, and the octets around each."""

    number: Part
    boots: Part
    time: Part
    digest: Part
    salt: Part
    secret: Part
    around: tuple[tuple[int, int, bytes], ...]

    def fits(self, data: bytes, number: int) -> bool:
        """Whether *data*, of the same size, is such an answer, to *number*."""
        first, last = self.number
        if data[first:last] != number.to_bytes(_NUMBER):
            return False
        return all(data[begin:end] == octets for begin, end, octets in self.around)


@dataclass(slots=True)
class Frames:
    """What is known of the messages between a user and an engine."""

    user: User
    engine_id: bytes
    _head: bytes = field(init=False)
    """Of a scoped PDU."""
    _frames: dict[int, Frame] = field(default_factory=dict)
    """By the octets of the whole answer."""

    def __post_init__(self) -> None:
        self._head = ber.tlv(ber.OCTET_STRING, self.engine_id) + ber.tlv(ber.OCTET_STRING, self.user.context)

    def seal(self, request: Prepared, engine: Engine, number: int, now: float) -> bytes:
        """What usm.seal makes; *number* has four octets."""
        boots, time = engine.boots, engine.time_at(now)
        keys = self.user.keys(self.engine_id)
        secret, salt = usm.privacy_of(keys).encrypt(pdu.numbered(self._head, request, number), boots, time)
        clock, blank = ber.integer(boots) + ber.integer(time), _blank(self.user)
        a, b, c, d, e = _around(self.user.name, self.engine_id, len(blank), len(clock), len(secret))
        before, behind = b"".join((a, number.to_bytes(_NUMBER), b, clock, c)), b"".join((d, salt, e, secret))
        return before + _proof(self.user, keys, before + blank + behind) + behind

    def open(self, data: bytes, number: int) -> Opened | None:
        """What usm.open_message makes of *data*, its bindings left as they are; None: ask it."""
        frame = self._frames.get(len(data))
        if frame is None or not frame.fits(data, number):
            return None
        boots, time = (int.from_bytes(data[begin:end], signed=True) for begin, end in (frame.boots, frame.time))
        if boots < 0 or time < 0:
            return None
        begin, end = frame.digest
        keys = self.user.keys(self.engine_id)
        proof = _proof(self.user, keys, b"".join((data[:begin], _blank(self.user), data[end:])))
        if not hmac.compare_digest(proof, data[begin:end]):
            return None
        scoped = usm.privacy_of(keys).decrypt(data[slice(*frame.secret)], data[slice(*frame.salt)], boots, time)
        at = pdu.plain_bindings(scoped, self._head, number)
        if not at:
            return None
        bindings: object = (scoped, at, len(scoped))
        content = Pdu(Kind.RESPONSE, number, 0, 0, bindings)  # type: ignore[arg-type] # as turns.whole leaves them
        return Opened(content, self.engine_id, boots, time, is_authentic=True, flags=usm.AUTH_PRIV)

    def learn(self, data: bytes) -> None:
        """Note the places of an answer that was opened step by step, and proven."""
        if len(self._frames) >= FRAMES_KEPT:
            self._frames.clear()
        self._frames[len(data)] = _frame(data)


def suits(user: User) -> bool:
    """Whether *user*'s messages are such: signed, and encrypted without padding."""
    return user.flags == usm.AUTH_PRIV and user.priv is not PrivProtocol.DES


def _proof(user: User, keys: Keys, message: bytes) -> bytes:
    assert user.auth  # noqa: S101 suits
    return sign(user.auth, keys.auth, message)


def _blank(user: User) -> bytes:
    assert user.auth  # noqa: S101 suits
    return bytes(DIGEST_OCTETS[user.auth])


@lru_cache(maxsize=4096)
def _around(name: bytes, engine_id: bytes, digest: int, clock: int, secret: int) -> tuple[bytes, ...]:
    """What stands before number, clock, digest, salt and secret of a request, of which the last four are so long."""
    octets = ber.OCTET_STRING
    header = bytes((ber.INTEGER, _NUMBER)) + bytes(_NUMBER) + ber.integer(usm.MAX_MESSAGE_OCTETS)
    header += ber.tlv(octets, bytes((usm.AUTH_PRIV | usm.REPORTABLE,))) + ber.integer(usm.SECURITY_MODEL)
    behind = ber.tlv(octets, name) + ber.tlv(octets, bytes(digest)) + ber.tlv(octets, bytes(_SALT))
    security = ber.tlv(ber.SEQUENCE, ber.tlv(octets, engine_id) + bytes(clock) + behind)
    content = ber.integer(Version.V3) + ber.tlv(ber.SEQUENCE, header) + ber.tlv(octets, security)
    message = ber.tlv(ber.SEQUENCE, content + ber.tlv(octets, bytes(secret)))
    first = message.index(header) + 2
    secret_at = len(message) - secret
    salt_at = secret_at - (len(ber.tlv(octets, bytes(secret))) - secret) - _SALT
    digest_at = salt_at - 2 - digest
    clock_at = digest_at - 2 - len(ber.tlv(octets, name)) - clock
    begins = (0, first + _NUMBER, clock_at + clock, digest_at + digest, salt_at + _SALT)
    ends = (first, clock_at, digest_at, salt_at, secret_at)
    return tuple(message[begin:end] for begin, end in zip(begins, ends, strict=True))


def _frame(data: bytes) -> Frame:
    """The places in a message that usm.open_message has read."""
    at, end = ber.expect(data, 0, len(data), ber.SEQUENCE)
    _, at = ber.read_integer(data, at, end)
    header, at = ber.expect(data, at, end, ber.SEQUENCE)
    number = ber.expect(data, header, at, ber.INTEGER)
    outer, behind = ber.expect(data, at, end, ber.OCTET_STRING)
    outer, stop = ber.expect(data, outer, behind, ber.SEQUENCE)
    _, outer = ber.read_octets(data, outer, stop)
    boots = ber.expect(data, outer, stop, ber.INTEGER)
    time = ber.expect(data, boots[1], stop, ber.INTEGER)
    _, outer = ber.read_octets(data, time[1], stop)
    digest = ber.expect(data, outer, stop, ber.OCTET_STRING)
    salt = ber.expect(data, digest[1], stop, ber.OCTET_STRING)
    secret = ber.expect(data, behind, end, ber.OCTET_STRING)
    parts = (number, boots, time, digest, salt, secret)
    begins = (0, *(last for _, last in parts))
    ends = (*(first for first, _ in parts), len(data))
    around = tuple((begin, last, data[begin:last]) for begin, last in zip(begins, ends, strict=True))
    return Frame(*parts, around)
