"""One gateway with its real gatewayd and portal, in namespaces of our own, and thousands of devices that have a lease.

The devices are addresses of the guest network that speak from within the gateway's namespace (its loopback is told
that they are all local), so one driver can be any of them. Their packets do not cross the guest interface: what is
measured is the portal, its store, gatewayd and the kernel's sets. The data plane has a bench of its own.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from door_twin import Twin
from path import FIRST, GUESTS, SITE, wide_town
from resident import sh, wait_for

from parvis.inventory import load

_numbers = count(os.getpid() * 10)
"""Several gateways of one run have names of their own."""
HERE = Path(__file__).parent
OURS = ("portal", "gatewayd")
KEY = "0123456789abcdef" * 4
"""The portal's key in this bench: the driver signs its own forms with it."""
LEASE_SECONDS = 7 * 86400
COLUMNS = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state"


def address_of(number: int) -> str:
    """The address of device *number*."""
    return str(FIRST + number)


def mac_of(number: int) -> str:
    """The MAC address of device *number*, locally administered."""
    return "02:be:" + number.to_bytes(4, "big").hex(":")


class Gate(Twin):
    """The gateway of the demo town's first site, its guest network widened for many devices."""

    def name(self, part: str) -> str:
        return f"be-{self.number}-{part}"

    def lease(self, count: int) -> None:
        """Write the leases of devices 1 to *count* as Kea would."""
        here = self.leases.parent
        here.mkdir(exist_ok=True)
        expires = int(time.time()) + LEASE_SECONDS
        rows = (f"{address_of(n)},{mac_of(n)},,{LEASE_SECONDS},{expires},1,0,0,,0\n" for n in range(1, count + 1))
        self.leases.write_text(COLUMNS + "\n" + "".join(rows), "ascii")
        sh("chmod", "-R", "a+rX", str(here))

    def are_local(self) -> None:
        """Let programs in the gateway's namespace speak from every guest address."""
        self.within("gw", "ip", "route", "add", "local", GUESTS, "dev", "lo", "table", "local")

    def street(self, numbers: Iterable[int]) -> None:
        """Give each of *numbers* a device of its own, in the first resident's namespace."""
        self.within("c1", "sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
        self.within("c1", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
        lines = []
        for n in numbers:
            lines.append(f"link add link eth0 name mv{n} address {mac_of(n)} type macvlan mode private\n")
            lines.append(f"address add {address_of(n)}/14 dev mv{n}\nlink set mv{n} up\n")
            lines.append(f"route add default via {self.site.guest.gateway_ipv4} dev mv{n} metric {n}\n")
        file = self.folder / "street"
        file.write_text("".join(lines), "ascii")
        self.within("c1", "ip", "-batch", str(file))

    def walk(self, **words: Any) -> dict[str, Any]:
        """What tests/bench/street.py found, told *words*: residents on the guest network itself."""
        more = {"gateway": str(self.site.guest.gateway_ipv4), "certificate": str(self.certificate)}
        return self._told("c1", "street.py", {"threads": 1, "servers": self.servers(), **more, **words})

    def servers(self) -> list[int]:
        """The processes that serve here: ours, or openNDS."""
        return [self.processes[name].pid for name in (*OURS, "opennds") if name in self.processes]

    def knock(self, **words: Any) -> dict[str, Any]:
        """What tests/bench/knock.py found, told *words*: residents within the gateway's namespace."""
        more = {"address": str(self.site.guest.gateway_ipv4), "port": 8443, "certificate": str(self.certificate)}
        return self._told("gw", "knock.py", {"threads": 16, "servers": self.servers(), **more, **words})

    def _told(self, part: str, script: str, words: dict[str, Any]) -> dict[str, Any]:
        places = (HERE.parents[1], HERE, HERE.parent, HERE.parent / "captive_portal")
        paths = os.pathsep.join(str(place) for place in places)
        argv = ("env", f"PYTHONPATH={paths}", sys.executable, str(HERE / script), json.dumps(words))
        found: dict[str, Any] = json.loads(sh("ip", "netns", "exec", self.name(part), *argv, timeout=7200))
        return found

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time used so far by our two processes."""
        return {name: cpu_seconds(self.processes[name].pid) for name in OURS}


def cpu_seconds(pid: int) -> float:
    """CPU time process *pid* has used, in user space and in the kernel (proc(5) 14 and 15)."""
    return sum(_ticks(pid)[:2]) / os.sysconf("SC_CLK_TCK")


def whole_cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time of *pids* and of all they started, whoever of them has ended and was waited for included."""
    return sum(sum(_ticks(one)) for pid in pids for one in (pid, *descendants(pid))) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> list[int]:
    """User and kernel time of *pid*, and of its children that have ended; nothing for one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return []
    return [int(field) for field in fields[11:15]]


def descendants(pid: int) -> list[int]:
    """All processes that *pid* started, and those they started."""
    try:
        own = [int(n) for file in Path(f"/proc/{pid}/task").glob("*/children") for n in file.read_text("ascii").split()]
    except OSError:
        return []
    return own + [further for child in own for further in descendants(child)]


@contextmanager
def built(devices: int) -> Iterator[Gate]:
    """A gateway's namespaces, an internet behind it, and *devices* leases; none of our processes runs."""
    folder = Path(tempfile.mkdtemp(prefix="be-"))
    folder.chmod(0o755)
    town = load(wide_town(folder / "town"))
    made = Gate(town, town.site(SITE), folder, number=next(_numbers))
    try:
        made.build()
        made.lease(devices)
        made.start_internet()
        yield made
    finally:
        made.tear_down()
        shutil.rmtree(folder)


@contextmanager
def gate(devices: int, *, local: bool = True) -> Iterator[Gate]:
    """The same, with gatewayd and the portal at work; where *local*, devices speak from the gateway's namespace."""
    with built(devices) as made:
        if local:
            made.are_local()
        made.start_gatewayd()
        made.start_portal()
        yield made


def settled(made: Gate, sessions: int) -> None:
    """Wait until the gateway admits *sessions* devices."""
    wait_for(lambda: made.metric(9201, "portal_sessions_active") == sessions, f"{sessions} sessions", 60)


def calm(made: Gate) -> None:
    """Wait until our two processes do what they always do: what a start leaves to be done is done, and not measured.

    That is up to 0.2 of a core with 20,000 sessions, and ten times as much while they start.
    """

    def share() -> float:
        before = sum(made.cpu_seconds().values())
        time.sleep(2)
        return (sum(made.cpu_seconds().values()) - before) / 2

    wait_for(lambda: share() < 0.3, "calm processes", 120)
