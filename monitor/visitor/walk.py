"""One visit, in the guest's own network namespace: who is there, a lease, and the whole way to the internet and back.

What to do comes as one JSON object on standard input, what was found leaves as one on standard output.
"""

import ipaddress
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from monitor.guests import INTRUDERS, MOST_SUSPECTS, Kind, Known, Sighting, judge
from monitor.probes import dns
from monitor.probes.guest_wire import Wire, sightings, suspicious
from monitor.probes.lease import Lease, NoLease, take

ASK_SECONDS = 1.0
DNS_SECONDS = 5.0
"""As long as a phone's first try."""
IPV6_SECONDS = 5.0
VISIT_SECONDS = 40.0
RESOLVER = Path("/etc/resolv.conf")
PROVEN_BY = "api-captive"
"""The step that has seen the portal's certificate: what answered it is the gateway."""


@dataclass(frozen=True, slots=True)
class Orders:
    """One visit's orders. *addresses*: the gateway's own on this network, IPv4 first; *frames*: suspicious ones."""

    interface: str
    resolver: str
    addresses: tuple[str, ...]
    ipv6: bool
    ca: str
    frames: tuple[bytes, ...]
    gateway: str


@dataclass
class Found:
    """What a visit found. *gateway*: the MAC address that proved itself; *program*: the filter that goes with it."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    hazards: Mapping[str, int] = field(default_factory=dict)
    suspects: Mapping[str, list[str]] = field(default_factory=dict)
    """By hazard the MAC addresses of intruders: the monitor has switches asked where they are, and forgets them."""
    gateway: str = ""
    program: list[tuple[int, int, int, int]] = field(default_factory=list)

    def step(self, name: str, deed: Callable[[], Any]) -> Any:
        """Do *deed* and note how it went; None when it went wrong."""
        started, wrong, result = time.monotonic(), "", None
        try:
            result = deed()
        except (NoLease, OSError, subprocess.SubprocessError) as error:
            wrong = str(error) or type(error).__name__
        self.steps.append({"name": name, "seconds": round(time.monotonic() - started, 4), "wrong": wrong[:200]})
        return result


def visit(orders: Orders) -> Found:
    """Everything, in order; what fails ends the walk, and the network is judged all the same."""
    found = Found(gateway=orders.gateway)
    with Wire(orders.interface, _mac(orders.interface)) as wire:
        lease: Lease | None = found.step("lease", lambda: take(wire, orders.addresses[0]))
        own = () if lease is None else (str(lease.address),)
        wire.who_is(*orders.addresses, *own)
        wire.hear(ASK_SECONDS)
        seen = [*wire.seen, *(one for frame in orders.frames for one in sightings(frame))]
        seen += [Sighting(Kind.CLAIM, wire.mac, address) for address in own]
    if lease is not None and _configured(found, orders, lease) and _resolved(found, lease):
        found.steps += _walk(orders, lease)
        if any(step["name"] == PROVEN_BY and not step["wrong"] for step in found.steps):
            found.gateway = _neighbour(orders)
    hazards = judge(seen, Known(found.gateway, frozenset(orders.addresses)))
    found.hazards = {hazard.value: len(who) for hazard, who in hazards.items()}
    found.suspects = {one.value: sorted(hazards[one])[:MOST_SUSPECTS] for one in INTRUDERS if one in hazards}
    if found.gateway:
        found.program = suspicious(found.gateway, int(ipaddress.IPv4Address(orders.addresses[0])))
    return found


def _configured(found: Found, orders: Orders, lease: Lease) -> bool:
    """Use the lease as a phone would: address, route, resolver, and an IPv6 address of its own where there is IPv6."""

    def use() -> None:
        name = orders.interface
        _run("ip", "-4", "address", "flush", "dev", name)
        _run("ip", "-4", "address", "replace", f"{lease.address}/{lease.prefix}", "dev", name)
        _run("ip", "-4", "route", "replace", "default", "via", str(lease.router), "dev", name)
        Path(orders.resolver).write_text("".join(f"nameserver {one}\n" for one in lease.resolvers), "ascii")
        if orders.ipv6:
            _await_ipv6(name)

    found.step("addresses", use)
    return not found.steps[-1]["wrong"]


def _resolved(found: Found, lease: Lease) -> bool:
    """The portal's own name, asked of the resolvers as they came with the lease; each must answer."""
    name = urlsplit(lease.api).hostname or ""

    def ask_each() -> None:
        if not lease.resolvers:
            raise NoLease("the lease names no resolver")
        for resolver in lease.resolvers:
            dns.ask(str(resolver), name, DNS_SECONDS)

    found.step("dns", ask_each)
    return not found.steps[-1]["wrong"]


def _await_ipv6(interface: str) -> None:
    until = time.monotonic() + IPV6_SECONDS
    while time.monotonic() < until:
        shown = json.loads(_run("ip", "-json", "-6", "address", "show", "dev", interface, "scope", "global"))
        if any(one.get("addr_info") for one in shown):
            return
        time.sleep(0.1)
    raise NoLease("no IPv6 address: no router advertisement was followed")


def _walk(orders: Orders, lease: Lease) -> list[dict[str, Any]]:
    """The steps of ``parvis visit``, in a process of its own: the door is another room."""
    argv = [sys.executable, "-OO", str(Path(sys.executable).with_name("parvis")), "visit", lease.api, "--json"]
    argv += ["--ca", orders.ca] if orders.ca else []
    argv += [] if orders.ipv6 else ["--ipv4-only"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=VISIT_SECONDS, check=False)  # noqa: S603 ours
    except subprocess.TimeoutExpired:
        return [{"name": "visit", "seconds": VISIT_SECONDS, "wrong": "the visit did not end in time"}]
    steps = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not steps:
        last = done.stderr.strip().splitlines()[-1:] or ["no word"]
        return [{"name": "visit", "seconds": 0.0, "wrong": f"the visit could not begin: {last[0]}"[:200]}]
    return steps


def _neighbour(orders: Orders) -> str:
    shown = json.loads(_run("ip", "-json", "neigh", "show", "to", orders.addresses[0], "dev", orders.interface))
    return str(shown[0].get("lladdr", "")).lower() if shown else ""


def _mac(interface: str) -> str:
    return (Path("/sys/class/net") / interface / "address").read_text().strip()


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603 ip(8)
    if done.returncode:
        raise OSError(f"{' '.join(argv[:4])}: {done.stderr.strip()}")
    return done.stdout


def main() -> None:
    """Read the orders, visit, tell."""
    given = json.load(sys.stdin)
    given["frames"] = tuple(bytes.fromhex(one) for one in given["frames"])
    orders = Orders(**{**given, "addresses": tuple(given["addresses"])})
    found = visit(orders)
    json.dump(asdict(found), sys.stdout)


if __name__ == "__main__":
    main()
