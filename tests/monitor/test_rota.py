"""Who is on call: over clock changes, and always exactly one."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.rota import on_call
from parvis.inventory import DEMO_TOWN, Rota, Town, load

PARIS = ZoneInfo("Europe/Paris")
TOWN = load(DEMO_TOWN)


def with_rota(**changes: object) -> Town:
    return TOWN.model_copy(update={"rota": Rota(**{**TOWN.rota.model_dump(), **changes})})


def paris(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS, fold=fold)


def test_the_first_turn_starts_on_the_second() -> None:
    assert on_call(TOWN, paris("2026-01-05T08:00:00")).person.name == "agent-1"
    assert on_call(TOWN, paris("2026-01-05T07:59:59")).person.name == "agent-3"
    assert on_call(TOWN, paris("2026-01-12T08:00:00")).person.name == "agent-2"


@pytest.mark.parametrize(
    ("inside", "hours"), [("2026-03-25T12:00", 167), ("2026-10-21T12:00", 169), ("2026-06-03T12:00", 168)]
)
def test_a_week_with_a_clock_change_is_an_hour_shorter_or_longer(inside: str, hours: int) -> None:
    turn = on_call(TOWN, paris(inside))

    assert turn.ends.astimezone(UTC) - turn.starts.astimezone(UTC) == timedelta(hours=hours)
    assert (turn.starts.hour, turn.ends.hour) == (8, 8)


def test_the_handover_keeps_its_local_hour_all_year() -> None:
    at = paris("2026-01-05T08:00")
    for _ in range(60):
        turn = on_call(TOWN, at)
        assert f"{turn.ends:%a %H:%M}" == "Mon 08:00"
        at = turn.ends


@pytest.mark.parametrize("hour", ["02:00", "02:30", "03:00"])
def test_a_daily_handover_in_the_skipped_hour_happens_once(hour: str) -> None:
    town = with_rota(starts=f"2026-03-27T{hour}", turn="1d")
    before, after = on_call(town, paris("2026-03-29T01:59:59")), on_call(town, paris("2026-03-29T03:30:00"))

    assert before.person != after.person
    assert before.ends == after.starts


def test_a_handover_at_a_skipped_hour_happens_an_hour_later_by_the_new_clock() -> None:
    town = with_rota(starts="2026-03-27T02:30", turn="1d")
    early, late = on_call(town, paris("2026-03-29T03:29:59")), on_call(town, paris("2026-03-29T03:30"))

    assert early.person != late.person
    assert early.ends == late.starts == paris("2026-03-29T03:30")


@pytest.mark.parametrize("minute", ["02:30", "02:10", "02:50"])
def test_a_handover_at_a_repeated_hour_happens_the_first_time(minute: str) -> None:
    town = with_rota(starts="2026-10-23T02:30", turn="1d")
    handover = paris("2026-10-25T02:30", fold=0)
    before, after = on_call(town, handover.astimezone(UTC) - timedelta(seconds=1)), on_call(town, handover)

    assert before.person != after.person
    assert on_call(town, paris(f"2026-10-25T{minute}", fold=1)).person == after.person


def test_the_start_may_carry_its_own_offset() -> None:
    assert on_call(with_rota(starts="2026-01-05T07:00+00:00"), paris("2026-01-05T08:00")).person.name == "agent-1"


@given(
    st.floats(1577836800, 2051222400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.integers(1, 24 * 40),
    st.sampled_from(["2026-01-05T08:00", "2026-03-29T02:30", "2026-10-25T02:15", "2024-02-29T00:00"]),
)
def test_s34_at_each_instant_exactly_one_turn_is_in_force(at: datetime, hours: int, starts: str) -> None:
    town = with_rota(starts=starts, turn=f"{hours}h")
    turn = on_call(town, at)

    assert turn.starts <= at < turn.ends
    assert turn.person.name in town.rota.order
    assert on_call(town, turn.starts) == turn
    following = on_call(town, turn.ends)
    assert following.starts == turn.ends
    assert following.starts > turn.starts
