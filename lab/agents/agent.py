"""One simulated device: its clocks, its faults, and the answers to each datagram."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from lab.agents import ber, faults, tables, walks
from lab.agents.answers import Manners, Picture, response
from lab.agents.ber import Cell, Oid
from lab.agents.faults import FAULTS, ONCE, Look
from lab.agents.model import HOUR_SECONDS, Moment
from lab.agents.standard import About
from lab.agents.usm import Engine, User, opened

LAB_ENTERPRISE = 8072
"""RFC 3411 engine identifiers name an enterprise; Net-SNMP's is what many access points show."""
OLDER_SECONDS = 40 * 86_400
"""A device has run for up to this long before the twin starts."""
TUESDAY_AT_TEN = 34 * HOUR_SECONDS
"""When the twin's week begins, so that a demo at night finds people in the town."""
SNMP_V2C, SNMP_V3 = 1, 3
TRAP_PORT = 1162
"""Where the collectors hear traps: below 1024 they would need a capability for the usual 162."""
SNMP_ENGINE = (1, 3, 6, 1, 6, 3, 10, 2, 1)
UPTIME, TRAP_OID = (1, 3, 6, 1, 2, 1, 1, 3, 0), (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)
COLD_START: Oid = (1, 3, 6, 1, 6, 3, 1, 1, 5, 1)
OTHER_COMMUNITY = b"somebody-else"
FOR_EVER = float("inf")


@dataclass(frozen=True, slots=True)
class Device:
    """A device to simulate. *community* for v1 and v2c, else *user* for v3.

    *walk* is a file it was recorded in, instead of its vendor's tables; *trap_to* is who is told when it boots.
    """

    vendor: str
    about: About
    namespace: str
    port: int
    community: str = ""
    user: User | None = None
    walk: str = ""
    trap_to: str = ""

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> "Device":
        """A device from its JSON form."""
        user = User(**raw["user"]) if raw.get("user") else None
        return cls(**{**raw, "about": About(**raw["about"]), "user": user})


@dataclass(frozen=True, slots=True)
class Reply:
    """A datagram to send, *delay_seconds* from now; *way*: from ``port`` (another one), ``address`` or as usual."""

    data: bytes
    delay_seconds: float = 0.0
    way: str = ""


@dataclass(slots=True)
class Active:
    """A fault a device has: since when and until when, on the twin's clock."""

    value: float
    since: float
    until: float
    offsets: dict[Oid, int] = field(default_factory=dict)


