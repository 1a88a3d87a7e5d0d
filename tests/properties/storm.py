"""A gateway twin whose faults can be chosen: wall clock, reboots, locked database, full disk, killed processes.

wall_clock.c moves the wall clock of the gateway's processes and leaves the clock from boot alone, as settimeofday(2)
does. A reboot kills all of them, empties nftables, gives the next ones another boot id and a clock that starts anew
(time_namespaces(7)).
"""

import http.client
import json
import os
import signal
import socket
import sqlite3
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any
from uuid import uuid4

from dhcp_client import DhcpClient, Lease
from door_twin import PORTAL_UID, WEB4, Inside, connect, sh, wait_for
from staffed_twin import StaffedTwin

SHIM = Path(__file__).with_name("wall_clock.c")
BOOT_ID = "/proc/sys/kernel/random/boot_id"
SESSION_SECONDS = 20
STATE_BYTES = 8_000_000
_WEATHER = (
    f'boot="$1"; shift; mount --make-rprivate / && mount --bind "$boot" {BOOT_ID} && LD_PRELOAD="$SHIM" exec "$@"'
)


@dataclass
class Storm(StaffedTwin):
    """The twin with its weather."""

    wall_offset: int = 0
    """Seconds by which the gateway's wall clock is wrong."""
    boot_offset: int = 0

    def prepare(self) -> None:
        """The processes' own disk, and today's weather."""
        (self.folder / "boot").write_text(f"{uuid4()}\n")
        (self.folder / "wall").write_bytes(struct.pack("=q", 0))
        sh("cc", "-shared", "-fPIC", "-O2", "-o", str(self.folder / "wall_clock.so"), str(SHIM))
        state = self.folder / "portal"
        state.mkdir()
        sh("mount", "-t", "tmpfs", "-o", f"size={STATE_BYTES}", "parvis-state", str(state))

    def start(self, name: str, part: str, *argv: str, **environment: str) -> Popen[bytes]:
        if part != "gw":
            return super().start(name, part, *argv, **environment)
        unshared = ("unshare", "-m", "-T", "--boottime", str(self.boot_offset), "--")
        weather = ("sh", "-c", _WEATHER, "sh", str(self.folder / "boot"))
        fake = {"SHIM": str(self.folder / "wall_clock.so"), "WALL_CLOCK": str(self.folder / "wall")}
        return super().start(name, part, *unshared, *weather, *argv, **environment, **fake)

    def step_clock(self, seconds: int) -> None:
        """Step the wall clock by *seconds*, as an NTP client or an administrator does."""
        self.wall_offset += seconds
        with (self.folder / "wall").open("r+b") as file:
            file.write(struct.pack("=q", self.wall_offset))

    def reboot(self) -> None:
        """Everything dies at once; the next boot starts in the order of the units."""
        for name in ("portal", "gatewayd", "kea", "dnsmasq"):
            self.kill(name)
        self.within("gw", "nft", "flush", "ruleset")
        (self.folder / "boot").write_text(f"{uuid4()}\n")
        self.boot_offset = 30 - int(time.clock_gettime(time.CLOCK_BOOTTIME))
        self.revive()

    def kill(self, name: str) -> None:
        """SIGKILL, if it runs."""
        if name in self.processes:
            self.stop(name, signal.SIGKILL)

    @property
    def dead(self) -> list[str]:
        """Which of the gateway's processes do not run, in the order of the units."""
        for name, child in list(self.processes.items()):
            if child.poll() is not None:
                del self.processes[name]
        return [name for name in ("kea", "gatewayd", "dnsmasq", "portal") if name not in self.processes]

    def revive(self) -> None:
        """What systemd does: start what is dead."""
        for name in self.dead:
            getattr(self, f"start_{name}")()

    def lengthen(self, seconds: int) -> None:
        """Let the sessions on disk end later, so that a machine that starts slowly finds them with time left."""
        with _as(PORTAL_UID):
            file = sqlite3.connect(self.database, isolation_level=None, timeout=10)
        file.execute("UPDATE acceptances SET ends_at = ends_at + ? WHERE ended_at IS NULL", [seconds])
        file.close()

    @contextmanager
    def database_locked(self) -> Iterator[None]:
        """Somebody holds the write lock, as a backup by hand does."""
        with _as(PORTAL_UID):
            holder = sqlite3.connect(self.database, isolation_level=None, timeout=10)
        try:
            holder.execute("BEGIN IMMEDIATE")
            yield
        finally:
            holder.close()

    @contextmanager
    def disk_full(self) -> Iterator[None]:
        """Not a byte is left on the portal's disk."""
        ballast = self.folder / "portal" / "ballast"
        with suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        try:
            yield
        finally:
            ballast.unlink()

    @property
    def database(self) -> Path:
        return self.folder / "portal" / "portal.sqlite3"

    def rows(self, query: str) -> list[Any]:
        """What the database answers, asked as the portal's own user: files made meanwhile stay its own."""
        with _as(PORTAL_UID):
            reader = sqlite3.connect(self.database, timeout=10)
        found = reader.execute(query).fetchall()
        reader.close()
        return found

    def stored(self) -> dict[str, int]:
        """Live sessions by MAC address, from the database."""
        return dict(self.rows("SELECT mac, id FROM acceptances WHERE ended_at IS NULL"))

    def admitted(self) -> dict[str, int]:
        """Sessions by MAC address, from the kernel."""
        said = self.within("gw", "nft", "-j", "list", "map", "inet", "portal", "auth", check=False)
        if not said:
            return {}
        tables = json.loads(said)["nftables"]
        elements = [one for item in tables for one in item.get("map", {}).get("elem", [])]
        return {key["elem"]["val"]["concat"][1]: int(session) for key, session in elements}

    def tear_down(self) -> None:
        super().tear_down()
        sh("umount", "-l", str(self.folder / "portal"), check=False)


