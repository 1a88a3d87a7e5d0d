"""Debian's own clients in a resident's namespace: NetworkManager, systemd-networkd, dhclient, dhcpcd.

Programs that would take over a developer's machine are not installed: their packages are fetched by apt and unpacked
into a folder of the user's cache. Each runs with a ``/run``, ``/var/lib`` and ``resolv.conf`` of its own.
"""

import os
import re
import shlex
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from door_twin import Resident, sh, wait_for

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "parvis-tests"
NETWORKD = Path("/lib/systemd/systemd-networkd")
PACKAGES = {
    "NetworkManager": (
        "network-manager", "libnm0", "libndp0", "libteamdctl0", "libmm-glib0", "libbluetooth3", "libjansson4",
        "libpsl5", "libcurl3-gnutls", "libnewt0.52", "libslang2", "dbus-daemon",
    ),
    "dhcpcd": ("dhcpcd-base",),
    "dhclient": ("isc-dhcp-client",),
}  # fmt: skip
"""Program -> the packages it needs beside what every Debian machine has."""
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
<allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
<allow receive_type="method_call"/><allow receive_type="signal"/><allow receive_type="method_return"/>
<allow receive_type="error"/></policy></busconfig>
"""
MANAGER = """[main]
plugins=keyfile
dhcp=internal
dns=none
auth-polkit=false
[keyfile]
path={folder}/connections
[connectivity]
enabled=true
uri=http://network-test.debian.org/nm
response=NetworkManager is online
interval=3600
"""
CONNECTION = """[connection]
id=guest
type=ethernet
interface-name=eth0
[ipv4]
method=auto
[ipv6]
method=auto
"""


class NotHere(Exception):
    """The program cannot be had on this machine; the words say why."""


def unpacked(program: str) -> Path:
    """A root folder with *program* and its libraries; NotHere when apt cannot give it."""
    folder = CACHE / program
    if not (folder / "whole").exists():
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ("apt-get", "download", "-qq", *PACKAGES[program]), cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NotHere(f"apt-get download {program}: {done.stderr.strip().splitlines()[-1:]}")
        for package in folder.glob("*.deb"):
            sh("dpkg-deb", "-x", str(package), str(folder))
            package.unlink()
        (folder / "whole").touch()
    return folder


def program_in(root: Path, name: str) -> str:
    """The path of *name* under *root*, or on this machine."""
    for place in ("usr/sbin", "sbin", "usr/bin", "bin"):
        if (root / place / name).exists():
            return str(root / place / name)
    raise NotHere(f"{name} is not in its package")


def environment(root: Path) -> list[str]:
    """``env`` with *root*'s libraries first."""
    places = [str(found) for found in (*root.glob("usr/lib/*-linux-gnu"), *root.glob("lib/*-linux-gnu"))]
    return ["env", f"LD_LIBRARY_PATH={':'.join(places)}"]


def apart(folder: Path, *argv: str) -> list[str]:
    """*argv* with its own /run, /var/lib and resolv.conf, and a /sys nobody writes to (so udev is not waited for)."""
    names = folder / "resolv.conf"
    names.write_text("nameserver 10.11.0.1\n")
    steps = [
        "mount -o remount,ro /sys", "mount -t tmpfs tmpfs /run", "mount -t tmpfs tmpfs /var/lib",
        f"mount --bind {names} /etc/resolv.conf", f"exec {shlex.join(argv)}",
    ]  # fmt: skip
    return ["unshare", "--mount", "sh", "-ec", "\n".join(steps)]


