"""Who has taken an incident and then is not heard of: calling begins anew, once, and for nothing that is over."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from monitor_actors import Desk, alert

from monitor.drills.play import Player
from monitor.drills.world import drill_town
from monitor.gsm7 import septets
from monitor.incidents import (
    Alert,
    Event,
    Held,
    Incident,
    Joined,
    Opened,
    State,
    absorb,
    after,
    ended,
    leapt,
    vanished,
    worsened,
)
from monitor.oncall_commands import oncall
from parvis.drills import Step
from parvis.inventory import DEMO_TOWN, InventoryError, Rota, Town, load

PARIS = ZoneInfo("Europe/Paris")
NIGHT = datetime(2026, 6, 3, 23, tzinfo=PARIS)
HOURS = 3600.0
LASTING = load(DEMO_TOWN).rota.acknowledged_for


def incident(**changes: object) -> Incident:
    made = Incident(1, "msp/uplink", "Lien coupé", "page", "msp", State.OPEN, 0.0, 0.0, layer="uplink")
    return replace(made, **changes)


def starts(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


@pytest.fixture
def taken(town: Town, tmp_path: Path) -> Desk:
    """A link was cut at eleven at night, and who is on call has taken it."""
    desk = Desk(town, tmp_path, now=NIGHT)
    desk.messenger.tells(alert("LienCoupe", startsAt=starts(desk.clock())))
    desk.works()
    desk.engine.act(1, Event.ACKNOWLEDGE, desk.written()[0]["person"], desk.clock())
    return desk


def when(desk: Desk) -> list[str]:
    return [datetime.fromisoformat(line["time"]).astimezone(PARIS).strftime("%H:%M") for line in desk.written()]


def test_what_somebody_took_and_did_not_end_is_called_again_from_the_first_level(taken: Desk) -> None:
    taken.passes(LASTING - 600, step=600).passes(25 * 60, step=60)
    first, second = (taken.duty.roster.turn(NIGHT, level).person.name for level in (1, 2))

    assert when(taken) == ["23:00", "03:00", "03:05", "03:10"]
    assert [line["person"] for line in taken.written()] == [first, first, first, second]
    assert taken.states() == ["open"]
    assert taken.timeline().count("expire") == 1


def test_the_message_says_that_it_is_called_again_and_fits_one_sms(taken: Desk) -> None:
    taken.passes(LASTING, step=600).passes(60, step=60)
    once, again = (line["text"] for line in taken.written())

    assert "RAPPEL" not in once
    assert again.startswith("#1 RAPPEL (pris 23:00) : ")
    assert septets(again) <= 160


def test_a_long_title_is_cut_and_the_reminder_is_not(town: Town, tmp_path: Path) -> None:
    desk = Desk(town, tmp_path, now=NIGHT, public_url="https://supervision.cachan.example")
    told = alert("LienCoupe", startsAt=starts(desk.clock()))
    told["annotations"]["summary"] = "Fibre coupée vers " + "Bibliothèque " * 20
    desk.messenger.tells(told)
    desk.works()
    desk.engine.act(1, Event.ACKNOWLEDGE, "agent-1", desk.clock())
    text = desk.passes(LASTING, step=600).passes(60, step=60).written()[-1]["text"]

    assert septets(text) <= 160
    assert "RAPPEL (pris 23:00)" in text
    assert "https://supervision.cachan.example/a/" in text


def test_to_take_it_again_makes_it_last_longer(taken: Desk) -> None:
    taken.passes(LASTING - 600, step=600)
    taken.engine.act(1, Event.ACKNOWLEDGE, "agent-2", taken.clock())
    taken.passes(LASTING - 600, step=600)

    assert len(taken.written()) == 1
    assert taken.incidents()[0]["owner"] == "agent-2"
    assert len(taken.passes(660, step=60).written()) == 2


def test_it_expires_over_a_restart_and_over_a_time_in_which_nothing_ran(
    taken: Desk, town: Town, tmp_path: Path
) -> None:
    """Nothing of it is in memory: a killed monitor that comes back late calls at once, one that comes early waits."""
    early = Desk(town, tmp_path, now=datetime.fromtimestamp(taken.clock() + LASTING - 60, UTC)).works()
    assert len(early.written()) == 1
    late = Desk(town, tmp_path, now=datetime.fromtimestamp(taken.clock() + LASTING + HOURS, UTC)).works()

    assert len(late.works().written()) == 2
    again = Desk(town, tmp_path, now=datetime.fromtimestamp(late.clock() + 30, UTC)).works()
    assert len(again.written()) == 2
    assert again.timeline().count("expire") == 1


def test_what_is_over_is_never_called_again(taken: Desk) -> None:
    taken.messenger.beats(taken.clock())
    taken.messenger.tells(alert("LienCoupe", startsAt=starts(NIGHT.timestamp()), status="resolved"))
    taken.passes(2 * LASTING, step=600)

    assert [line["kind"] for line in taken.written()] == ["call", "all-clear"]
    assert "expire" not in taken.timeline()


def test_pages_and_command_line_say_who_has_it_and_until_when(taken: Desk, tmp_path: Path) -> None:
    who = taken.duty.roster.turn(NIGHT).person.title
    said = f"pris en charge par {who}, on appelle de nouveau le jeu. 04/06 à 03:00"
    shown = taken.client.get("/oncall.json").json["incidents"][0]
    (tmp_path / "monitor.toml").write_text(f'state = "{tmp_path}"\n')
    told = CliRunner().invoke(oncall, ["incidents", "--settings", str(tmp_path / "monitor.toml")]).output

    assert shown["state_words"] == said
    assert shown["until"] == "2026-06-04T03:00:00+02:00"
    assert said in taken.client.get("/oncall").text.replace("&#39;", "'")
    assert "Toujours en cours : prolonger" in taken.client.get("/incidents/1").text
    assert "calls again 04/06 03:00" in told
    taken.passes(LASTING, step=600)
    assert "Pris en charge depuis trop longtemps" in taken.client.get("/incidents/1").text


def test_a_ticket_somebody_has_calls_nobody_ever(town: Town, tmp_path: Path) -> None:
    desk = Desk(town, tmp_path, now=NIGHT)
    desk.messenger.tells(alert("BorneMuette", severity="ticket", layer="ap", startsAt=starts(desk.clock())))
    desk.works()
    desk.engine.act(1, Event.ACKNOWLEDGE, "agent-1", desk.clock())
    desk.passes(3 * LASTING, step=600)

    assert desk.incidents()[0]["until"] is None
    assert desk.written() == []


@given(
    st.sampled_from([State.OPEN, State.ACKNOWLEDGED, State.SNOOZED, State.RESOLVED, State.CLOSED]),
    st.one_of(st.none(), st.floats(0, 1e6)),
    st.floats(0, 1e6),
)
def test_time_ends_what_was_taken_or_put_off_and_nothing_else(state: State, until: float | None, now: float) -> None:
    found = ended(incident(state=state, until=until), now)

    due = until is not None and until <= now
    assert found == ({State.ACKNOWLEDGED: Event.EXPIRE, State.SNOOZED: Event.WAKE}.get(state) if due else None)
    if found is not None:
        changed = after(incident(state=state, until=until, level=3), found, now)
        assert (changed.state, changed.until, changed.round, changed.level) == (State.OPEN, None, 2, 1)


@pytest.mark.parametrize(
    ("state", "severity", "graver", "found"),
    [
        (State.SNOOZED, "page-jour", "page", State.OPEN),
        (State.SNOOZED, "ticket", "page-jour", State.OPEN),
        (State.ACKNOWLEDGED, "ticket", "page-jour", State.OPEN),
        (State.ACKNOWLEDGED, "page-jour", "page", State.ACKNOWLEDGED),
        (State.OPEN, "ticket", "page", State.OPEN),
    ],
)
def test_what_grows_graver_wakes_who_slept_over_it(state: State, severity: str, graver: str, found: State) -> None:
    changed = worsened(incident(state=state, severity=severity, until=1e9), graver, 5.0)

    assert (changed.state, changed.severity) == (found, graver)
    assert changed.round == (2 if found is State.OPEN and state is not State.OPEN else 1)


def test_a_full_pool_calls_although_somebody_had_the_ticket_that_it_was_filling(town: Town, tmp_path: Path) -> None:
    desk = Desk(town, tmp_path, now=NIGHT.replace(hour=10))
    desk.messenger.tells(
        alert("AdressesPresqueEpuisees", severity="ticket", layer="service", startsAt=starts(desk.clock()))
    )
    desk.works().engine.act(1, Event.ACKNOWLEDGE, "agent-1", desk.clock())
    desk.passes(60)
    desk.messenger.tells(alert("DHCPEpuise", severity="page-jour", layer="door", startsAt=starts(desk.clock())))
    desk.works()

    assert len(desk.incidents()) == 1, "one cause: the pool"
    assert [line["kind"] for line in desk.written()] == ["call"]
    assert "PLUS GRAVE" in desk.written()[0]["text"]


@pytest.mark.parametrize("seconds", [7200.0, -7200.0, 5e8])
def test_a_clock_that_is_set_neither_ends_nor_prolongs_what_was_taken(seconds: float) -> None:
    now = 1e9
    left = leapt(incident(state=State.ACKNOWLEDGED, until=now - seconds + 600), seconds, now, LASTING)

    assert left.until == pytest.approx(now + 600)
    stale = leapt(incident(state=State.ACKNOWLEDGED, until=now + 5e8), seconds, now, LASTING)
    assert stale.until is not None
    assert stale.until <= now + LASTING, "however wrong the clock was, not for years"
    assert leapt(incident(state=State.SNOOZED, until=77.0), seconds, now, LASTING).until == 77.0


def test_a_clock_that_is_set_back_delays_no_all_clear() -> None:
    gone = Held("a", 0.0, "prometheus", missing_since=5000.0)
    (seen,) = vanished([gone], lambda _one: False, 1000.0, 60.0)
    (over,) = vanished([seen], lambda _one: False, 1060.0, 60.0)

    assert (seen.missing_since, seen.ended_at) == (1000.0, None)
    assert over.ended_at == 1060.0


@pytest.mark.parametrize("seconds", [7200.0, -7200.0])
def test_a_clock_that_is_set_while_nobody_has_answered_does_not_stop_the_calls(
    town: Town, tmp_path: Path, seconds: float
) -> None:
    """Calls are timed from the first one; by a clock set back that one lies ahead, and nobody would be called."""
    at = NIGHT.timestamp()
    player = Player(drill_town(town), tmp_path, at)
    player.do(Step(do="cut-fibre", where="maison-services-publics"))
    player._answer = lambda: None  # type: ignore[method-assign]  # nobody answers
    player.run([], 70)
    called = len(player.played.calls)
    player.do(Step(do="clock-step", value=seconds))
    player.run([], 70 + 660)
    persons = [call.person for call in player.played.calls]

    assert called == 1
    assert persons[:3] == [persons[0]] * 3, "anew, and once more after five minutes"
    assert len(set(persons)) == 2, "then the next level"
    assert len(persons) == 4


def test_the_town_says_how_long_and_nothing_absurd(town_folder: Path) -> None:
    file = town_folder / "town.yml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("rota:\n", "rota:\n  acknowledged_for: 90min\n"), "utf-8")
    assert load(town_folder).rota.acknowledged_for == 5400
    file.write_text(text.replace("rota:\n", "rota:\n  acknowledged_for: 5min\n"), "utf-8")

    with pytest.raises(InventoryError, match="acknowledged_for"):
        load(town_folder)


def told(name: str, layer: str, at: float, site: str = "", severity: str = "page") -> Alert:
    return Alert(name, site, "", severity, layer, name, "", "", at)


def test_an_incident_of_the_monitoring_does_not_swallow_the_towns_cut() -> None:
    blind = incident(key="/SupervisionMuette", site="", layer="monitoring", opened_at=0.0)
    for state in State:
        (found,) = absorb([told("VilleCoupee", "town", 60.0)], [replace(blind, state=state)], set())
        assert isinstance(found, Opened), f"{state}: it is a cause of its own, and calls"


def test_what_the_towns_cut_explains_joins_it_also_what_the_monitoring_says() -> None:
    cut = incident(key="/town", site="", layer="town", opened_at=0.0)
    (found,) = absorb([told("CollecteurMuet", "monitoring", 60.0, severity="page-jour")], [cut], set())

    assert isinstance(found, Joined)
    assert not found.leads


@pytest.mark.parametrize(("state", "joins"), [(State.OPEN, True), (State.ACKNOWLEDGED, False), (State.SNOOZED, False)])
def test_who_has_taken_one_link_is_told_that_the_whole_town_is_cut(state: State, joins: bool) -> None:
    (found,) = absorb([told("VilleCoupee", "town", 60.0)], [incident(state=state)], set())

    assert isinstance(found, Joined) == joins


@pytest.mark.parametrize(("pace", "together"), [(1.0, True), (0.1, False)])
def test_alerts_are_of_one_cause_within_a_time_that_goes_at_the_towns_pace(
    town: Town, tmp_path: Path, pace: float, together: bool
) -> None:
    """A lab that plays ten times as fast tells apart what begins a minute apart."""
    desk = Desk(town, tmp_path, now=NIGHT, alert_pace=pace)
    for number in (1, 2):
        at = starts(desk.clock())
        desk.messenger.tells(alert("CommutateurMuet", layer="switch", device=f"sw-{number}", startsAt=at))
        desk.works().passes(60)

    assert (len(desk.incidents()) == 1) == together


MONDAY = datetime(2026, 6, 8, 7, 45, tzinfo=PARIS)
"""A quarter of an hour before duty changes."""


def test_who_takes_over_duty_is_told_once_what_is_going_on(town: Town, tmp_path: Path) -> None:
    desk = Desk(town, tmp_path, now=MONDAY)
    desk.works()
    for number, severity in ((1, "page"), (2, "ticket")):
        desk.messenger.tells(
            alert(f"Alerte{number}", site=f"s{number}", severity=severity, startsAt=starts(desk.clock()))
        )
    before = desk.works().written()[0]["person"]
    desk.engine.act(1, Event.ACKNOWLEDGE, before, desk.clock())
    desk.passes(3600, step=60)
    (relay,) = [line for line in desk.written() if line["kind"] == "relay"]
    now = desk.duty.roster.turn(datetime.fromtimestamp(desk.clock(), UTC)).person.name

    assert relay["person"] == now != before
    assert "1 incident en cours : #1" in relay["text"]
    assert septets(relay["text"]) <= 160


def test_who_takes_over_duty_while_nothing_is_wrong_hears_nothing(town: Town, tmp_path: Path) -> None:
    desk = Desk(town, tmp_path, now=MONDAY)
    desk.passes(3600, step=60)

    assert desk.written() == []


def test_duty_that_changes_at_night_is_told_in_the_morning(town: Town, tmp_path: Path) -> None:
    who = [person.name for person in town.people]
    rota = {
        **town.rota.model_dump(),
        "starts": "2026-06-01T02:00",
        "order": who[:2],
        "levels": [],
        "acknowledged_for": 86400,
    }
    night = town.model_copy(update={"rota": Rota(**rota)})
    desk = Desk(night, tmp_path, now=datetime(2026, 6, 7, 12, 0, tzinfo=PARIS))
    desk.works()
    desk.at = datetime(2026, 6, 8, 1, 0, tzinfo=PARIS).timestamp()
    desk.messenger.tells(alert("LienCoupe", startsAt=starts(desk.clock())))
    desk.works().engine.act(1, Event.ACKNOWLEDGE, who[0], desk.clock())
    desk.passes(5 * HOURS, step=600)
    assert [line["kind"] for line in desk.written()] == ["call"]
    desk.passes(2 * HOURS, step=600)

    relays = [line for line in desk.written() if line["kind"] == "relay"]
    assert len(relays) == 1
    assert datetime.fromisoformat(relays[0]["time"]).astimezone(PARIS).hour == 7


def test_an_incident_is_a_paper_to_take_into_the_meeting_after_it(taken: Desk, tmp_path: Path) -> None:
    taken.engine.note(1, "agent-1", "Orange prévenu", taken.clock())
    page = taken.client.get("/incidents/1.md")
    (tmp_path / "monitor.toml").write_text(f'state = "{tmp_path}"\n')
    words = ["review", "1", "--settings", str(tmp_path / "monitor.toml")]
    printed = CliRunner().invoke(oncall, words).output

    assert page.text == printed
    assert printed.startswith("# Incident 1 : LienCoupe !")
    for said in ("Pris en charge après : 0 s", "Orange prévenu", "## Cause (à compléter)", "Message à"):
        assert said in printed
    assert not any(person.phone in printed or person.email in printed for person in taken.town.people)
    assert taken.client.get("/incidents/9.md").status_code == 404
    assert "there is no incident 9" in CliRunner().invoke(oncall, ["review", "9", *words[2:]]).output
