"""What portal and gatewayd say to each other: one JSON object a line over a Unix stream socket, 64 kB a request.

Requests are checked here, by hand and to the last key, because gatewayd is the one process with CAP_NET_ADMIN and
imports as little as it can. Answers come from gatewayd, which the portal trusts.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple

from captive_portal.admission import Allow, Block, Deny, Step, Unblock
from parvis.addresses import MacAddress

MAX_LINE = 64 * 1024
"""Longest request in bytes, its newline included."""
MAX_STEPS = 256
"""Most steps in one request; :func:`captive_portal.remote.Remote.apply` sends longer lists in parts."""
OPEN_SESSION = 2**32 - 1
"""The session number of everybody who has none while the door is open to all (:class:`Open`)."""
MAX_MARK = OPEN_SESSION - 1
MAX_SECONDS = 8 * 86400
MAX_RATE = 100_000_000_000
MAX_OPEN_SECONDS = 86400
MAX_WAIT = 60
"""Seconds a question for arrivals may wait."""
_STATION = re.compile(r"(?!00:00:00:00:00:00)[0-9a-f][02468ace](?::[0-9a-f]{2}){5}")
_json = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode  # json.dumps would make one a call
MAX_REVISION = 2**63
_ALLOW = {"allow", "session", "seconds", "down", "up"}


class Garbage(Exception):
    """The request is not one; whoever wrote the client must act."""


@dataclass(frozen=True, slots=True)
class Status:
    """Ask how the gateway is."""


@dataclass(frozen=True, slots=True)
class Identify:
    """Ask which MAC address speaks from this IP address; *session*: and what the kernel knows of its session."""

    address: IPv4Address | IPv6Address
    session: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """Ask what the kernel knows of this MAC address' session."""

    mac: MacAddress


@dataclass(frozen=True, slots=True)
class Everybody:
    """Ask whom the kernel admits, if somebody has changed it since revision *unless* (0: in any case).

    Every answer about sessions has the revision they are at; each Apply counts one, whoever asks for it.
    """

    unless: int = 0


@dataclass(frozen=True, slots=True)
class Apply:
    """Do these steps in one transaction: all or none."""

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Ask which devices appeared after number *after* of an earlier answer (0: all that are remembered).

    The answer comes at once when there are any, else after the first, or empty after *wait* seconds.
    """

    after: int
    wait: float


@dataclass(frozen=True, slots=True)
class Counters:
    """Ask for every session's bytes and time left."""