@dataclass
class Manager:
    """NetworkManager on a bus of its own, in *resident*'s namespace."""

    resident: Resident
    folder: Path

    def __post_init__(self) -> None:
        self.root = unpacked("NetworkManager")
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.socket = self.folder / "bus"
        self.bus: subprocess.Popen[bytes] | None = None
        self.manager: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        (self.folder / "bus.conf").write_text(BUS.format(path=self.socket))
        self.bus = self._run(
            [program_in(self.root, "dbus-daemon"), f"--config-file={self.folder}/bus.conf", "--nofork"]
        )
        wait_for(self.socket.exists, "a bus")
        (self.folder / "manager.conf").write_text(MANAGER.format(folder=self.folder))
        connections = self.folder / "connections"
        connections.mkdir()
        (connections / "guest.nmconnection").write_text(CONNECTION)
        (connections / "guest.nmconnection").chmod(0o600)
        options = [f"--config={self.folder}/manager.conf", f"--config-dir={self.folder}/none", "--no-daemon",
                   f"--system-config-dir={self.folder}/none", f"--intern-config={self.folder}/intern",
                   f"--state-file={self.folder}/state", f"--pid-file={self.folder}/pid"]  # fmt: skip
        self.manager = self._run([program_in(self.root, "NetworkManager"), *options])
        wait_for(
            lambda: self.asks("-t", "-f", "STATE", "general").startswith("connected"), "NetworkManager's lease", 40
        )

    def _run(self, argv: list[str]) -> subprocess.Popen[bytes]:
        log = (self.folder / "log").open("ab")
        inside = apart(self.folder, *environment(self.root), f"DBUS_SYSTEM_BUS_ADDRESS=unix:path={self.socket}", *argv)
        command = ["ip", "netns", "exec", self.resident.namespace, *inside]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def asks(self, *argv: str) -> str:
        """What nmcli says."""
        address = f"DBUS_SYSTEM_BUS_ADDRESS=unix:path={self.socket}"
        return sh(*environment(self.root), address, program_in(self.root, "nmcli"), *argv, check=False).strip()

    def connectivity(self) -> str:
        """The state after a check made now: full, portal, limited, none."""
        return self.asks("networking", "connectivity", "check")

    def stop(self) -> None:
        for child in (self.manager, self.bus):
            if child is not None:
                child.send_signal(signal.SIGTERM)
                child.wait(15)


def dhclient(resident: Resident, folder: Path) -> str:
    """The address of the API as ISC's client hands it to its scripts."""
    root = unpacked("dhclient")
    script, found, conf = folder / "script", folder / "found", folder / "conf"
    script.write_text(f'#!/bin/sh\n[ -z "$new_default_url" ] || printf %s "$new_default_url" >{found}\n')
    script.chmod(0o755)
    conf.write_text("request subnet-mask, routers, domain-name-servers, default-url;\ntimeout 10;\n")
    files = ("-cf", str(conf), "-lf", str(folder / "leases"), "-pf", str(folder / "pid"), "-sf", str(script))
    argv = [*environment(root), program_in(root, "dhclient"), "-4", "-1", "-d", *files, "eth0"]
    _run_until(resident, apart(folder, *argv), found)
    return found.read_text().strip('"')


def dhcpcd(resident: Resident, folder: Path) -> str:
    """The address of the API as dhcpcd hands it to its scripts."""
    root = unpacked("dhcpcd")
    script, found, conf = folder / "script", folder / "found", folder / "conf"
    script.write_text(f'#!/bin/sh\n[ -z "$new_captive_portal_uri" ] || printf %s "$new_captive_portal_uri" >{found}\n')
    script.chmod(0o755)
    conf.write_text("define 114 string captive_portal_uri\noption captive_portal_uri\nnoarp\n")
    argv = [
        *environment(root),
        program_in(root, "dhcpcd"),
        "-f",
        str(conf),
        "-c",
        str(script),
        "-4",
        "-1",
        "-B",
        "eth0",
    ]
    _run_until(resident, apart(folder, *argv), found)
    return found.read_text()


def _run_until(resident: Resident, argv: list[str], found: Path) -> None:
    """Run *argv* in *resident*'s namespace until it has written *found*."""
    with (found.parent / "log").open("ab") as log:
        command = ["ip", "netns", "exec", resident.namespace, *argv]
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(
                lambda: found.exists() and found.stat().st_size > 0, (found.parent / "log").read_text() or argv[-1]
            )
        finally:
            os.killpg(child.pid, signal.SIGTERM)
            child.wait(10)


def networkd(resident: Resident, folder: Path) -> str:
    """What systemd-networkd keeps of the guest link, once it has a lease."""
    (folder / "guest.network").write_text("[Match]\nName=eth0\n[Network]\nDHCP=ipv4\n")
    state = f"/run/systemd/netif/links/{resident.run('cat', '/sys/class/net/eth0/ifindex').strip()}"
    steps = (
        "mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases",
        f"cp {folder}/guest.network /run/systemd/network/10-guest.network",
        "chown -R systemd-network: /run/systemd/netif",
        f"(until grep -qs ^DNS=10.11.0.1 {state}; do sleep 0.2; done; cat {state} >{folder}/found)&",
        f"exec {NETWORKD}",
    )
    _run_until(resident, apart(folder, "sh", "-ec", "\n".join(steps)), folder / "found")
    return (folder / "found").read_text()


def networkd_version() -> int:
    """systemd-networkd's version on this machine, 0 without it."""
    found = re.search(r"systemd (\d+)", sh(str(NETWORKD), "--version", check=False)) if NETWORKD.exists() else None
    return int(found[1]) if found else 0
