"""The kernel's side of the door: sessions and leases in nftables, through libnftables, one transaction at a time."""

import json
import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from typing import Any

import nftables

from captive_portal.admission import Admitted, Allow, Block, Deny, Step, Unblock
from captive_portal.protocol import OPEN_SESSION, Counted, Truth
from captive_portal.tables import ARP_TABLE, TABLE
from parvis.addresses import MacAddress

BURST_SECONDS = 0.25
"""Each direction's bucket holds this much of its rate, on top of the kernel's own second."""
SMALLEST_BURST = 32_000
"""Bytes; less would drop single segments of TCP with offloads."""
SIZED = {"auth": "map", "lease4": "set", "blocked": "set"}
OPEN_RATE = 1_250_000_000
"""Bytes per second for everybody together while the door is open to all: 10 Gbit/s, the uplink is the limit."""
FEW = 8
"""Up to so many MAC addresses are looked up one by one; beyond, the whole map is listed once."""
_ELEMENT = re.compile(r"expires (?P<left>(?:\d+(?:ms|[dhms]))+) : (?P<session>0x[0-9a-f]+|[0-9]+)\b")
_ERROR = re.compile(r"Error: ([^\n]*)")
_COUNTER = re.compile(r"counter packets (\d+) bytes (\d+)")
_COUNTED = re.compile(
    r"(0x[0-9a-f]+) limit [^,}]*?counter packets \d+ bytes (\d+)[^,}]*? expires ((?:\d+(?:ms|[dhms]))+)"
)
_EXPIRES = re.compile(r"expires ((?:\d+(?:ms|[dhms]))+)")
_DURATION = re.compile(r"(\d+)(ms|[dhms])")
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
Pair = tuple[IPv4Address, MacAddress]


class TransactionFailed(Exception):
    """The kernel refused a transaction; nothing of it was done. *words* are nftables' own."""


