"""pysnmp's engine as a judge of notifications: version, community or signature, level of security, what was trapped.

For informs our engine is the authority (RFC 3414 section 1.5.1): its identity and its boots are kept on disk by whoever
starts us. For traps the sender's is, and its user is made known when its engine first speaks: what proves the sender is
the password, not the engine's name.
"""

import socket
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyasn1.codec.ber import decoder
from pysnmp.carrier.asyncio.dgram.udp import DOMAIN_NAME, UdpTransportAddress
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413.ntfrcv import NotificationReceiver
from pysnmp.proto.api.verdec import decode_message_version
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message
from pysnmp.proto.rfc1902 import OctetString
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from collectors.traps.wire import Login, Orders

AUTH = {
    "none": config.USM_AUTH_NONE,
    "MD5": config.USM_AUTH_HMAC96_MD5,
    "SHA-1": config.USM_AUTH_HMAC96_SHA,
    "SHA-224": config.USM_AUTH_HMAC128_SHA224,
    "SHA-256": config.USM_AUTH_HMAC192_SHA256,
    "SHA-384": config.USM_AUTH_HMAC256_SHA384,
    "SHA-512": config.USM_AUTH_HMAC384_SHA512,
}
PRIVACY = {
    "none": config.USM_PRIV_NONE,
    "DES": config.USM_PRIV_CBC56_DES,
    "AES-128": config.USM_PRIV_CFB128_AES,
    "AES-192": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "AES-256": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "AES-192-reeder": config.USM_PRIV_CFB192_AES,
    "AES-256-reeder": config.USM_PRIV_CFB256_AES,
}
"""The inventory's names -> pysnmp's."""
SNMP_TRAP_OID = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
IF_INDEX = (1, 3, 6, 1, 2, 1, 2, 2, 1, 1)
SNMP_V3 = 3
TICK_SECONDS = 1.0
"""How often ``tidy`` is to be called: pysnmp counts the age of what it keeps in such ticks."""
MOST_ENGINES = 256
"""Engines whose users we keep; the one longest silent goes first."""
TRUSTED_CONTEXT = "rfc3412.receiveMessage:request"


@dataclass(frozen=True, slots=True)
class Heard:
    """A notification whose sender proved itself: its snmpTrapOID and the ifIndex it names."""

    oid: str
    port: int | None


@dataclass(slots=True)
class _Out:
    """All that pysnmp's engine asks of a transport: to send its reports and the answers to informs."""

    channel: socket.socket

    def send_message(self, message: bytes, _domain: Any, address: Any) -> None:
        with suppress(OSError):  # whoever sent the inform will ask again
            self.channel.sendto(message, tuple(address))

    def get_timer_resolution(self) -> float:
        return TICK_SECONDS


