"""The log as journald gets it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from parvis.journal import Journal


@pytest.fixture
def journal() -> Journal:
    made = Journal()
    made.begin("portal", "INFO")
    return made


def test_an_event_is_one_json_object_a_line_with_its_facts(
    journal: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.info("accès ouvert\nvraiment", part=Path("a"), count=3)

    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "accès" in line
    said = json.loads(line)
    assert list(said) == ["part", "count", "event", "process", "level", "timestamp"]
    assert (said["count"], said["process"], said["level"]) == (3, "portal", "info")
    assert said["timestamp"].endswith("Z")


def test_what_is_less_grave_than_the_level_is_left_out(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    journal.begin("portal", "warning")
    journal.debug("one")
    journal.info("two")
    journal.warning("three")

    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == ["three"]


def test_an_error_says_where_it_was_raised(journal: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError as error:
        journal.exception("one")
        caught = error
    journal.error("two", exc_info=caught)
    journal.error("three")

    said = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert all("test_journal.py" in line["exception"] for line in said[:2])
    assert said[0]["exception"].endswith("ZeroDivisionError: division by zero")
    assert "exception" not in said[2]


def test_a_small_process_loads_no_event_loop() -> None:
    """The log, metrics and signals of a process need neither asyncio nor logging: 4 MB a process."""
    check = "import sys, captive_portal.gatewayd; print([m for m in ('asyncio', 'structlog') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
