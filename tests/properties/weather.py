"""The steps that state machines of the gateway share: residents who come and go, and faults of every kind."""

import os
import threading
import time
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from storm import Storm, Walker, forget_everybody

SEED = int(os.environ.get("PARVIS_STORM_SEED", "2026"))
RUNS = int(os.environ.get("PARVIS_STORM_RUNS", "2"))
STEPS = 30
AGREE_SECONDS = 5.0
PROCESSES = ("portal", "gatewayd", "kea", "dnsmasq")
WHO = st.sampled_from(["c1", "c2"])


class Weather(RuleBasedStateMachine):
    """Two residents, and what happens to their gateway; a machine adds what they do and what must hold.

    Rules have no preconditions: what is alive is not the same twice, and hypothesis wants to draw the same twice. A
    rule that does not apply does nothing.
    """

    storm: Storm
    settled: int
    """How many runs ended well."""

    def __init__(self) -> None:
        super().__init__()
        self.storm.revive()
        forget_everybody(self.storm)
        self.people = {part: Walker(self.storm, part) for part in ("c1", "c2")}
        for person in self.people.values():
            assert person.joins()

    def _accept(self, person: Walker) -> None:
        """*person* presses the button; the machine believes what it may."""

    def _rejoin(self, person: Walker, wish: str = "") -> None:
        joined = person.joins(wish)
        assert joined or "kea" in self.storm.dead, "no lease although Kea runs"

    def _revive(self) -> None:
        again = "gatewayd" in self.storm.dead and self.storm.wall_offset
        self.storm.revive()
        for person in self.people.values():
            if again or not person.ipv4:  # Kea's dates say nothing after a step of the clock; devices renew
                self._rejoin(person)

    # ---- residents

    @rule(who=WHO)
    def renews_the_lease(self, who: str) -> None:
        self._rejoin(self.people[who])

    @rule(who=WHO)
    def roams_to_another_access_point(self, who: str) -> None:
        self.people[who].roams()

    @rule()
    def a_moment_passes(self) -> None:
        time.sleep(0.02)

    @rule(seconds=st.floats(0.2, 4))
    def time_passes(self, seconds: float) -> None:
        time.sleep(seconds)

    # ---- faults

    @rule(name=st.sampled_from(PROCESSES))
    def is_killed(self, name: str) -> None:
        self.storm.kill(name)

    @rule(who=WHO, name=st.sampled_from(PROCESSES), after=st.floats(0, 0.05))
    def is_killed_while_somebody_accepts(self, who: str, name: str, after: float) -> None:
        accepting = self._accepting(who)
        time.sleep(after)
        self.storm.kill(name)
        accepting.ends()

    @rule()
    def systemd_restarts_the_dead(self) -> None:
        if self.storm.dead:
            self._revive()

    @rule(what=st.sampled_from(["ruleset", "map inet portal auth", "set inet portal up", "chain inet portal forward"]))
    def a_colleague_flushes(self, what: str) -> None:
        if "gatewayd" not in self.storm.dead:
            self._flush(what)

    def _flush(self, what: str) -> None:
        self.storm.within("gw", "nft", "flush", *what.split(), check=False)

    @rule(who=WHO, seconds=st.floats(0.1, 2))
    def the_database_is_locked_while_somebody_accepts(self, who: str, seconds: float) -> None:
        with self.storm.database_locked():
            accepting = self._accepting(who)
            time.sleep(seconds)
        accepting.ends()

    @rule(who=WHO)
    def the_disk_is_full_while_somebody_accepts(self, who: str) -> None:
        with self.storm.disk_full():
            self._accept(self.people[who])

    def _accepting(self, who: str) -> "Meanwhile":
        return Meanwhile(lambda: self._accept(self.people[who]))


class Meanwhile:
    """*act* is done in a thread of its own from now on; what it raises, :meth:`ends` raises."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._raised: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._act()
        except BaseException as error:  # noqa: BLE001 raised again in the test's own thread
            self._raised = error

    def ends(self) -> None:
        """Wait for its end."""
        self._thread.join()
        if self._raised is not None:
            raise self._raised


def runs_to_the_end(kind: type[Weather], storm: Storm) -> bool:
    """Whether every run of *kind* against *storm* ended well; a failing one prints its seed and its steps."""
    machine = seed(SEED)(type(kind.__name__, (kind,), {"storm": storm, "settled": 0}))
    print(f"\nPARVIS_STORM_SEED={SEED} PARVIS_STORM_RUNS={RUNS}")
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=1 + RUNS,  # the first is hypothesis' simplest: nothing happens
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
        _min_steps=STEPS,
    )
    return machine.settled == 1 + RUNS  # type: ignore[attr-defined,no-any-return]
