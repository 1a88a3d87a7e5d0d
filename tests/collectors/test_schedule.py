"""Turns are spread, stable and never missed; a dead device is asked less."""

from hypothesis import given
from hypothesis import strategies as st

from collectors.schedule import OPEN_AFTER, Breaker, next_turn, offset_seconds


@given(st.text(min_size=1, max_size=40), st.floats(1, 3600), st.floats(0, 2e9))
def test_the_next_turn_is_after_now_and_within_one_interval(name: str, interval: float, now: float) -> None:
    turn = next_turn(name, interval, now)

    assert now - 1e-6 <= turn <= now + interval + 1e-6
    assert 0 <= offset_seconds(name, interval) < interval


def test_a_thousand_devices_are_spread_over_the_interval() -> None:
    tenths = [0] * 10
    for number in range(1000):
        tenths[int(offset_seconds(f"ap-{number}", 60) // 6)] += 1

    assert min(tenths) > 60
    assert max(tenths) < 140


def test_a_breaker_opens_after_some_failures_and_closes_with_one_success() -> None:
    breaker = Breaker()
    for _ in range(OPEN_AFTER):
        assert not breaker.is_open
        breaker = breaker.failed()

    assert breaker.is_open
    assert not breaker.succeeded().is_open
