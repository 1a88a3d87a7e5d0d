"""A guest side, a gateway and an internet, for packets: ours, a plain NAT gateway, or any other ruleset in between."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path as File

from door_twin import copy_town
from packets import End, frame, sender
from resident import sh

GUESTS, GATEWAY = "10.64.0.0/14", IPv4Address("10.64.0.1")
WAN, NEXT = IPv4Address("198.51.100.2"), IPv4Address("198.51.100.1")
HOSTS = [IPv4Address("203.0.113.80"), IPv4Address("203.0.113.81")]
PORTS = 60_000
SITE = "maison-services-publics"
GUEST_MAC, UP_MAC = bytes.fromhex("02be00000001"), bytes.fromhex("02be00000002")
FIRST = IPv4Address("10.64.1.0")


def device(number: int) -> End:
    """Device *number*, with a port of its own so that NAT keeps it."""
    mac = b"\x02\xbf" + number.to_bytes(4, "big")
    return End(mac, FIRST + number, 1024 + number % PORTS)


def host(number: int) -> IPv4Address:
    """Whom device *number* talks to."""
    return HOSTS[number // PORTS]


def wide_town(folder: File, session: str = "12h") -> File:
    """The demo town in *folder*, the guests' network of SITE widened for many devices: too many for port blocks."""
    site = copy_town(folder, session) / "sites" / f"{SITE}.yml"
    text = site.read_text("utf-8")
    assert text.count("10.11.0.0/22") == 1
    site.write_text(text.replace("10.11.0.0/22", GUESTS), "utf-8")
    return folder


@dataclass(frozen=True)
class Path:
    """Three namespaces in a row: guests, gw, net; interfaces guest0 and wan0 on the gateway."""

    name: str

    def within(self, part: str, *argv: str) -> str:
        return sh("ip", "netns", "exec", self.space(part), *argv, timeout=120)

    def space(self, part: str) -> str:
        return f"be-{os.getpid()}-{self.name}-{part}"

    def build(self) -> None:
        for part in ("guests", "gw", "net"):
            sh("ip", "netns", "add", self.space(part))
        self._wire("guests", "air0", "gw", "guest0", GUEST_MAC)
        self._wire("net", "far0", "gw", "wan0", UP_MAC)
        self.within("gw", "ip", "addr", "add", f"{GATEWAY}/14", "dev", "guest0")
        self.within("gw", "ip", "addr", "add", f"{WAN}/30", "dev", "wan0")
        self.within(
            "gw", "ip", "neigh", "add", str(NEXT), "lladdr", "02:be:00:00:00:09", "dev", "wan0", "nud", "permanent"
        )
        self.within("gw", "ip", "route", "add", "default", "via", str(NEXT))
        self.within("gw", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0")

    def _wire(self, far: str, far_name: str, near: str, near_name: str, mac: bytes) -> None:
        here, there = self.space(near), self.space(far)
        sh("ip", "link", "add", near_name, "netns", here, "type", "veth", "peer", "name", far_name, "netns", there)
        self.within(near, "ip", "link", "set", near_name, "address", mac.hex(":"), "up")
        self.within(far, "ip", "link", "set", far_name, "up")
        self.within(near, "sysctl", "-qw", f"net.ipv6.conf.{near_name}.disable_ipv6=1")

    def upwards(self, count: int) -> list[bytes]:
        """A frame of each device, to the internet."""
        return [frame(device(n), End(GUEST_MAC, host(n), 9)) for n in range(1, count + 1)]

    def downwards(self, count: int) -> list[bytes]:
        """A frame to each device, from the internet."""
        return [frame(End(UP_MAC, host(n), 9), End(UP_MAC, WAN, device(n).port)) for n in range(1, count + 1)]

    def establish(self, count: int) -> None:
        """One packet each way for every device: all flows are established, all neighbours known."""
        devices = [device(n) for n in range(1, count + 1)]
        known = (f"neigh replace {d.address} lladdr {d.mac.hex(':')} dev guest0 nud permanent\n" for d in devices)
        with tempfile.NamedTemporaryFile("w", prefix="be-") as file:
            file.writelines(known)
            file.flush()
            self.within("gw", "ip", "-batch", file.name)
        for _ in range(2):
            with sender(self.space("guests"), "air0", self.upwards(count)) as up:
                up.send(count)
            with sender(self.space("net"), "far0", self.downwards(count)) as down:
                down.send(count)

    def passed(self) -> list[int]:
        """Packets the gateway has sent to the internet and to the guests."""
        names = ("wan0", "guest0")
        return [int(self.within("gw", "cat", f"/sys/class/net/{name}/statistics/tx_packets")) for name in names]

    def tear_down(self) -> None:
        for part in ("guests", "gw", "net"):
            sh("ip", "netns", "del", self.space(part), check=False)


@contextmanager
def path(name: str) -> Iterator[Path]:
    made = Path(name)
    try:
        made.build()
        yield made
    finally:
        made.tear_down()