@dataclass
class Walker:
    """A resident who asks over sockets of this process, so that each step costs milliseconds."""

    storm: Storm
    part: str
    mac: str = ""
    ipv4: str = ""
    client: DhcpClient = field(init=False)
    has: Lease | None = None

    def __post_init__(self) -> None:
        self.mac = self.storm.resident(self.part).mac
        self.client = DhcpClient(self.namespace)

    @property
    def namespace(self) -> str:
        return self.storm.name(self.part)

    def joins(self, wish: str = "") -> bool:
        """Take a lease, and *wish* for an address; whether Kea gave one."""
        lease = self.client.lease(self.mac, wish=wish)
        if lease is None:
            return False
        self.has = lease
        if lease.address != self.ipv4:
            self.within("ip", "addr", "flush", "dev", "eth0", "scope", "global")
            self.within("ip", "addr", "add", f"{lease.address}/22", "dev", "eth0")
            self.within("ip", "route", "replace", "default", "via", "10.11.0.1")
            self.ipv4 = lease.address
        return True

    def releases(self) -> None:
        """Give the address back, without a word to anybody else."""
        if self.has is not None:
            self.client.release(self.mac, self.has)

    def changes_mac(self, mac: str) -> None:
        self.within("ip", "link", "set", "eth0", "address", mac)
        self.within("ip", "addr", "flush", "dev", "eth0", "scope", "global")
        self.mac, self.ipv4 = mac, ""

    def roams(self) -> None:
        """Appear at another port of the switch, as at another access point."""
        self.storm.within("lan", "ip", "link", "set", self.part, "nomaster")
        self.storm.within("lan", "ip", "link", "set", self.part, "master", "br0x")
        self.storm.within("lan", "bridge", "link", "set", "dev", self.part, "isolated", "on")

    def within(self, *argv: str) -> str:
        return self.storm.within(self.part, *argv)

    def asks(self, path: str, body: str | None = None, timeout: float = 8.0, **headers: str) -> tuple[int, str, str]:
        """Status, Location and text; status 0 when nobody answers."""
        try:
            return self._asks(path, body, timeout, headers)
        except (OSError, http.client.HTTPException):
            return 0, "", ""

    def _asks(self, path: str, body: str | None, timeout: float, headers: dict[str, str]) -> tuple[int, str, str]:
        host = self.storm.town.policy(self.storm.site).host
        context = ssl.create_default_context(cafile=str(self.storm.certificate))
        with (
            connect(self.namespace, ("10.11.0.1", 443), timeout) as plain,
            context.wrap_socket(plain, server_hostname=host) as channel,
        ):
            channel.settimeout(timeout)
            connection = http.client.HTTPConnection(host)
            connection.sock = channel
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Location", ""), answer.read().decode()

    def posts(self, page: str, form: str, timeout: float = 8.0) -> tuple[int, str]:
        """Press the button *form* of *page*: status and Location; (0, "") when nobody answers or there is none."""
        _, _, text = self.asks(page, timeout=timeout)
        found = text.partition(f'/{form}"')[2].partition('name="token" value="')[2].partition('"')[0]
        if not found:
            return 0, ""
        status, location, _ = self.asks(f"/fr/{form}", f"token={found}", timeout)
        return status, location

    def is_captive(self) -> bool | None:
        """What the API says; None when it says nothing."""
        status, _, text = self.asks("/api/captive", Accept="application/captive+json")
        return bool(json.loads(text)["captive"]) if status == 200 else None

    def seconds_left(self) -> int:
        """What the API says to who is online; 0 to who is not."""
        text = self.asks("/api/captive", Accept="application/captive+json")[2]
        return int(json.loads(text).get("seconds-remaining", 0))

    def passes(self) -> bool:
        """Whether a new connection reaches the internet."""
        try:
            with Inside(self.namespace), socket.create_connection((WEB4, 5000), 1):
                return True
        except OSError:
            return False


@contextmanager
def _as(uid: int) -> Iterator[None]:
    """Files made in the block belong to *uid*."""
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)


def forget_everybody(storm: Storm) -> None:
    """The next example starts with an empty house."""
    storm.staff("/v1/disconnect-all", {})
    wait_for(lambda: not storm.admitted() and not storm.stored(), "empty house", 10)
