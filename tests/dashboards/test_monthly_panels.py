"""Panels that look back for weeks, on three months of history whose outages are known to the minute."""

from collections.abc import Iterator
from math import floor

import pytest
from panel_answers import Answer, Filled, Shown, answers, numbers

from dashboards.boards.usage import FEWEST, masked
from dashboards.catalogue import BOARDS
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


def test_availability_over_a_month_is_what_the_outage_left(filled: Filled) -> None:
    (worst,) = numbers(answers(filled, panel("wifi-sla", 2), {}, shown()))

    assert worst == pytest.approx(1 - len(CUT) * STEP / (30 * DAY), abs=2e-4)


def test_thirty_days_after_thirty_each_has_its_own_outage(filled: Filled) -> None:
    now, before, first = (by("uplink", one) for one in answers(filled, panel("wifi-sla", 7), {}, shown()))

    assert now["fibre-a"] == pytest.approx(1 - 7200 / (30 * DAY), abs=2e-4)
    assert before["fibre-a"] == pytest.approx(1 - 21600 / (30 * DAY), abs=2e-4)
    assert first["fibre-a"] == 1
    assert {now["fibre-b"], before["fibre-b"], first["fibre-b"]} == {1}


def test_minutes_cut_and_cuts_are_counted(filled: Filled) -> None:
    _, minutes, cuts, _ = answers(filled, panel("wifi-sla", 6), {}, shown())

    assert by("uplink", minutes)["fibre-a"] == pytest.approx(120, abs=5)
    assert by("uplink", cuts) == {"fibre-a": 1, "fibre-b": 0}


def test_an_outage_at_night_costs_no_opening_hour(filled: Filled) -> None:
    (felt,) = numbers(answers(filled, panel("wifi-sla", 3), {}, shown()))
    (measured,) = numbers(answers(filled, panel("wifi-sla", 2), {}, shown()))

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
