"""SNMPv3 messages under the User-based Security Model (RFC 3412, RFC 3414): sealed for one engine, opened with proof.

The order is the point: bounds, engine, HMAC, time window, decryption, scoped PDU. Nothing is decrypted before its HMAC
holds, and boots and time used to decrypt are the message's own.
"""

import hmac
from dataclasses import dataclass, field

from collectors.snmp import ber, pdu
from collectors.snmp.errors import Malformed, Unauthentic, UndecipherableReply
from collectors.snmp.keys import DIGEST_OCTETS, AuthProtocol, Privacy, PrivProtocol, auth_key, priv_key, sign
from collectors.snmp.pdu import Kind, Pdu, ReadVarbinds, Request, Version

MAX_MESSAGE_OCTETS = 65507
TIME_WINDOW_SECONDS = 150
_MAX_BOOTS = 2**31 - 1
SECURITY_MODEL = 3
_AUTH, _PRIV = 1, 2
AUTH_PRIV, REPORTABLE = _AUTH | _PRIV, 4
"""Bits of msgFlags (RFC 3412 section 6.4)."""
_ENGINES_KEPT = 4


@dataclass(frozen=True, slots=True)
class Keys:
    """What a user's messages to and from one engine are signed and encrypted with."""

    auth: bytes = field(repr=False)
    privacy: Privacy | None


@dataclass(frozen=True, slots=True)
class User:
    """An SNMPv3 user as configured on the device; without *auth* or *priv*, that service is not used."""

    name: bytes
    auth: AuthProtocol | None = None
    auth_password: bytes = field(default=b"", repr=False)
    priv: PrivProtocol | None = None
    priv_password: bytes = field(default=b"", repr=False)
    context: bytes = b""
    _keys: "dict[bytes, Keys]" = field(default_factory=dict, init=False, repr=False, compare=False)

    def keys(self, engine_id: bytes) -> "Keys":
        """The keys for one engine; those of the last engines are kept, as working them out takes longer than using."""
        found = self._keys.get(engine_id)
        if found is None:
            if len(self._keys) >= _ENGINES_KEPT:
                self._keys.clear()
            found = self._keys[engine_id] = _keys_for(self, engine_id)
        return found

    @property
    def flags(self) -> int:
        """The security level as bits of msgFlags (RFC 3412 section 6.4)."""
        return (_AUTH if self.auth else 0) | (_PRIV if self.auth and self.priv else 0)


NOBODY = User(b"")
"""Asks for an engine ID (RFC 3414 section 4)."""


@dataclass(slots=True)
class Engine:
    """What we know of an agent's engine: its ID and its clock, which runs on between polls (RFC 3414 section 2.3)."""

    engine_id: bytes = b""
    boots: int = 0
    time: int = 0
    noted_at: float = 0.0
    is_proven: bool = False

    def note(self, message: "Opened", now: float) -> None:
        """Take over ID and clock from a message; *now* is our monotonic clock in seconds."""
        self.engine_id, self.boots, self.time = message.engine_id, message.boots, message.time
        self.noted_at, self.is_proven = now, message.is_authentic

    def time_at(self, now: float) -> int:
        """The engine's snmpEngineTime at our monotonic time *now*, in seconds."""
        return min(self.time + int(now - self.noted_at), _MAX_BOOTS) if self.engine_id else 0

    def accepts(self, message: "Opened", now: float) -> bool:
        """Whether boots and time of an authentic message are inside the window (RFC 3414 section 3.2 item 7b)."""
        if not self.is_proven:
            return True
        if message.boots == _MAX_BOOTS or message.boots < self.boots:
            return False
        return message.boots > self.boots or message.time >= self.time_at(now) - TIME_WINDOW_SECONDS


@dataclass(frozen=True, slots=True)
class Opened:
    """A v3 message whose signature, if any, has been verified and whose PDU has been decrypted."""

    pdu: Pdu
    engine_id: bytes
    boots: int
    time: int
    is_authentic: bool
    flags: int


def seal(request: Request, user: User, engine: Engine, number: int, now: float) -> bytes:
    """A request as one v3 message; *number* is both msgID and request-id."""
    boots, time = (engine.boots, engine.time_at(now)) if user.flags else (0, 0)
    scoped = ber.tlv(
        ber.SEQUENCE,
        ber.tlv(ber.OCTET_STRING, engine.engine_id)
        + ber.tlv(ber.OCTET_STRING, user.context)
        + pdu.encode(request, number),
    )
    salt = b""
    if user.flags & _PRIV:
        secret, salt = privacy_of(user.keys(engine.engine_id)).encrypt(scoped, boots, time)
        scoped = ber.tlv(ber.OCTET_STRING, secret)
    digest = bytes(DIGEST_OCTETS[user.auth]) if user.auth else b""
    security = (ber.integer(boots), ber.integer(time), ber.tlv(4, user.name), ber.tlv(4, digest), ber.tlv(4, salt))
    parameters = ber.tlv(ber.SEQUENCE, ber.tlv(ber.OCTET_STRING, engine.engine_id) + b"".join(security))
    flags = bytes((user.flags | REPORTABLE,))
    header = ber.integer(number) + ber.integer(MAX_MESSAGE_OCTETS) + ber.tlv(4, flags) + ber.integer(SECURITY_MODEL)
    head = ber.integer(Version.V3) + ber.tlv(ber.SEQUENCE, header) + ber.tlv(ber.OCTET_STRING, parameters)
    message = ber.tlv(ber.SEQUENCE, head + scoped)
    if not user.auth:
        return message
    at = len(message) - len(scoped) - len(ber.tlv(4, salt)) - len(digest)
    proof = sign(user.auth, user.keys(engine.engine_id).auth, message)
    return message[:at] + proof + message[at + len(digest) :]


