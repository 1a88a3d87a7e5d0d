"""Net-SNMP's own snmptrap and snmpinform as senders, and an ear for them."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from collectors.device import Device
from collectors.snmp import ber, pdu
from collectors.snmp.pdu import Kind, Pdu, Version
from collectors.traps.door import Listening, Traps
from parvis.inventory import CommunityCredential, Town, UserCredential
from parvis.settings import SecretMissing
from parvis.values import Secret

LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
IF_INDEX = ("1.3.6.1.2.1.2.2.1.1.7", "i", "7")
V2C = CommunityCredential(name="anciennes", version="v2c", community_secret="community")
OTHER = CommunityCredential(name="autres", version="v2c", community_secret="other-community")
V3 = UserCredential(
    name="bornes",
    version="v3",
    user="parvis",
    auth="SHA-256",
    privacy="AES-128",
    auth_secret="auth",
    privacy_secret="privacy",
)
SIGNED = UserCredential(name="signees", version="v3", user="parvis", auth="SHA-256", privacy="none", auth_secret="auth")
BARE = UserCredential(name="nues", version="v3", user="nobody", auth="none", privacy="none")
SECRETS = {"community": "cachan", "other-community": "arcueil", "auth": "authsecret1", "privacy": "privsecret1"}
OLD, NEW = "127.0.0.11", "127.0.0.12"
"""Addresses of a device that speaks v1 and v2c, and of one that speaks v3."""
DEVICES = [
    Device("ap-old", OLD, credential="anciennes", site="msp", town="cachan"),
    Device("ap-other", "127.0.0.14", credential="autres", site="msp", town="cachan"),
    Device("ap-new", NEW, credential="bornes", site="msp", town="cachan"),
    Device("ap-signed", "127.0.0.15", credential="signees", site="msp", town="cachan"),
    Device("ap-bare", "127.0.0.16", credential="nues", site="msp", town="cachan"),
]


def secret(name: str) -> Secret:
    if name not in SECRETS:
        raise SecretMissing(f"secret {name} is missing")
    return Secret(SECRETS[name])


@dataclass
class Ear:
    """Traps that are being listened for, and the polls they caused."""

    traps: Traps
    polls: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        host, port = self.traps.address
        return f"{host}:{port}"

    def heard(self) -> dict[tuple[str, str], float]:
        """Traps by device and kind."""
        samples = [s for s in self.traps.own_samples(0.0) if s.metric == "device_traps_total"]
        return {(dict(s.labels)["device"], dict(s.labels)["kind"]): s.value for s in samples}

    def refused(self) -> dict[str, float]:
        samples = [s for s in self.traps.own_samples(0.0) if s.metric == "snmp_traps_refused_total"]
        return {dict(s.labels)["reason"]: s.value for s in samples}

    def waits(self, until: Callable[["Ear"], bool], seconds: float = 20) -> bool:
        """Whether *until* comes true while somebody may still be reading."""
        deadline = time.monotonic() + seconds
        while not until(self) and time.monotonic() < deadline:
            time.sleep(0.02)
        return until(self)


@contextmanager
def ear(
    town: Town,
    state: Path,
    *,
    per_second: float = 100.0,
    idle_seconds: float = 30.0,
    devices: list[Device] = DEVICES,
    host: str = "127.0.0.1",
) -> Iterator[Ear]:
    """An ear for *devices* on a free port."""
    with_logins = town.model_copy(update={"credentials": (V2C, OTHER, V3, SIGNED, BARE)})
    polls: list[str] = []
    listening = Listening(host, 0, per_second, idle_seconds)
    with Traps(with_logins, devices, secret, polls.append, listening, state) as traps:
        yield Ear(traps, polls)


@dataclass(frozen=True)
class Sender:
    """One run of snmptrap or snmpinform; *state* keeps its boots."""

    state: Path
    source: str
    version: str = "2c"
    community: str = "cachan"
    user: str = "parvis"
    auth: str = "authsecret1"
    privacy: str = "privsecret1"
    level: str = "authPriv"
    engine: str = "8000137001020304aa"

    def sends(self, to: str, trap: str = LINK_DOWN, *, inform: bool = False) -> "subprocess.CompletedProcess[str]":
        """Send *trap* about port 7 from *source*."""
        program = shutil.which("snmpinform" if inform else "snmptrap")
        if program is None:
            pytest.fail("these tests use real senders: install them with apt-get install snmp (script/test does)")
        login = ["-c", self.community] if self.version != "3" else self._v3(inform=inform)
        what = ["", trap, *IF_INDEX] if self.version != "1" else [*self._v1(trap), *IF_INDEX]
        argv = [program, f"-v{self.version}", *login, "-t", "4", "-r", "4", "-Ln", to, *what]
        state = {"SNMP_PERSISTENT_DIR": str(self.state), "SNMPCONFPATH": str(self.state), "MIBS": ""}
        (self.state / "snmp.conf").write_text(f"clientaddr {self.source}\n")
        return subprocess.run(argv, env=state, capture_output=True, text=True, check=False, timeout=30)

    def _v3(self, *, inform: bool) -> list[str]:
        signing, hiding = ["-a", "SHA-256", "-A", self.auth], ["-x", "AES", "-X", self.privacy]
        keys = {"authPriv": [*signing, *hiding], "authNoPriv": signing, "noAuthNoPriv": []}[self.level]
        login = ["-l", self.level, "-u", self.user, *keys]
        return login if inform else ["-e", self.engine, *login]

    def _v1(self, trap: str) -> list[str]:
        generic = int(trap.rpartition(".")[2]) - 1
        if trap.startswith("1.3.6.1.6.3.1.1.5."):
            return ["1.3.6.1.4.1.8072.3.2.10", self.source, str(generic), "0", ""]
        enterprise, _, specific = trap.rpartition(".")
        return [enterprise.removesuffix(".0"), self.source, "6", specific, ""]


def sender(state: Path, source: str, **more: str) -> Sender:
    state.mkdir(parents=True, exist_ok=True)
    return replace(Sender(state, source), **more)  # type: ignore[arg-type]


def trap() -> bytes:
    """What snmptrap sends for LINK_DOWN in SNMPv2c."""
    bindings = [
        (ber.oid("1.3.6.1.2.1.1.3.0"), ber.TIME_TICKS, 4711),
        (ber.oid("1.3.6.1.6.3.1.1.4.1.0"), ber.OBJECT_IDENTIFIER, ber.oid(LINK_DOWN)),
    ]
    return pdu.encode_message(Version.V2C, b"cachan", Pdu(Kind.TRAP, 77, 0, 0, bindings))