class Engine:
    """One engine for all senders; not for several threads."""

    def __init__(self, orders: Orders, channel: socket.socket) -> None:
        self._logins = orders.logins
        self._engine = _engine(bytes.fromhex(orders.engine_id), orders.engine_boots)
        self._out = self._engine.transport_dispatcher = _Out(channel)
        self._own = bytes.fromhex(orders.engine_id)
        self._met: OrderedDict[tuple[str, bytes], str] = OrderedDict()
        """Users known at engines, ours too, and by which login: pysnmp knows one user of a name at one engine."""
        self._context: dict[str, Any] = {}
        self._bindings: Any = None
        for name, login in orders.logins.items():
            if login.community:
                config.add_v1_system(self._engine, name, login.community, securityName=name)
        symbols = self._engine.get_mib_builder().import_symbols
        self._greeted = symbols("__SNMP-USER-BASED-SM-MIB", "usmStatsUnknownEngineIDs", "usmStatsNotInTimeWindows")
        NotificationReceiver(self._engine, self._notified)
        self._engine.observer.register_observer(self._noted, TRUSTED_CONTEXT)

    def hear(self, data: bytes, source: Any, login: str) -> "Heard | str":
        """What *data* says when it proves to come from whom *login* names; else why not, empty for a mere greeting."""
        stranger = self._meet(data, login)
        found = self._judged(data, source, login)
        if stranger and not isinstance(found, Heard):
            self._forget(stranger)  # whoever makes names up fills nothing
        return found

    def _judged(self, data: bytes, source: Any, login: str) -> "Heard | str":
        self._context, self._bindings = {}, None
        greeted = self._greetings()
        self._engine.message_dispatcher.receive_message(self._engine, DOMAIN_NAME, UdpTransportAddress(source), data)
        if self._bindings is None:
            return "" if self._greetings() > greeted else "credential"
        if not self._is(login):
            return "credential"
        return _heard(self._bindings)

    def tidy(self, now: float) -> None:
        """Let pysnmp forget what it waits for in vain."""
        for model in (*self._engine.message_processing_subsystems.values(), *self._engine.security_models.values()):
            model.receive_timer_tick(self._engine, now)

    def _meet(self, data: bytes, login: str) -> tuple[str, bytes] | None:
        """Make the user of *login* known at the engine whose clock *data* goes by; who is new at a foreign one."""
        user = self._logins[login]
        if user.community or int(decode_message_version(data)) != SNMP_V3:
            return None
        engine = _authority(data)
        if not engine:
            return None
        key = (user.user, engine)
        is_new = self._met.get(key) != login
        if is_new:
            if key in self._met:
                self._forget(key)
            elif len(self._met) >= MOST_ENGINES:
                self._forget(next(iter(self._met)))
            self._add_user(user, engine)
        self._met[key] = login
        self._met.move_to_end(key)
        return key if is_new and engine != self._own else None

    def _forget(self, key: tuple[str, bytes]) -> None:
        """Let a user be unknown at an engine."""
        user, engine = key
        del self._met[key]
        config.delete_v3_user(self._engine, user, OctetString(engine))

    def _add_user(self, login: Login, engine: bytes) -> None:
        config.add_v3_user(
            self._engine,
            login.user,
            AUTH[login.auth],
            login.auth_secret or None,
            PRIVACY[login.privacy],
            login.privacy_secret or None,
            securityEngineId=OctetString(engine),
            securityName=login.user,
        )

    def _is(self, login: str) -> bool:
        """Whether the last message was secured as *login* is, no less and by nobody else."""
        expected = self._logins[login]
        name, level = str(self._context["securityName"]), int(self._context["securityLevel"])
        if expected.community:
            return name == login and self._context["messageProcessingModel"] != SNMP_V3
        return name == expected.user and level == expected.level

    def _greetings(self) -> int:
        """How often somebody was told our engine's name or clock; what comes before every first inform."""
        return sum(int(counter.syntax) for counter in self._greeted)

    def _noted(self, _engine: Any, _point: str, variables: dict[str, Any], _context: Any) -> None:
        self._context = dict(variables)

    def _notified(self, _engine: Any, _state: Any, _id: Any, _name: Any, bindings: Any, _context: Any) -> None:
        self._bindings = list(bindings)


def _engine(engine_id: bytes, boots: int) -> SnmpEngine:
    """Pysnmp's engine under our name; told so here, for given a name it would keep its boots below /tmp."""
    made = SnmpEngine()
    symbols = made.get_mib_builder().import_symbols
    name, counted = symbols("__SNMP-FRAMEWORK-MIB", "snmpEngineID", "snmpEngineBoots")
    name.syntax = made.snmpEngineID = name.syntax.clone(engine_id)
    counted.syntax = counted.syntax.clone(boots)
    return made


def _authority(data: bytes) -> bytes:
    """The engine whose clock and key a v3 message goes by (msgAuthoritativeEngineID)."""
    message, _ = decoder.decode(data, asn1Spec=SNMPv3Message())
    parameters, _ = decoder.decode(bytes(message[2]), asn1Spec=UsmSecurityParameters())
    return bytes(parameters[0])


def _heard(bindings: Any) -> "Heard | str":
    oid, port = "", None
    for name, value in bindings:
        if tuple(name) == SNMP_TRAP_OID:
            oid = ".".join(map(str, tuple(value)))
        elif tuple(name)[: len(IF_INDEX)] == IF_INDEX:
            port = int(value)
    return Heard(oid, port) if oid else "garbage"