def open_message(
    data: bytes, user: User, engine: Engine, number: int, read: ReadVarbinds = ber.read_varbinds
) -> Opened:
    """Verify and decrypt a message to which *number* belongs.

    Raises Malformed, Unauthentic (forged, or for somebody else) or UndecipherableReply (signed, but not readable).
    """
    at, end = ber.expect(data, 0, len(data), ber.SEQUENCE)
    version, at = ber.read_integer(data, at, end)
    found, flags, at = _read_header(data, at, end)
    if version != Version.V3 or found != number:
        raise Unauthentic(f"version {version}, msgID {found} is no answer to message {number}")
    outer, at = ber.expect(data, at, end, ber.OCTET_STRING)
    outer, stop = ber.expect(data, outer, at, ber.SEQUENCE)
    engine_id, outer = ber.read_octets(data, outer, stop)
    boots, outer = ber.read_integer(data, outer, stop)
    time, outer = ber.read_integer(data, outer, stop)
    name, outer = ber.read_octets(data, outer, stop)
    digest, after_digest = ber.read_octets(data, outer, stop)
    salt, _ = ber.read_octets(data, after_digest, stop)
    if not (0 <= boots <= _MAX_BOOTS and 0 <= time <= _MAX_BOOTS):
        raise Malformed("engine boots or time out of range")
    if flags & _AUTH:
        if name != user.name or engine_id != engine.engine_id:
            raise Unauthentic("signed for another user or by another engine")
        _verify(data, digest, after_digest - len(digest), user, engine_id)
    scoped, start, stop = data, at, end
    if flags & _PRIV:
        if not flags & _AUTH or not user.flags & _PRIV:
            raise Unauthentic("encrypted without signature, or for a user who does not encrypt")
        secret, _ = ber.read_octets(data, at, end)
        scoped = privacy_of(user.keys(engine_id)).decrypt(secret, salt, boots, time)
        start, stop = 0, len(scoped)
    try:
        content = _read_scoped(scoped, start, stop, read)
    except Malformed as error:
        if flags & _PRIV:
            raise UndecipherableReply(f"decrypts to nonsense: {error}") from error
        raise
    return Opened(content, engine_id, boots, time, bool(flags & _AUTH), flags & (_AUTH | _PRIV))


def _read_header(data: bytes, at: int, end: int) -> tuple[int, int, int]:
    """The msgID, the flags, and the octet after msgGlobalData (RFC 3412 section 6)."""
    at, stop = ber.expect(data, at, end, ber.SEQUENCE)
    number, at = ber.read_integer(data, at, stop)
    _, at = ber.read_integer(data, at, stop)
    flags, at = ber.read_octets(data, at, stop)
    model, _ = ber.read_integer(data, at, stop)
    if len(flags) != 1 or model != SECURITY_MODEL:
        raise Malformed(f"flags of {len(flags)} octets, security model {model}")
    return number, flags[0], stop


def _verify(data: bytes, digest: bytes, at: int, user: User, engine_id: bytes) -> None:
    if not user.auth or len(digest) != DIGEST_OCTETS[user.auth]:
        raise Unauthentic("signature of the wrong size")
    blank = data[:at] + bytes(len(digest)) + data[at + len(digest) :]
    if not hmac.compare_digest(sign(user.auth, user.keys(engine_id).auth, blank), digest):
        raise Unauthentic("signature does not verify")


def _read_scoped(data: bytes, at: int, end: int, read: ReadVarbinds) -> Pdu:
    """The PDU in a scopedPDU; octets after it are the padding of DES."""
    at, stop = ber.expect(data, at, end, ber.SEQUENCE)
    _, at = ber.read_octets(data, at, stop)
    _, at = ber.read_octets(data, at, stop)
    return pdu.decode(data, at, stop, read)


def _keys_for(user: User, engine_id: bytes) -> Keys:
    if user.auth is None:
        raise Unauthentic("signed without protocol")
    privacy = None
    if user.priv:
        privacy = Privacy(user.priv, priv_key(user.auth, user.priv, user.priv_password, engine_id))
    return Keys(auth_key(user.auth, user.auth_password, engine_id), privacy)


def privacy_of(keys: Keys) -> Privacy:
    """What encrypts and decrypts; Unauthentic where the user does not."""
    if keys.privacy is None:
        raise Unauthentic("encryption without protocols")
    return keys.privacy


def is_report(message: Opened) -> bool:
    """Whether the agent reports about our message instead of answering it."""
    return message.pdu.kind == Kind.REPORT
