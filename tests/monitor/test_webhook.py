"""Alerts from Alertmanager: on disk before they are acknowledged; garbage refused in a sentence."""

import json
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from monitor_actors import Desk, alert

from monitor.alertmanager import Message, beat_of
from monitor.duty import BOOK_FILE
from parvis.inventory import Town


def test_a_page_makes_an_incident_and_a_message_to_who_is_on_duty(desk: Desk) -> None:
    answer = desk.messenger.tells(alert("LienCoupe", uplink="fibre-lagrange"))
    desk.works()

    assert answer.status_code == 200
    (line,) = desk.written()
    duty = desk.duty.roster.turn(datetime.now(UTC)).person
    assert (line["person"], line["kind"]) == (duty.name, "call")
    assert (line["alert"], line["site"], line["severity"]) == ("LienCoupe", "leo-lagrange", "page")


def test_ast08_no_telephone_number_is_written(desk: Desk, town: Town) -> None:
    desk.messenger.tells(alert("LienCoupe"))
    desk.works()
    kept = desk.file.read_bytes() + (desk.settings.state / BOOK_FILE).read_bytes()

    assert b"LienCoupe" in desk.file.read_bytes()
    assert not any(person.phone.encode() in kept or person.email.encode() in kept for person in town.people)


def test_the_same_alert_told_again_is_not_paged_again(desk: Desk) -> None:
    for _ in range(3):
        assert desk.messenger.tells(alert("LienCoupe")).status_code == 200
        desk.works()

    assert len(desk.written()) == 1
    assert desk.counted("alert_events_total", result="repeated") == 2


def test_the_same_alert_twice_in_one_message_is_one_incident(desk: Desk) -> None:
    desk.messenger.tells(alert("LienCoupe"), alert("LienCoupe"))

    assert len(desk.incidents()) == 1


def test_an_alert_that_is_over_and_starts_again_is_new(desk: Desk) -> None:
    desk.messenger.beats()
    desk.messenger.tells(alert("LienCoupe"))
    desk.messenger.tells(alert("LienCoupe", status="resolved"))
    desk.messenger.tells(alert("LienCoupe", startsAt="2026-11-23T21:40:00Z"))

    assert sorted(desk.states()) == ["open", "resolved"]


def test_an_all_clear_of_an_earlier_occurrence_ends_nothing(desk: Desk) -> None:
    desk.messenger.beats()
    desk.messenger.tells(alert("LienCoupe", startsAt="2026-11-23T21:40:00Z"))
    desk.messenger.tells(alert("LienCoupe", status="resolved"))

    assert desk.states() == ["open"]


def test_a_restarted_monitor_remembers_what_it_paged(desk: Desk, town: Town) -> None:
    desk.messenger.tells(alert("LienCoupe"))
    desk.works()
    again = Desk(town, desk.file.parent)
    again.messenger.tells(alert("LienCoupe"))
    again.works()

    assert len(again.written()) == 1
    assert again.states() == ["open"]


def test_a_ticket_calls_nobody(desk: Desk) -> None:
    desk.messenger.tells(alert("BorneMuette", severity="ticket"))
    desk.works()

    assert desk.states() == ["open"]
    assert desk.written() == []


def test_an_all_clear_closes_what_was_open_while_prometheus_beats(desk: Desk) -> None:
    desk.messenger.beats()
    desk.messenger.tells(alert("LienCoupe"))
    desk.works()
    assert desk.messenger.tells(alert("LienCoupe", status="resolved")).status_code == 200
    desk.works()

    first, second = desk.written()
    assert (first["kind"], second["kind"]) == ("call", "all-clear")
    assert first["person"] == second["person"]
    assert desk.states() == ["resolved"]


@pytest.mark.parametrize("age", [None, 151.0, 10_000.0])
def test_an_all_clear_is_not_believed_when_prometheus_beats_no_more(desk: Desk, age: float | None) -> None:
    if age is not None:
        desk.messenger.beats(time.time() - age)
    desk.messenger.tells(alert("LienCoupe"))
    answer = desk.messenger.tells(alert("LienCoupe", status="resolved"), alert("BorneMuette", layer="ap", site="msp"))

    assert answer.status_code == 503
    assert desk.states() == ["open", "open"]
    assert desk.counted("alert_refusals_total", reason="unproven") == 1


