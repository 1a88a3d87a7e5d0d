"""A thread that does one thing again and again, until it is left."""

import subprocess
import sys
import threading

from parvis.running import Turns


def test_turns_follow_each_other_until_left_and_the_last_act_is_the_threads_own() -> None:
    enough, done, last = threading.Event(), [], []

    def turn() -> float:
        done.append(threading.current_thread().name)
        if len(done) == 3:
            enough.set()
        return 0.0

    with Turns("again", turn, last=lambda: last.append(threading.current_thread().name)):
        enough.wait()

    assert len(done) >= 3
    assert {*done, *last} == {"again"}
    assert "again" not in {thread.name for thread in threading.enumerate()}


def test_a_rest_is_cut_short_by_leaving() -> None:
    begun, turns = threading.Event(), []

    def turn() -> float:
        turns.append(1)
        begun.set()
        return 3600.0

    with Turns("rests", turn):
        begun.wait()

    assert turns == [1]


def test_a_turn_under_way_is_hurried_and_not_waited_for_longer_than_patience_allows() -> None:
    begun, hurried, never = threading.Event(), threading.Event(), threading.Event()

    def stuck() -> float:
        begun.set()
        never.wait(60)
        return 0.0

    with Turns("stuck", stuck, hurry=hurried.set, patience=0.05):
        begun.wait()

    assert hurried.is_set()
    assert "stuck" in {thread.name for thread in threading.enumerate()}
    never.set()


def test_a_turn_that_fails_ends_the_process_in_words() -> None:
    program = "import time\nfrom parvis.running import Turns\nwith Turns('bad', lambda: 1 / 0): time.sleep(60)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 1
    assert "a thread failed; the process ends" in done.stderr
