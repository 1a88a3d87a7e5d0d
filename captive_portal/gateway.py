"""The kernel's side of the door: sessions and leases in nftables, through libnftables, one transaction at a time."""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

import nftables

from captive_portal import netlink as nl
from captive_portal.admission import Admitted, Allow, Block, Step, Unblock
from captive_portal.elements import Element, Elements
from captive_portal.picture import packets_counted, picture
from captive_portal.protocol import OPEN_SESSION, Counted, Truth
from captive_portal.tables import ARP_TABLE, TABLE
from captive_portal.transaction import Limit, Transaction, TransactionFailed, connected
from parvis.addresses import MacAddress

BURST_SECONDS = 0.25
"""Each direction's bucket holds this much of its rate, on top of the kernel's own second."""
SMALLEST_BURST = 32_000
"""Bytes; less would drop single segments of TCP with offloads."""
DIRECTIONS = ("up", "down")
GARDEN = {4: "garden4", 6: "garden6"}
GARDEN_SECONDS = 7200
"""As long as an answer may be in use: half an hour in dnsmasq, half an hour in a phone, and as much again."""
SIZED = ("auth", "lease4", "blocked", "known6", "garden4", "garden6")
LEASES_AT_ONCE = 500
MANY = 32
"""So many steps are tried at once before each device is looked up; fewer come from people, who may well be in."""
MARK_BYTES = 4
SLOT = 16
"""An interface's name fills so many bytes of a key (IFNAMSIZ), a MAC address is padded to eight."""
OPEN_RATE = 1_250_000_000
"""Bytes per second for everybody together while the door is open to all: 10 Gbit/s, the uplink is the limit."""
_ERROR = re.compile(r"Error: ([^\n]*)")
Pair = tuple[IPv4Address, MacAddress]


