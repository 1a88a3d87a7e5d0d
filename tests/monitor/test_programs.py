"""Programs that hang: what they have started is ended with them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.programs import ran
from monitor.visitor import process


def gone(pid: int) -> bool:
    """Whether *pid* ends within some seconds; it is ended then in any case."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    return False


def by_visitor(words: list[str]) -> None:
    process._ran(words, "")


def by_monitor(words: list[str]) -> None:
    ran(words, "", 1)


@pytest.mark.parametrize(
    ("run", "error"), [(by_monitor, subprocess.TimeoutExpired), (by_visitor, OSError)], ids=["monitor", "visitor"]
)
def test_what_does_not_end_in_time_is_ended_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Callable[[list[str]], None], error: type[Exception]
) -> None:
    monkeypatch.setattr(process, "VISIT_SECONDS", 1.0)
    begun = time.monotonic()

    with pytest.raises(error):
        run(["sh", "-c", f"sleep 30 & echo $! >{tmp_path}/pid; wait"])

    assert gone(int((tmp_path / "pid").read_text()))
    assert time.monotonic() - begun < 6


def test_what_ends_says_what_it_said() -> None:
    done = ran(["sh", "-c", "cat; echo why >&2; exit 3"], "words", 10)

    assert (done.stdout, done.stderr, done.returncode) == ("words", "why\n", 3)
