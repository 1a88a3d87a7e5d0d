"""What happened to each device today, step by step, so that staff can say where it stopped. In memory, bounded.

It answers "why is this device not online?". Each step keeps when it was first and last seen and how often; the oldest
device goes when there are too many, and at midnight everything goes, because codes change with the day.
"""

import threading
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from zoneinfo import ZoneInfo

from captive_portal.clock import Calendar
from captive_portal.neighbours import plain
from captive_portal.pseudonym import Pseudonyms
from captive_portal.session import Now
from parvis.addresses import MacAddress

MAX_DEVICES = 4096
MAX_ADDRESSES = 1024
"""Addresses that were answered by the redirector and whose device nobody has asked for yet."""
MAX_KNOWN = 65_536
"""Addresses whose device was asked for today, 8 bytes each; beyond, they are asked for once more."""
Identify = Callable[[IPv4Address | IPv6Address], MacAddress | None]
"""Whose address it is; None where the gateway does not know."""


class Step(StrEnum):
    """The way to the internet, and the ways out."""

    LEASE = "lease"
    NEIGHBOUR = "neighbour"
    PROBE = "probe"
    API = "api"
    PAGE = "page"
    ACCEPTED = "accepted"
    ADMITTED = "admitted"
    FIRST_BYTE = "first-byte"
    REFUSED = "refused"
    SLOWED = "slowed"
    LEFT = "left"
    EXPIRED = "expired"
    IDLE = "idle"
    REVOKED = "revoked"


@dataclass(slots=True)
class Seen:
    """How often a step was seen, and the first and last time in seconds since boot."""

    first: float
    last: float
    count: int = 1

    def with_(self, other: "Seen") -> "Seen":
        """Both together."""
        return Seen(min(self.first, other.first), max(self.last, other.last), self.count + other.count)


STEPS = tuple(Step)
_SEEN = Struct("<BIdd")
"""A step's place, how often, first and last: thousands of devices' steps as objects would be 2 MB more."""


def _packed(steps: dict[Step, Seen]) -> bytes:
    return b"".join(_SEEN.pack(STEPS.index(step), one.count, one.first, one.last) for step, one in steps.items())


def _unpacked(record: bytes) -> dict[Step, Seen]:
    return {STEPS[place]: Seen(first, last, count) for place, count, first, last in _SEEN.iter_unpack(record)}


Note = Callable[[MacAddress, Step], None]
"""How other modules tell of a step."""


def unnoted(_mac: MacAddress, _step: Step) -> None:
    """A Note for those who keep no timeline."""


def both(one: Note, other: Note) -> Note:
    """Tell *one*, then *other*."""

    def tell(mac: MacAddress, step: Step) -> None:
        one(mac, step)
        other(mac, step)

    return tell


def uncounted(_step: Step) -> None:
    """For those who count no steps."""


class Timeline:
    """The steps of today's devices. For any number of threads; :meth:`note` costs microseconds.

    *reached* is told of each step a device comes to for the first time today.
    """

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        zone: ZoneInfo,
        clock: Callable[[], Now],
        reached: Callable[[Step], None] = uncounted,
    ) -> None:
        self._pseudonyms, self._clock, self._reached = pseudonyms, clock, reached
        self._calendar = Calendar(zone)
        self._lock = threading.Lock()
        self._devices: OrderedDict[MacAddress, bytes] = OrderedDict()
        self._addresses: OrderedDict[str, Seen] = OrderedDict()
        self._fresh: dict[str, None] = {}
        """Those of them whose device was not asked for today, in the order of their coming."""
        self._known = array("q")
        """The hashes of addresses whose device was, in order: idle phones come again and again."""
        self._day = date.min

    def code(self, mac: MacAddress) -> str:
        """The code of *mac* today, for its own resident and for staff."""
        with self._lock:
            return self._pseudonyms.of(mac, self._today(self._clock()))

    def note(self, mac: MacAddress, step: Step) -> None:
        """Remember that *mac* came to *step* now."""
        now = self._clock()
        with self._lock:
            self._note(mac, step, Seen(now.since_boot, now.since_boot), now)

    def heard(self, address: str) -> None:
        """Remember that plain HTTP from *address* was answered; whose address it is, is asked once a day, and later.

        So 300 probes a second of idle phones cost no question to gatewayd.
        """
        now = self._clock()
        at = now.since_boot
        with self._lock:
            self._today(now)
            seen = self._addresses.pop(address, None)
            self._addresses[address] = seen.with_(Seen(at, at)) if seen else Seen(at, at)
            if not self._is_known(address):
                self._fresh[address] = None
            if len(self._addresses) > MAX_ADDRESSES:
                self._fresh.pop(self._addresses.popitem(last=False)[0], None)

    def settle(self, identify: Identify) -> None:
        """Give the probes heard to their devices; *identify*'s errors pass through, and what is left waits."""
        while self._addresses:
            self._give(lambda: next(reversed(self._addresses), None), identify)

    def settle_fresh(self, identify: Identify) -> None:
        """The same for addresses that have probed for the first time today: so a device counts once."""
        while self._fresh:
            self._give(lambda: next(iter(self._fresh), None), identify)

    def _give(self, which: Callable[[], str | None], identify: Identify) -> None:
        with self._lock:
            address = which()
        if address is None:
            return
        mac = identify(plain(address))
        with self._lock:
            self._fresh.pop(address, None)
            seen = self._addresses.pop(address, None)
            if seen is not None and mac is not None:
                self._note(mac, Step.PROBE, seen, self._clock())
                self._know(address)

    def _is_known(self, address: str) -> bool:
        place = bisect_left(self._known, hash(address))
        return place < len(self._known) and self._known[place] == hash(address)

    def _know(self, address: str) -> None:
        if not self._is_known(address):
            if len(self._known) >= MAX_KNOWN:
                del self._known[:]
            self._known.insert(bisect_left(self._known, hash(address)), hash(address))

    def device(self, code: str) -> tuple[MacAddress, dict[Step, Seen]] | None:
        """The device called *code* today and its steps; None when nothing was noted of one."""
        with self._lock:
            day, known = self._today(self._clock()), list(self._devices)
        mac = next((one for one in known if self._pseudonyms.of(one, day) == code), None)
        with self._lock:
            record = self._devices.get(mac) if mac else None
            return (mac, _unpacked(record)) if mac and record else None

    def macs(self) -> list[MacAddress]:
        """Every device something was noted of today."""
        with self._lock:
            return list(self._devices)

    def _note(self, mac: MacAddress, step: Step, seen: Seen, now: Now) -> None:
        self._today(now)
        steps = _unpacked(self._devices.pop(mac, b""))  # put again at the end: the newest
        before = steps.get(step)
        steps[step] = before.with_(seen) if before else seen
        self._devices[mac] = _packed(steps)
        if before is None:
            self._reached(step)
        if len(self._devices) > MAX_DEVICES:
            self._devices.popitem(last=False)

    def _today(self, now: Now) -> date:
        """The day it is in the town; when it is another than at the last question, everything is forgotten."""
        day = self._calendar.day(now.wall)
        if day != self._day:
            self._day = day
            self._devices.clear()
            self._addresses.clear()
            self._fresh.clear()
            del self._known[:]
        return day
