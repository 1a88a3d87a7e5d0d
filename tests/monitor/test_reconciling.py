"""Nothing depends on one message: the list is compared, a dead Prometheus resolves nothing, own checks step in."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from monitor_actors import Desk, Listener, alert
from pydantic import ValidationError

from monitor.alertmanager import picture
from monitor.checks import check
from monitor.findings import Policy
from parvis.alerts import alerts
from parvis.inventory import Town

START = datetime(2026, 6, 3, 23, tzinfo=ZoneInfo("Europe/Paris"))
SITE, UPLINK = "leo-lagrange", "fibre-lagrange"


class Alertmanager:
    """Plays Alertmanager's list, read by the engine every 30 s, and lets time pass."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.alerts: list[dict[str, Any]] = []
        self.prometheus_alive = True
        self.lists_the_watchdog = True
        self.beat = desk.clock()

    def fires(self, name: str, *, state: str = "active", **labels: str) -> "Alertmanager":
        since = datetime.fromtimestamp(self.desk.clock(), UTC).isoformat()
        self.alerts.append({**alert(name, startsAt=since, **labels), "status": {"state": state}})
        return self

    def listed(self) -> bytes:
        watchdog = alert("Watchdog", severity="none", annotations={"beat": str(self.beat)})
        listed = [{**watchdog, "status": {"state": "active"}}] if self.lists_the_watchdog else []
        return json.dumps([*self.alerts, *listed]).encode()

    def lasts(self, seconds: float) -> "Alertmanager":
        for _ in range(round(seconds / 30)):
            self.desk.at = self.desk.clock() + 30
            if self.prometheus_alive:
                self.beat = self.desk.clock()
            now = datetime.fromtimestamp(self.desk.clock(), UTC)
            self.desk.engine.reconcile(picture(self.listed(), now), now, grace=90)
            self.desk.works()
        return self


@pytest.fixture
def night(town: Town, tmp_path: Path) -> Desk:
    return Desk(town, tmp_path, now=START)


@pytest.fixture
def manager(night: Desk) -> Alertmanager:
    return Alertmanager(night).lasts(60)


def kinds(desk: Desk) -> list[str]:
    return [line["kind"] for line in desk.written()]


def test_an_alert_whose_message_was_lost_still_pages(manager: Alertmanager) -> None:
    manager.fires("LienCoupe").lasts(180)

    assert kinds(manager.desk) == ["call"]


def test_an_alert_has_time_to_come_by_the_webhook_with_its_group(manager: Alertmanager) -> None:
    manager.fires("LienCoupe").lasts(60)

    assert manager.desk.incidents() == []


def test_an_alert_told_both_ways_pages_once(manager: Alertmanager) -> None:
    manager.fires("LienCoupe")
    manager.desk.messenger.tells(manager.alerts[0] | {"status": "firing"})
    manager.lasts(240)

    assert kinds(manager.desk) == ["call"]


def test_an_alert_that_a_graver_one_suppresses_pages_nobody(manager: Alertmanager) -> None:
    manager.fires("PasserelleMuette", layer="gateway", state="suppressed").lasts(300)

    assert manager.desk.incidents() == []


def test_an_all_clear_whose_message_was_lost_still_ends_the_incident(manager: Alertmanager) -> None:
    manager.fires("LienCoupe").lasts(120)
    manager.alerts.clear()
    manager.lasts(210)

    assert kinds(manager.desk) == ["call", "all-clear"]
    assert manager.desk.states() == ["resolved"]


def test_an_alertmanager_that_has_just_started_ends_nothing(manager: Alertmanager) -> None:
    manager.fires("LienCoupe").lasts(120)
    kept, manager.alerts = manager.alerts, []
    manager.lasts(90)
    manager.alerts = kept
    manager.lasts(300)

    assert set(manager.desk.states()) == {"open"}
    assert "all-clear" not in kinds(manager.desk)


def test_a_list_without_the_watchdog_proves_no_absence(manager: Alertmanager) -> None:
    """The beat came by the webhook a moment ago, the list is that of an Alertmanager that knows nothing yet."""
    manager.fires("LienCoupe").lasts(120)
    manager.alerts.clear()
    manager.lists_the_watchdog = False
    for _ in range(10):
        manager.desk.messenger.beats(manager.desk.clock())
        manager.lasts(30)

    assert manager.desk.states() == ["open"]


def test_when_prometheus_dies_nothing_is_resolved_and_its_silence_pages(manager: Alertmanager) -> None:
    """Alertmanager drops the alert minutes later and goes on sending the Watchdog: its carried time betrays it."""
    manager.fires("LienCoupe").lasts(120)
    manager.prometheus_alive = False
    manager.lasts(60)
    manager.alerts.clear()
    manager.lasts(1200)

    assert [row["key"] for row in manager.desk.incidents()] == [f"{SITE}/uplink", "/SupervisionMuette"]
    assert set(manager.desk.states()) == {"open"}

    manager.prometheus_alive = True
    manager.lasts(300)
    assert manager.desk.states() == ["resolved", "resolved"]


