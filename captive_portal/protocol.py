"""What portal and gatewayd say to each other: one JSON object a line over a Unix stream socket, 64 kB a request.

Requests are checked here, by hand and to the last key, because gatewayd is the one process with CAP_NET_ADMIN and
imports as little as it can. Answers come from gatewayd, which the portal trusts.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from captive_portal.admission import Admitted, Allow, Deny, Step
from parvis.addresses import MacAddress

MAX_LINE = 64 * 1024
"""Longest request in bytes, its newline included."""
MAX_STEPS = 256
"""Most steps in one request; :func:`captive_portal.remote.Remote.apply` sends longer lists in parts."""
MAX_MARK = 2**32 - 1
MAX_SECONDS = 8 * 86400
MAX_RATE = 100_000_000_000


class Garbage(Exception):
    """The request is not one; whoever wrote the client must act."""


@dataclass(frozen=True, slots=True)
class Status:
    """Ask how the gateway is."""


@dataclass(frozen=True, slots=True)
class Identify:
    """Ask which MAC address speaks from this IP address."""

    address: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Lookup:
    """Ask what the kernel knows of this MAC address' session."""

    mac: MacAddress


@dataclass(frozen=True, slots=True)
class Everybody:
    """Ask whom the kernel admits."""


@dataclass(frozen=True, slots=True)
class Apply:
    """Do these steps in one transaction: all or none."""

    steps: tuple[Step, ...]


Request = Status | Identify | Lookup | Everybody | Apply


@dataclass(frozen=True, slots=True)
class Truth:
    """A session as the kernel has it: number, seconds left, bytes up and down with IP headers (RFC 8908)."""

    session: int
    seconds: float
    bytes_up: int
    bytes_down: int


def parse(line: bytes) -> Request:
    """Read one request line; Garbage when it is not exactly one.

    >>> parse(b'{"op": "identify", "address": "10.11.0.5"}')
    Identify(address=IPv4Address('10.11.0.5'))
    """
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Garbage("not JSON") from error
    if not isinstance(said, dict) or not isinstance(said.get("op"), str):
        raise Garbage("not an object with an op")
    read = _READERS.get(said.pop("op"))
    if read is None:
        raise Garbage("unknown op")
    return read(said)


def render(request: Request) -> bytes:
    """The line for *request*, newline included; the inverse of :func:`parse`."""
    match request:
        case Identify(address):
            said: dict[str, Any] = {"op": "identify", "address": str(address)}
        case Lookup(mac):
            said = {"op": "session", "mac": mac.text}
        case Apply(steps):
            said = {"op": "apply", "steps": [_step_out(step) for step in steps]}
        case Everybody():
            said = {"op": "admitted"}
        case Status():
            said = {"op": "status"}
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def answer(facts: Mapping[str, Any]) -> bytes:
    """The line of a good answer."""
    return json.dumps({"ok": True, **facts}, separators=(",", ":")).encode() + b"\n"


def refusal(reason: str) -> bytes:
    """The line that says no, and why."""
    return json.dumps({"ok": False, "error": reason}, separators=(",", ":")).encode() + b"\n"


def admitted_out(admitted: Mapping[MacAddress, Admitted]) -> dict[str, Any]:
    """The answer to Everybody."""
    return {"admitted": [[mac.text, one.session, round(one.seconds, 3)] for mac, one in admitted.items()]}


def admitted_in(said: Mapping[str, Any]) -> dict[MacAddress, Admitted]:
    """Read the answer to Everybody."""
    return {MacAddress(mac): Admitted(session, seconds) for mac, session, seconds in said["admitted"]}


def _step_out(step: Step) -> dict[str, Any]:
    if isinstance(step, Deny):
        return {"deny": step.mac.text}
    return {
        "allow": step.mac.text,
        "session": step.session,
        "seconds": step.seconds,
        "down": step.down,
        "up": step.up,
    }


def _exactly(said: dict[str, Any], *keys: str) -> None:
    if said.keys() != set(keys):
        raise Garbage(f"wants exactly {', '.join(keys) or 'no key'}")


def _mac(value: Any) -> MacAddress:
    try:
        mac = MacAddress.parse(value) if isinstance(value, str) else None
    except ValueError as error:
        raise Garbage("not a MAC address") from error
    if mac is None or mac.text == "00:00:00:00:00:00" or int(mac.text[:2], 16) & 1:
        raise Garbage("not a station's MAC address")
    return mac


def _number(value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Garbage("not a number")
    if not low <= value <= high:
        raise Garbage("a number out of range")
    return value


def _whole(value: Any, low: int, high: int) -> int:
    if not isinstance(value, int):
        raise Garbage("not a whole number")
    return int(_number(value, low, high))


def _step(said: Any) -> Step:
    if not isinstance(said, dict):
        raise Garbage("a step is an object")
    if "deny" in said:
        _exactly(said, "deny")
        return Deny(_mac(said["deny"]))
    _exactly(said, "allow", "session", "seconds", "down", "up")
    return Allow(
        mac=_mac(said["allow"]),
        session=_whole(said["session"], 1, MAX_MARK),
        seconds=_number(said["seconds"], 1, MAX_SECONDS),
        down=_whole(said["down"], 8_000, MAX_RATE),
        up=_whole(said["up"], 8_000, MAX_RATE),
    )


def _identify(said: dict[str, Any]) -> Request:
    _exactly(said, "address")
    try:
        if not isinstance(said["address"], str):
            raise Garbage("an address is a text")
        return Identify(ip_address(said["address"]))
    except ValueError as error:
        raise Garbage("not an IP address") from error


def _lookup(said: dict[str, Any]) -> Request:
    _exactly(said, "mac")
    return Lookup(_mac(said["mac"]))


def _apply(said: dict[str, Any]) -> Request:
    _exactly(said, "steps")
    if not isinstance(said["steps"], list) or len(said["steps"]) > MAX_STEPS:
        raise Garbage(f"steps is a list of at most {MAX_STEPS}")
    steps = tuple(_step(one) for one in said["steps"])
    if len({step.mac for step in steps}) != len(steps):
        raise Garbage("one step a MAC address")
    return Apply(steps)


def _everybody(said: dict[str, Any]) -> Request:
    _exactly(said)
    return Everybody()


def _status(said: dict[str, Any]) -> Request:
    _exactly(said)
    return Status()


_READERS: dict[str, Callable[[dict[str, Any]], Request]] = {
    "identify": _identify,
    "session": _lookup,
    "apply": _apply,
    "admitted": _everybody,
    "status": _status,
}