class Gateway:
    """nftables in this network namespace, for guests on *interface*. Needs CAP_NET_ADMIN. Not for several threads."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._nft = nftables.Nftables()
        self._loaded = ""

    def load(self, ruleset: str, leases: Mapping[Pair, int]) -> None:
        """Load *ruleset* and replace the leases (pair -> seconds) in one transaction; sessions stay.

        When sets have changed their shape, the tables are made anew and sessions must be admitted again.
        """
        refill = self._flush_leases() + self._leases_text(leases)
        try:
            self._run(ruleset + refill)
        except TransactionFailed:
            self._run(_REMOVE + ruleset + self._leases_text(leases))
        self._loaded = self._listing()

    def intact(self) -> bool:
        """Whether the kernel still holds the ruleset as it was loaded; elements are not compared."""
        return bool(self._loaded) and self._listing() == self._loaded

    def admitted(self) -> dict[MacAddress, Admitted]:
        """Everybody the kernel admits."""
        found = self._query(f"list map inet {TABLE} auth")
        return dict(_admitted(element) for element in _elements(found))

    def session(self, mac: MacAddress) -> Truth | None:
        """What the kernel knows of *mac*'s session; None when it is not admitted."""
        found = self._one(mac)
        if found is None:
            return None
        up, down = self._bytes("up", found.session), self._bytes("down", found.session)
        return Truth(found.session, found.seconds, up, down)

    def counters(self) -> list[Counted]:
        """Every session's bytes and seconds left, the open door's too."""
        up, down = self._counted("up"), self._counted("down")
        return [Counted(n, sent, down.get(n, (0, 0.0))[0], left) for n, (sent, left) in up.items()]

    def sizes(self) -> dict[str, int]:
        """Elements of the sets that may fill up, by name."""
        return {name: len(_elements(self._query(f"list {kind} inet {TABLE} {name}"))) for name, kind in SIZED.items()}

    def blocked(self, mac: MacAddress) -> float | None:
        """Seconds *mac* is still kept out; None when it is not."""
        return one_expiry(self._get(f"blocked {{ {mac} }}"))

    def open(self, seconds: int) -> None:
        """Let everybody pass for *seconds*, counted from now; 0 ends it, running flows included."""
        place = f'element inet {TABLE} open {{ "{self._interface}"'
        text = f"add {place} timeout 1s : {OPEN_SESSION} }}\ndelete {place} }}\n"
        text += "".join(_removed(name, OPEN_SESSION) for name in ("up", "down"))
        if seconds:
            text += f"add {place} timeout {seconds}s : {OPEN_SESSION} }}\n"
            text += "".join(_session_text(name, OPEN_SESSION, OPEN_RATE, seconds) for name in ("up", "down"))
        self._run(text)

    def open_seconds(self) -> float:
        """Seconds the door stays open to all, 0 when it is not."""
        return one_expiry(self._get(f'open {{ "{self._interface}" }}')) or 0.0

    def apply(self, steps: Iterable[Step]) -> None:
        """Do *steps* in one transaction: all or none. TransactionFailed when the kernel refuses twice."""
        todo = list(steps)
        try:
            self._run(self._steps_text(todo))
        except TransactionFailed:  # an element expired between the look and the deed
            self._run(self._steps_text(todo))

    def lease(self, gone: Iterable[Pair], held: Mapping[Pair, int]) -> None:
        """Let each pair of *held* (-> seconds) speak, those of *gone* no longer."""
        forget = {**dict.fromkeys(gone, 1), **held}
        self._run(self._leases_text(forget) + self._leases_text(forget, "delete") + self._leases_text(held))

    def _steps_text(self, steps: list[Step]) -> str:
        macs = [step.mac for step in steps]
        if len(macs) > FEW:
            present = self.admitted()
        else:
            present = {mac: found for mac in macs if (found := self._one(mac)) is not None}
        return "".join(self._step_text(step, present.get(step.mac)) for step in steps)

    def _step_text(self, step: Step, present: Admitted | None) -> str:
        match step:
            case Allow():
                return self._allow_text(step, present)
            case Unblock(mac):
                return f"add {_blocked(mac, ' timeout 1s')}delete {_blocked(mac)}"
            case Block(mac, seconds):
                kept_out = f"add {_blocked(mac, f' timeout {max(1, int(seconds))}s')}"
                return f"{self._step_text(Unblock(mac), None)}{kept_out}{self._denied(mac, present)}"
            case Deny(mac):
                return self._denied(mac, present)

    def _denied(self, mac: MacAddress, present: Admitted | None) -> str:
        if present is None:
            return ""
        text = f"delete element inet {TABLE} auth {{ {self._key(mac)} }}\n"
        return text + "".join(_removed(name, present.session) for name in ("up", "down"))

    def _allow_text(self, step: Allow, present: Admitted | None) -> str:
        """The session's elements; one that goes on keeps its bytes, whatever else changes."""
        seconds, text = max(1, int(step.seconds)), ""
        counted = {"up": "", "down": ""}
        if present is not None and present.session == step.session:
            counted = {name: one_counter(self._get(f"{name} {{ {step.session} }}")) for name in counted}
        text = self._denied(step.mac, present)
        text += f"add element inet {TABLE} auth {{ {self._key(step.mac)} timeout {seconds}s : {step.session} }}\n"
        for name, rate in (("up", step.up // 8), ("down", step.down // 8)):
            text += _removed(name, step.session) + _session_text(name, step.session, rate, seconds, counted[name])
        return text

    def _key(self, mac: MacAddress) -> str:
        return f'"{self._interface}" . {mac}'

    def _flush_leases(self) -> str:
        return f"flush set inet {TABLE} lease4\nflush set arp {ARP_TABLE} lease\n"

    def _leases_text(self, leases: Mapping[Pair, int], verb: str = "add") -> str:
        if not leases:
            return ""
        timeout = {pair: f" timeout {max(1, s)}s" if verb == "add" else "" for pair, s in leases.items()}
        routed = ", ".join(f"{self._key(mac)} . {address}{end}" for (address, mac), end in timeout.items())
        spoken = ", ".join(f"{mac} . {address}{end}" for (address, mac), end in timeout.items())
        return (
            f"{verb} element inet {TABLE} lease4 {{ {routed} }}\n{verb} element arp {ARP_TABLE} lease {{ {spoken} }}\n"
        )

    def _one(self, mac: MacAddress) -> Admitted | None:
        found = self._get(f"auth {{ {self._key(mac)} }}")
        return one_admitted(found) if found else None

    def _bytes(self, name: str, session: int) -> int:
        return one_count(self._get(f"{name} {{ {session} }}"))

    def _counted(self, name: str) -> dict[int, tuple[int, float]]:
        self._nft.set_json_output(False)  # nft 1.0.6 leaves the counter out of its JSON
        found = self._run(f"list set inet {TABLE} {name}")
        return {int(n, 0): (int(total), duration(left)) for n, total, left in _COUNTED.findall(found)}

    def _get(self, element: str) -> str:
        """The element as nftables prints it, empty when there is none; nft 1.0.6 gives no JSON for ``get``."""
        self._nft.set_json_output(False)
        try:
            return self._run(f"get element inet {TABLE} {element}")
        except TransactionFailed:
            return ""

    def _query(self, command: str) -> Any:
        self._nft.set_json_output(True)
        return json.loads(self._run(command) or "{}")

    def _listing(self) -> str:
        self._nft.set_json_output(False)
        self._nft.set_stateless_output(True)
        self._nft.set_terse_output(True)
        try:
            return self._run(f"list table inet {TABLE}") + self._run(f"list table arp {ARP_TABLE}")
        except TransactionFailed:
            return ""
        finally:
            self._nft.set_stateless_output(False)
            self._nft.set_terse_output(False)

    def _run(self, text: str) -> str:
        if not text:
            return ""
        failed, output, words = self._nft.cmd(text)
        if failed:
            raise TransactionFailed(without_quotation(str(words)))
        return str(output)


_REMOVE = "".join(
    f"table {family} {name} {{ }}\ndelete table {family} {name}\n"
    for family, name in (("inet", TABLE), ("arp", ARP_TABLE))
)


def without_quotation(words: str) -> str:
    r"""The errors in nftables' *words*, without the lines it quotes: those name devices, and words go to the log.

    >>> without_quotation("<cmd>:1:13: Error: Could not process rule: File exists\nadd element 02:00:00:00:00:01")
    'Could not process rule: File exists'
    """
    return "; ".join(_ERROR.findall(words)) or "no reason given"


def _removed(name: str, session: int) -> str:
    """Lines that remove an element whether or not it is there: adding it first makes the deletion succeed."""
    place = f"element inet {TABLE} {name}"
    return f"add {place} {{ {session} timeout 1s }}\ndelete {place} {{ {session} }}\n"


def _session_text(name: str, session: int, rate: int, seconds: int, counter: str = "counter") -> str:
    burst = max(SMALLEST_BURST, int(rate * BURST_SECONDS))
    return (
        f"add element inet {TABLE} {name} {{ {session} limit rate {rate} bytes/second "
        f"burst {burst} bytes {counter or 'counter'} timeout {seconds}s }}\n"
    )


def _blocked(mac: MacAddress, end: str = "") -> str:
    return f"element inet {TABLE} blocked {{ {mac}{end} }}\n"


def _elements(found: Any) -> list[Any]:
    return [
        element
        for item in found.get("nftables", [])
        for element in (item.get("map") or item.get("set") or {}).get("elem", [])
    ]


def _admitted(element: Any) -> tuple[MacAddress, Admitted]:
    key, session = element
    seconds = key["elem"].get("expires", key["elem"].get("timeout", 0))
    return MacAddress(key["elem"]["val"]["concat"][1]), Admitted(int(session), float(seconds))


def one_admitted(text: str) -> Admitted:
    """Read the one element of the map in *text*; ValueError when it has none, never a guess.

    >>> one_admitted('elements = { "guest0" . 02:00:00:00:00:01 timeout 12h expires 11h59m58s964ms : 0x00000007 }')
    Admitted(session=7, seconds=43198.964)
    """
    found = _ELEMENT.search(text)
    if found is None:
        raise ValueError("nftables prints elements differently than we know")
    return Admitted(int(found["session"], 0), duration(found["left"]))


def duration(text: str) -> float:
    """Seconds in a duration of nftables.

    >>> duration("1h2m3s40ms")
    3723.04
    """
    return round(sum(int(number) * _UNITS[unit] for number, unit in _DURATION.findall(text)), 3)


def one_expiry(text: str) -> float | None:
    """Seconds left of the one element in *text*; None when there is none.

    >>> one_expiry("elements = { 02:00:00:00:00:01 timeout 1m expires 59s500ms }")
    59.5
    """
    found = _EXPIRES.search(text)
    return duration(found[1]) if found else None


def one_counter(text: str) -> str:
    """The counter of the one element in *text* as nftables writes it, empty when there is none.

    >>> one_counter("0x00000007 limit rate 1 mbytes/second burst 5 kbytes counter packets 3 bytes 180 timeout 1m")
    'counter packets 3 bytes 180'
    """
    found = _COUNTER.search(text)
    return found[0] if found else ""


def one_count(text: str) -> int:
    """Bytes counted by the one element in *text*, 0 when there is none.

    >>> one_count("0x00000007 limit rate 1 mbytes/second burst 5 kbytes counter packets 3 bytes 180 timeout 1m")
    180
    """
    found = _COUNTER.search(text)
    return int(found[2]) if found else 0