def test_a_prometheus_that_never_beat_is_not_missed(night: Desk) -> None:
    night.passes(1200, step=60)

    assert night.incidents() == []


@pytest.mark.parametrize("body", [b"", b"{}", b"[{}]", b'[{"labels": {}}]', b"null", b'"x"'])
def test_a_list_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(ValidationError):
        picture(body, START)


class OwnChecks:
    """The monitor without Prometheus: rounds of five seconds, judged by its own checks."""

    def __init__(self, desk: Desk, listener: Listener) -> None:
        self.desk, self.listener = desk, listener
        listener.now = desk.clock()

    def hears(self, seconds: float, silent: set[str] = frozenset()) -> "OwnChecks":  # type: ignore[assignment]
        for _ in range(round(seconds / 5)):
            self.listener.hears(silent=silent)
            self.desk.at = self.listener.now
            verdicts = check(self.desk.town, self.listener.findings, 5.0, self.desk.engine.verdicts, self.desk.at)
            self.desk.engine.judge(verdicts, self.desk.at, grace=90)
            self.desk.works()
        return self


@pytest.fixture
def alone(night: Desk, town: Town) -> OwnChecks:
    return OwnChecks(night, Listener(town, Policy(fail_after=3, recover_after=2)))


def behind(town: Town) -> set[str]:
    site = town.site(SITE)
    return {UPLINK, site.gateway.name, *(d.name for d in site.switches), *(d.name for d in site.access_points)}


def test_without_prometheus_a_cut_fibre_pages_once_with_the_rules_words(alone: OwnChecks, town: Town) -> None:
    site = town.site(SITE)
    day = alone.desk.clock() + 12 * 3600
    alone.desk.at = alone.listener.now = day
    alone.hears(60).hears(400, behind(town))

    (row,) = alone.desk.incidents()
    assert row["title"] == f"Lien fibre coupé : {site.title.fr}"
    assert row["severity"] == alerts()["LienCoupe"].severity_at(site.site_class)
    assert {line["kind"] for line in alone.desk.written()} == {"call"}
    alone.hears(700)
    assert alone.desk.states() == ["resolved"]


def test_it_waits_as_long_as_the_rule_does(alone: OwnChecks, town: Town) -> None:
    alone.hears(60).hears(40, behind(town))

    assert alone.desk.incidents() == []


def test_with_prometheus_the_own_checks_only_disagree(alone: OwnChecks, town: Town, night: Desk) -> None:
    manager = Alertmanager(night)
    alone.hears(60)
    for _ in range(12):
        manager.lasts(30)
        alone.listener.now = night.clock()
        alone.hears(30, behind(town))

    assert night.incidents() == []
    assert night.engine.disagreements == [f"LienCoupe/{SITE}/{UPLINK}"]
    page = night.client.get("/oncall").text
    assert "ne sont pas d" in page
    assert f"LienCoupe/{SITE}/{UPLINK}" in page


def test_prometheus_and_the_own_checks_together_page_once(alone: OwnChecks, town: Town, night: Desk) -> None:
    """Prometheus tells of it, dies; the monitor sees the same: still one incident."""
    manager = Alertmanager(night).lasts(60)
    manager.fires("LienCoupe", uplink=UPLINK).lasts(150)
    alone.listener.now = night.clock()
    alone.hears(600, behind(town))

    keys = [row["key"] for row in night.incidents()]
    assert keys == [f"{SITE}/uplink", "/SupervisionMuette"]


def test_alerts_older_than_the_engine_are_not_new_after_its_restart(town: Town, tmp_path: Path, night: Desk) -> None:
    manager = Alertmanager(night).lasts(60)
    manager.fires("LienCoupe").lasts(120)
    later = Desk(town, tmp_path, now=START + timedelta(minutes=5))
    again = Alertmanager(later)
    again.alerts = manager.alerts
    again.lasts(60)

    assert kinds(later).count("call") == 1


@pytest.mark.parametrize("leap", [3600, -3600])
def test_a_clock_that_is_set_makes_no_prometheus_silent(night: Desk, leap: float) -> None:
    night.messenger.beats(night.clock())
    night.passes(60).at = night.clock() + leap
    night.works()
    night.messenger.beats(night.clock())
    night.passes(60)

    assert night.incidents() == []


@pytest.mark.parametrize("leap", [3600, -3600])
def test_a_prometheus_that_is_dead_when_the_clock_is_set_is_missed_within_minutes(night: Desk, leap: float) -> None:
    night.messenger.beats(night.clock())
    night.passes(60).at = night.clock() + leap
    night.passes(180)

    assert [row["key"] for row in night.incidents()] == ["/SupervisionMuette"]