class Gateway:
    """nftables in this network namespace, for guests on *interface*. Needs CAP_NET_ADMIN. Not for several threads."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._nft = nftables.Nftables()
        self._loaded: list[bytes] = []
        self._elements, self._channel = Elements(TABLE), connected()
        self._slow = Elements(TABLE)
        """For readings in parts: quick questions are answered in between, over the other."""
        self._slot = interface.encode().ljust(SLOT, b"\0")

    def load(self, ruleset: str, leases: Mapping[Pair, int]) -> None:
        """Load *ruleset* in one transaction, then let exactly *leases* (pair -> seconds) speak; sessions stay.

        When sets have changed their shape, the tables are made anew and sessions must be admitted again.
        """
        try:
            self._run(ruleset)
        except TransactionFailed:
            self._run(_REMOVE + ruleset)
        self._loaded = []  # until the leases are in, whoever looks finds that it must be done again
        self.lease({**dict.fromkeys(self._leased(), 0), **leases})
        self._loaded = self._picture()

    def intact(self) -> bool:
        """Whether the kernel still holds the ruleset as it was loaded; elements are not compared."""
        return bool(self._loaded) and self._picture() == self._loaded

    def admitted(self) -> dict[MacAddress, Admitted]:
        """Everybody the kernel admits."""
        return {MacAddress(m.hex(":")): Admitted(number, left) for part in self.rows() for m, number, left in part}

    def rows(self) -> Iterator[list[tuple[bytes, int, float]]]:
        """The same as (MAC address, session, seconds left), all of one moment, made out in parts."""
        with suppress(FileNotFoundError):  # somebody flushed the tables: nobody is in
            for part in self._elements.parts("auth"):
                yield [(one.key[SLOT : SLOT + 6], _number(one.data), one.seconds or 0.0) for one in part]

    def session(self, mac: MacAddress) -> Truth | None:
        """What the kernel knows of *mac*'s session; None when it is not admitted."""
        found = self._admitted_of([mac]).get(mac)
        if found is None:
            return None
        up, down = (self._counted(name, [found.session]).get(found.session) for name in DIRECTIONS)
        return Truth(found.session, found.seconds, _bytes(up), _bytes(down))

    def counters(self) -> list[Counted]:
        """Every session's bytes and seconds left, the open door's too."""
        return [one for part in self.counting() for one in part]

    def counting(self) -> Iterator[list[Counted]]:
        """The same in parts, between which others may be served; what ends or begins meanwhile may be missing.

        One at a time: the next begins the reading anew, and the one before is not to be gone on with.
        """
        down: dict[bytes, int] = {}
        with suppress(FileNotFoundError):  # somebody flushed the tables: nobody is in
            for part in self._slow.slices("down"):
                down.update((one.key, one.counted or 0) for one in part)
                yield []
            for part in self._slow.slices("up"):
                yield [
                    Counted(_number(one.key), one.counted or 0, down.get(one.key, 0), one.seconds or 0.0)
                    for one in part
                ]

    @property
    def port(self) -> int:
        """The number of the socket over which elements are changed (netlink(7))."""
        return int(self._channel.getsockname()[0])

    def size(self, name: str) -> int:
        """How many elements the set *name* has."""
        return self._elements.count(name)

    def sizes(self) -> dict[str, int]:
        """Elements of the sets that may fill up, by name."""
        return {name: self.size(name) for name in SIZED}

    def drops(self) -> dict[str, int]:
        """Packets dropped so far, by the ruleset's named counters."""
        return packets_counted(self._channel, nl.NFPROTO_INET, TABLE)

    def blocked(self, mac: MacAddress) -> float | None:
        """Seconds *mac* is still kept out; None when it is not."""
        return next((one.seconds for one in self._find("blocked", [_packed(mac)]).values()), None)

    def open(self, seconds: int) -> None:
        """Let everybody pass for *seconds*, counted from now; 0 ends it, running flows included."""
        changes = Transaction()
        mark = _mark(OPEN_SESSION)
        changes.remove("open", self._slot, mark)
        for name in DIRECTIONS:
            changes.remove(name, mark)
        if seconds:
            changes.add("open", self._slot, seconds, mark)
            for name in DIRECTIONS:
                changes.count(name, mark, seconds, _limit(OPEN_RATE))
        changes.commit(self._channel, sure=False)

    def open_seconds(self) -> float:
        """Seconds the door stays open to all, 0 when it is not."""
        return next((one.seconds or 0.0 for one in self._find("open", [self._slot]).values()), 0.0)

    def apply(self, steps: Iterable[Step]) -> None:
        """Do *steps*, one a device, in one transaction: all or none. TransactionFailed: refused twice."""
        todo = list(steps)
        if len(todo) >= MANY and self._all_are_new(todo):
            return
        present = self._admitted_of([step.mac for step in todo])
        sessions = {found.session for found in present.values()}
        try:
            self._changes(todo, present, sessions).commit(self._channel)
        except TransactionFailed:  # a half-expired session, or an element expired between the look and the deed
            sessions |= {step.session for step in todo if isinstance(step, Allow)}
            self._changes(todo, present, sessions).commit(self._channel, sure=False)

    def _all_are_new(self, steps: list[Step]) -> bool:
        """Admit *steps* without looking who is in already, and say whether that went well: after a reboot nobody is.

        The first is looked for all the same: a transaction that fails takes the kernel longer than 32 look-ups.
        """
        if not all(isinstance(step, Allow) for step in steps) or self._admitted_of([steps[0].mac]):
            return False
        try:
            self._changes(steps, {}, ()).commit(self._channel)
        except TransactionFailed:  # somebody is, and nothing was done
            return False
        return True

    def put_out_the_torn(self) -> int:
        """Take out sessions that somebody robbed of their counters: they look admitted and no packet passes."""
        everybody = 1 if self.open_seconds() else 0
        if {self._elements.count(name) - everybody for name in DIRECTIONS} == {self._elements.count("auth")}:
            return 0  # counting is ten times quicker than comparing
        up, down = ({_number(one.key) for one in self._all(name)} for name in DIRECTIONS)
        whole = up & down
        torn = [one for one in self._all("auth") if _admitted(one).session not in whole]
        changes = Transaction()
        for one in torn:
            changes.remove("auth", one.key, one.data)
        changes.commit(self._channel, sure=False)
        return len(torn)

    def lease(self, leases: Mapping[Pair, int]) -> None:
        """Let each pair of *leases* speak for so many seconds, 0: no longer; at once, but in parts."""
        todo = list(leases.items())
        for start in range(0, len(todo), LEASES_AT_ONCE):
            changes = Transaction()
            for (address, mac), seconds in todo[start : start + LEASES_AT_ONCE]:
                spoken = _packed(mac) + bytes(2) + address.packed
                for name, key in (("lease4", self._slot + spoken), ("lease", spoken)):
                    changes.remove(name, key)
                    if seconds:
                        changes.add(name, key, max(1, seconds))
            changes.commit(self._channel, sure=False)

    def plant(self, addresses: Iterable[IPv4Address | IPv6Address]) -> dict[int, int]:
        """Let the walled garden hold *addresses*; how many it did not, by family."""
        wanted = {family: [one.packed for one in addresses if one.version == family] for family in GARDEN}
        missing, changes = {}, Transaction()
        for family, keys in wanted.items():
            held = self._find(GARDEN[family], keys)
            missing[family] = len(set(keys) - held.keys())
            for key in set(keys) - held.keys():
                changes.add(GARDEN[family], key, GARDEN_SECONDS)
        changes.commit(self._channel)
        return missing

    def _leased(self) -> set[Pair]:
        keys = [one.key[SLOT:] for one in self._all("lease4")]
        return {(IPv4Address(key[8:12]), _mac(key)) for key in keys}

    def _changes(
        self, steps: list[Step], present: Mapping[MacAddress, Admitted], sessions: Iterable[int]
    ) -> Transaction:
        """What *steps* come to, where *present* are admitted and only *sessions* may have elements."""
        counted = {name: self._counted(name, list(sessions)) for name in DIRECTIONS}
        blocked = self._find("blocked", [_packed(s.mac) for s in steps if isinstance(s, Block | Unblock)])
        changes = Transaction()
        for step in steps:
            found = present.get(step.mac)
            if _packed(step.mac) in blocked and isinstance(step, Block | Unblock):
                changes.remove("blocked", _packed(step.mac))
            if found is not None and not isinstance(step, Unblock):
                changes.remove("auth", self._packed_key(step.mac), _mark(found.session))
                self._forget(changes, found.session, counted)
            if isinstance(step, Block):
                changes.add("blocked", _packed(step.mac), max(1, int(step.seconds)))
            elif isinstance(step, Allow):
                self._forget(changes, step.session, counted)
                self._allow(changes, step, {n: counted[n].get(step.session) for n in DIRECTIONS if found})
        return changes

    def _forget(self, changes: Transaction, session: int, counted: dict[str, dict[int, Element]]) -> None:
        for name in DIRECTIONS:
            if session in counted[name]:
                changes.remove(name, _mark(session))

    def _allow(self, changes: Transaction, step: Allow, before: Mapping[str, Element | None]) -> None:
        """The session's elements; one that goes on keeps its bytes, whatever else changes."""
        seconds = max(1, int(step.seconds))
        mark = _mark(step.session)
        changes.add("auth", self._packed_key(step.mac), seconds, mark)
        for name, rate in (("up", step.up // 8), ("down", step.down // 8)):
            changes.count(name, mark, seconds, _limit(rate), before.get(name))

    def _packed_key(self, mac: MacAddress) -> bytes:
        return self._slot + _packed(mac) + bytes(2)

    def _admitted_of(self, macs: Sequence[MacAddress]) -> dict[MacAddress, Admitted]:
        keys = {self._packed_key(mac): mac for mac in macs}
        return {keys[key]: _admitted(one) for key, one in self._find("auth", list(keys)).items()}

    def _counted(self, name: str, sessions: Sequence[int]) -> dict[int, Element]:
        keys = [_mark(session) for session in sessions]
        return {_number(key): one for key, one in self._find(name, keys).items()}

    def _find(self, name: str, keys: Sequence[bytes]) -> dict[bytes, Element]:
        try:
            return self._elements.find(name, keys)
        except FileNotFoundError:  # somebody flushed the tables: nobody is in
            return {}

    def _all(self, name: str) -> Iterator[Element]:
        with suppress(FileNotFoundError):
            yield from self._elements.each(name)

    def _picture(self) -> list[bytes]:
        return picture(self._channel, {nl.NFPROTO_INET: TABLE, nl.NFPROTO_ARP: ARP_TABLE})

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


def _packed(mac: MacAddress) -> bytes:
    return bytes.fromhex(mac.text.replace(":", ""))


def _mac(key: bytes) -> MacAddress:
    return MacAddress(key[:6].hex(":"))


@lru_cache(maxsize=64)
def _limit(rate: int) -> Limit:
    return Limit(rate, max(SMALLEST_BURST, int(rate * BURST_SECONDS)))


def _mark(session: int) -> bytes:
    return session.to_bytes(MARK_BYTES, sys.byteorder)


def _number(mark: bytes) -> int:
    return int.from_bytes(mark, sys.byteorder)


def _admitted(one: Element) -> Admitted:
    return Admitted(_number(one.data), one.seconds or 0.0)


def _bytes(one: Element | None) -> int:
    return (one.counted or 0) if one else 0
