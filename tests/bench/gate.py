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
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from door_twin import Twin, copy_town, sh, wait_for

from parvis.inventory import load

HERE = Path(__file__).parent
OURS = ("portal", "gatewayd")
GUESTS = "10.64.0.0/14"
FIRST = IPv4Address("10.64.1.0")
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

    def knock(self, **words: Any) -> dict[str, Any]:
        """What tests/bench/knock.py found, told *words*."""
        more = {"address": str(self.site.guest.gateway_ipv4), "port": 8443, "certificate": str(self.certificate)}
        paths = os.pathsep.join(
            str(part) for part in (HERE.parents[1], HERE, HERE.parent, HERE.parent / "captive_portal")
        )
        told = json.dumps({"threads": 16, **more, **words})
        argv = ("env", f"PYTHONPATH={paths}", sys.executable, str(HERE / "knock.py"), told)
        found: dict[str, Any] = json.loads(sh("ip", "netns", "exec", self.name("gw"), *argv, timeout=7200))
        return found

    def cpu_seconds(self) -> dict[str, float]:
        """CPU time used so far by our two processes."""
        return {name: cpu_seconds(self.processes[name].pid) for name in OURS}


def cpu_seconds(pid: int) -> float:
    """CPU time process *pid* has used, in user space and in the kernel (proc(5) 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def gate(devices: int) -> Iterator[Gate]:
    """A gateway that runs, with *devices* leases."""
    folder = Path(tempfile.mkdtemp(prefix="be-"))
    folder.chmod(0o755)
    town_folder = copy_town(folder / "town", "12h")
    site = town_folder / "sites" / "maison-services-publics.yml"
    text = site.read_text("utf-8")
    assert "10.11.0.0/22" in text
    site.write_text(text.replace("10.11.0.0/22", GUESTS), "utf-8")
    town = load(town_folder)
    made = Gate(town, town.site("maison-services-publics"), folder)
    try:
        made.build()
        made.are_local()
        made.lease(devices)
        made.start_gatewayd()
        made.start_portal()
        yield made
    finally:
        made.tear_down()
        shutil.rmtree(folder)


def settled(made: Gate, sessions: int) -> None:
    """Wait until the gateway admits *sessions* devices."""
    wait_for(lambda: made.metric(9201, "portal_sessions_active") == sessions, f"{sessions} sessions", 60)
