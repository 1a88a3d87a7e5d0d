"""The User-based Security Model of a simulated agent (RFC 3414), with pysnmp's authentication and privacy protocols."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import rfc1902, rfc1905
from pysnmp.proto.mpmod.rfc3412 import ScopedPDU, SNMPv3Message
from pysnmp.proto.secmod.rfc3414.auth.hmacmd5 import HmacMd5
from pysnmp.proto.secmod.rfc3414.auth.hmacsha import HmacSha
from pysnmp.proto.secmod.rfc3414.priv.des import Des
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters, aes192, aes256
from pysnmp.proto.secmod.rfc3826.priv.aes import Aes
from pysnmp.proto.secmod.rfc7860.auth.hmacsha2 import HmacSha2

from lab.agents.answers import Picture, protocol, response

AUTHENTICATION: dict[str, tuple[Any, Any]] = {
    "MD5": (HmacMd5.SERVICE_ID, HmacMd5()),
    "SHA-1": (HmacSha.SERVICE_ID, HmacSha()),
    "SHA-224": (HmacSha2.SHA224_SERVICE_ID, HmacSha2(HmacSha2.SHA224_SERVICE_ID)),
    "SHA-256": (HmacSha2.SHA256_SERVICE_ID, HmacSha2(HmacSha2.SHA256_SERVICE_ID)),
    "SHA-384": (HmacSha2.SAH384_SERVICE_ID, HmacSha2(HmacSha2.SAH384_SERVICE_ID)),
    "SHA-512": (HmacSha2.SHA512_SERVICE_ID, HmacSha2(HmacSha2.SHA512_SERVICE_ID)),
}
PRIVACY: dict[str, Any] = {
    "DES": Des(),
    "AES-128": Aes(),
    "AES-192": aes192.AesBlumenthal192(),
    "AES-256": aes256.AesBlumenthal256(),
    "AES-192-reeder": aes192.Aes192(),
    "AES-256-reeder": aes256.Aes256(),
}
"""The inventory's names -> pysnmp's protocols (of authentication with their identifiers)."""

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
AUTHENTICATED, PRIVATE = 1, 2
MAX_MESSAGE_BYTES = 65_507
USM_VERSION = 3
"""Both msgVersion and msgSecurityModel (RFC 3411 section 5)."""


@dataclass(frozen=True, slots=True)
class User:
    """A v3 user with authPriv; the secrets are pass phrases."""

    name: str
    auth: str
    privacy: str
    auth_secret: str
    privacy_secret: str


class Refused(Exception):
    """The message is answered by a Report; *reason* is a name of REPORTS. The manager must act."""

    def __init__(self, reason: str, *, signed: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.signed = signed


@cache
def _hashed(protocol_name: str, secret: str) -> Any:
    return AUTHENTICATION[protocol_name][1].hash_passphrase(rfc1902.OctetString(secret))


class Engine:
    """One device's authoritative engine."""

    def __init__(self, engine_id: bytes, user: User, boots: int = 1) -> None:
        self.engine_id = rfc1902.OctetString(engine_id)
        self.boots = boots
        self._user = user
        identifier, self._auth = AUTHENTICATION[user.auth]
        self._privacy = PRIVACY[user.privacy]
        self._auth_key = self._auth.localize_key(_hashed(user.auth, user.auth_secret), self.engine_id)
        secret = _hashed(user.auth, user.privacy_secret)
        self._privacy_key = self._privacy.localize_key(identifier, secret, self.engine_id)
        self._counts = dict.fromkeys(REPORTS, 0)

    def answer(self, datagram: bytes, picture: Picture, seconds: float) -> bytes | None:
        """The answer to a v3 message; None where silence is right."""
        message, _ = decoder.decode(datagram, asn1Spec=SNMPv3Message())
        security, _ = decoder.decode(bytes(message[2]), asn1Spec=UsmSecurityParameters())
        try:
            scoped = self._opened(datagram, message, security, seconds)
        except Refused as refusal:
            return self._report(message, refusal, seconds)
        answer = response(scoped["data"].getComponent(), picture)
        return None if answer is None else self._sealed(message, answer, seconds, AUTHENTICATED | PRIVATE)

    def _opened(self, datagram: bytes, message: Any, security: Any, seconds: float) -> Any:
        flags = bytes(message[1]["msgFlags"])[0]
        if bytes(security["msgAuthoritativeEngineId"]) != bytes(self.engine_id):
            raise Refused("unknownEngineIDs")
        if bytes(security["msgUserName"]) != self._user.name.encode():
            raise Refused("unknownUserNames")
        if flags & 3 != AUTHENTICATED | PRIVATE:
            raise Refused("unsupportedSecLevels")
        try:
            self._auth.authenticate_incoming_message(self._auth_key, security["msgAuthenticationParameters"], datagram)
        except Exception as error:  # pysnmp raises several kinds; all mean one thing
            raise Refused("wrongDigests") from error
        boots, uptime = security["msgAuthoritativeEngineBoots"], security["msgAuthoritativeEngineTime"]
        if int(boots) != self.boots or abs(int(uptime) - int(seconds)) > TIME_WINDOW_SECONDS:
            raise Refused("notInTimeWindows", signed=True)
        parameters = (boots, uptime, security["msgPrivacyParameters"])
        try:
            plain = self._privacy.decrypt_data(self._privacy_key, parameters, message[3].getComponent())
            scoped, _ = decoder.decode(bytes(plain), asn1Spec=ScopedPDU())
        except Exception as error:
            raise Refused("decryptionErrors") from error
        return scoped

    def _report(self, message: Any, refusal: Refused, seconds: float) -> bytes:
        self._counts[refusal.reason] += 1
        report = rfc1905.ReportPDU()
        protocol.apiPDU.set_defaults(report)
        plain = message[3].getName() == "plaintext"
        asked = protocol.apiPDU.get_request_id(message[3]["plaintext"]["data"].getComponent()) if plain else 0
        protocol.apiPDU.set_request_id(report, asked)
        value = rfc1902.Counter32(self._counts[refusal.reason])
        protocol.apiPDU.set_varbinds(report, [((*USM_STATS, REPORTS[refusal.reason], 0), value)])
        return self._sealed(message, report, seconds, AUTHENTICATED if refusal.signed else 0)

    def _sealed(self, request: Any, pdu: Any, seconds: float, flags: int) -> bytes:
        security = UsmSecurityParameters()
        security["msgAuthoritativeEngineId"] = self.engine_id
        security["msgAuthoritativeEngineBoots"] = self.boots
        security["msgAuthoritativeEngineTime"] = int(seconds)
        signed, private = bool(flags & AUTHENTICATED), bool(flags & PRIVATE)
        security["msgUserName"] = self._user.name.encode() if signed else b""
        security["msgAuthenticationParameters"] = bytes(self._auth.digest_length if signed else 0)
        message = _envelope(request[1]["msgID"], flags)
        scoped = self._scoped(pdu)
        if private:
            parameters = (self.boots, int(seconds), None)
            sealed, salt = self._privacy.encrypt_data(self._privacy_key, parameters, encoder.encode(scoped))
            message["msgData"]["encryptedPDU"], security["msgPrivacyParameters"] = sealed, salt
        else:
            message["msgData"]["plaintext"], security["msgPrivacyParameters"] = scoped, b""
        message["msgSecurityParameters"] = encoder.encode(security)
        whole = encoder.encode(message)
        return bytes(self._auth.authenticate_outgoing_message(self._auth_key, whole)) if signed else bytes(whole)

    def _scoped(self, pdu: Any) -> Any:
        scoped = ScopedPDU()
        scoped["contextEngineId"], scoped["contextName"] = self.engine_id, b""
        scoped["data"].setComponentByType(pdu.tagSet, pdu)
        return scoped


def _envelope(message_id: Any, flags: int) -> Any:
    message = SNMPv3Message()
    message["msgVersion"] = USM_VERSION
    header = message["msgGlobalData"]
    header["msgID"], header["msgMaxSize"] = message_id, MAX_MESSAGE_BYTES
    header["msgFlags"], header["msgSecurityModel"] = bytes([flags]), USM_VERSION
    return message
