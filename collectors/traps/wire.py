"""What passes between the collectors and the receiver they start: orders down once, reports up as they happen.

Both are lines of JSON. The orders carry secrets, hence a pipe and neither arguments nor environment.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Login:
    """A credential of the inventory with its secrets; *community* for v1 and v2c, else the rest for v3."""

    community: str = ""
    user: str = ""
    auth: str = ""
    auth_secret: str = ""
    privacy: str = ""
    privacy_secret: str = ""

    @property
    def level(self) -> int:
        """The securityLevel of its messages (RFC 3411 section 5): 1 neither signed nor encrypted, 2 signed, 3 both."""
        return 1 + bool(self.auth_secret) + bool(self.privacy_secret)


@dataclass(frozen=True, slots=True)
class Orders:
    """What the receiver must know: who may send (source address to device and credential), how much, our engine."""

    sources: Mapping[str, tuple[str, str]]
    logins: Mapping[str, Login]
    per_second: float
    idle_seconds: float
    engine_id: str
    engine_boots: int

    def line(self) -> bytes:
        """One line of JSON."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> "Orders":
        """What ``line`` wrote."""
        raw = json.loads(line)
        raw["logins"] = {name: Login(**login) for name, login in raw["logins"].items()}
        raw["sources"] = {source: (device, login) for source, (device, login) in raw["sources"].items()}
        return cls(**raw)


@dataclass(frozen=True, slots=True)
class Trap:
    """A notification that proved to come from *device*: its snmpTrapOID, and the ifIndex it is about, if any."""

    device: str
    oid: str
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """How many datagrams were refused for one reason."""

    reason: str
    count: int


Report = Trap | Refused


def write(report: Report) -> bytes:
    """One line of JSON.

    >>> read(write(Trap("ap-1", "1.3.6.1.6.3.1.1.5.3", 7)))
    Trap(device='ap-1', oid='1.3.6.1.6.3.1.1.5.3', port=7)
    """
    return json.dumps(asdict(report)).encode() + b"\n"


def read(line: bytes) -> Report:
    """What ``write`` wrote."""
    raw: dict[str, Any] = json.loads(line)
    return Refused(**raw) if "reason" in raw else Trap(**raw)
