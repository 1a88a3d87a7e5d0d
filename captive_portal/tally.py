"""The day's figures of a site, gathered once a minute: how many devices, how many bytes. Nobody is in what is kept."""

import threading
from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial
from zoneinfo import ZoneInfo

from captive_portal.clock import Calendar
from captive_portal.remote import Door, GatewayAway
from captive_portal.session import Now
from captive_portal.store import Store, StoreFailed
from captive_portal.store_usage import add
from captive_portal.timeline import Step
from captive_portal.uniques import DayUniques
from parvis.addresses import MacAddress
from parvis.running import Turns

EVERY_SECONDS = 60.0
Bytes = tuple[int, int]
"""Down and up."""


class Reading:
    """Where the counters of each session stood: columns in the order of their numbers, for there are thousands.

    >>> reading = Reading([(7, 100, 20), (3, 5, 6)])
    >>> reading.of(7), reading.of(4), list(reading)
    ((100, 20), (0, 0), [(3, 5, 6), (7, 100, 20)])
    """

    def __init__(self, rows: Iterable[tuple[int, int, int]] = ()) -> None:
        """*rows*: number, bytes down, bytes up."""
        columns = zip(*sorted(rows), strict=True)
        self._sessions, self._down, self._up = (array("Q", next(columns, ())) for _ in range(3))

    def of(self, session: int) -> Bytes:
        """Down and up; nothing where the session was not counted yet."""
        place = bisect_left(self._sessions, session)
        found = place < len(self._sessions) and self._sessions[place] == session
        return (self._down[place], self._up[place]) if found else (0, 0)

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        return zip(self._sessions, self._down, self._up, strict=True)


class Tally:
    """The figures of *site*; *uncounted* are the town's own devices and the resident that is a program."""

    def __init__(
        self,
        store: Store,
        door: Door,
        site: str,
        zone: ZoneInfo,
        clock: Callable[[], Now],
        uncounted: Collection[MacAddress] = (),
    ) -> None:
        self._store, self._door, self._site, self._clock = store, door, site, clock
        self._calendar = Calendar(zone)
        self._uncounted = frozenset(uncounted)
        self._lock = threading.Lock()
        self._uniques = DayUniques()
        self._before = Reading()
        self._first = True
        self._day = ""
        self._unwritten = (0, 0)
        self.turns = Turns("tally", self.turn, last=partial(self._quietly, self.write))

    def note(self, mac: MacAddress, step: Step) -> None:
        """A device came to *step*: who is admitted for less than a minute is counted too."""
        if step is Step.ADMITTED and mac not in self._uncounted:
            with self._lock:
                self._saw([mac])

    def turn(self) -> float:
        """Look who is online and what they used; the next look is in a minute, whatever happens at this one."""
        self._quietly(self._look)
        return EVERY_SECONDS

    def write(self) -> None:
        """Write the day's figures down; StoreFailed, then they are written with the next."""
        with self._lock:
            now = self._clock()
            day, (down, up) = self._today(now), self._unwritten
            if self._day and day != self._day:
                self._close(now)
                return
            add(self._store, self._site, day, self._saw([]), down, up)
            self._unwritten = (0, 0)

    def _close(self, now: Now) -> None:
        """Yesterday's last bytes belong to yesterday; its devices were written a minute before it ended."""
        down, up = self._unwritten
        add(self._store, self._site, self._day, 0, down, up)
        self._unwritten, self._day = (0, 0), self._today(now)

    def _look(self) -> None:
        online = self._door.admitted()
        sessions = {one.session for mac, one in online.items() if mac not in self._uncounted}
        counted = Reading(
            (one.session, one.bytes_down, one.bytes_up) for one in self._door.counters() if one.session in sessions
        )
        self.write()
        with self._lock:
            self._saw(mac for mac in online if mac not in self._uncounted)
            self._used(counted)
        self.write()

    def _saw(self, devices: Iterable[MacAddress]) -> int:
        now = self._clock()
        self._day = self._day or self._today(now)
        return self._uniques.saw(self._today(now), now.since_boot, (mac.text for mac in devices))

    def _used(self, counted: Reading) -> None:
        """Add what moved since the last look; the first look of a process only learns where the counters stand."""
        down, up = self._unwritten
        for number, now_down, now_up in counted if not self._first else ():
            last_down, last_up = self._before.of(number)
            if now_down < last_down or now_up < last_up:
                last_down = last_up = 0  # the kernel counts from zero
            down, up = down + now_down - last_down, up + now_up - last_up
        self._unwritten, self._before, self._first = (down, up), counted, False

    def _today(self, now: Now) -> str:
        return self._calendar.day(now.wall).isoformat()

    @staticmethod
    def _quietly(act: Callable[[], None]) -> None:
        """Who is away is shown by the doorkeeper already; a minute's figures are not worth a second alarm."""
        try:
            act()
        except (GatewayAway, StoreFailed):
            return
