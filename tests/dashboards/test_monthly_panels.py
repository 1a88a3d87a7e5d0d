"""Panels that look back for weeks, on three months of history whose outages are known to the minute."""

import re
from collections.abc import Iterator
from math import floor

import pytest
from panel_answers import Answer, Filled, Shown, answers, numbers

from dashboards.boards.usage import FEWEST, masked
from dashboards.catalogue import BOARDS
from dashboards.grafana.annotations import ANNOTATIONS
from dashboards.panel import Panel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

STEP = 300
DAY = 86400
ENDS = 1_775_520_000 // DAY * DAY
"""A Tuesday at midnight, UTC."""
DAYS = 92
CUT = range(ENDS - 10 * DAY, ENDS - 10 * DAY + 7200, STEP)
"""Two hours without fibre-a, ten days ago."""
OLD_CUT = range(ENDS - 40 * DAY, ENDS - 40 * DAY + 21600, STEP)
"""Six hours, forty days ago."""
RADAR_AT = ENDS - 1800
"""When one radio leaves a channel shared with radars, and another one that is not."""
QUIET_SITE, BUSY_SITE = "petit", "grand"


def lines() -> Iterator[str]:
    """Every five minutes: two uplinks, opening hours, residents, admissions, and the counters they move."""
    admitted = {QUIET_SITE: 0.0, BUSY_SITE: 0.0}
    for at in range(ENDS - DAYS * DAY, ENDS + 1, STEP):
        cut = at in CUT or at in OLD_CUT
        opened = 8 <= at % DAY // 3600 < 18
        for site, link, crowd in ((BUSY_SITE, "fibre-a", 40), (QUIET_SITE, "fibre-b", 1)):
            down = cut and site == BUSY_SITE
            clients = 0 if down else crowd if opened else 1
            admitted[site] += 0 if down or not opened else crowd / 40
            yield f'uplink_up{{site="{site}",uplink="{link}"}} {int(not down)} {at}'
            yield f'site_up{{site="{site}"}} {int(not down)} {at}'
            yield f'site_open{{site="{site}"}} {int(opened)} {at}'
            yield f'site_clients{{site="{site}"}} {clients} {at}'
            yield f'portal_funnel_total{{site="{site}",step="admitted"}} {admitted[site]:g} {at}'
            announced = site == BUSY_SITE and at in OLD_CUT
            yield f'maintenance_active{{site="{site}"}} {int(announced)} {at}'
            yield f'uplink_promised_availability_ratio{{site="{site}",uplink="{link}",period="year"}} 0.9985 {at}'
            yield f'uplink_contract_info{{site="{site}",uplink="{link}",operator="op",contract="c"}} 1 {at}'
            yield f'uplink_monthly_fee_euros{{site="{site}",uplink="{link}"}} 73 {at}'
        radar = 100 if at < RADAR_AT else 36
        yield f'wifi_radio_channel{{site="{BUSY_SITE}",device="ap-a",band="5GHz"}} {radar} {at}'
        neighbour = 36 if at < RADAR_AT else 44
        yield f'wifi_radio_channel{{site="{BUSY_SITE}",device="ap-b",band="5GHz"}} {neighbour} {at}'
        version = "1.0" if at < RADAR_AT else "1.1"
        yield f'device_info{{site="{BUSY_SITE}",device="ap-a",model="m",version="{version}"}} 1 {at}'
        yield f'device_info{{site="{BUSY_SITE}",device="ap-b",model="m",version="1.0"}} 1 {at}'
        if at >= RADAR_AT:
            yield f'device_info{{site="{BUSY_SITE}",device="ap-new",model="m",version="1.1"}} 1 {at}'
        up = at - ENDS + 100 * DAY if at < RADAR_AT else at - RADAR_AT
        yield f'device_uptime_seconds{{site="{BUSY_SITE}",device="ap-a"}} {up} {at}'
        yield f'oncall_messages_total{{channel="sms",result="accepted"}} {at // (2 * DAY)} {at}'


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    prometheus = Filled(tmp_path_factory.mktemp("months"))
    prometheus.fill("months", lines())
    with prometheus:
        yield prometheus


