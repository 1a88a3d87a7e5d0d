"""One gateway, two residents and an internet in network namespaces of our own, with the real programs."""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TypeVar

import trustme
from resident import Resident, sh, wait_for

from captive_portal import dhcp, sysctl
from captive_portal.probes import NCSI_ADDRESS, NCSI_NAME, PROBES
from parvis.inventory import DEMO_TOWN, Site, Town, load

GATEWAYD_UID, PORTAL_UID = 61021, 61022
PREFIX = "pt-"
PARVIS = str(Path(sys.executable).parent / "parvis")
WEB4, WEB6 = "203.0.113.80", "2001:db8:ffff:80::80"
GARDEN_NAME, GARDEN4, GARDEN6 = "famille.cachan.example", "203.0.113.90", "2001:db8:ffff:80::90"
HTTPS_RECORD = "000100000100030268320004000400cb007150"
"""SvcPriority 1, owner's name, alpn h2, ipv4hint (RFC 9460)."""
CLONE_NEWNET = 0x40000000
HERE = Path(__file__).parent


def remove_stale() -> None:
    """Namespaces that a killed run of ours has left: their name says whose they are."""
    for line in sh("ip", "netns", "list").splitlines():
        name = line.split()[0]
        parts = name.split("-")
        if (
            name.startswith(PREFIX)
            and len(parts) == 3
            and parts[1].isdigit()
            and not Path(f"/proc/{parts[1]}").exists()
        ):
            for pid in sh("ip", "netns", "pids", name, check=False).split():
                os.kill(int(pid), signal.SIGKILL)
            sh("ip", "netns", "del", name, check=False)


