"""A drill in the twin begins when nobody is called for anything; else it would be part of what is open already."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import drills
from lab.network import CommandFailed
from lab.town import Lab
from parvis.drills import Drill
from parvis.drills import drills as every_drill
from parvis.inventory import Town

OPEN = (
    'oncall_incident_opened_timestamp_seconds{town="cachan",site="",cause="CollecteMassiveEnEchec",severity="page-jour"'
    ',state="acknowledged",person="agent-1"} 1.7e9\n'
)
TICKET = OPEN.replace("page-jour", "ticket")
REFUSED = "connection refused"
CUT = every_drill()["fibre-cut-class-a-at-night"]


class Twin:
    """A twin whose monitor says one thing after another, and that writes down what is done to it."""

    def __init__(self, town: Town, folder: Path, said: Iterator[str]) -> None:
        self.town, self.folder, self.done = town, folder, list[str]()
        self._said = said

    def exec(self, _place: str, argv: list[str]) -> subprocess.CompletedProcess[str]:
        self.done.append("asked")
        said = next(self._said)
        if said is REFUSED:
            return subprocess.CompletedProcess(argv, 7, "", "curl: (7) Failed to connect")
        return subprocess.CompletedProcess(argv, 0, said, "")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOOK_SECONDS", "CALM_SECONDS"):
        monkeypatch.setattr(drills, name, 0.0)
    monkeypatch.setattr(drills, "PATIENCE_SECONDS", 0.05)
    deeds = {name: lambda twin, _, name=name: twin.done.append(name) for name in drills.DEEDS}
    monkeypatch.setattr(drills, "DEEDS", deeds)


def played(town: Town, folder: Path, *said: str, drill: Drill = CUT) -> tuple[list[str], tuple[str, ...]]:
    def forever() -> Iterator[str]:
        yield from said
        while True:
            yield said[-1]

    twin: Any = Twin(town, folder, forever())
    outcome = drills.play(twin, drill)
    return twin.done, outcome.wrong


@pytest.mark.usefixtures("hurried")
def test_a_drill_waits_until_nobody_is_called_for_anything(town: Town, tmp_path: Path) -> None:
    done, _ = played(town, tmp_path, OPEN, OPEN + TICKET, TICKET)

    assert done[:4] == ["asked", "asked", "asked", "cut-fibre"]
    assert done[-1] == "restore"


@pytest.mark.usefixtures("hurried")
def test_where_it_never_becomes_calm_nothing_is_broken_and_the_reason_is_named(town: Town, tmp_path: Path) -> None:
    done, wrong = played(town, tmp_path, OPEN)

    assert set(done) == {"asked"}
    assert wrong == ("nothing was broken, for this is open: CollecteMassiveEnEchec@",)


@pytest.mark.usefixtures("hurried")
def test_what_cannot_be_mended_leaves_nothing_else_broken(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mended: list[str] = []

    def restore(_twin: Lab, site: str) -> None:
        mended.append(site)
        raise CommandFailed("no such interface")

    monkeypatch.setitem(drills.DEEDS, "restore", restore)
    steps = tuple(CUT.steps[0].model_copy(update={"where": site.site}) for site in town.sites)
    with pytest.raises(CommandFailed):
        played(town, tmp_path, "", drill=CUT.model_copy(update={"steps": steps, "calls": ()}))

    assert set(mended) == {site.site for site in town.sites}


@pytest.mark.usefixtures("hurried")
def test_whoever_is_not_called_learns_what_was_open(town: Town, tmp_path: Path) -> None:
    _, wrong = played(town, tmp_path, "", OPEN)

    assert wrong == (
        "nobody was called for LienCoupe@maison-services-publics",
        "meanwhile this is open: CollecteMassiveEnEchec@",
    )


@pytest.mark.usefixtures("hurried")
def test_a_monitor_that_does_not_answer_is_not_taken_for_calm(town: Town, tmp_path: Path) -> None:
    done, wrong = played(town, tmp_path, REFUSED)

    assert set(done) == {"asked"}
    assert wrong == (f"nothing was broken, for {drills.SILENT}",)


@pytest.mark.usefixtures("hurried")
def test_nobody_was_called_because_the_monitor_died_is_no_drill_passed(town: Town, tmp_path: Path) -> None:
    quiet = CUT.model_copy(update={"calls": ()})

    _, wrong = played(town, tmp_path, "", REFUSED, drill=quiet)

    assert wrong == (drills.SILENT,)
