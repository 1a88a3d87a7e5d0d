"""Random residents under a policy with an end: remembered acceptances, a quota that slows, an idle time that ends.

Whatever faults happen meanwhile, each session ends for a reason that was there and for no other, and a device comes
back without a tap as long as its acceptance is valid and nobody has taken it back. Against the real gateway, by what
its kernel counts. PARVIS_STORM_SEED and PARVIS_STORM_RUNS choose the runs.
"""

import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from subprocess import Popen

import pytest
from door_twin import PARVIS, WEB4, Inside, running
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from impatient_portal import IDLE_SECONDS, QUOTA_BYTES
from storm import Storm, Walker
from weather import AGREE_SECONDS, RUNS, WHO, Weather, runs_to_the_end

pytestmark = [pytest.mark.root, pytest.mark.slow]
HERE = Path(__file__).parent
REMEMBER_SECONDS = 3600
POLICY = "10min\n  remember: 1h"
COUNT_SECONDS = IDLE_SECONDS / 4
"""How often the portal reads the counters."""
READ_SECONDS = 1.0
"""A byte that moved so long before the end of its session was counted when the end was decided."""
NEW = count(1)
SLOW_BYTES_PER_SECOND = 64_000
"""The slower upload of the demo town's policy, 512 kbit/s."""


class Limited(Storm):
    """A storm whose portal has short limits."""

    whole_since = 0.0
    """Since when all processes run (monotonic)."""

    def start(self, name: str, part: str, *argv: str, **environment: str) -> Popen[bytes]:
        program = str(HERE / "impatient_portal.py")
        return super().start(name, part, *(program if word == PARVIS and name == "portal" else word for word in argv),
                             **environment)  # fmt: skip

    def revive(self) -> None:
        if self.dead:
            super().revive()
            self.whole_since = time.monotonic()

    def ended(self) -> dict[int, tuple[str, float]]:
        """Sessions that are over: by what, and when (monotonic seconds)."""
        back = time.monotonic() - time.time() - self.wall_offset
        rows = self.rows("SELECT id, ended_by, ended_at FROM acceptances WHERE ended_at IS NOT NULL")
        return {number: (by, at + back) for number, by, at in rows}

    def uploads(self) -> dict[int, tuple[int, int]]:
        """Session -> bytes per second it may send, bytes it has sent, as the kernel says."""
        text = self.within("gw", "nft", "list", "set", "inet", "portal", "up", check=False)
        found = re.findall(r"(0x[0-9a-f]+|\d+) limit rate (\d+) (bytes|kbytes|mbytes)/second.*?bytes (\d+)", text)
        scale = {"bytes": 1, "kbytes": 1024, "mbytes": 1024**2}
        return {int(n, 0): (int(rate) * scale[unit], int(sent)) for n, rate, unit, sent in found}


@pytest.fixture(scope="module")
def storm() -> Iterator[Limited]:
    with running(Limited, POLICY, prepare=Limited.prepare) as made:
        yield made


@dataclass
class Session:
    """What is known of one session, from outside."""

    mac: str
    moved: list[float] = field(default_factory=list)
    """When its bytes moved, surely: the kernel had counted them by then (monotonic)."""
    quiet_since: float = 0.0
    """Since when surely nothing moved, and everybody was there to see it (monotonic)."""
    sent: int = 0
    """Bytes at most."""
    counted: int = 0
    """Bytes that the kernel surely counted, and will be heard of."""
    reasons: set[str] = field(default_factory=set)
    """By what it may have ended besides silence."""
    slowed: bool = False