def panel(uid: str, number: int) -> Panel:
    return next(one for board in BOARDS if board.uid == uid for one in board.panels if one.id == number)


def shown(days: int = 30) -> Shown:
    return Shown(ENDS - days * DAY, ENDS, 3600)


def by(label: str, answer: Answer) -> dict[str, float]:
    return {dict(labels)[label]: values[-1] for labels, values in answer.items() if values[-1] is not None}


def drawn_across(filled: Filled, colour: str, at: float) -> set[tuple[str, ...]]:
    """What the annotation of *colour* says at *at*: device and version, device, or site."""
    (one,) = (each for each in ANNOTATIONS if each.colour == colour)
    rows = filled.ask("query", query=one.expr, time=at)["result"]
    return {tuple(row["metric"][key] for key in re.findall(r"{{(\w+)}}", one.text)) for row in rows}


def test_new_firmware_is_marked_where_it_came_and_not_on_equipment_that_is_new(filled: Filled) -> None:
    assert drawn_across(filled, "purple", RADAR_AT + 600) == {("ap-a", "1.1")}
    assert drawn_across(filled, "purple", RADAR_AT - 600) == set()


def test_closed_hours_are_shaded_and_open_ones_are_not(filled: Filled) -> None:
    assert drawn_across(filled, "#8e8e8e", ENDS) == {(QUIET_SITE,), (BUSY_SITE,)}
    assert drawn_across(filled, "#8e8e8e", ENDS - DAY // 2) == set()


def test_changed_channels_and_restarts_are_marked(filled: Filled) -> None:
    assert drawn_across(filled, "semi-dark-purple", RADAR_AT) == {("ap-a",), ("ap-b",)}
    assert drawn_across(filled, "yellow", RADAR_AT) == {("ap-a",)}
    assert drawn_across(filled, "yellow", RADAR_AT - 3600) == drawn_across(filled, "semi-dark-purple", ENDS) == set()


def test_availability_over_a_month_is_what_the_outage_left(filled: Filled) -> None:
    worst, without_works = numbers(answers(filled, panel("wifi-sla", 2), {}, shown()))

    assert without_works == pytest.approx(worst, abs=2e-4), "no work was announced in these thirty days"
    assert worst == pytest.approx(1 - len(CUT) * STEP / (30 * DAY), abs=2e-4)


def test_thirty_days_after_thirty_each_has_its_own_outage(filled: Filled) -> None:
    now, before, first = (by("uplink", one) for one in answers(filled, panel("wifi-sla", 7), {}, shown()))

    assert now["fibre-a"] == pytest.approx(1 - 7200 / (30 * DAY), abs=2e-4)
    assert before["fibre-a"] == pytest.approx(1 - 21600 / (30 * DAY), abs=2e-4)
    assert first["fibre-a"] == 1
    assert {now["fibre-b"], before["fibre-b"], first["fibre-b"]} == {1}


def test_announced_work_is_felt_and_does_not_count(filled: Filled) -> None:
    with_the_works = Shown(ENDS - 60 * DAY, ENDS - 30 * DAY, 3600)
    worst, without_works = numbers(answers(filled, panel("wifi-sla", 2), {}, with_the_works))
    felt, minutes, _, _, counted, promised, kept, allowed, _ = answers(filled, panel("wifi-sla", 6), {}, with_the_works)

    assert worst == pytest.approx(1 - 21600 / (30 * DAY), abs=2e-4)
    assert without_works == 1
    assert (by("uplink", felt)["fibre-a"], by("uplink", counted)["fibre-a"]) == (pytest.approx(worst), 1)
    assert by("uplink", minutes)["fibre-a"] == pytest.approx(360, abs=10)
    assert (by("uplink", promised)["fibre-a"], by("uplink", kept)["fibre-a"]) == (0.9985, 1)
    assert by("uplink", allowed)["fibre-a"] == pytest.approx(0.0015 * 30 * 24 * 60)


def test_a_promise_that_an_outage_broke_is_said_to_be_missed(filled: Filled) -> None:
    *_, kept, _, _ = answers(filled, panel("wifi-sla", 6), {}, shown())

    assert by("uplink", kept) == {"fibre-a": 0, "fibre-b": 1}


def test_every_promise_says_its_period_and_its_target() -> None:
    board = next(one for one in BOARDS if one.uid == "wifi-sla")
    without = [
        one.id
        for one in board.panels
        if any("$__range" in query.promql for query in one.queries) and "${__from:date" not in one.title.fr
    ]

    assert without == []
    assert "${__from:date" in board.panels[0].answers.en
    assert {"Promise", "Minutes permises"} <= {column.title.fr for column in panel("wifi-sla", 6).columns}


def test_a_radio_that_leaves_a_radar_channel_is_told_from_one_that_only_moves(filled: Filled) -> None:
    moved, left = answers(filled, panel("wifi-borne", 10), {"borne": ("ap-a", "ap-b")}, Shown(ENDS - 3600, ENDS, 300))

    assert set(by("device", moved)) == {"ap-a", "ap-b"}
    assert set(by("device", left)) == {"ap-a"}


def test_what_a_session_costs_is_the_fee_over_the_devices_admitted(filled: Filled) -> None:
    (cost,) = numbers(answers(filled, panel("wifi-usage", 13), {"site": (BUSY_SITE,)}, shown()))
    opened_hours, slots_an_hour = 10, 12
    sessions = opened_hours * slots_an_hour * 30

    assert cost == pytest.approx(73 * 12 / 365 * 30 / sessions, rel=0.02)


def test_minutes_cut_and_cuts_are_counted(filled: Filled) -> None:
    _, minutes, cuts, *_ = answers(filled, panel("wifi-sla", 6), {}, shown())

    assert by("uplink", minutes)["fibre-a"] == pytest.approx(120, abs=5)
    assert by("uplink", cuts) == {"fibre-a": 1, "fibre-b": 0}


def test_an_outage_at_night_costs_no_opening_hour(filled: Filled) -> None:
    (felt,) = numbers(answers(filled, panel("wifi-sla", 3), {}, shown()))
    measured, *_ = numbers(answers(filled, panel("wifi-sla", 2), {}, shown()))

    assert CUT.start % DAY == 0, "the cut was at midnight"
    assert felt == 1 > measured


def test_the_usual_crowd_is_that_of_the_same_hour_of_four_weeks(filled: Filled) -> None:
    period = Shown(ENDS - 2 * DAY, ENDS, 3600)
    now, usual = (next(iter(one.values())) for one in answers(filled, panel("wifi-ville", 9), {}, period))

    assert now == usual
    assert {41, 2} == set(now)


def test_a_week_ago_stands_beside_today(filled: Filled) -> None:
    today, before = (numbers([one]) for one in answers(filled, panel("wifi-usage", 2), {}, shown()))

    assert today == before
    assert today[0] > FEWEST


def test_a_little_used_site_is_never_counted_below_five(filled: Filled) -> None:
    (days,) = answers(filled, panel("wifi-usage", 6), {}, shown(7))
    (at_once,) = answers(filled, panel("wifi-usage", 7), {}, shown(7))

    for answer in (days, at_once):
        assert min(numbers([answer])) == FEWEST - 1
        assert all(value == floor(value) for value in numbers([answer]))
    assert masked("1") == "clamp_min(floor(1), 4)"


def test_calls_of_a_week_and_of_its_nights_are_counted(filled: Filled) -> None:
    everything, nights = (numbers([one]) for one in answers(filled, panel("wifi-astreinte", 8), {}, shown()))

    assert everything[0] == pytest.approx(3.5, abs=1)
    assert 0 < nights[0] <= everything[0] + 1
