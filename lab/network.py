"""Build and remove a plan's namespaces with ip(8); the host's own network is never named."""

import fcntl
import os
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from lab.inside import set_sysctls
from lab.plan import End, Plan, Route
from parvis.durable import naming
from parvis.namespaces import NAMESPACES

ETC = Path("/etc/netns")
"""ip-netns(8): files here replace those of /etc for programs started in a namespace."""

QUIET = {
    "net/ipv6/conf/all/accept_dad": "0",
    "net/ipv6/conf/default/accept_dad": "0",
    "net/ipv6/conf/default/router_solicitation_delay": "0",
    "net/ipv6/conf/default/use_tempaddr": "2",
    "net/ipv4/ping_group_range": "0 2147483647",
}
"""Addresses are usable at once; a resident's phone changes its IPv6 address as real ones do (RFC 8981)."""
ROUTING = {
    "net/ipv4/ip_forward": "1",
    "net/ipv4/conf/all/send_redirects": "0",
    "net/ipv4/conf/default/send_redirects": "0",
    "net/ipv6/conf/all/forwarding": "1",
    "net/ipv6/conf/default/forwarding": "1",
    "net/netfilter/nf_conntrack_acct": "1",
    "net/netfilter/nf_conntrack_timestamp": "1",
}


class CommandFailed(Exception):
    """A program of the lab's ended with an error; its own words follow. The person at the keyboard must act."""


def run(*argv: str, given: str = "") -> str:
    """The standard output of a command; CommandFailed with its standard error. It holds the twin while it runs."""
    done = subprocess.run(argv, input=given, capture_output=True, text=True, check=False, close_fds=False)
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(argv)}: {done.stderr.strip() or f'exit code {done.returncode}'}")
    return done.stdout


def build(plan: Plan) -> None:
    """Make every namespace, bridge, wire, address and route of *plan*."""
    for name in plan.namespaces:
        run("ip", "netns", "add", name)
        set_sysctls(name, QUIET | (ROUTING if name in plan.routers else {}))
    run("ip", "-batch", "-", given="\n".join(_wires(plan)))
    for name, lines in _inner_commands(plan).items():
        run("ip", "-n", name, "-batch", "-", given="\n".join(lines))


def _wires(plan: Plan) -> Iterable[str]:
    for wire in plan.wires:
        yield f"link add {_created(wire.one)} type veth peer {_created(wire.other)}"


def _created(end: End) -> str:
    return f"name {end.interface} {f'address {end.mac} ' if end.mac else ''}netns {end.namespace}"


def _inner_commands(plan: Plan) -> dict[str, list[str]]:
    lines: dict[str, list[str]] = defaultdict(list)
    for name in plan.namespaces:
        lines[name].append("link set dev lo up")
    for name, address in plan.loopbacks.items():
        lines[name].append(f"address add {address} dev lo")
    for bridge in plan.bridges:
        lines[bridge.namespace].append(f"link add name {bridge.name} type bridge mcast_snooping 0")
        lines[bridge.namespace] += [f"address add {address} dev {bridge.name}" for address in bridge.addresses]
        lines[bridge.namespace].append(f"link set dev {bridge.name} up")
    for wire in plan.wires:
        for end in (wire.one, wire.other):
            lines[end.namespace] += _attached(end)
    for route in plan.routes:
        lines[route.namespace].append(_route(route))
    return lines


def _route(route: Route) -> str:
    return f"route replace {route.to} via {route.via}{f' src {route.source}' if route.source else ''}"


def _attached(end: End) -> Iterable[str]:
    if end.bridge:
        yield f"link set dev {end.interface} master {end.bridge}"
    if end.isolated:
        yield f"link set dev {end.interface} type bridge_slave isolated on"
    for address in end.addresses:
        yield f"address add {address} dev {end.interface}{' nodad' if ':' in address else ''}"
    yield f"link set dev {end.interface} up"


def set_link(namespace: str, interface: str, *, up: bool) -> None:
    """Plug an interface in, or unplug it: its other end loses the carrier."""
    run("ip", "-n", namespace, "link", "set", "dev", interface, "up" if up else "down")


def restore(plan: Plan, namespace: str) -> None:
    """Give back the routes the kernel forgot while the interfaces of *namespace* were down."""
    lines = [_route(route) for route in plan.routes if route.namespace == namespace]
    run("ip", "-n", namespace, "-batch", "-", given="\n".join(lines))


def interfaces(namespace: str) -> list[str]:
    """The interfaces of a namespace, without the loopback."""
    listed = run("ip", "-n", namespace, "-brief", "link").splitlines()
    return [name for name in (line.split()[0].split("@")[0] for line in listed) if name != "lo"]


def addresses(namespace: str, interface: str) -> list[str]:
    """The addresses of an interface that are not link-local, IPv4 first."""
    shown = run("ip", "-n", namespace, "-oneline", "address", "show", "dev", interface, "scope", "global")
    return [line.split()[3].split("/")[0] for line in shown.splitlines()]


def existing(prefix: str) -> list[str]:
    """The namespaces there are whose name starts with *prefix*."""
    return sorted(path.name for path in NAMESPACES.glob(f"{prefix}*")) if NAMESPACES.is_dir() else []


def resolver(namespace: str, servers: Iterable[str]) -> None:
    """Give the programs of *namespace* a resolver of their own; the host's is untouched."""
    folder = ETC / namespace
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "resolv.conf"
    with naming(file):
        file.write_text("".join(f"nameserver {server}\n" for server in servers))


def remove(prefix: str) -> None:
    """Remove every namespace called *prefix*…, what /etc/netns says of them, and the folders if that empties them."""
    for name in existing(prefix):
        run("ip", "netns", "delete", name)
    for folder in ETC.glob(f"{prefix}*"):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    if ETC.is_dir() and not any(ETC.iterdir()):
        ETC.rmdir()
    _remove_mount_point()


def _remove_mount_point() -> None:
    """Undo the mount that the first ``ip netns add`` made, unless somebody has namespaces there."""
    if not NAMESPACES.is_dir():
        return
    handle = os.open(NAMESPACES, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if any(NAMESPACES.iterdir()):
            return
    finally:
        os.close(handle)
    for _ in range(_times_mounted(NAMESPACES)):
        run("umount", str(NAMESPACES))
    NAMESPACES.rmdir()


def _times_mounted(folder: Path) -> int:
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    return sum(1 for line in mounts if line.split()[4] == str(folder))
