"""The twin when something of it is gone, or odd: a sentence, and the rest goes on."""

import json
from pathlib import Path

import pytest

from lab import drills
from lab.naming import LabError
from lab.town import Lab


def test_an_order_to_devices_that_do_not_run_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lab, "_simulated", lambda _twin: {"ap-1": None})
    with pytest.raises(LabError, match="restart simulated"):
        Lab(tmp_path).fault("ap-1", "silent")


def test_a_message_with_a_line_separator_in_it_is_one_message(tmp_path: Path) -> None:
    line = {"alert": "LienCoupe", "site": "msp", "kind": "call", "text": "Salle\u2028A {b}\u2028C"}
    (tmp_path / drills.PAGES).write_text(json.dumps(line, ensure_ascii=False) + "\n", "utf-8")

    assert [seen.text for seen in drills._messages(Lab(tmp_path))] == [line["text"]]
