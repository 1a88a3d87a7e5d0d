"""The officer's records go when their time is over, without anybody listing them, and the log says which."""

import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from captive_portal.console.audit import Audit, NotWritten
from captive_portal.console.upkeep import Upkeep
from captive_portal.dpo import erasing
from captive_portal.dpo.arcom import Letter
from captive_portal.dpo.incident import Incident
from captive_portal.dpo.journal import review
from captive_portal.dpo.record_commands import dpo
from captive_portal.dpo.records import Records
from captive_portal.legal import time_signal
from captive_portal.legal.clock_marks import Witness
from captive_portal.legal.time_signal import Truth
from parvis.endpoint import Endpoint
from parvis.kept import kept_days
from parvis.running import feed_watchdog, start_logging

TODAY = datetime.now(UTC)


def ago(days: int) -> datetime:
    return TODAY - timedelta(days=days)


class Console:
    """Its state folder, with records written by the officer's commands' own code."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.records = folder / "dpo"
        (folder / "audit").mkdir()
        self.audit = Audit(folder / "audit")
        self.refused: list[float] = []
        witness = Witness(folder / "clock.json", self.audit.newest_day)
        self.upkeep = Upkeep(self.audit, witness, self.records, self.refused.append)
        self._monkeypatch = monkeypatch
        self.clock_is_kept()

    def clock_is_kept(self, *, kept: bool = True) -> None:
        self._monkeypatch.setattr(time_signal, "truth", lambda: Truth(0.0, synchronised=kept))

    def letter(self, number: str, days: int) -> None:
        facts = {"received": ago(days).date(), "reference": "x", "alleged": ago(days), "measures": ("aucune",)}
        Records(self.records / "arcom", Letter).write(number, Letter.model_validate({"number": number, **facts}))

    def incident(self, number: str, days: int, **more: Any) -> None:
        facts: dict[str, Any] = {
            "number": number,
            "title": "Panne",
            "began": ago(days + 2),
            "aware": ago(days + 1),
            "ended": ago(days),
            "sites": ("mairie",),
            "degree": "none",
            "impact": "Aucune",
        }
        Records(self.records / "incidents", Incident).write(number, Incident.model_validate(facts | more))

    def report(self, days: int) -> None:
        (self.records / "retention").mkdir(parents=True, exist_ok=True)
        (self.records / "retention" / f"{ago(days).date()}.json").write_text("[]\n")

    def left(self) -> set[str]:
        return {f"{path.parent.name}/{path.stem}" for path in self.records.rglob("*.json")}

    def deeds(self) -> list[tuple[str, str, str, str]]:
        return [(entry.who, entry.did, entry.about, entry.how) for entry in self.audit.newest(10)[::-1]]


@pytest.fixture
def console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Console:
    start_logging("console", "info")
    return Console(tmp_path, monkeypatch)


LETTER, INCIDENT, REPORT = (kept_days(kind) for kind in ("arcom-letter", "incident-record", "retention-report"))


def test_f56_cgu08_cgu12_records_over_their_time_go_by_themselves_and_the_log_names_them(console: Console) -> None:
    console.letter("2020-001", LETTER + 1)
    console.letter("2020-002", LETTER + 9)
    console.letter("2020-003", LETTER - 1)
    console.incident("2019-001", INCIDENT + 1)
    console.incident("2019-002", INCIDENT - 1)
    console.report(REPORT + 1)
    console.report(REPORT - 1)

    assert console.upkeep.wrong() == ""

    assert console.left() == {"arcom/2020-003", "incidents/2019-002", f"retention/{ago(REPORT - 1).date()}"}
    assert console.deeds() == [
        ("parvis", "purge", "arcom 2020-001 to 2020-002", "2 erased"),
        ("parvis", "purge", "incidents 2019-001", "1 erased"),
        ("parvis", "purge", f"retention {ago(REPORT + 1).date()}", "1 erased"),
    ]
    assert console.audit.verify()[0] == 3
    assert console.refused == [0]


def test_f56_the_processs_own_watchdog_is_enough_nobody_has_to_ask(console: Console) -> None:
    console.letter("2020-001", LETTER + 1)

    with Endpoint(("127.0.0.1", 0), CollectorRegistry(), {"upkeep": console.upkeep.wrong}) as endpoint:
        feed_watchdog([endpoint])

    assert console.left() == set()


def test_an_incident_goes_on_being_kept_until_it_is_over_and_everybody_was_told(console: Console) -> None:
    years = INCIDENT * 2
    console.incident("2019-001", years, ended=None)
    console.incident("2019-002", years, cyber=True, told={"interior": ago(years)})
    console.incident("2019-003", years, cyber=True, told={"interior": ago(years), "anssi": ago(years)})

    console.upkeep.wrong()

    assert console.left() == {"incidents/2019-001", "incidents/2019-002"}


def test_by_a_clock_that_is_not_believed_no_record_goes_and_somebody_is_told(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    console.letter("2020-001", LETTER + 1)
    console.clock_is_kept(kept=False)

    assert console.upkeep.wrong() == ""

    told = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert (told["event"], told["records"]) == ("nothing is erased", 1)
    assert "--clock-is-right" in told["todo"]
    assert console.refused == [1]
    assert console.left() == {"arcom/2020-001"}


def test_nothing_is_erased_that_the_log_cannot_name(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    console.letter("2020-001", LETTER + 1)

    def full(_entry: object) -> None:
        raise NotWritten("no space left")

    monkeypatch.setattr(console.audit, "write", full)

    assert "no space left" in console.upkeep.wrong()
    assert console.left() == {"arcom/2020-001"}


def test_a_damaged_record_stays_and_is_named_and_keeps_no_other_from_going(
    console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    console.letter("2020-002", LETTER + 1)
    for number, text in enumerate(("{", "[]", '{"received": 5}', '{"received": "hier"}')):
        (console.records / "arcom" / f"2019-00{number}.json").write_text(text)

    assert console.upkeep.wrong() == ""

    assert console.left() == {f"arcom/2019-00{number}" for number in range(4)}
    assert "arcom/2019-003.json" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_records_that_cannot_be_read_are_told_as_what_they_are(console: Console) -> None:
    console.letter("2020-001", LETTER + 1)
    (console.records / "arcom").chmod(0)
    try:
        assert "must be the console's own" in console.upkeep.wrong()
    finally:
        (console.records / "arcom").chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_writes_is_the_consoles_to_erase(tmp_path: Path) -> None:
    os.chown(tmp_path, 61006, 61006)
    settings = tmp_path / "settings.toml"
    settings.write_text(f'state = "{tmp_path}"')
    letter = ("--received", "2026-11-30", "--reference", "x", "--alleged", "2026-11-02T21:00", "--measure", "rien")
    for words in (("arcom", "received", *letter), ("retention", str(tmp_path), "--keep")):
        told = CliRunner().invoke(dpo, [*words, "--settings", str(settings)])
        assert told.exit_code == 0, told.output

    made = [tmp_path / "dpo", *(tmp_path / "dpo").rglob("*")]
    assert len(made) == 5
    assert {(path.stat().st_uid, path.stat().st_mode & 0o077) for path in made} == {(61006, 0)}


def test_a_folder_that_is_none_is_told_as_what_it_is(console: Console) -> None:
    console.records.mkdir()
    (console.records / "arcom").write_text("")

    assert "the officer's records cannot be read" in console.upkeep.wrong()


def test_a_console_without_an_officer_has_nothing_to_erase(tmp_path: Path) -> None:
    found = erasing.find(tmp_path / "none", date(2026, 11, 30))

    assert (len(found), found.damaged) == (0, [])


def test_what_is_erased_at_night_is_no_question_for_the_officer(console: Console) -> None:
    console.letter("2020-001", LETTER + 1)
    console.upkeep.wrong()
    (entry,) = console.audit.newest(1)

    found = review([replace(entry, at="2026-11-30T02:00:00.000+00:00")], "2026-11", ZoneInfo("Europe/Paris"))

    assert (found.look, found.deeds["parvis", "purge"]) == ([], 1)
