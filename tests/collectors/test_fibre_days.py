"""Light over days: robust slopes, honest silence, medians that survive a restart and a bad file."""

import json
import random
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.fibre.history import EVERY_SECONDS, KEEP_DAYS, History, Light, Unreadable, from_json
from collectors.fibre.trend import SECONDS_PER_DAY, trend
from collectors.fibre.watch import FILE, load_history, read_history, save_history

RX = Light("sw-biblio", "25", "", "rx")


def weathered(days: int, db_per_day: float, noise: float, seed: int = 7) -> list[tuple[float, float]]:
    """Daily medians that fall by *db_per_day*, and go up and down by *noise* with the weather."""
    chance = random.Random(seed)
    return [(float(day), -12 + day * db_per_day + chance.gauss(0, noise)) for day in range(days)]


def test_s24_a_slow_decay_is_seen_through_the_weather() -> None:
    found = trend(weathered(60, db_per_day=-0.02, noise=0.15))

    assert found
    assert found.is_sure
    assert found.db_per_month == pytest.approx(-0.61, abs=0.15)
    left = found.seconds_to(-18)
    assert left
    assert left / SECONDS_PER_DAY == pytest.approx((6 - 59 * 0.02) / 0.02, rel=0.2)


def test_a_few_odd_days_do_not_move_the_slope() -> None:
    odd = weathered(60, db_per_day=-0.02, noise=0.05)
    for day in (3, 20, 21, 55):
        odd[day] = (odd[day][0], -30.0)

    found = trend(odd)

    assert found
    assert found.db_per_month == pytest.approx(-0.61, abs=0.1)


def test_weather_alone_forecasts_nothing() -> None:
    forecasts = [trend(weathered(40, db_per_day=0, noise=0.2, seed=seed)) for seed in range(40)]
    told = [found.seconds_to(-18) for found in forecasts if found]

    assert len(told) == 40
    assert sum(left is not None for left in told) <= 3


@pytest.mark.parametrize("days", [[], weathered(9, -0.1, 0), weathered(13, -0.1, 0), [(0.0, -1.0), (40.0, -9.0)]])
def test_too_few_days_say_nothing(days: list[tuple[float, float]]) -> None:
    assert trend(days) is None


def test_the_same_light_every_day_goes_nowhere() -> None:
    found = trend([(float(day), -12.0) for day in range(30)])

    assert found
    assert (found.db_per_month, found.is_sure, found.seconds_to(-18)) == (0, False, None)


def filled(days: int, dbm: float = -12.0) -> History:
    history = History()
    for day in range(days):
        for minute in range(0, 60, 10):
            history.note(RX, (20_000 + day) * SECONDS_PER_DAY + minute * 60, dbm if minute else -35.0)
    return history


def test_a_bent_cable_for_ten_minutes_does_not_make_a_day() -> None:
    assert {value for _, value in filled(5).points(RX)} == {-12.0}


def test_today_is_no_day_yet_and_old_days_are_forgotten() -> None:
    found = filled(KEEP_DAYS + 30).points(RX)

    assert len(found) == KEEP_DAYS - 1
    assert found[-1][0] == 20_000 + KEEP_DAYS + 28


def test_readings_more_often_than_needed_and_from_a_clock_set_back_are_left_out() -> None:
    history = filled(2)
    start = 20_001 * SECONDS_PER_DAY
    before = len(history.today[RX])

    history.note(RX, start + 50 * 60 + EVERY_SECONDS - 1, -1.0)
    history.note(RX, start - 2 * SECONDS_PER_DAY, -1.0)

    assert (len(history.today[RX]), [value for _, value in history.points(RX)]) == (before, [-12.0])


def test_days_survive_a_restart(tmp_path: Path) -> None:
    kept = filled(20)
    save_history(tmp_path / "optics", kept)

    found = load_history(tmp_path / "optics")

    assert (found.points(RX), found.today, found.day) == (kept.points(RX), kept.today, kept.day)


@pytest.mark.parametrize("content", ["", "no json", "[]", '{"version": 9, "day": 1, "series": []}', "\xff"])
def test_a_file_that_is_not_ours_is_set_aside_and_not_lost(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, "latin-1")

    with pytest.raises(Unreadable):
        read_history(tmp_path)
    assert load_history(tmp_path).days == {}
    assert (tmp_path / "days.unreadable").read_text("latin-1") == content


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["days", "today", *Light._fields]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_whatever_stands_in_the_file_is_read_or_refused(series: object) -> None:
    found = None
    with suppress(Unreadable):
        found = from_json(json.loads(json.dumps({"version": 1, "day": 1, "series": series})))

    assert found is None or all(isinstance(light, Light) for light in {*found.days, *found.today})
