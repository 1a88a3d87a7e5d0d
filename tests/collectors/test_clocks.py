"""What three clocks tell about a device between two polls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.clocks import (
    WRAP_TICKS,
    AgentRestarted,
    Clocks,
    Continued,
    Rebooted,
    Verdict,
    Wrapped,
    judge,
    uptime_seconds,
)

MINUTE = 6000
"""Ticks."""


def after_a_minute(before: dict[str, int], now: dict[str, int]) -> Verdict:
    return judge(Clocks(0.0, **before), Clocks(60.0, **now))


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        ({"agent_ticks": 100_000}, {"agent_ticks": 106_000}, Continued),
        ({"agent_ticks": 100_000}, {"agent_ticks": 500}, Rebooted),
        ({"agent_ticks": WRAP_TICKS - 3000}, {"agent_ticks": 3000}, Wrapped),
        ({"agent_ticks": WRAP_TICKS - 300_000}, {"agent_ticks": 3000}, Rebooted),
        (
            {"agent_ticks": 100_000, "host_ticks": 10**6},
            {"agent_ticks": 500, "host_ticks": 10**6 + MINUTE},
            AgentRestarted,
        ),
        ({"agent_ticks": 100_000, "host_ticks": 10**6}, {"agent_ticks": 500, "host_ticks": 900}, Rebooted),
        (
            {"host_ticks": WRAP_TICKS - 3000, "agent_ticks": 10**6},
            {"host_ticks": 3000, "agent_ticks": 10**6 + MINUTE},
            Wrapped,
        ),
        ({"engine_boots": 4, "engine_seconds": 900}, {"engine_boots": 5, "engine_seconds": 20}, Rebooted),
        (
            {"engine_boots": 4, "engine_seconds": 900, "host_ticks": 10**6},
            {"engine_boots": 5, "engine_seconds": 20, "host_ticks": 10**6 + MINUTE},
            AgentRestarted,
        ),
        (
            {"engine_seconds": 43_000_000, "agent_ticks": 50_328_000},
            {"engine_seconds": 43_000_060, "agent_ticks": 500},
            AgentRestarted,
        ),
        ({}, {}, Continued),
        ({"agent_ticks": 100_000}, {}, Continued),
        ({"agent_ticks": 100_000}, {"agent_ticks": 100_000}, Continued),  # a frozen clock
        ({"agent_ticks": 100_000}, {"agent_ticks": 104_500}, Continued),  # a clock that drifts
    ],
)
def test_s14_the_clocks_are_weighed(before: dict[str, int], now: dict[str, int], verdict: Verdict) -> None:
    assert after_a_minute(before, now) is verdict


def test_a_reboot_during_a_long_silence_is_seen() -> None:
    assert judge(Clocks(0, agent_ticks=100_000), Clocks(5000, agent_ticks=150_000)) is Rebooted


@given(st.integers(0, WRAP_TICKS - 1), st.floats(1, 86_400))
def test_a_clock_that_runs_on_is_never_a_reboot(ticks: int, elapsed: float) -> None:
    now = int(ticks + elapsed * 100) % WRAP_TICKS

    assert judge(Clocks(0, agent_ticks=ticks), Clocks(elapsed, agent_ticks=now)) in {Continued, Wrapped}


@given(st.integers(WRAP_TICKS // 2, WRAP_TICKS - 1), st.floats(1, 3600))
def test_s14_g11_wraps_of_both_tick_clocks_are_never_a_restart(ticks: int, elapsed: float) -> None:
    now = int(ticks + elapsed * 100) % WRAP_TICKS
    before = Clocks(0, agent_ticks=ticks, host_ticks=ticks)

    assert judge(before, Clocks(elapsed, agent_ticks=now, host_ticks=now)) in {Continued, Wrapped}


@pytest.mark.parametrize(
    ("clocks", "seconds"),
    [
        (Clocks(0), None),
        (Clocks(0, agent_ticks=6000), 60),
        (Clocks(0, agent_ticks=6000, host_ticks=12_000), 120),
        (Clocks(0, engine_seconds=77), 77),
        (Clocks(0, agent_ticks=6000, engine_seconds=42_949_732), 60 + WRAP_TICKS / 100),
        (Clocks(0, agent_ticks=6000, engine_seconds=2_000_000), 60),  # an engine clock that is simply wrong
    ],
)
def test_uptime_undoes_the_wrap_only_where_another_clock_agrees(clocks: Clocks, seconds: float | None) -> None:
    assert uptime_seconds(clocks) == seconds
