"""Random residents and random faults against the real gateway: the database, the kernel and the API come to agree.

PARVIS_STORM_SEED chooses another run, PARVIS_STORM_RUNS more of them; a failing run prints its seed and its steps.
"""

import json
import time
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from storm import SESSION_SECONDS, Storm, Walker
from weather import AGREE_SECONDS, RUNS, WHO, Weather, runs_to_the_end

pytestmark = [pytest.mark.root, pytest.mark.slow]
EDGE_SECONDS = 2.0
"""So near to its end a session is judged neither open nor over: the kernel counts whole seconds."""
DAY = 86400


@dataclass
class Belief:
    """What must be true of one MAC address: open at least until *sure*, at most until *possible* (monotonic)."""

    sure: float = 0.0
    possible: float = 0.0
    wall_end: float = 0.0

    def must_be_open(self) -> bool:
        return time.monotonic() < self.sure - EDGE_SECONDS

    def must_be_closed(self) -> bool:
        return time.monotonic() > self.possible + EDGE_SECONDS


class Door(Weather):
    """The steps, and what must hold after each."""

    def __init__(self) -> None:
        self.believed: dict[str, Belief] = {}
        self.macs = count(1)
        self.foreign_until = self.open_until = 0.0
        self.blocked: set[str] = set()
        self.closed = False
        super().__init__()
        self._take_orders_back()

    def belief(self, mac: str) -> Belief:
        return self.believed.setdefault(mac, Belief())

    # ---- residents

    @rule(who=WHO)
    def accepts(self, who: str) -> None:
        self._accept(self.people[who])

    def _accept(self, person: Walker) -> None:
        belief, began = self.belief(person.mac), time.monotonic()
        status, location = person.posts("/fr/", "accept")
        ended = time.monotonic()
        if self.closed or person.mac in self.blocked:
            assert (status, location) != (303, "/fr/status"), "admitted against an order of staff"
            return
        if belief.must_be_closed() or belief.sure == 0.0:
            belief.possible = ended + SESSION_SECONDS  # it may be on disk although nobody answered
        if (status, location) == (303, "/fr/status") and belief.sure < began:
            belief.sure, belief.possible = began + SESSION_SECONDS, ended + SESSION_SECONDS
            belief.wall_end = self._wall(began) + SESSION_SECONDS

    @rule(who=WHO)
    def extends(self, who: str) -> None:
        person, began = self.people[who], time.monotonic()
        status, location = person.posts("/fr/status", "extend")
        belief, ended = self.belief(person.mac), time.monotonic()
        if not belief.must_be_closed():
            belief.possible = ended + SESSION_SECONDS
        if (status, location.partition("?")[2]) == (303, "extended=1"):
            belief.sure, belief.wall_end = began + SESSION_SECONDS, self._wall(began) + SESSION_SECONDS

    @rule(who=WHO)
    def leaves(self, who: str) -> None:
        person = self.people[who]
        status, location = person.posts("/fr/status", "leave")
        belief = self.belief(person.mac)
        if (status, location) == (303, "/fr/goodbye"):
            belief.sure = belief.possible = 0.0
        elif status != 0 or location:
            belief.sure = 0.0  # refused or not told in time: it may have happened

    @rule(who=WHO, last=st.integers(20, 60))
    def comes_back_with_another_address(self, who: str, last: int) -> None:
        person = self.people[who]
        person.releases()
        self._rejoin(person, f"10.11.1.{last}")

    @rule(who=WHO)
    def takes_another_mac(self, who: str) -> None:
        person = self.people[who]
        person.changes_mac(f"02:00:5e:{self.storm.number & 0xFF:02x}:00:{next(self.macs):02x}")
        self._rejoin(person)

    # ---- staff

    @rule()
    def staff_end_every_session(self) -> None:
        done = '"revoked"' in self.storm.staff("/v1/disconnect-all", {})
        for belief in self.believed.values():
            belief.sure = 0.0
            if done:
                belief.possible = 0.0

    @rule()
    def staff_block_who_is_online(self) -> None:
        mac = "" if self.storm.dead else self._online_alone()
        if not mac:
            return
        (session,) = json.loads(self.storm.staff("/v1/sessions"))["sessions"]
        order = {"by": "marie", "reason": "essai", "seconds": 600}
        said = json.loads(self.storm.staff(f"/v1/devices/{session['code']}/block", order))
        assert said.get("kind") == "block", said
        self.blocked.add(mac)
        self.belief(mac).sure = self.belief(mac).possible = 0.0

    def _online_alone(self) -> str:
        """The MAC address of the only session there is, surely; else empty."""
        admitted = [mac for mac in self.storm.admitted() if self.belief(mac).must_be_open()]
        alone = len(self.storm.admitted()) == len(self.storm.stored()) == len(admitted) == 1
        return admitted[0] if alone and time.monotonic() > self.open_until else ""

    @rule()
    def staff_close_the_site(self) -> None:
        if self.storm.dead or self.closed:
            return
        order = {"kind": "closed", "by": "marie", "reason": "essai", "fr": "fermé", "en": "closed", "seconds": 600}
        said = json.loads(self.storm.staff("/v1/orders", order))
        if said.get("kind") == "closed":
            self.closed = True
            for belief in self.believed.values():
                belief.sure = belief.possible = 0.0

    @rule()
    def staff_take_their_orders_back(self) -> None:
        if not self.storm.dead:
            self._take_orders_back()

    def _take_orders_back(self) -> None:
        for order in json.loads(self.storm.staff("/v1/site"))["orders"]:
            said = self.storm.staff(f"/v1/orders/{order['number']}/end", {"kind": order["kind"], "by": "marie"})
            assert "ended" in said, said
        self.closed, self.blocked = False, set()

    @rule(seconds=st.integers(1, 4))
    def staff_open_the_door_for_a_while(self, seconds: int) -> None:
        self.storm.ask(f'{{"op": "open", "seconds": {seconds}}}'.encode())
        self.open_until = max(self.open_until, time.monotonic() + seconds + EDGE_SECONDS)

    # ---- faults

    @rule()
    def the_machine_reboots(self) -> None:
        self.storm.reboot()
        if self.storm.wall_offset:  # after a reboot the wall clock says whether an order still stands
            self.closed, self.blocked = False, set()
        now = time.monotonic()
        for belief in self.believed.values():
            left = min(belief.wall_end - self._wall(now), SESSION_SECONDS) if belief.wall_end else 0.0
            belief.sure = min(now + left, belief.sure) if left > 0 else 0.0
            belief.possible = now + SESSION_SECONDS if belief.possible else 0.0
        for person in self.people.values():
            person.joins()

    @rule(who=WHO)
    def a_colleague_admits_somebody_by_hand(self, who: str) -> None:
        if "gatewayd" not in self.storm.dead and self.storm.admitted().get(self.people[who].mac) is None:
            element = f'{{ "guest0" . {self.people[who].mac} timeout 1h : 4294967295 }}'
            self.storm.within("gw", "nft", "add", "element", "inet", "portal", "auth", element, check=False)
            self.foreign_until = float("inf")

    @rule(seconds=st.sampled_from([DAY, -DAY, 3600, -3600]))
    def the_wall_clock_is_stepped(self, seconds: int) -> None:
        self.storm.step_clock(seconds)

    def _wall(self, at: float) -> float:
        return at + self.storm.wall_offset

    # ---- what must hold

    @invariant()
    def nobody_is_admitted_without_an_acceptance(self) -> None:
        if time.monotonic() > self.foreign_until:
            for mac in self.storm.admitted():
                assert not self.belief(mac).must_be_closed(), f"admitted without an acceptance: {self.story(mac)}"

    @precondition(lambda self: not self.storm.dead)
    @invariant()
    def database_kernel_and_api_agree_within_five_seconds(self) -> None:
        until = time.monotonic() + AGREE_SECONDS
        while (wrong := self.differences()) and time.monotonic() < until:
            time.sleep(0.1)
        assert not wrong, f"after {AGREE_SECONDS} s: {wrong}"
        self.foreign_until = 0.0

    def differences(self) -> list[str]:
        stored, admitted = self.storm.stored(), self.storm.admitted()
        wrong = [f"unknown to all: {self.story(mac)}" for mac in stored.keys() - self.believed.keys()]
        for mac, belief in self.believed.items():
            if belief.must_be_open() and stored.get(mac) is None:
                wrong.append(f"lost: {self.story(mac)}")
            if belief.must_be_open() and stored.get(mac) != admitted.get(mac):
                wrong.append(f"stored and not admitted: {self.story(mac)}")
            if belief.must_be_closed() and (mac in stored or mac in admitted):
                wrong.append(f"admitted without an acceptance: {self.story(mac)}")
        return wrong + [words for person in self.people.values() if (words := self._api_differs(person))]

    def _api_differs(self, person: Walker) -> str:
        belief = self.belief(person.mac)
        if not person.ipv4 or time.monotonic() < self.open_until:
            return ""
        if person.is_captive() is not belief.must_be_closed() and (belief.must_be_open() or belief.must_be_closed()):
            return f"the API says otherwise: {self.story(person.mac)}"
        if belief.must_be_open() and not person.passes():
            return f"no packet passes: {self.story(person.mac)}"
        if belief.must_be_closed() and person.passes():
            return f"packets pass: {self.story(person.mac)}"
        return ""

    def story(self, mac: str) -> str:
        now, belief = time.monotonic(), self.belief(mac)
        who = [(p.part, p.ipv4, p.is_captive(), p.passes()) for p in self.people.values() if p.mac == mac]
        return (
            f"{mac} {who}: surely open for {belief.sure - now:.1f} s, possibly for {belief.possible - now:.1f} s, "
            f"stored {self.storm.stored().get(mac)}, admitted {self.storm.admitted().get(mac)}"
        )

    def teardown(self) -> None:
        self._revive()
        self.database_kernel_and_api_agree_within_five_seconds()
        type(self).settled += 1


@pytest.mark.timeout(120 + RUNS * 180)
def test_r52_f43_whatever_happens_database_kernel_and_api_come_to_agree(storm: Storm) -> None:
    assert runs_to_the_end(Door, storm)
