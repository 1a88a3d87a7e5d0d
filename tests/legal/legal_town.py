"""A town with key holders, and a gateway with many residents of its own in network namespaces."""

import itertools
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from door_twin import Inside, sh
from resident import wait_for

from captive_portal import netlink as nl
from captive_portal import ruleset, sysctl
from captive_portal.admission import Allow, Deny
from captive_portal.gateway import Gateway
from captive_portal.legal import ceremony
from captive_portal.legal.ceremony import Made
from captive_portal.legal.conntrack import IPCTNL_MSG_CT_DELETE
from captive_portal.legal.injunction import Choice
from captive_portal.legal.segment import Store
from parvis.addresses import MacAddress
from parvis.inventory import DEMO_TOWN, load

EVIDENCE_UID = 61027
PARVIS = str(Path(sys.executable).parent / "parvis")
SITE = "maison-services-publics"
HOLDERS = ("directrice", "archiviste", "notaire")
OFF = Choice(enabled=False, by="La maire", on="2026-11-30")
ON = Choice(True, "La maire", "2026-11-30", "décret n° 2025-980", "2026-01-01", "2026-12-31")
WEB4, WEB6 = "203.0.113.80", "2001:db8:ffff:80::80"
PORT = 7000
PORTS = 4
STREETS = itertools.count()


def keys_made() -> Made:
    return ceremony.hold(HOLDERS, "2026-11-30")


def write_keys(folder: Path, made: Made, choice: Choice = OFF) -> tuple[Path, Path]:
    """The two files a gateway is given."""
    holders, chosen = folder / "holders.json", folder / "choice.json"
    holders.write_text(made.public.text())
    chosen.write_text(choice.text(made.signer))
    for path in (holders, chosen):
        path.chmod(0o644)
    return holders, chosen


def this_year(choice: Choice = ON) -> Choice:
    """*choice* for the days around today: the kernel's clock is the test's."""
    now = time.time()
    day = lambda shift: time.strftime("%Y-%m-%d", time.gmtime(now + shift * 86_400))  # noqa: E731
    return Choice(choice.enabled, choice.by, choice.on, choice.decree, day(-30), day(100))


@dataclass
class Arrived:
    """A packet as somebody beyond the uplink saw it."""

    second: int
    address: str
    port: int
    who: str