class Agent:
    """The agent of one device; *clock* gives seconds, any origin. *week_seconds*: its week's time at the start."""

    def __init__(
        self, device: Device, clock: Callable[[], float] = time.monotonic, week_seconds: float = TUESDAY_AT_TEN
    ) -> None:
        self.device = device
        self._clock = clock
        self._ahead = week_seconds - clock()
        self._loaded = self._now()
        self._walk = walks.load(Path(device.walk), device.about.name) if device.walk else None
        age = int.from_bytes(sha256(device.about.name.encode()).digest()[:4]) % OLDER_SECONDS
        self._booted = self._agent_started = self._loaded - (self._walk.uptime_seconds if self._walk else age)
        self._engine = Engine(engine_id(device.about.name), device.user) if device.user else None
        self._boots = 1
        self._faults: dict[str, Active] = {}
        self._chance = random.Random(device.about.name)  # noqa: S311 faults that can be repeated
        self._picture: tuple[int, Picture] = (-1, Picture((), dict[Oid, Cell]().__getitem__))

    @property
    def uptime_seconds(self) -> float:
        """Seconds since the agent started, as its sysUpTime tells."""
        return self._now() - self._agent_started

    def has(self, fault: str) -> bool:
        """Whether the device has this fault now; one whose time is over is forgotten."""
        active = self._faults.get(fault)
        if active and active.until <= self._now():
            del self._faults[fault]
            self._picture = (-1, self._picture[1])
            return False
        return active is not None

    def suffer(self, fault: str, value: float | None = None, seconds: float = FOR_EVER) -> None:
        """Have *fault* (a key of FAULTS) for so long; *value*: None for the usual one. KeyError for an unknown one."""
        kind = FAULTS[fault]
        if fault in ONCE:
            self.restart(agent_only=fault == "agent-restart")
            return
        now = self._now()
        active = Active(kind.usual if value is None else value, now, now + seconds)
        if fault in {"wrap32", "wrap64"}:
            tag = ber.COUNTER32 if fault == "wrap32" else ber.COUNTER64
            active.offsets = faults.offsets(*self._seen(), tag, active.value)
        self._faults[fault] = active
        self._picture = (-1, self._picture[1])

    def heal(self) -> None:
        """Be as the vendor's again."""
        self._faults.clear()
        self._picture = (-1, self._picture[1])

    def restart(self, *, agent_only: bool = False) -> None:
        """Start again: clocks and counters begin at zero, the engine counts one more boot."""
        now = self._now()
        self._agent_started = now
        self._booted = self._booted if agent_only else now
        self._boots += 1
        if self._engine:
            self._engine.boots = self._boots
        self._picture = (-1, self._picture[1])

    def trap(self, oid: Oid) -> bytes:
        """A notification of the device, in SNMPv2c or v3."""
        number = self._chance.randrange(1, 2**31)
        uptime = (ber.TICKS, int(self.uptime_seconds * 100) % 2**32)
        pdu = ber.pdu(ber.TRAP, number, 0, 0, [(UPTIME, uptime), (TRAP_OID, (ber.OID, ber.oid(oid)))])
        if self._engine:
            return self._engine.sealed(number, pdu, self._engine_seconds(), self._engine.level)
        return ber.message(SNMP_V2C, self.device.community.encode(), pdu)

    def answers(self, datagram: bytes) -> list[Reply]:
        """What comes back for *datagram*; nothing for noise and to strangers."""
        if self.has("silent") or (self.has("loss") and self._chance.random() < self._faults["loss"].value):
            return []
        if self.has("garbage"):
            return [Reply(self._chance.randbytes(len(datagram)))]
        try:
            data = self._answer(datagram)
        except (ber.Garbled, IndexError, OverflowError):
            return []
        if data is None:
            return []
        data = data[: len(data) // 2] if self.has("cut") else data
        delay = self._faults["delay"].value if self.has("delay") else 0.0
        way = next((word for word in ("port", "address") if self.has(f"other-{word}")), "")
        copies = int(self._faults["flood"].value) if self.has("flood") else 1
        return [Reply(data, delay, way)] * copies

    def picture(self) -> Picture:
        """What the device answers now, made at most once a second."""
        second = int(self._now())
        for fault in list(self._faults):
            self.has(fault)
        if self._picture[0] != second:
            names, look = self._seen()
            known = self._picture[0] >= 0 and self._walk and not self.has("renumber")
            manners = Manners(
                most=int(self._faults["too-big"].value) if self.has("too-big") else 0,
                text_order=self.has("disorder"),
                endless=self.has("endless"),
                repeating=self.has("repeat"),
            )
            self._picture = (second, self._picture[1].seen(look) if known else Picture(names, look, manners))
        return self._picture[1]

    def _answer(self, datagram: bytes) -> bytes | None:
        _, at, end = ber.element(datagram, 0, len(datagram), ber.SEQUENCE)
        version, at = ber.number(datagram, at, end)
        if version == SNMP_V3:
            return self._by_user(datagram) if self._engine else None
        community, at = ber.octets(datagram, at, end)
        if not self.device.community or community != self.device.community.encode():
            return None
        asked = ber.request(datagram, at, end)
        if self.has("request-id"):
            asked = ber.Request(asked.kind, asked.number ^ 1, asked.first, asked.second, asked.names)
        content = response(asked, self.picture(), version)
        shown = OTHER_COMMUNITY if self.has("community") else community
        return None if content is None else ber.message(version, shown, content)

    def _by_user(self, datagram: bytes) -> bytes | None:
        assert self._engine is not None  # noqa: S101 the caller looked
        shown = opened(datagram).number ^ 1 if self.has("request-id") else None
        answer = self._engine.answer(datagram, self.picture(), self._engine_seconds(), shown)
        if answer is None or not self.has("zero-hmac"):
            return answer
        sealed = opened(answer)
        return answer[: sealed.proof_at] + bytes(len(sealed.proof)) + answer[sealed.proof_at + len(sealed.proof) :]

    def _now(self) -> float:
        return self._clock() + self._ahead

    def _engine_seconds(self) -> int:
        jump = self._faults["engine-time"].value if self.has("engine-time") else 0
        return int(self.uptime_seconds + jump)

    def _seen(self) -> tuple[list[Oid], Look]:
        """The objects there are and what each shows, with the faults that change what is told."""
        names, look = self._healthy()
        for fault, active in self._faults.items():
            if fault == "dirty-optic":
                look = faults.dirty(look, active.value * (self._now() - active.since) / HOUR_SECONDS)
            elif fault == "no-light":
                look = faults.unlit(look)
            elif part := faults.PARTS.get(fault):
                look = faults.broken(look, part)
            elif fault == "mains-cut":
                look = faults.on_battery(look, active.value * (self._now() - active.since) / 60)
            elif fault == "zombie" and self._walk:
                look = faults.deserted(look)
            elif active.offsets:
                look = faults.wrapping(look, active.offsets)
        renumbered = self._faults.get("renumber")
        if not renumbered:
            return names, look
        return faults.renumbered(names, look, max(int((renumbered.since - self._agent_started) * 100), 0) % 2**32)

    def _healthy(self) -> tuple[list[Oid], Look]:
        dead = frozenset(("5",)) if "dead-radio" in self._faults else frozenset[str]()
        about = self.device.about
        moment = Moment(
            self._now(), self._booted, self._agent_started, about.hours, dead, is_deserted="zombie" in self._faults
        )
        if self._walk:
            return list(self._walk.recorded), self._walk.look(moment, self._loaded)
        tree = tables.build(self.device.vendor, about, moment)
        if self._engine:
            told: list[Cell] = [(ber.OCTETS, self._engine.engine_id), (ber.INTEGER, self._boots)]
            told.append((ber.INTEGER, self._engine_seconds()))
            tree |= {(*SNMP_ENGINE, arc, 0): cell for arc, cell in enumerate(told, 1)}
        return list(tree), tree.__getitem__


def engine_id(name: str) -> bytes:
    """An snmpEngineID in RFC 3411's format 5 (octets), always the same for *name*.

    >>> engine_id("ap-1").hex()[:10]
    '80001f8805'
    """
    return (LAB_ENTERPRISE | 0x80000000).to_bytes(4) + b"\x05" + sha256(name.encode()).digest()[:8]
