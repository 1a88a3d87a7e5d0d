"""What the visitor reports: taken from who knows the secret, shown while it is fresh, refused in a sentence."""

import time
from typing import Any

import pytest
from flask import Flask
from prometheus_client import generate_latest
from werkzeug.test import TestResponse

from monitor.instruments import MonitorMetrics
from monitor.visits import FRESH_SECONDS, Visits
from monitor.web.visits import add_visits
from parvis.inventory import Town
from parvis.values import Secret

SITE = "bibliotheque-centrale"
GOOD = {"name": "lease", "seconds": 0.5, "wrong": ""}
BAD = {"name": "api-captive", "seconds": 5.0, "wrong": "wifi.cachan.example does not answer"}


class Desk:
    """The monitor's end, without its other pages."""

    def __init__(self, town: Town) -> None:
        self.metrics = MonitorMetrics(town.town)
        self.places: dict[str, list[tuple[str, str]]] = {}
        self.visits = Visits(town, self.metrics, lambda _site, mac: self.places.get(mac, []))
        app = Flask("visits")
        add_visits(app, self.visits, Secret("known"), self.metrics)
        self.client = app.test_client()

    def told(self, secret: str = "known", **words: Any) -> TestResponse:
        report = {"site": SITE, "steps": [GOOD], **words}
        return self.client.post("/visits", json=report, headers={"Authorization": f"Bearer {secret}"})

    def shown(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, {"town": "cachan", "site": SITE, **labels})


@pytest.fixture
def desk(town: Town) -> Desk:
    return Desk(town)


def test_a_visit_is_shown_step_by_step(desk: Desk) -> None:
    assert desk.told(hazards={"rogue-dhcp": 2}).status_code == 204

    assert desk.shown("visitor_success") == 1
    assert desk.shown("visitor_step_success", step="lease") == 1
    assert desk.shown("visitor_step_seconds", step="lease") == 0.5
    assert desk.shown("guest_hazard_devices", hazard="rogue-dhcp") == 2
    assert desk.shown("guest_hazard_devices", hazard="rogue-router") == 0


def test_an_intruder_is_named_by_port_and_access_point_and_its_address_is_nowhere(desk: Desk) -> None:
    mac = "02:00:00:00:00:66"
    desk.places = {mac: [("sw-biblio", "Gi0/2"), ("sw-biblio", "25"), ("sw-elsewhere", "4")]}
    assert desk.told(hazards={"rogue-dhcp": 1}, suspects={"rogue-dhcp": [mac]}).status_code == 204
    place = {"hazard": "rogue-dhcp", "device": "sw-biblio", "port": "Gi0/2", "behind": "ap-biblio-jeunesse"}
    visits, _ = desk.visits.visited(time.time())

    assert desk.shown("guest_hazard_place_info", **place) == 1
    assert visits[SITE].places == ("ap-biblio-jeunesse (sw-biblio, port Gi0/2)",)
    page = generate_latest(desk.metrics.registry).decode()
    assert page.count("guest_hazard_place_info{") == 1, "not the gateway's port, nor a switch that only hears of it"
    newest = desk.visits.newest(SITE)
    assert mac not in f"{page} {visits} {newest}"
    desk.told()
    assert desk.shown("guest_hazard_place_info", **place) is None


def test_a_failed_step_has_no_duration_and_what_came_after_it_has_nothing(desk: Desk) -> None:
    desk.told(steps=[GOOD, {**BAD, "name": "accept", "wrong": ""}])
    assert desk.shown("visitor_step_success", step="accept") == 1
    desk.told(steps=[GOOD, BAD])

    assert desk.shown("visitor_success") == 0
    assert desk.shown("visitor_step_success", step="api-captive") == 0
    assert desk.shown("visitor_step_seconds", step="api-captive") is None
    assert desk.shown("visitor_step_success", step="accept") is None


@pytest.mark.parametrize("later", [FRESH_SECONDS + 1, -3600], ids=["old", "clock set back"])
def test_what_is_old_is_shown_no_more_but_when_it_was_heard(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, later: float
) -> None:
    desk.told()
    heard = desk.shown("visitor_last_report_timestamp_seconds")
    assert heard is not None
    monkeypatch.setattr("monitor.visits.time.time", lambda: heard + FRESH_SECONDS - 1)
    desk.visits.forget()
    assert desk.shown("visitor_success") == 1

    monkeypatch.setattr("monitor.visits.time.time", lambda: heard + later)
    assert desk.visits.visited(heard + later)[0] == {}
    desk.visits.forget()

    assert desk.shown("visitor_success") is None
    assert desk.shown("guest_hazard_devices", hazard="rogue-dhcp") is None
    assert desk.shown("visitor_last_report_timestamp_seconds") == heard
    assert desk.visits.newest(SITE) is None


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        ({"secret": "guessed"}, 403, "visitor-token"),
        ({"site": "nowhere"}, 400, "site"),
        ({"steps": []}, 400, "steps"),
        ({"steps": [GOOD, GOOD]}, 400, "body"),
        ({"steps": [{**GOOD, "seconds": -1}]}, 400, "steps.0.seconds"),
        ({"steps": [{**GOOD, "name": "Lease!"}]}, 400, "steps.0.name"),
        ({"hazards": {"witchcraft": 1}}, 400, "hazards"),
        ({"hazards": {"rogue-dhcp": 0}}, 400, "hazards.rogue-dhcp"),
        ({"suspects": {"rogue-dhcp": ["02"]}}, 400, "suspects.rogue-dhcp"),
        ({"suspects": {"rogue-dhcp": ["02:00:00:00:00:07"] * 5}}, 400, "suspects.rogue-dhcp"),
        ({"mac": "02:00:00:00:00:07"}, 400, "mac"),
        ({"steps": [{**GOOD, "wrong": "x" * 30_000}]}, 400, "shorter"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_of_it_kept(
    desk: Desk, words: dict[str, Any], status: int, sentence: str
) -> None:
    answer = desk.told(**words)

    assert (answer.status_code, sentence in answer.text) == (status, True), answer.text
    assert desk.shown("visitor_success") is None
    assert desk.metrics.registry.get_sample_value("visitor_reports_total", {"result": "refused"}) == 1