@dataclass
class Street:
    """A gateway with its real ruleset, a guests' network, and beyond the uplink somebody who listens."""

    folder: Path
    made: Made
    number: int = field(default_factory=lambda: os.getpid() * 100 + next(STREETS))
    arrived: list[Arrived] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    handles: tuple[int, ...] = ()
    lost: dict[str, float] = field(default_factory=dict)
    told: str = ""
    _listening: bool = True

    def name(self, part: str) -> str:
        return f"le-{self.number}-{part}"

    def within(self, part: str, *argv: str) -> str:
        return sh("ip", "netns", "exec", self.name(part), *argv)

    def build(self) -> None:
        town = load(DEMO_TOWN)
        self.site = town.site(SITE)
        link, guest = self.site.uplink, self.site.guest
        for part in ("gw", "lan", "inet"):
            sh("ip", "netns", "add", self.name(part))
            self.within(part, "ip", "link", "set", "lo", "up")
        for one, at, two, there in (("gw", "guest0", "lan", "lan0"), ("gw", "wan0", "inet", "wan1")):
            wire = ("type", "veth", "peer", "name", there, "netns", self.name(two))
            sh("ip", "link", "add", at, "netns", self.name(one), *wire)
            self.within(one, "ip", "link", "set", at, "up")
            self.within(two, "ip", "link", "set", there, "up")
        for part, device, address in (
            ("gw", "guest0", f"{guest.gateway_ipv4}/{guest.ipv4.prefixlen}"),
            ("gw", "guest0", f"{guest.gateway_ipv6}/64"),
            ("gw", "wan0", f"{link.address}/30"),
            ("gw", "wan0", f"{link.ipv6}/64"),
            ("inet", "wan1", f"{link.peer}/30"),
            ("inet", "wan1", f"{link.ipv6_peer}/64"),
            ("inet", "lo", f"{WEB4}/32"),
            ("inet", "lo", f"{WEB6}/128"),
        ):
            self.within(part, "ip", "addr", "add", address, "dev", device, *(["nodad"] if ":" in address else []))
        self.within("gw", "ip", "route", "add", "default", "via", str(link.peer))
        self.within("gw", "ip", "-6", "route", "add", "default", "via", str(link.ipv6_peer))
        self.within("inet", "ip", "-6", "route", "add", str(guest.ipv6), "via", str(link.ipv6))
        beyond = self._mac(
            "inet", "wan1"
        )  # known: until a next hop has answered, the kernel holds some 250 packets only
        for peer in (link.peer, link.ipv6_peer):
            self.within("gw", "ip", "neigh", "add", str(peer), "lladdr", beyond, "dev", "wan0", "nud", "permanent")
        settings = self.folder / "sysctl.conf"
        settings.write_text(sysctl.text(self.site))
        self.within("gw", "sysctl", "-qe", "-p", str(settings))
        self.gateway_mac = bytes.fromhex(self._mac("gw", "guest0").replace(":", ""))
        with Inside(self.name("gw")):
            self.gateway = Gateway("guest0")
        self.gateway.load(ruleset.text(town, self.site), {})
        with Inside(self.name("lan")):
            self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.wire.bind(("lan0", 0))
        for family in (socket.AF_INET, socket.AF_INET6):
            for shift in range(PORTS):
                self._listen(family, PORT + shift)

    def _mac(self, part: str, device: str) -> str:
        return str(json.loads(self.within(part, "ip", "-j", "link", "show", device))[0]["address"])

    def _listen(self, family: int, port: int) -> None:
        with Inside(self.name("inet")):
            channel = socket.socket(family, socket.SOCK_DGRAM)
            channel.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)  # SO_RCVBUFFORCE
            if family == socket.AF_INET6:
                channel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            channel.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", port))
            channel.settimeout(0.5)

        def hear() -> None:
            while self._listening:
                try:
                    data, (address, source, *_) = channel.recvfrom(2048)
                except TimeoutError:
                    continue
                self.arrived.append(Arrived(int(time.time()), address, source, data.rstrip(b"\0").decode()))
            channel.close()

        threading.Thread(target=hear, daemon=True).start()

    def send(self, mac: MacAddress, source: IPv4Address | IPv6Address, sport: int, shift: int = 0) -> None:
        """One UDP datagram of a resident, saying whose it is."""
        target = IPv4Address(WEB4) if source.version == 4 else IPv6Address(WEB6)
        self.wire.send(datagram(mac, self.gateway_mac, source, target, sport, PORT + shift))

    def settles(self, count: int) -> None:
        """So many packets have arrived beyond the uplink, altogether."""
        wait_for(lambda: len(self.arrived) >= count, f"{count} packets beyond the uplink")

    def admit(self, people: list[tuple[MacAddress, IPv4Address, int]]) -> None:
        """Lease and session for each of (device, address, session number)."""
        self.gateway.lease({(address, mac): 3600 for mac, address, _ in people})
        steps = [Allow(mac, number, 3600, 50_000_000, 50_000_000) for mac, _, number in people]
        for start in range(0, len(steps), 100):
            self.gateway.apply(steps[start : start + 100])

    def leave(self, people: list[tuple[MacAddress, IPv4Address, int]]) -> None:
        """Session and lease end."""
        self.gateway.apply([Deny(mac) for mac, _, _ in people])
        self.gateway.lease({(address, mac): 0 for mac, address, _ in people})

    def start(self, choice: Choice = OFF, **environment: str) -> subprocess.Popen[bytes]:
        """The real recorder, as its own user with CAP_NET_ADMIN only."""
        holders, chosen = write_keys(self.folder, self.made, choice)
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        os.chown(state, EVIDENCE_UID, EVIDENCE_UID)
        settings = self.folder / "evidence.toml"
        settings.write_text(
            f'town = "{DEMO_TOWN}"\nsite = "{SITE}"\nstate = "{state}"\nholders = "{holders}"\nchoice = "{chosen}"\n'
            f'listen = "127.0.0.1"\nreserve_megabytes = 1\nlog_level = "debug"\n'
        )
        only = [f"--{kind}=-all,+net_admin" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
        user = ["setpriv", f"--reuid={EVIDENCE_UID}", f"--regid={EVIDENCE_UID}", "--clear-groups", *only]
        argv = ["ip", "netns", "exec", self.name("gw"), *user, sys.executable, PARVIS, "evidence"]
        command = [*argv, "--settings", str(settings)]
        if self.handles:  # as systemd hands them over: from 3 on, with LISTEN_PID the process' own
            moved = "".join(f"exec {3 + n}<&{handle}; " for n, handle in enumerate(self.handles))
            closed = "".join(f"exec {handle}<&-; " for handle in self.handles)
            command = ["bash", "-c", f'{moved}{closed}export LISTEN_PID=$$; exec "$@"', "bash", *command]
        with (self.folder / "evidence.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=os.environ | environment,
                pass_fds=self.handles,
            )  # fmt: skip
        wait_for(self.healthy, "the recorder")
        return self.process

    def recorded(self, sessions: int) -> None:
        """The recorder knows of so many sessions."""
        wait_for(lambda: self.metric("evidence_sessions") == sessions, f"{sessions} sessions in the record")

    def forget_connections(self) -> None:
        """Have the kernel end every connection now, as time would."""
        with Inside(self.name("gw")):
            channel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, nl.NETLINK_NETFILTER)
        with channel:
            about = nl.NFGENMSG.pack(socket.AF_UNSPEC, 0, 0)
            channel.send(nl.message(IPCTNL_MSG_CT_DELETE, nl.NLM_F_REQUEST | nl.NLM_F_ACK, 1, about))
            channel.recv(4096)

    def stop(self, how: int = 15) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None

    def ask(self, path: str) -> str:
        with Inside(self.name("gw")):
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:9206{path}", timeout=5).read().decode()
            except OSError:
                return ""

    def ask_all(self, path: str) -> str:
        """The answer whatever its status."""
        with Inside(self.name("gw")):
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:9206{path}", timeout=5).read().decode()
            except urllib.error.HTTPError as error:
                return error.read().decode()

    def healthy(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise AssertionError((self.folder / "evidence.log").read_text())
        return '"ok": true' in self.ask("/healthz")

    def metric(self, name: str) -> float:
        """One sample's value, such as ``evidence_lost_total{source="sets"}``."""
        found = [line for line in self.ask("/metrics").splitlines() if line.startswith(f"{name} ")]
        return float(found[0].split()[-1]) if found else float("nan")

    @property
    def sealed(self) -> Path:
        return self.folder / "state" / "sealed"

    @property
    def keys(self) -> Path:
        return self.folder / "state" / "keys"

    def remove(self) -> None:
        self.stop(9)
        self._listening = False
        if hasattr(self, "wire"):
            self.wire.close()
        for part in ("gw", "lan", "inet"):
            sh("ip", "netns", "del", self.name(part), check=False)


def datagram(
    mac: MacAddress,
    hop: bytes,
    source: IPv4Address | IPv6Address,
    target: IPv4Address | IPv6Address,
    sport: int,
    tport: int,
) -> bytes:
    """An Ethernet frame with a UDP datagram that says whose it is."""
    data = mac.text.encode()
    raw = bytes.fromhex(mac.text.replace(":", ""))
    bare = struct.pack(">HHHH", sport, tport, 8 + len(data), 0) + data
    if source.version == 4:
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(bare), 0, 0x4000, 64, 17, 0, source.packed, target.packed)
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        return hop + raw + b"\x08\x00" + head + bare
    pseudo = source.packed + target.packed + struct.pack(">LL", len(bare), 17)
    summed = checksum(pseudo + bare) or 0xFFFF
    udp = bare[:6] + struct.pack(">H", summed) + bare[8:]
    head = struct.pack(">LHBB", 0x60000000, len(udp), 17, 64) + source.packed + target.packed
    return hop + raw + b"\x86\xdd" + head + udp


def checksum(data: bytes) -> int:
    padded = data + bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


@contextmanager
def street(made: Made | None = None) -> Iterator[Street]:
    """A street, taken away again whatever happens. Its folder is one that other users may pass."""
    with tempfile.TemporaryDirectory(prefix="parvis-street-") as name:
        found = Street(Path(name), made or keys_made())
        found.folder.chmod(0o755)
        try:
            found.build()
            yield found
        finally:
            found.remove()


def master(made: Made, letter: str) -> bytes:
    """The holders' key of a store, from two envelopes."""
    store = Store(letter)
    shares = [made.shares[name][store] for name in HOLDERS[:2]]
    return ceremony.opened(shares, made.public.stores[store])


Wait = Callable[[], bool]
