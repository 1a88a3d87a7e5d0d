"""Who is called, when, and who never is."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from monitor_actors import Desk, alert

from monitor.incidents import NEXT, Alert, Event, Incident, Joined, NotPossible, Opened, State, absorb, after
from monitor.oncall import Kind, Page, Policy, Sent, all_clears, due, within_budget
from monitor.rota import Roster
from parvis.inventory import DEMO_TOWN, Rota, Town, load

PARIS = ZoneInfo("Europe/Paris")
TOWN = load(DEMO_TOWN)
POLICY = Policy(Roster(TOWN))
NOON = datetime(2026, 6, 3, 12, tzinfo=PARIS)
NIGHT = datetime(2026, 6, 3, 23, tzinfo=PARIS)


def incident(severity: str = "page", at: datetime = NOON, **changes: object) -> Incident:
    made = Incident(1, "msp/uplink", "Lien coupé", severity, "msp", State.OPEN, at.timestamp(), at.timestamp())
    return replace(made, **changes)


def sent(page: Page, at: float) -> Sent:
    return Sent(page.incident, page.kind, page.person, page.round, page.step, at)


def calls(one: Incident, minutes: int, policy: Policy = POLICY) -> list[tuple[int, str, int]]:
    """(minute, person, level) of every call in the first *minutes* when nobody answers."""
    made: list[Sent] = []
    found = []
    for minute in range(minutes + 1):
        now = one.opened_at + minute * 60
        for page in due(one, policy, made, now):
            made.append(sent(page, now))
            found.append((minute, page.person, page.level))
    return found


def test_s34_ast04_nobody_answers_the_same_person_then_the_next_level_then_all_again() -> None:
    first, second = (POLICY.roster.turn(NOON, level).person.name for level in (1, 2))

    assert first != second
    assert calls(incident(), 35) == [(0, first, 1), (5, first, 1), (10, second, 2), (30, first, 1), (35, first, 1)]


@pytest.mark.parametrize("state", [State.ACKNOWLEDGED, State.SNOOZED, State.RESOLVED, State.CLOSED])
def test_what_is_not_open_calls_nobody(state: State) -> None:
    assert due(incident(state=state), POLICY, [], NOON.timestamp()) == []


@pytest.mark.parametrize("severity", ["ticket", "none", "", "info"])
def test_a_ticket_calls_nobody(severity: str) -> None:
    assert due(incident(severity), POLICY, [], NOON.timestamp()) == []


@pytest.mark.parametrize(
    ("severity", "hour", "called"),
    [
        ("page", 3, True),
        ("page-jour", 6, False),
        ("page-jour", 7, True),
        ("page-jour", 19, True),
        ("page-jour", 20, False),
    ],
)
def test_ast04_by_night_only_a_page_calls(severity: str, hour: int, called: bool) -> None:
    at = NOON.replace(hour=hour)

    assert bool(due(incident(severity, at), POLICY, [], at.timestamp())) == called


def test_a_day_call_of_the_night_is_made_in_the_morning() -> None:
    found = calls(incident("page-jour", NIGHT), 8 * 60 + 6)

    assert [minute for minute, _, _ in found] == [8 * 60, 8 * 60 + 5]


def test_a_day_call_nobody_answered_before_the_night_is_repeated_in_the_morning() -> None:
    evening = NOON.replace(hour=19, minute=58)

    assert [minute for minute, _, _ in calls(incident("page-jour", evening), 11 * 60 + 8)] == [
        0,
        11 * 60 + 2,
        11 * 60 + 7,
    ]


def test_whoever_was_not_called_while_nothing_ran_is_called_first_not_the_last_level() -> None:
    late = NOON.timestamp() + 3600

    (page,) = due(incident(), POLICY, [], late)
    assert (page.step, page.level) == (0, 1)


def test_a_level_with_nobody_on_duty_is_passed_over() -> None:
    who = POLICY.roster.turn(NOON).person.name
    absence = {"person": who, "starts": "2026-06-03T00:00", "ends": "2026-06-04T00:00"}
    town = with_rota(absences=[absence])

    (page,) = due(incident(), Policy(Roster(town)), [], NOON.timestamp())
    assert (page.level, page.person) == (2, POLICY.roster.turn(NOON, 2).person.name)


def with_rota(**changes: object) -> Town:
    return TOWN.model_copy(update={"rota": Rota(**{**TOWN.rota.model_dump(), **changes})})


@given(
    st.integers(1_767_600_000, 1_830_000_000),
    st.sampled_from(["page", "page-jour"]),
    st.integers(0, 72),
)
def test_ast03_nobody_is_ever_called_outside_their_duty(opened_at: int, severity: str, hours: int) -> None:
    """At whatever hour, after whatever wait: who is named is on duty then, and page-jour calls by day only."""
    at = datetime.fromtimestamp(opened_at, UTC)
    one = incident(severity, at)
    now = opened_at + hours * 3600
    earlier = [Sent(1, Kind.CALL, "agent-1", 1, 0, opened_at)]
    local = datetime.fromtimestamp(now, UTC).astimezone(PARIS)
    duty = {person.name for person in POLICY.roster.duty(local).values()}

    for pages in (due(one, POLICY, earlier, now), all_clears(replace(one, state=State.RESOLVED), POLICY, earlier, now)):
        assert {page.person for page in pages} <= duty
        assert not pages or severity == "page" or 7 <= local.hour < 20


def test_the_all_clear_goes_to_who_was_called_and_only_once() -> None:
    now = NOON.timestamp()
    one = incident(state=State.RESOLVED)
    who = POLICY.roster.turn(NOON).person.name
    called = Sent(1, Kind.CALL, who, 1, 0, now)

    (page,) = all_clears(one, POLICY, [called], now)
    assert (page.person, page.kind) == (who, Kind.ALL_CLEAR)
    assert all_clears(one, POLICY, [called, sent(page, now)], now) == []
    assert all_clears(one, POLICY, [replace(called, tried=False)], now) == []
    assert all_clears(one, POLICY, [], now) == []


def test_g25_a_storm_is_a_few_calls_and_one_digest() -> None:
    pages = [Page(n, Kind.CALL, "agent-1", 1, 1, 0) for n in range(1, 41)]
    found = within_budget(pages, [], POLICY, 0.0)

    told = [page for page in found if not page.folded]
    assert [page.kind for page in told] == [Kind.CALL] * 5 + [Kind.DIGEST]
    assert told[-1].folds == tuple(range(6, 41))
    assert len([page for page in found if page.folded]) == 35


def test_after_a_digest_the_rest_waits_for_the_next_window_and_is_not_lost() -> None:
    recent = [Sent(n, Kind.CALL, "agent-1", 1, 0, 0.0) for n in range(5)] + [Sent(0, Kind.DIGEST, "agent-1", 0, 0, 0.0)]
    page = Page(9, Kind.CALL, "agent-1", 1, 1, 0)

    assert within_budget([page], recent, POLICY, 899.0) == []
    assert within_budget([page], recent, POLICY, 900.0) == [page]


def test_the_life_of_an_incident_is_the_table_and_nothing_else() -> None:
    one = incident()
    for state in State:
        for event in Event:
            if (state, event) in NEXT:
                assert after(replace(one, state=state), event, 1.0, until=2.0).state is NEXT[state, event]
            else:
                with pytest.raises(NotPossible, match=event.value):
                    after(replace(one, state=state), event, 1.0)


def told(name: str, at: float, subject: str = "", layer: str = "switch") -> Alert:
    return Alert(name, "msp", subject, "page-jour", layer, name, "", "", at)


def test_alerts_of_one_layer_that_begin_together_are_one_incident_later_ones_another() -> None:
    together = absorb([told("CommutateurMuet", 0.0, "sw-1"), told("CommutateurMuet", 20.0, "sw-2")], [], set())
    (first,) = together
    assert isinstance(first, Opened)
    assert len(first.alerts) == 2

    live = [incident(key="msp/switch", opened_at=0.0)]
    (joined,) = absorb([told("CommutateurMuet", 200.0, "sw-3")], live, set())
    (later,) = absorb([told("CommutateurMuet", 4000.0, "sw-3")], live, set())
    assert isinstance(joined, Joined)
    assert isinstance(later, Opened)


def test_services_at_one_site_are_causes_of_their_own() -> None:
    found = absorb([told("A", 0.0, layer="service"), told("B", 0.0, layer="service")], [], set())

    assert len(found) == 2


@pytest.fixture
def night(town: Town, tmp_path: Path) -> Desk:
    return Desk(town, tmp_path, now=NIGHT)


def starts(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def test_s33_an_acknowledged_incident_calls_nobody_any_more(night: Desk) -> None:
    night.messenger.tells(alert("LienCoupe", startsAt=starts(night.clock())))
    night.works()
    night.engine.act(1, Event.ACKNOWLEDGE, "agent-1", night.clock())
    night.passes(3600, step=60)

    assert [line["kind"] for line in night.written()] == ["call"]
    assert night.timeline()[-1] == "acknowledge"


def test_a_snoozed_incident_calls_again_at_seven(night: Desk) -> None:
    night.messenger.tells(alert("LienCoupe", startsAt=starts(night.clock())))
    night.works()
    night.engine.act(1, Event.SNOOZE, "agent-1", night.clock())
    night.passes(8 * 3600, step=60)

    times = [datetime.fromisoformat(line["time"]).astimezone(PARIS).strftime("%H:%M") for line in night.written()]
    assert times == ["23:00", "07:00"]


def test_a_hand_over_calls_the_next_level_at_once(night: Desk) -> None:
    night.messenger.tells(alert("LienCoupe", startsAt=starts(night.clock())))
    night.works()
    first = night.written()[0]["person"]
    night.engine.act(1, Event.HAND_OVER, first, night.clock())
    night.works()

    second = night.duty.roster.turn(NIGHT, 2).person.name
    assert [line["person"] for line in night.written()] == [first, second]


def test_ast03_a_message_that_waits_while_duty_changes_goes_to_the_successor(night: Desk) -> None:
    handover = night.duty.roster.turn(NIGHT).ends
    night.at = handover.timestamp() - 1
    night.messenger.tells(alert("LienCoupe", startsAt=starts(night.clock())))
    night.engine.tick(night.clock())
    night.at += 2
    night.works().works()

    assert [line["person"] for line in night.written()] == [night.duty.roster.turn(handover).person.name]


def test_a_storm_of_sixty_incidents_is_six_messages_and_the_digest_names_the_rest(night: Desk) -> None:
    storm = [alert("Service", layer="service", site=f"s{n}", startsAt=starts(night.clock())) for n in range(60)]
    night.messenger.tells(*storm)
    night.works()

    assert [line["kind"] for line in night.written()] == ["call"] * 5 + ["digest"]
    assert "55 autres incidents" in night.written()[-1]["text"]


def test_ast04_each_channel_of_who_is_on_duty_is_tested_weekly_in_working_hours(town: Town, tmp_path: Path) -> None:
    desk = Desk(town, tmp_path, now=NIGHT)
    desk.passes(20 * 3600, step=1800)
    lines = [line for line in desk.file.read_text("utf-8").splitlines() if '"test"' in line]

    assert len(lines) == 2  # one channel, two levels
    assert "agent" in desk.client.get("/oncall.json").json["tests"][0]["person"]


def test_how_soon_calls_are_answered_survives_a_restart(town: Town, night: Desk, tmp_path: Path) -> None:
    for minutes, who in ((5, "agent-1"), (20, "agent-2")):
        night.messenger.tells(alert("LienCoupe", site=who, startsAt=starts(night.clock())))
        number = night.works().incidents()[-1]["number"]
        night.passes(60 * minutes, step=60)
        night.engine.act(number, Event.ACKNOWLEDGE, "agent-1", night.clock())
        night.engine.act(number, Event.HAND_OVER, "agent-1", night.clock())
        night.passes(600, step=60)
        night.engine.act(number, Event.ACKNOWLEDGE, "agent-2", night.clock())
    night.passes(30, step=15)
    again = Desk(town, tmp_path, now=datetime.fromtimestamp(night.clock(), UTC)).works()

    for desk in (night, again):
        assert desk.counted("oncall_acknowledge_seconds", quantile="0.5") == pytest.approx(300, abs=2)
        assert desk.counted("oncall_acknowledge_seconds", quantile="0.9") == pytest.approx(1200, abs=2)
        assert desk.registry.get_sample_value("oncall_recovery_seconds", {"quantile": "0.5"}) is None


def test_who_took_an_incident_is_a_figure_while_it_lasts_and_what_nobody_took_is_counted(night: Desk) -> None:
    since = night.clock()
    night.messenger.tells(alert("LienCoupe", startsAt=starts(since)))
    (row,) = night.works().incidents()
    night.passes(60, step=15)
    opened = "oncall_incident_opened_timestamp_seconds"
    shown = {"town": "cachan", "site": row["site"], "cause": "uplink", "severity": row["severity"], "person": ""}
    assert night.counted(opened, **shown, state="open") == pytest.approx(row["opened_at"])

    night.engine.act(row["number"], Event.ACKNOWLEDGE, "agent-1", night.clock())
    night.passes(15, step=15)
    assert night.counted(opened, **{**shown, "person": "agent-1"}, state="acknowledged") == row["opened_at"]
    assert night.registry.get_sample_value(opened, {**shown, "state": "open"}) is None

    night.messenger.beats(night.clock())
    night.messenger.tells(alert("LienCoupe", startsAt=starts(since), status="resolved"))
    night.passes(60, step=15)
    taken = [night.counted("oncall_called_incidents", acknowledged=word) for word in ("yes", "no")]
    assert taken == [1, 0]
    assert not [one for family in night.registry.collect() for one in family.samples if one.name == opened]


def test_a_channel_works_when_the_newest_test_of_everybody_went_out(town: Town, tmp_path: Path) -> None:
    desk = Desk(town, tmp_path, now=NIGHT)
    desk.passes(20 * 3600, step=1800)
    (channel,) = {channel.name for channel in town.channels}
    assert desk.counted("oncall_test_success", channel=channel) == 1
    assert NIGHT.timestamp() < desk.counted("oncall_test_timestamp_seconds", channel=channel) <= desk.clock()

    with desk.engine.book.page() as entries:
        tested = next(iter(entries.facts_below("test/")))
        entries.remember(f"test/{tested}", {"at": desk.clock(), "result": "failed"})
    desk.passes(30, step=15)
    assert desk.registry.get_sample_value("oncall_test_success", {"channel": channel}) == 0
