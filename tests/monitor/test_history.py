"""The monitor's own history: two hours in memory, roll-ups on disk, bounded, and whole after any crash."""

import os
import shutil
import signal
import subprocess
import sys
from math import isclose
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_actors import empty_history

from monitor.history.blocks import FIVE_MINUTES, HOUR, Block, joined, packed, rolled, unpacked
from monitor.history.ring import Ring
from monitor.store_history import History

DAY = 86400
START = 1_760_000_000 // HOUR.pack * HOUR.pack


def block(value: float, count: int = 15) -> Block:
    return Block(count, value, value, value, value, value)


@pytest.fixture
def history(tmp_path: Path) -> History:
    shutil.copy(empty_history(), tmp_path / "history.sqlite")
    return History(tmp_path / "history.sqlite")


@given(st.lists(st.floats(-60_000, 60_000), min_size=1, max_size=60))
def test_a_roll_up_is_between_its_smallest_and_largest_sample_packed_or_not(samples: list[float]) -> None:
    made = rolled(samples)
    assert made is not None
    read = unpacked(packed(made))

    assert read is not None
    assert made.low == min(samples)
    assert made.top == max(samples)
    assert made.low <= made.middle <= made.high <= made.top
    for name in ("mean", "low", "middle", "high", "top"):
        assert isclose(getattr(read, name), getattr(made, name), rel_tol=2**-10, abs_tol=1e-4)


def test_what_was_not_measured_is_nothing_and_never_zero() -> None:
    assert rolled([]) is None
    assert rolled([float("nan")]) is None
    assert joined([]) is None


@settings(deadline=None)
@given(st.lists(st.integers(0, 900), min_size=1, max_size=40, unique=True))
def test_the_ring_gives_back_each_step_of_the_last_two_hours_and_no_other(steps: list[int]) -> None:
    ring = Ring(20.0)
    given = {}
    for step in sorted(steps):
        assert ring.add(START + step * 20 + 3, {"rtt": float(step)})
        given[START + step * 20.0] = float(step)
    newest = max(given)
    expected = [(at, value) for at, value in sorted(given.items()) if at > newest - 7200]

    assert ring.samples("rtt", newest - 7200, newest + 20) == expected


def test_a_step_has_one_sample_and_a_clock_set_far_back_begins_anew() -> None:
    ring = Ring(20.0)

    assert ring.add(START, {"a": 1.0})
    assert not ring.add(START + 19, {"a": 2.0})
    assert not ring.add(START - 100, {"a": 3.0})
    assert ring.add(START - 8000, {"a": 4.0})
    assert ring.samples("a", START - 9000, START + 100) == [(START - 8000, 4.0)]


def test_a_series_that_has_gone_takes_no_memory() -> None:
    ring = Ring(20.0)
    ring.add(START, {"old": 1.0, "new": 1.0})
    for step in range(1, 2 * ring.cells):
        ring.add(START + step * 20, {"new": 1.0})

    assert list(ring.names()) == ["new"]


def test_five_minutes_become_hours_and_days_are_packed_without_losing_a_slot(history: History) -> None:
    slots = [START + n * 300 for n in range(288 + 30)]
    for n, at in enumerate(slots):
        history.write(at, {"rtt_ms/fibre": block(n % 50), f"clients/day-{n // 288}": block(1)})
    for n in range(1, 4):
        history.tidy(START + n * DAY)
    read = history.read(["rtt_ms/fibre", "nobody"], START, START + 3 * DAY, FIVE_MINUTES)
    hours = history.read(["rtt_ms/fibre"], START, START + 3 * DAY, HOUR)["rtt_ms/fibre"]

    assert [(at, made.middle) for at, made in read["rtt_ms/fibre"]] == [(at, n % 50) for n, at in enumerate(slots)]
    assert read["nobody"] == []
    assert [at for at, _ in hours] == [START + n * 3600 for n in range(26)] + [START + 26 * 3600]
    assert (hours[0][1].low, hours[0][1].mean, hours[0][1].top, hours[0][1].count) == (0, 5.5, 11, 180)


def test_what_is_kept_has_an_end(history: History) -> None:
    for day in range(0, 800, 20):
        history.write(START + day * DAY, {"rtt_ms/fibre": block(1)})
        history.tidy(START + (day + 1) * DAY)
    end = START + 800 * DAY
    five = history.read(["rtt_ms/fibre"], 0, end, FIVE_MINUTES)["rtt_ms/fibre"]
    hours = history.read(["rtt_ms/fibre"], 0, end, HOUR)["rtt_ms/fibre"]

    assert min(at for at, _ in five) >= end - FIVE_MINUTES.keep - FIVE_MINUTES.pack - 20 * DAY
    assert end - HOUR.keep - HOUR.pack - 20 * DAY <= min(at for at, _ in hours) <= end - 700 * DAY


def test_a_slot_written_twice_stays_what_it_was(history: History) -> None:
    history.write(START, {"a": block(1)})
    history.write(START, {"a": block(2)})

    assert history.read(["a"], START, START + 300, FIVE_MINUTES)["a"] == [(START, block(1))]


VICTIM = """
import sys
from pathlib import Path
from monitor.history.blocks import Block
from monitor.store_history import History
history = History(Path(sys.argv[1]))
start = int(sys.argv[2])
for n in range(100_000):
    at = start + n * 300
    history.write(at, {f"s{i}": Block(1, n % 100, i, i, i, i) for i in range(40)})
    print(n, flush=True)
    if n % 40 == 39:
        history.tidy(at + 300)
"""


def test_kill_9_at_any_instant_loses_no_slot_that_was_written(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    shutil.copy(empty_history(), path)
    child = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(path), str(START)], stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= 300:
            break
    child.send_signal(signal.SIGKILL)
    told = [300, *(int(line) for line in child.stdout.read().split("\n") if line.strip())]
    child.wait()
    read = History(path).read(["s7"], START, START + 100_000 * 300, FIVE_MINUTES)["s7"]

    assert [at for at, _ in read][: told[-1] + 1] == [START + n * 300 for n in range(told[-1] + 1)]
    assert {made.low for _, made in read} == {7.0}