def test_a_beat_from_the_future_vouches_for_nothing_later() -> None:
    now = datetime.now(UTC)
    watchdog = alert("Watchdog", annotations={"beat": "99999999999"})
    message = Message.model_validate({"version": "4", "alerts": [watchdog]})

    assert beat_of(message.alerts, now) == pytest.approx(now.timestamp())


@pytest.mark.parametrize("beat", ["", "nan", "inf", "soon"])
def test_a_beat_that_is_no_time_is_no_beat(desk: Desk, beat: str) -> None:
    desk.messenger.tells(alert("Watchdog", annotations={"beat": beat}))

    assert desk.engine.beat == 0.0
    assert desk.incidents() == []


def test_the_watchdog_is_no_incident(desk: Desk) -> None:
    desk.messenger.beats()

    assert desk.incidents() == []
    assert desk.counted("alert_events_total", result="beat") == 1
    assert desk.counted("watchdog_beat_timestamp_seconds") == pytest.approx(time.time(), abs=5)


GARBAGE = (
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"version": "4"}',
    b'{"version": "3", "alerts": []}',
    b'{"version": "4", "alerts": [{}]}',
    json.dumps({"version": "4", "alerts": [alert("X", startsAt="2026-11-23T20:40:00")]}).encode(),
    json.dumps({"version": "4", "alerts": [alert("X", fingerprint="../../etc")]}).encode(),
    json.dumps({"version": "4", "alerts": [alert("X", site="x" * 201)]}).encode(),
    json.dumps({"version": "4", "alerts": [alert("X", site={"a": 1})]}).encode(),
)


@pytest.mark.parametrize("body", GARBAGE)
def test_garbage_is_refused_in_a_sentence_and_counted(desk: Desk, body: bytes) -> None:
    answer = desk.client.post("/alertmanager", data=body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.text.startswith("Not a webhook message of Alertmanager: ")
    assert answer.mimetype == "text/plain"
    assert len(answer.text) < 300
    assert desk.counted("alert_refusals_total", reason="garbage") == 1
    assert desk.incidents() == []


def test_a_form_from_a_browser_is_refused(desk: Desk) -> None:
    body = json.dumps({"version": "4", "alerts": [alert("LienCoupe")]})
    answer = desk.client.post("/alertmanager", data=body, content_type="text/plain")

    assert answer.status_code == 400
    assert desk.incidents() == []


def test_a_body_past_the_limit_is_refused(desk: Desk) -> None:
    answer = desk.client.post("/alertmanager", data=b" " * 1_000_001, content_type="application/json")

    assert answer.status_code == 413
    assert desk.counted("alert_refusals_total", reason="too_large") == 1


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "", "unix"])
def test_a_stranger_is_refused(desk: Desk, address: str) -> None:
    body = {"version": "4", "alerts": [alert("LienCoupe")]}
    answer = desk.client.post("/alertmanager", json=body, environ_base={"REMOTE_ADDR": address})

    assert answer.status_code == 403
    assert desk.incidents() == []


def test_when_the_disk_refuses_alertmanager_is_asked_to_try_again(desk: Desk) -> None:
    with sqlite3.connect(desk.settings.state / BOOK_FILE) as file:
        file.execute("CREATE TRIGGER full BEFORE INSERT ON alerts BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    assert desk.messenger.tells(alert("LienCoupe")).status_code == 503
    assert desk.incidents() == []
    assert desk.counted("alert_refusals_total", reason="storage") == 1

    with sqlite3.connect(desk.settings.state / BOOK_FILE) as file:
        file.execute("DROP TRIGGER full")
    assert desk.messenger.tells(alert("LienCoupe")).status_code == 200
    assert len(desk.incidents()) == 1


def test_incident_and_page_are_on_disk_before_the_answer(desk: Desk, tmp_path: Path) -> None:
    """Another reader of the file sees both as soon as the answer is there, though nothing was sent yet."""
    assert desk.messenger.tells(alert("LienCoupe")).status_code == 200

    with sqlite3.connect(tmp_path / BOOK_FILE) as file:
        assert file.execute("SELECT state FROM incidents").fetchall() == [("open",)]
        assert file.execute("SELECT kind, state FROM pages").fetchall() == [("call", "waiting")]
        assert file.execute("PRAGMA synchronous").fetchone() is not None
    assert desk.written() == []
