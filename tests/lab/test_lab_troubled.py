"""The twin when something of it is gone, or odd: a sentence, and the rest goes on."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import drills, network, processes
from lab.naming import LabError
from lab.processes import Program
from lab.town import Lab


def test_an_order_to_devices_that_do_not_run_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lab, "_simulated", lambda _twin: {"ap-1": None})
    with pytest.raises(LabError, match="restart simulated"):
        Lab(tmp_path).fault("ap-1", "silent")


def test_a_message_with_a_line_separator_in_it_is_one_message(tmp_path: Path) -> None:
    line = {"alert": "LienCoupe", "site": "msp", "kind": "call", "text": "Salle\u2028A {b}\u2028C"}
    (tmp_path / drills.PAGES).write_text(json.dumps(line, ensure_ascii=False) + "\n", "utf-8")

    assert [seen.text for seen in drills._messages(Lab(tmp_path))] == [line["text"]]


@pytest.fixture
def namespace() -> Iterator[str]:
    network.run("ip", "netns", "add", "plt-here")
    yield "plt-here"
    network.remove("plt-here")


@pytest.mark.root
def test_a_program_that_cannot_be_noted_does_not_run_and_what_was_noted_stays(tmp_path: Path, namespace: str) -> None:
    for name in ("pids", "logs"):
        (tmp_path / name).mkdir()
    program = Program("sleeper", namespace, ("sleep", "60"), "debian")
    first = processes.start(program, tmp_path)
    processes.stop(first, signal.SIGKILL)
    (tmp_path / "pids" / ".sleeper.json.new").mkdir()  # no file can be written there

    with pytest.raises(OSError, match=r"sleeper\.json"):
        processes.start(program, tmp_path)

    assert processes.inhabitants([namespace]) == []
    assert processes.started(tmp_path) == [first]