@dataclass
class Twin:
    """The namespaces and the processes in them."""

    town: Town
    site: Site
    folder: Path
    session: str = ""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    number: int = field(default_factory=os.getpid)
    handles: tuple[int, ...] = ()

    def name(self, part: str) -> str:
        return f"{PREFIX}{self.number}-{part}"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def leases(self) -> Path:
        return self.folder / "kea" / "leases.csv"

    def build(self) -> None:
        for part in ("gw", "lan", "inet", "c1", "c2"):
            sh("ip", "netns", "add", self.name(part))
            self.within(part, "ip", "link", "set", "lo", "up")
        self.within("lan", "ip", "link", "add", "br0x", "type", "bridge")
        self.within("lan", "ip", "link", "set", "br0x", "up")
        self._wire("gw", "guest0", "lan", "gwport")
        self._wire("gw", "mgmt0", "lan", "mgmtport")
        self._wire("gw", "wan0", "inet", "wan1")
        for client in ("c1", "c2"):
            self._wire(client, "eth0", "lan", client)
        for port in ("gwport", "c1", "c2"):
            self.within("lan", "ip", "link", "set", port, "master", "br0x")
        for port in ("c1", "c2"):
            self.within("lan", "bridge", "link", "set", "dev", port, "isolated", "on")
        self._address()

    def _wire(self, one: str, name_one: str, two: str, name_two: str) -> None:
        here, there = self.name(one), self.name(two)
        sh("ip", "link", "add", name_one, "netns", here, "type", "veth", "peer", "name", name_two, "netns", there)
        self.within(one, "ip", "link", "set", name_one, "up")
        self.within(two, "ip", "link", "set", name_two, "up")

    def _address(self) -> None:
        guest, link = self.site.guest, self.site.uplink
        plan = [
            ("gw", "guest0", f"{guest.gateway_ipv4}/{guest.ipv4.prefixlen}"),
            *([("gw", "guest0", f"{guest.gateway_ipv6}/64")] if guest.ipv6 else []),
            ("gw", "mgmt0", f"{self.site.gateway.address}/24"),
            ("gw", "wan0", f"{link.address}/30"),
            ("gw", "wan0", f"{link.ipv6}/64"),
            ("inet", "wan1", f"{link.peer}/30"),
            ("inet", "wan1", f"{link.ipv6_peer}/64"),
            ("inet", "lo", f"{WEB4}/32"),
            ("inet", "lo", "203.0.113.53/32"),
            ("inet", "lo", f"{WEB6}/128"),
            ("inet", "lo", f"{GARDEN4}/32"),
            ("inet", "lo", f"{GARDEN6}/128"),
            ("inet", "lo", "10.90.0.1/32"),
        ]
        for part, device, address in plan:
            self.within(part, "ip", "addr", "add", address, "dev", device, *(["nodad"] if ":" in address else []))
        settings = self.folder / "sysctl.conf"
        settings.write_text(sysctl.text(self.site))
        self.within("gw", "sysctl", "-qe", "-p", str(settings))
        self.within("gw", "ip", "route", "add", "default", "via", str(link.peer))
        self.within("gw", "ip", "-6", "route", "add", "default", "via", str(link.ipv6_peer))
        self.within("inet", "ip", "route", "add", str(self.site.management.ipv4), "via", str(link.address))
        self.within("inet", "ip", "-6", "route", "add", "2001:db8:11::/64", "via", str(link.ipv6))

    def within(self, part: str, *argv: str, check: bool = True) -> str:
        return sh("ip", "netns", "exec", self.name(part), *argv, check=check)

    def start(self, name: str, part: str, *argv: str, **environment: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{name}.log").open("ab")
        command = ("ip", "netns", "exec", self.name(part), *argv)
        child = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=os.environ | environment, cwd=self.folder,
            pass_fds=self.handles,
        )  # fmt: skip
        self.processes[name] = child
        return child

    def stop(self, name: str, how: int = signal.SIGTERM) -> None:
        child = self.processes.pop(name)
        child.send_signal(how)
        child.wait(15)

    def start_internet(self) -> None:
        """Web and names: every name there is leads to the one host of the internet, but NCSI's to its own."""
        files = self.authority_files()
        self.start("internet", "inet", sys.executable, str(HERE / "fake_internet.py"), *files)
        garden = (f"/cachan.example/{GARDEN4}", f"/cachan.example/{GARDEN6}")
        names = (f"/#/{WEB4}", f"/#/{WEB6}", f"/{NCSI_NAME}/{NCSI_ADDRESS}", *garden)
        addresses = [f"--address={name}" for name in names]
        place = ("--listen-address=203.0.113.53", "--bind-interfaces", "--no-resolv", "--no-hosts", "--pid-file=")
        records = (f"--dns-rr=typed.example.org,65,{HTTPS_RECORD}", f"--txt-record=long.example.org,{'x' * 250}")
        self.start(
            "names", "inet", "dnsmasq", "-k", "--conf-file=/dev/null", "--log-facility=-", *place, *addresses, *records
        )

    def authority_files(self) -> tuple[str, str]:
        """Certificate and key of the internet's HTTPS hosts; whoever trusts ``internet-ca.pem`` trusts them."""
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.internet_authority))
        hosts = {probe.host for probe in PROBES if probe.scheme == "https"} | {"example.org"}
        made = authority.issue_cert(*sorted(hosts))
        chain, key = self.folder / "internet.crt", self.folder / "internet.key"
        chain.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        made.private_key_pem.write_to_path(str(key))
        return str(chain), str(key)

    @property
    def internet_authority(self) -> Path:
        return self.folder / "internet-ca.pem"

    def start_kea(self) -> None:
        here = self.leases.parent
        here.mkdir(exist_ok=True)
        os.chown(here, 0, GATEWAYD_UID)
        here.chmod(0o2750)  # since 2.6.3 Kea keeps its lease file from everybody but its group
        config = self.folder / "kea.json"
        config.write_text(dhcp.kea(self.town, self.site, leases=self.leases))
        folders = {"KEA_PIDFILE_DIR": str(here), "KEA_LOCKFILE_DIR": "none", "KEA_DHCP_DATA_DIR": str(here)}
        self.start("kea", "gw", "kea-dhcp4", "-c", str(config), **folders)
        wait_for(self.leases.exists, "Kea's lease file")

    def start_dnsmasq(self) -> None:
        config = self.folder / "dnsmasq.conf"
        config.write_text(dhcp.dnsmasq(self.town, self.site))
        self.start("dnsmasq", "gw", "dnsmasq", "-k", f"--conf-file={config}", "--log-facility=-", "--pid-file=")

    def start_gatewayd(self) -> None:
        self.run.mkdir(exist_ok=True)
        os.chown(self.run, GATEWAYD_UID, GATEWAYD_UID)
        self.run.chmod(0o755)
        settings = self._settings("gatewayd", leases=str(self.leases), allowed_users=[PORTAL_UID])
        capability = "-all,+net_admin,+net_raw"
        user = ("setpriv", f"--reuid={GATEWAYD_UID}", f"--regid={GATEWAYD_UID}", "--clear-groups")
        only = (f"--bounding-set={capability}", f"--inh-caps={capability}", f"--ambient-caps={capability}")
        self.start("gatewayd", "gw", *user, *only, sys.executable, PARVIS, "gatewayd", "--settings", str(settings))
        wait_for(lambda: self.healthy(9202), "gatewayd")

    def start_portal(self, socket_handle: int | None = None) -> None:
        """*socket_handle*: a listening socket for plain HTTP, handed over as systemd does (sd_listen_fds(3))."""
        self.handles = () if socket_handle is None else (socket_handle,)
        hand_over = f'exec 3<&{socket_handle}; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"'
        given = () if socket_handle is None else ("bash", "-c", hand_over, "bash")
        state, secrets = self.folder / "portal", self.folder / "secrets"
        state.mkdir(exist_ok=True)
        os.chown(state, PORTAL_UID, PORTAL_UID)
        secrets.mkdir(exist_ok=True)
        (secrets / "portal-key").write_text("0123456789abcdef" * 4)
        self.make_certificate()
        settings = self._settings(
            "portal",
            state=str(state),
            secrets=str(secrets),
            certificate=str(self.certificate),
            key=str(self.certificate.with_suffix(".key")),
        )
        user = ("setpriv", f"--reuid={PORTAL_UID}", f"--regid={PORTAL_UID}", "--clear-groups", "--bounding-set=-all")
        self.start("portal", "gw", *given, *user, sys.executable, PARVIS, "portal", "--settings", str(settings))
        wait_for(lambda: self.healthy(9201), "portal")
        wait_for(lambda: not refused(self.name("gw"), ("127.0.0.1", 8443)), "portal's pages")

    def healthy(self, port: int) -> bool:
        with suppress(OSError, HTTPException):
            return self.says(port, "/healthz").startswith('{"ok": true')
        return False

    def metric(self, port: int, name: str) -> float:
        text = self.says(port, "/metrics")
        return next((float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name + " ")), 0.0)

    def says(self, port: int, path: str) -> str:
        """What the gateway's process on *port* answers; asked without a program, for it is asked often."""
        with closing(HTTPConnection(str(self.site.gateway.address), port, timeout=5)) as connection:
            with Inside(self.name("gw")):
                connection.connect()
            connection.request("GET", path)
            return connection.getresponse().read().decode()

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.crt"

    def make_certificate(self) -> None:
        if not self.certificate.exists():
            host = self.town.policy(self.site).host
            key = str(self.certificate.with_suffix(".key"))
            curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
            names = ("-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}")
            sh("openssl", "req", "-x509", *curve, *names, "-keyout", key, "-out", str(self.certificate))
            os.chown(key, PORTAL_UID, PORTAL_UID)

    def _settings(self, name: str, **more: object) -> Path:
        values: dict[str, object] = {
            "town": str(self.folder / "town"),
            "site": self.site.site,
            "socket": str(self.run / "gatewayd.sock"),
            "listen": str(self.site.gateway.address),
            **more,
        }
        path = self.folder / f"{name}.toml"
        path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items()))
        return path

    def resident(self, part: str) -> Resident:
        mac = self.within(part, "cat", "/sys/class/net/eth0/address").strip()
        host = self.town.policy(self.site).host
        return Resident(self.name(part), mac, self.folder, self.certificate, host)

    def ask(self, *lines: bytes, uid: int = PORTAL_UID) -> list[bytes]:
        """gatewayd's answers to raw lines, asked as *uid*."""
        program = (
            "import socket,sys\n"
            "s=socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1])\n"
            "f=s.makefile('rb')\n"
            "for line in sys.stdin.buffer.read().split(b'\\x00'):\n"
            "    s.sendall(line+b'\\n'); sys.stdout.buffer.write(f.readline())\n"
        )
        user = ("setpriv", f"--reuid={uid}", "--clear-groups", "/usr/bin/python3", "-c", program)
        done = subprocess.run(
            (*user, str(self.run / "gatewayd.sock")), input=b"\0".join(lines), capture_output=True, check=False
        )
        return done.stdout.splitlines()

    def tear_down(self) -> None:
        for name, child in list(self.processes.items()):
            try:
                self.stop(name)
            except subprocess.TimeoutExpired:
                child.kill()
        for part in ("c1", "c2", "lan", "inet", "gw"):
            sh("ip", "netns", "del", self.name(part), check=False)


