"""kill -9 at random instants: every call is sent at least once, an acknowledged one never again."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import oncall_victim
import pytest
from monitor_actors import empty_book

from monitor.duty import BOOK_FILE, PAGES_FILE

KILLS = 12


def run(state: Path, patience: float | None) -> int:
    """The engine, killed *patience* seconds after it is ready; None: let it end."""
    words = [sys.executable, oncall_victim.__file__, str(state)]
    here = Path(oncall_victim.__file__).parents[2]
    paths = os.pathsep.join(str(path) for path in (here, here / "tests/monitor"))
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": paths}
    ) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == b"ready\n"
        if patience is not None:
            time.sleep(patience)
            one.kill()
        return one.wait(timeout=110)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_call_is_sent_at_least_once_and_an_acknowledged_one_never_again(tmp_path: Path, seed: int) -> None:
    (tmp_path / BOOK_FILE).write_bytes((empty_book()).read_bytes())
    chance = random.Random(seed)
    ends = [run(tmp_path, chance.uniform(0.01, 0.6)) for _ in range(KILLS)]
    assert run(tmp_path, None) == 0

    diary = (tmp_path / oncall_victim.DIARY).read_text().splitlines()
    lines = [json.loads(line) for line in (tmp_path / PAGES_FILE).read_text().splitlines() if line.endswith("}")]
    calls = [(place, int(line["site"][1:])) for place, line in enumerate(lines) if line["kind"] == "call"]
    counted = Counter(number for _, number in calls)
    silenced = {int(n): int(place) for what, n, place, *_ in (d.split() for d in diary) if what == "acknowledged"}

    assert ends.count(-9) >= KILLS // 2, "most runs were cut short"
    assert set(counted) == set(range(1, oncall_victim.INCIDENTS + 1)), "each incident called somebody"
    assert len(silenced) > 50
    again = [number for place, number in calls if number in silenced and place >= silenced[number]]
    assert again == []
    assert sum(count - 1 for count in counted.values()) <= KILLS, "twice only where the knife fell between"
    print(f"{len(calls)} calls for {len(counted)} incidents, {ends.count(-9)} kills")