@dataclass(frozen=True, slots=True)
class Open:
    """Let everybody pass for *seconds* without acceptance; 0 closes. The kernel ends it by itself."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Device:
    """Ask everything the gateway knows of one device."""

    mac: MacAddress


Request = Status | Identify | Lookup | Everybody | Apply | Arrivals | Counters | Open | Device


@dataclass(frozen=True, slots=True)
class Truth:
    """A session as the kernel has it: number, seconds left, bytes up and down with IP headers (RFC 8908)."""

    session: int
    seconds: float
    bytes_up: int
    bytes_down: int


class Counted(NamedTuple):
    """One session's figures in the kernel: number, bytes up and down, seconds left."""

    session: int
    bytes_up: int
    bytes_down: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What the gateway knows of a device. None: nothing is known, or not so.

    *lease_age* seconds since the lease was given or renewed; *neighbour* the best of the kernel's words:
    reachable, delay, probe, stale, incomplete, failed; *blocked* seconds left; *twice* how it was seen at two places.
    """

    lease_age: float | None
    ipv4: int
    ipv6: int
    neighbour: str | None
    session: int | None
    seconds: float | None
    bytes_up: int
    bytes_down: int
    blocked: float | None
    twice: str | None


@dataclass(frozen=True, slots=True)
class State:
    """How the gateway is: *wrong* in words or empty, seconds the door stays open to all, elements by set."""

    wrong: str
    leases: int
    open: float
    sets: dict[str, int]


def parse(line: bytes) -> Request:
    """Read one request line; Garbage when it is not exactly one.

    >>> parse(b'{"op": "identify", "address": "10.11.0.5"}')
    Identify(address=IPv4Address('10.11.0.5'), session=False)
    """
    try:
        said = json.loads(line.decode())
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
        case Identify(address, session):
            said: dict[str, Any] = {"op": "visitor" if session else "identify", "address": str(address)}
        case Lookup(mac):
            said = {"op": "session", "mac": mac.text}
        case Apply(steps):
            said = {"op": "apply", "steps": [_step_out(step) for step in steps]}
        case Arrivals(after, wait):
            said = {"op": "arrivals", "after": after, "wait": wait}
        case Open(seconds):
            said = {"op": "open", "seconds": seconds}
        case Device(mac):
            said = {"op": "device", "mac": mac.text}
        case Everybody(unless):
            said = {"op": "admitted", "unless": unless}
        case Status() | Counters():
            said = {"op": _BARE[type(request)]}
    return _json(said).encode() + b"\n"


def answer(facts: Mapping[str, Any]) -> bytes:
    """The line of a good answer."""
    return _json({"ok": True, **facts}).encode() + b"\n"


def refusal(reason: str) -> bytes:
    """The line that says no, and why."""
    return _json({"ok": False, "error": reason}).encode() + b"\n"


def _step_out(step: Step) -> dict[str, Any]:
    match step:
        case Deny(mac):
            return {"deny": mac.text}
        case Block(mac, seconds):
            return {"block": mac.text, "seconds": seconds}
        case Unblock(mac):
            return {"unblock": mac.text}
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
    if isinstance(value, str) and _STATION.fullmatch(value):
        return MacAddress(value)  # as the portal writes it: by far the most
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
    if type(value) is not int:  # true is one to isinstance()
        raise Garbage("not a whole number")
    if not low <= value <= high:
        raise Garbage("a number out of range")
    return value


def _step(said: Any) -> Step:
    if not isinstance(said, dict):
        raise Garbage("a step is an object")
    if said.keys() == _ALLOW:  # by far the most
        return _allow(**said)
    if "deny" in said:
        _exactly(said, "deny")
        return Deny(_mac(said["deny"]))
    if "unblock" in said:
        _exactly(said, "unblock")
        return Unblock(_mac(said["unblock"]))
    if "block" in said:
        _exactly(said, "block", "seconds")
        return Block(_mac(said["block"]), _number(said["seconds"], 1, MAX_SECONDS))
    raise Garbage(f"wants exactly {', '.join(sorted(_ALLOW))}")


def _allow(allow: Any, session: Any, seconds: Any, down: Any, up: Any) -> Allow:
    rates = (_whole(rate, 8_000, MAX_RATE) for rate in (down, up))
    return Allow(_mac(allow), _whole(session, 1, MAX_MARK), _number(seconds, 1, MAX_SECONDS), *rates)


def _identify(said: dict[str, Any], *, session: bool = False) -> Request:
    _exactly(said, "address")
    try:
        if not isinstance(said["address"], str):
            raise Garbage("an address is a text")
        return Identify(ip_address(said["address"]), session)
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


def _arrivals(said: dict[str, Any]) -> Request:
    _exactly(said, "after", "wait")
    return Arrivals(_whole(said["after"], 0, 2**63), _number(said["wait"], 0, MAX_WAIT))


def _open(said: dict[str, Any]) -> Request:
    _exactly(said, "seconds")
    return Open(_whole(said["seconds"], 0, MAX_OPEN_SECONDS))


def _device(said: dict[str, Any]) -> Request:
    _exactly(said, "mac")
    return Device(_mac(said["mac"]))


def _everybody(said: dict[str, Any]) -> Request:
    _exactly(said, "unless")
    return Everybody(_whole(said["unless"], 0, MAX_REVISION))


def _bare(request: Request) -> Callable[[dict[str, Any]], Request]:
    def read(said: dict[str, Any]) -> Request:
        _exactly(said)
        return request

    return read


_BARE: dict[type[Status | Counters], str] = {
    Status: "status",
    Counters: "counters",
}
_READERS: dict[str, Callable[[dict[str, Any]], Request]] = {
    "identify": _identify,
    "visitor": partial(_identify, session=True),
    "session": _lookup,
    "admitted": _everybody,
    "apply": _apply,
    "arrivals": _arrivals,
    "open": _open,
    "device": _device,
    **{word: _bare(kind()) for kind, word in _BARE.items()},
}
