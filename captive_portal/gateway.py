"""The kernel's side of the door: sessions and leases in nftables, through libnftables, one transaction at a time."""

import json
import re
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from typing import Any

import nftables

from captive_portal.admission import Admitted, Allow, Deny, Step
from captive_portal.protocol import Truth
from captive_portal.tables import ARP_TABLE, TABLE
from parvis.addresses import MacAddress

BURST_SECONDS = 0.25
"""Each direction's bucket holds this much of its rate, on top of the kernel's own second."""
SMALLEST_BURST = 32_000
"""Bytes; less would drop single segments of TCP with offloads."""
FEW = 8
"""Up to so many MAC addresses are looked up one by one; beyond, the whole map is listed once."""
_ELEMENT = re.compile(r"expires (?P<left>(?:\d+(?:ms|[dhms]))+) : (?P<session>0x[0-9a-f]+|[0-9]+)\b")
_ERROR = re.compile(r"Error: ([^\n]*)")
_COUNTER = re.compile(r"counter packets \d+ bytes (\d+)")
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
        text = ""
        if present is not None:
            text += f"delete element inet {TABLE} auth {{ {self._key(step.mac)} }}\n"
            text += "".join(_removed(name, present.session) for name in ("up", "down"))
        if isinstance(step, Deny):
            return text
        return text + self._allow_text(step)

    def _allow_text(self, step: Allow) -> str:
        seconds = max(1, int(step.seconds))
        rates = {"up": step.up // 8, "down": step.down // 8}
        text = f"add element inet {TABLE} auth {{ {self._key(step.mac)} timeout {seconds}s : {step.session} }}\n"
        for name, rate in rates.items():
            burst = max(SMALLEST_BURST, int(rate * BURST_SECONDS))
            text += _removed(name, step.session) + (
                f"add element inet {TABLE} {name} {{ {step.session} limit rate {rate} bytes/second "
                f"burst {burst} bytes counter timeout {seconds}s }}\n"
            )
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


def _elements(found: Any) -> list[Any]:
    return [element for item in found.get("nftables", []) for element in item.get("map", {}).get("elem", [])]


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
    seconds = sum(int(number) * _UNITS[unit] for number, unit in _DURATION.findall(found["left"]))
    return Admitted(int(found["session"], 0), round(seconds, 3))


def one_count(text: str) -> int:
    """Bytes counted by the one element in *text*, 0 when there is none.

    >>> one_count("0x00000007 limit rate 1 mbytes/second burst 5 kbytes counter packets 3 bytes 180 timeout 1m")
    180
    """
    found = _COUNTER.search(text)
    return int(found[1]) if found else 0