class Guests(Weather):
    """The steps, and what must hold after each."""

    storm: Limited

    def __init__(self) -> None:
        self.known: dict[int, Session] = {}
        self.sure: dict[str, float] = {}
        """MAC address -> until when its acceptance is surely remembered; seconds of the gateway's wall clock."""
        self.possible: dict[str, float] = {}
        self.judged: set[int] = set()
        super().__init__()
        self.judged |= self.storm.ended().keys()
        for person in self.people.values():  # whom nobody remembers from another run
            person.changes_mac(f"02:00:5e:01:00:{next(NEW):02x}")
            self._rejoin(person)

    @property
    def wall(self) -> float:
        return time.time() + self.storm.wall_offset

    def _may_come_in(self, mac: str) -> bool:
        return self.possible.get(mac, 0.0) > self.wall - AGREE_SECONDS

    # ---- residents

    @rule(who=WHO)
    def accepts(self, who: str) -> None:
        self._accept(self.people[who])

    def _accept(self, person: Walker) -> None:
        before, began = self._may_have_a_session(person.mac), self.wall
        self.possible[person.mac] = max(self.possible.get(person.mac, 0.0), began + REMEMBER_SECONDS + 60)
        said = person.posts("/fr/", "accept")
        if said == (303, "/fr/status") and not before and self.sure.get(person.mac, 0.0) < self.wall:
            self.sure[person.mac] = began + REMEMBER_SECONDS

    def _may_have_a_session(self, mac: str) -> bool:
        try:
            return mac in self.storm.stored()
        except sqlite3.OperationalError:  # the disk is full, and nobody has the database open: even a reader must write
            return True

    @rule(who=WHO, asks=st.booleans())
    def leaves(self, who: str, asks: bool) -> None:
        mac, before = self.people[who].mac, self.storm.stored()
        for session in self._of(mac):
            session.reasons.add("left")
        said = self.people[who].posts("/fr/status", "leave")
        self.sure[mac] = 0.0
        if said == (303, "/fr/goodbye") and mac in before:
            self.possible[mac] = 0.0
        if asks:
            self._comes_back(self.people[who])

    @rule(asks=st.booleans())
    def staff_end_every_session(self, asks: bool) -> None:
        before = self.storm.stored()
        for session in self.known.values():
            session.reasons.add("revoked")
        done = '"revoked"' in self.storm.staff("/v1/disconnect-all", {})
        for mac, number in before.items():
            self.sure[mac] = 0.0
            if done and number in self.known and self._silence(self.known[number]) < IDLE_SECONDS / 2:
                self.possible[mac] = 0.0
        for person in self.people.values() if asks else ():
            self._comes_back(person)

    @rule(who=WHO)
    def sends_a_little(self, who: str) -> None:
        self._sends(self.people[who], 1)

    @rule(who=WHO, seconds=st.integers(3, 12))
    def sends_a_little_now_and_then(self, who: str, seconds: int) -> None:
        for _ in range(seconds):
            self._sends(self.people[who], 1)
            time.sleep(1)

    @rule(who=WHO)
    def sends_more_than_the_quota(self, who: str) -> None:
        self._sends(self.people[who], 2 * QUOTA_BYTES // 1200)

    def _sends(self, person: Walker, datagrams: int) -> None:
        number, before = self.storm.admitted().get(person.mac), self.storm.uploads()
        session = self.known.get(number or 0)
        if session is not None:
            session.sent += datagrams * (1200 + 28) * 2 + 1000
            session.quiet_since = float("inf")
        began = time.monotonic()
        with Inside(self.storm.name(person.part)):
            channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with channel:
            for _ in range(datagrams):
                try:
                    channel.sendto(b"x" * 1200, (WEB4, 9))
                except OSError:  # refused, as the internet's host says; or no address now
                    continue
                time.sleep(0.001 if datagrams > 1 else 0)
        counted = self.storm.uploads().get(number or 0, (0, 0))[1]
        if session is None or number is None:
            return
        session.quiet_since = time.monotonic()
        if counted > before.get(number, (0, 0))[1]:
            session.moved.append(began)
            session.counted = counted

    @rule(who=WHO)
    def asks_the_api(self, who: str) -> None:
        self._comes_back(self.people[who])

    @rule(who=WHO)
    def is_silent_and_comes_back(self, who: str) -> None:
        time.sleep(IDLE_SECONDS + 2 * COUNT_SECONDS + 2)
        self._comes_back(self.people[who])

    def _comes_back(self, person: Walker) -> None:
        """Who is remembered is online at the first question, without a tap; who is surely not, is captive."""
        said = person.is_captive()
        if self.storm.dead or not person.ipv4 or said is None:
            return
        if self.sure.get(person.mac, 0.0) > self.wall + 1:
            assert said is False, f"remembered, and asked to tap: {self.story(person.mac)}"
        elif not self._may_come_in(person.mac) and person.mac not in self.storm.stored():
            assert said is True, f"online without an acceptance: {self.story(person.mac)}"

    # ---- faults

    @rule()
    def acceptances_grow_old(self) -> None:
        """The wall clock goes on by two hours; sessions, which count their own seconds, go on."""
        self.who_is_admitted_has_accepted_and_nobody_has_taken_it_back()
        self.storm.step_clock(2 * REMEMBER_SECONDS)

    @rule()
    def the_machine_reboots(self) -> None:
        self.storm.reboot()
        for session in self.known.values():
            session.moved.clear()
            session.counted = 0
            if self.storm.wall_offset:
                session.reasons.add("expired")  # across a reboot only the wall clock says how old it is
        for person in self.people.values():
            person.joins()

    def _flush(self, what: str) -> None:
        for session in self.known.values():  # what was counted since the last reading is lost
            session.moved.clear()
            session.counted = 0
        super()._flush(what)

    # ---- what must hold

    def _of(self, mac: str) -> list[Session]:
        return [session for session in self.known.values() if session.mac == mac]

    def _silence(self, session: Session) -> float:
        return time.monotonic() - max(session.moved, default=0.0)

    @invariant()
    def who_is_admitted_has_accepted_and_nobody_has_taken_it_back(self) -> None:
        for mac, number in self.storm.admitted().items():
            if number not in self.known and number not in self.judged:
                assert self._may_come_in(mac), f"admitted without an acceptance: {self.story(mac)}"
                self.known[number] = Session(mac, [time.monotonic()], time.monotonic())

    @invariant()
    def each_session_ends_for_a_reason_that_was_there(self) -> None:
        for number, (by, at) in self.storm.ended().items():
            session = self.known.get(number)
            if session is None or number in self.judged:
                continue
            self.judged.add(number)
            if by == "idle":
                seen = [moved for moved in session.moved if at - IDLE_SECONDS + 1 < moved < at - READ_SECONDS]
                assert not seen, f"session {number} ended as idle {at - seen[-1]:.1f} s after a byte"
            else:
                assert by in session.reasons, f"session {number} ended by {by}: {session}"

    @precondition(lambda self: not self.storm.dead)
    @invariant()
    def who_is_silent_too_long_is_over(self) -> None:
        live = set(self.storm.stored().values())
        for number, session in self.known.items():
            most = IDLE_SECONDS + 2 * COUNT_SECONDS + AGREE_SECONDS
            quiet = time.monotonic() - max(session.quiet_since, self.storm.whole_since)
            assert number not in live or quiet < most, f"session {number} is silent for {quiet:.1f} s and goes on"

    @precondition(lambda self: not self.storm.dead)
    @invariant()
    def who_is_over_the_quota_is_slower_and_nobody_else(self) -> None:
        until = time.monotonic() + AGREE_SECONDS + COUNT_SECONDS
        while (wrong := self.wrongly_fast_or_slow()) and time.monotonic() < until:
            time.sleep(0.1)
        assert not wrong, wrong

    def wrongly_fast_or_slow(self) -> list[str]:
        wrong = []
        live = set(self.storm.stored().values())
        for number, (rate, sent) in self.storm.uploads().items():
            session = self.known.get(number)
            if session is None or number not in live:
                continue
            slow = rate <= SLOW_BYTES_PER_SECOND
            session.slowed |= slow
            session.counted = max(session.counted, sent)
            if slow and session.sent < QUOTA_BYTES:
                wrong.append(f"session {number} has sent {session.sent} bytes at most and is slowed")
            if not slow and (session.slowed or session.counted >= QUOTA_BYTES):
                wrong.append(f"session {number} has sent {session.counted} bytes at least and may send {rate}/s")
        return wrong

    @precondition(lambda self: not self.storm.dead)
    @invariant()
    def database_and_kernel_agree_within_five_seconds(self) -> None:
        until = time.monotonic() + AGREE_SECONDS
        while (stored := self.storm.stored()) != (admitted := self.storm.admitted()) and time.monotonic() < until:
            time.sleep(0.1)
        assert stored == admitted

    def story(self, mac: str) -> str:
        return (
            f"{mac}: remembered surely for {self.sure.get(mac, 0) - self.wall:.0f} s, possibly for "
            f"{self.possible.get(mac, 0) - self.wall:.0f} s; stored {self.storm.stored().get(mac)}, admitted "
            f"{self.storm.admitted().get(mac)}, sessions {self._of(mac)}"
        )

    def teardown(self) -> None:
        self._revive()
        self.database_and_kernel_agree_within_five_seconds()
        type(self).settled += 1


@pytest.mark.timeout(120 + RUNS * 400)
def test_r23_f34_f36_a_policy_holds_whatever_happens(storm: Limited) -> None:
    assert runs_to_the_end(Guests, storm)
