"""The twin's own copy of a town: all that the town has, readable to every user of the twin."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import building, state
from lab.building import Options
from parvis.inventory import load


@pytest.fixture
def closed_umask() -> Iterator[None]:
    """What hardened machines give root: nothing for anybody else."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_whoever_is_on_call_in_the_town_is_on_call_in_the_twin(town_folder: Path, tmp_path: Path) -> None:
    for name, text in (("rota/equipe/agent-1.ics", "BEGIN:VCALENDAR\n"), ("events/fete.ics", "BEGIN:VCALENDAR\n")):
        (town_folder / name).parent.mkdir(parents=True)
        (town_folder / name).write_text(text, "utf-8")
    (town_folder / "portal" / "terms").mkdir(parents=True)
    (town_folder / "portal" / "terms" / "2.0.0.fr.html").write_text("<p>é</p>", "utf-8")
    told = load(town_folder)

    copied, _ = building.prepare(Options(town_folder), tmp_path / "lab")

    assert copied.calendars == told.calendars != {}
    assert copied.events == told.events != {}
    assert copied.portal_files == told.portal_files != {}


@pytest.mark.usefixtures("closed_umask")
def test_every_user_of_the_twin_reads_its_town_whatever_the_umask(town_folder: Path, tmp_path: Path) -> None:
    (town_folder / "rota").mkdir()
    (town_folder / "rota" / "agent-1.ics").write_text("BEGIN:VCALENDAR\n", "utf-8")

    with state.readable():
        state.create(tmp_path / "lab", state.About("pv-", 2, "", complete=False, seconds=0.0, windows={}))
        building.prepare(Options(town_folder), tmp_path / "lab")

    for path in (tmp_path / "lab").rglob("*"):
        wanted = 0o5 if path.is_dir() else 0o4
        assert path.stat().st_mode & wanted == wanted, path
