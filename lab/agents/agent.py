"""One simulated device: its clock, its faults, and the answer to each datagram."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import PyAsn1Error
from pysnmp.proto.api.verdec import decode_message_version
from pysnmp.proto.error import ProtocolError

from lab.agents import tables
from lab.agents.answers import Picture, protocol, response
from lab.agents.usm import Engine, User

LAB_ENTERPRISE = 8072
"""RFC 3411 engine identifiers name an enterprise; Net-SNMP's is what many access points show."""
OLDER_SECONDS = 40 * 86_400
"""A device has run for up to this long before the twin starts."""
SNMP_V3 = 3


class Mood(StrEnum):
    """How the agent behaves: like its vendor's, mute, or answering octets that are no message."""

    NORMAL = "normal"
    SILENT = "silent"
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True)
class Device:
    """A device to simulate. *community* for v2c, else *user* for v3."""

    vendor: str
    about: tables.About
    namespace: str
    port: int
    community: str = ""
    user: User | None = None

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> "Device":
        """A device from its JSON form."""
        user = User(**raw["user"]) if raw.get("user") else None
        return cls(**{**raw, "about": tables.About(**raw["about"]), "user": user})


class Agent:
    """The agent of one device; *clock* gives seconds, any origin."""

    def __init__(self, device: Device, clock: Callable[[], float] = time.monotonic) -> None:
        self.device = device
        self.mood = Mood.NORMAL
        self._clock = clock
        age = sha256(device.about.name.encode()).digest()
        self._started = clock() - int.from_bytes(age[:4]) % OLDER_SECONDS
        self._engine = Engine(engine_id(device.about.name), device.user) if device.user else None
        self._picture: tuple[int, Picture] = (-1, Picture({}))

    @property
    def uptime_seconds(self) -> float:
        """Seconds since the device started, as its sysUpTime tells."""
        return self._clock() - self._started

    def reboot(self) -> None:
        """Start again: uptime and counters begin at zero, the engine counts one more boot."""
        self._started = self._clock()
        self._picture = (-1, Picture({}))
        if self._engine:
            self._engine.boots += 1

    def answer(self, datagram: bytes) -> bytes | None:
        """The answer to *datagram*, None for silence: what an agent gives to noise and to strangers."""
        if self.mood is Mood.SILENT:
            return None
        if self.mood is Mood.GARBAGE:
            return random.randbytes(len(datagram))  # noqa: S311 noise
        try:
            if int(decode_message_version(datagram)) == SNMP_V3:
                return self._engine.answer(datagram, self.picture(), self.uptime_seconds) if self._engine else None
            return self._by_community(datagram)
        except (PyAsn1Error, ProtocolError, IndexError, ValueError):
            return None

    def picture(self) -> Picture:
        """What the device answers now, made at most once a second."""
        seconds = self.uptime_seconds
        if self._picture[0] != int(seconds):
            self._picture = (int(seconds), Picture(tables.build(self.device.vendor, self.device.about, seconds)))
        return self._picture[1]

    def _by_community(self, datagram: bytes) -> bytes | None:
        message, _ = decoder.decode(datagram, asn1Spec=protocol.Message())
        if not self.device.community or bytes(message["community"]) != self.device.community.encode():
            return None
        answer = response(protocol.apiMessage.get_pdu(message), self.picture())
        if answer is None:
            return None
        protocol.apiMessage.set_pdu(message, answer)
        return bytes(encoder.encode(message))


def engine_id(name: str) -> bytes:
    """An snmpEngineID in RFC 3411's format 5 (octets), always the same for *name*.

    >>> engine_id("ap-1").hex()[:10]
    '80001f8805'
    """
    return (LAB_ENTERPRISE | 0x80000000).to_bytes(4) + b"\x05" + sha256(name.encode()).digest()[:8]
