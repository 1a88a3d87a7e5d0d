"""Alerts from Alertmanager: written once, before they are acknowledged; garbage refused in a sentence."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor_actors import Desk, alert

from monitor.alertmanager import Message, called, sort_out
from monitor.rota import on_call
from parvis.inventory import DEMO_TOWN, Town, load


def events(desk: Desk) -> list[dict[str, Any]]:
    return [json.loads(line) for line in desk.written()]


def test_a_page_is_written_with_who_would_be_called(desk: Desk, town: Town) -> None:
    answer = desk.messenger.tells(alert("LienCoupe", uplink="fibre-lagrange"))

    assert answer.status_code == 200
    (event,) = events(desk)
    duty = on_call(town, datetime.now(UTC)).person
    assert event["paged"] == {"person": duty.name, "title": duty.title, "channel": "sms"}
    assert (event["alert"], event["site"], event["subject"]) == ("LienCoupe", "leo-lagrange", "fibre-lagrange")
    assert (event["status"], event["severity"]) == ("firing", "page")


def test_no_telephone_number_is_written(desk: Desk, town: Town) -> None:
    desk.messenger.tells(alert("LienCoupe"))

    assert not any(person.phone in line or person.email in line for person in town.people for line in desk.written())


def test_the_same_alert_told_again_is_not_written_again(desk: Desk) -> None:
    for _ in range(3):
        assert desk.messenger.tells(alert("LienCoupe")).status_code == 200

    assert len(events(desk)) == 1
    assert desk.counted("alert_events_total", result="repeated") == 2


def test_the_same_alert_twice_in_one_message_is_written_once(desk: Desk) -> None:
    desk.messenger.tells(alert("LienCoupe"), alert("LienCoupe"))

    assert len(events(desk)) == 1


def test_an_alert_that_starts_again_is_new(desk: Desk) -> None:
    desk.messenger.tells(alert("LienCoupe"))
    desk.messenger.tells(alert("LienCoupe", startsAt="2026-11-23T21:40:00Z"))

    assert len(events(desk)) == 2


def test_a_restarted_monitor_remembers_what_it_wrote(desk: Desk, town: Town) -> None:
    desk.messenger.tells(alert("LienCoupe"))
    again = Desk(town, desk.file.parent)
    again.messenger.tells(alert("LienCoupe"))

    assert len(events(again)) == 1
    assert [event.alert for event in again.alerts.open] == ["LienCoupe"]


def test_a_ticket_calls_nobody(desk: Desk) -> None:
    desk.messenger.tells(alert("BorneMuette", severity="ticket"))

    assert events(desk)[0]["paged"] is None


@pytest.mark.parametrize(
    ("severity", "hour", "somebody"),
    [
        ("page", 3, True),
        ("page-jour", 6, False),
        ("page-jour", 7, True),
        ("page-jour", 19, True),
        ("page-jour", 20, False),
        ("ticket", 12, False),
        ("none", 12, False),
        ("", 12, False),
    ],
)
def test_by_night_only_a_page_calls(town: Town, severity: str, hour: int, somebody: bool) -> None:
    local = datetime(2026, 6, 3, hour, 0, tzinfo=UTC)

    assert (called(severity, on_call(town, local), local) is not None) == somebody


def test_an_all_clear_closes_what_was_open_while_prometheus_beats(desk: Desk) -> None:
    desk.messenger.beats()
    desk.messenger.tells(alert("LienCoupe"))
    assert desk.messenger.tells(alert("LienCoupe", status="resolved")).status_code == 200

    assert [event["status"] for event in events(desk)] == ["firing", "resolved"]
    assert events(desk)[1]["paged"] == events(desk)[0]["paged"]
    assert desk.alerts.open == []


@pytest.mark.parametrize("age", [None, 151.0, 10_000.0])
def test_an_all_clear_is_not_believed_when_prometheus_beats_no_more(desk: Desk, age: float | None) -> None:
    if age is not None:
        desk.messenger.beats(time.time() - age)
    desk.messenger.tells(alert("LienCoupe"))
    answer = desk.messenger.tells(alert("LienCoupe", status="resolved"), alert("BorneMuette", fingerprint="aa"))

    assert answer.status_code == 503
    assert [(event["alert"], event["status"]) for event in events(desk)] == [
        ("LienCoupe", "firing"),
        ("BorneMuette", "firing"),
    ]
    assert len(desk.alerts.open) == 2
    assert desk.counted("alert_refusals_total", reason="unproven") == 1


def test_a_beat_from_the_future_vouches_for_nothing_later() -> None:
    now = datetime.now(UTC)
    watchdog = alert("Watchdog", annotations={"beat": "99999999999"})
    message = Message.model_validate({"version": "4", "alerts": [watchdog]})

    found = sort_out(message, (), lambda _alert: None, now=now, beat=0.0, beat_max_age=150)
    assert found.beat == pytest.approx(now.timestamp())


@pytest.mark.parametrize("beat", ["", "nan", "inf", "soon"])
def test_a_beat_that_is_no_time_is_no_beat(desk: Desk, beat: str) -> None:
    desk.messenger.tells(alert("Watchdog", annotations={"beat": beat}))

    assert desk.alerts.beat == 0.0
    assert events(desk) == []


def test_the_watchdog_is_never_written(desk: Desk) -> None:
    desk.messenger.beats()

    assert desk.written() == []
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
    assert desk.written() == []


def test_a_form_from_a_browser_is_refused(desk: Desk) -> None:
    body = json.dumps({"version": "4", "alerts": [alert("LienCoupe")]})
    answer = desk.client.post("/alertmanager", data=body, content_type="text/plain")

    assert answer.status_code == 400
    assert desk.written() == []


def test_a_body_past_the_limit_is_refused(desk: Desk) -> None:
    answer = desk.client.post("/alertmanager", data=b" " * 1_000_001, content_type="application/json")

    assert answer.status_code == 413
    assert desk.counted("alert_refusals_total", reason="too_large") == 1


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "", "unix"])
def test_a_stranger_is_refused(desk: Desk, address: str) -> None:
    body = {"version": "4", "alerts": [alert("LienCoupe")]}
    answer = desk.client.post("/alertmanager", json=body, environ_base={"REMOTE_ADDR": address})

    assert answer.status_code == 403
    assert desk.written() == []


def test_when_the_disk_refuses_alertmanager_is_asked_to_try_again(desk: Desk) -> None:
    desk.file.mkdir()
    assert desk.messenger.tells(alert("LienCoupe")).status_code == 503
    assert desk.alerts.open == []
    assert desk.counted("alert_refusals_total", reason="storage") == 1

    desk.file.rmdir()
    assert desk.messenger.tells(alert("LienCoupe")).status_code == 200
    assert len(events(desk)) == 1


def test_a_line_cut_short_by_a_power_loss_costs_only_itself(desk: Desk, town: Town) -> None:
    desk.messenger.tells(alert("LienCoupe"))
    with desk.file.open("ab") as file:
        file.write(b'{"time": "2026-11-2')
    again = Desk(town, desk.file.parent)
    again.messenger.tells(alert("CommutateurMuet", fingerprint="bb"))

    assert {event.alert for event in Desk(town, desk.file.parent).alerts.open} == {"LienCoupe", "CommutateurMuet"}


def test_every_written_event_is_on_the_disk_before_the_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr("os.fsync", lambda _fd: synced.append(desk.file.read_text("utf-8")))
    desk.messenger.tells(alert("LienCoupe"))

    assert [text.count("\n") for text in synced] == [1]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["firing", "resolved"]), st.booleans()), max_size=12))
def test_whatever_the_order_nothing_is_written_twice(told: list[tuple[str, str, bool]]) -> None:
    town = load(DEMO_TOWN)
    now = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
    duty = on_call(town, now)
    seen: set[tuple[str, str, str]] = set()
    for fingerprint, status, alive in told:
        message = Message.model_validate(
            {"version": "4", "alerts": [alert("LienCoupe", fingerprint=fingerprint, status=status)]}
        )
        beat = now.timestamp() if alive else 0.0
        found = sort_out(message, seen, lambda _alert: called("page", duty, now), now=now, beat=beat, beat_max_age=150)
        keys = {event.key for event in found.events}
        assert not keys & seen
        assert len(found.events) + found.repeated + found.waiting == 1
        seen |= keys


def test_the_file_is_made_in_the_state_folder(desk: Desk, tmp_path: Path) -> None:
    desk.messenger.tells(alert("LienCoupe"))

    assert (tmp_path / "pages.jsonl").exists()