Kind = TypeVar("Kind", bound=Twin)


@contextmanager
def running(
    kind: type[Kind],
    session: str,
    *,
    ipv6: bool = True,
    describe: Callable[[Path], object] = str,
    prepare: Callable[[Kind], object] = repr,
) -> Iterator[Kind]:
    """A twin whose sessions last *session*, all processes running; nobody has a lease yet.

    *describe* may change the town's folder before it is read, *prepare* the namespaces before anything starts.
    """
    remove_stale()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # pytest's own folders are closed to other users
    folder.chmod(0o755)
    describe(copy_town(folder / "town", session, ipv6=ipv6))
    town = load(folder / "town")
    made = kind(town, town.site("maison-services-publics"), folder)
    try:
        made.build()
        prepare(made)
        made.start_internet()
        made.start_kea()
        made.start_dnsmasq()
        made.start_gatewayd()
        made.start_portal()
        yield made
    finally:
        made.tear_down()
        shutil.rmtree(folder)


class Inside:
    """``with Inside(namespace):`` sockets made in the block belong to *namespace*."""

    def __init__(self, namespace: str) -> None:
        self._target = Path("/run/netns") / namespace

    def __enter__(self) -> None:
        self._own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self._set(os.open(self._target, os.O_RDONLY))

    def __exit__(self, *_: object) -> None:
        self._set(self._own)

    def _set(self, handle: int) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        assert library.setns(handle, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        os.close(handle)


def copy_town(folder: Path, session: str, *, ipv6: bool = True) -> Path:
    shutil.copytree(DEMO_TOWN, folder)
    if not ipv6:
        site = folder / "sites" / "maison-services-publics.yml"
        written = site.read_text("utf-8")
        assert ', ipv6: "2001:db8:11::/64"' in written
        site.write_text(written.replace(', ipv6: "2001:db8:11::/64"', ""), "utf-8")
    town = folder / "town.yml"
    text = town.read_text("utf-8")
    assert "session: 12h" in text
    town.write_text(text.replace("session: 12h", f"session: {session}"), "utf-8")
    return folder


def connect(namespace: str, address: tuple[str, int], timeout: float = 5) -> socket.socket:
    with Inside(namespace):
        return socket.create_connection(address, timeout)


def refused(namespace: str, address: tuple[str, int]) -> bool:
    """Whether *address* cannot be connected to within a second."""
    try:
        connect(namespace, address, 1).close()
    except OSError:
        return True
    return False


def stops(download: socket.socket, seconds: float) -> bool:
    """Whether a stream that never ends by itself is reset, or stands still, within *seconds*."""
    download.settimeout(0.5)
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            download.sendall(b"more")
            if not download.recv(1 << 16):
                return True
    except OSError:
        return True
    return False


def pss(pid: int) -> float:
    """Proportional set size of a process and its children, MB."""
    total = 0.0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    for one in (str(pid), *children):
        lines = Path(f"/proc/{one}/smaps_rollup").read_text("ascii").splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
    return total
