"""The monitor's own disk takes nothing any more: whoever is on call hears of it all the same, once."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from monitor_actors import Desk, alert

from monitor import duty
from monitor.duty import LATE_SECONDS, RESERVE_FILE, RESERVE_OCTETS, ROTA_SECONDS
from monitor.store_file import BookFailed
from parvis.inventory import Town

pytestmark = pytest.mark.root
NIGHT = datetime(2026, 6, 3, 23, tzinfo=ZoneInfo("Europe/Paris"))
FULL = alert("DisquePlein", layer="monitoring", severity="page", startsAt=NIGHT.isoformat())


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, three times as large as the reserve."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={3 * RESERVE_OCTETS}", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Something else on this machine writes until nothing goes in any more."""
    with (disk / "flood").open("wb", buffering=0) as file:
        for octets in (65536, 4096):
            try:
                while file.write(b"x" * octets) == octets:
                    pass
            except OSError:
                continue
    assert shutil.disk_usage(disk).free == 0
    return disk / "flood"


def test_a_full_disk_is_told_once_by_what_was_held_for_that_day(town: Town, disk: Path) -> None:
    desk = Desk(town, disk, now=NIGHT).works()
    held = disk / RESERVE_FILE
    assert held.stat().st_size == RESERVE_OCTETS
    flood = fill(disk)
    answers = [desk.messenger.tells(FULL).status_code for _ in range(60)]
    desk.works().works()

    assert answers[0] == 503, "what is not on disk is not answered for: Alertmanager tells it again"
    assert set(answers[1:]) == {200}
    assert [line["kind"] for line in desk.written()] == ["call"]
    assert not held.exists()

    flood.unlink()
    desk.passes(2 * ROTA_SECONDS)

    assert held.stat().st_size == RESERVE_OCTETS
    assert [line["kind"] for line in desk.written()] == ["call"]


def test_a_monitor_that_can_write_nothing_any_more_lets_the_watch_outside_call(
    town: Town, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duty, "RESERVE_OCTETS", 0)
    desk = Desk(town, disk, now=NIGHT)
    desk.duty.tick(desk.watch.picture)
    flood = fill(disk)
    told = desk.messenger.tells(FULL).status_code
    desk.at = desk.clock() + 2 * LATE_SECONDS
    with suppress(BookFailed):
        desk.duty.tick(desk.watch.picture)

    assert told == 503
    assert desk.duty.late()

    flood.unlink()
    desk.duty.tick(desk.watch.picture)

    assert not desk.duty.late()
