"""The life of a session."""

import re
from itertools import product
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.session import NEXT, Event, Now, Policy, Session, State, anchored, decide

DOCUMENT = Path(__file__).parents[2] / "docs/03-the-door.md"
HOUR = Policy(3600, 1, 1)
NOON = Now("boot-1", 100.0, 1_000_000.0)


def opened() -> Session:
    return decide(Session(), Event.ACCEPTED, now=NOON, policy=HOUR)


def test_only_the_listed_steps_change_the_state() -> None:
    for state, event in product(State, Event):
        after = decide(Session(state, "boot-1", 3700.0, 1_003_600.0), event, now=NOON, policy=HOUR)
        assert after.state is NEXT.get((state, event), state)


def test_accepting_twice_gives_no_more_time_and_extending_does() -> None:
    later = Now("boot-1", 1100.0, 1_001_000.0)

    assert decide(opened(), Event.ACCEPTED, now=later, policy=HOUR).remaining(later, HOUR) == 2600
    assert decide(opened(), Event.EXTENDED, now=later, policy=HOUR).remaining(later, HOUR) == 3600


@given(st.floats(-1e9, 1e9))
def test_f40_r36_the_wall_clock_may_jump_anywhere_without_touching_a_session(jump: float) -> None:
    later = Now("boot-1", 1100.0, 1_001_000.0 + jump)

    assert opened().remaining(later, HOUR) == 2600


@given(st.floats(-1e12, 1e12))
def test_f40_after_a_reboot_nobody_gets_more_than_the_policy_grants(wall: float) -> None:
    assert 0 <= opened().remaining(Now("boot-2", 5.0, wall), HOUR) <= 3600


def test_f39_after_a_reboot_the_wall_clock_counts_once_and_then_never_again() -> None:
    up_again = Now("boot-2", 20.0, 1_001_000.0)
    session = anchored(opened(), now=up_again, policy=HOUR)

    assert session.remaining(up_again, HOUR) == 2600
    assert session.remaining(Now("boot-2", 120.0, 0.0), HOUR) == 2500


def test_a_session_that_ended_has_no_time_left() -> None:
    assert decide(opened(), Event.LEFT, now=NOON, policy=HOUR).remaining(NOON, HOUR) == 0


def test_the_documentation_draws_the_table_that_is_used() -> None:
    rows = re.findall(r"^\| (\w+) \| (\w+) \| (\w+) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    drawn = {(State(state), Event(event)): State(after) for state, event, after in rows if state in set(State)}

    assert drawn == NEXT


def test_f37_no_session_outlasts_the_buildings_closing() -> None:
    session = decide(Session(), Event.ACCEPTED, now=NOON, policy=HOUR, closing=600)

    assert session.remaining(NOON, HOUR) == 600
    assert decide(Session(), Event.ACCEPTED, now=NOON, policy=HOUR, closing=7200).remaining(NOON, HOUR) == 3600
