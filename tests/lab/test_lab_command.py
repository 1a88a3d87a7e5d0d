"""What the words of ``parvis lab up`` mean; the town itself is not built here."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from lab.building import Options
from lab.commands import lab
from lab.rooms import Pace
from lab.town import AlreadyUp, Lab


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """What the lab was told to build; it says that the town is up already, so nothing is built."""
    told: list[Options] = []

    def up(_: Lab, options: Options, **__: object) -> float:
        told.append(options)
        raise AlreadyUp("up already")

    monkeypatch.setattr(Lab, "up", up)
    return told


def test_every_wait_of_the_command_line_is_the_one_it_names(asked: list[Options], tmp_path: Path) -> None:
    words = ["--dir", str(tmp_path), "up", "--poll", "7s", "--probe", "3s", "--pace", "0.5", "--without", "console"]

    ended = CliRunner().invoke(lab, [*words, "--no-windows"])

    assert ended.exit_code == 0, ended.output
    assert [options.pace for options in asked] == [Pace(poll=7.0, probe=3.0, visit=Pace().visit, alerts=0.5)]
    assert asked[0].without == {"console"}


def test_a_pace_is_never_given_by_its_place() -> None:
    with pytest.raises(TypeError):
        Pace(7.0, 3.0)  # type: ignore[misc] # what is tested
