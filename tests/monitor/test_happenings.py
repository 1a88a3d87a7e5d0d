"""What goes on in town: calendars become a metric while it lasts; one that cannot be read is a fault with its place."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.calendars import faults, happenings
from monitor.happenings import READ_SECONDS, Happenings
from monitor.instruments import MonitorMetrics
from parvis.inventory import Town, load

MARKET = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//ville//marches//FR
BEGIN:VEVENT
UID:marche@ville
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Paris:20260103T080000
DTEND;TZID=Europe/Paris:20260103T130000
RRULE:FREQ=WEEKLY
SUMMARY:Marché « de l'été »
LOCATION:leo-lagrange
END:VEVENT
BEGIN:VEVENT
UID:fete@ville
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20260714
SUMMARY:Fête nationale
LOCATION:Place de la Mairie
END:VEVENT
END:VCALENDAR
"""
SATURDAY = datetime(2026, 3, 28, 7, 30, tzinfo=UTC)
"""Half past eight in Paris, the last Saturday of winter time."""


@pytest.fixture
def busy(town_folder: Path) -> Town:
    (town_folder / "events").mkdir()
    (town_folder / "events/marches.ics").write_text(MARKET, "utf-8")
    return load(town_folder)


def shown(metrics: MonitorMetrics) -> set[tuple[str, str]]:
    return {
        (sample.labels["site"], sample.labels["event"])
        for family in metrics.registry.collect()
        if family.name == "town_event_info"
        for sample in family.samples
    }


def test_a_market_is_shown_while_it_lasts_at_its_site_and_its_local_hours(busy: Town) -> None:
    metrics, events = MonitorMetrics(busy.town), Happenings(busy)
    seen = []
    for days in (0, 7):
        for hours in (-1, 0, 4, 6):
            events.show(metrics, (SATURDAY + timedelta(days=days, hours=hours)).timestamp())
            seen.append(shown(metrics))

    market = {("leo-lagrange", "Marché « de l'été »")}
    assert seen == [set(), market, market, set(), market, market, set(), set()], "from 8 to 13 by the town's clock"


def test_a_day_without_an_end_lasts_a_day_and_a_place_that_is_no_site_is_the_whole_town(busy: Town) -> None:
    (fete,) = happenings(busy, datetime(2026, 7, 14, 10, tzinfo=UTC), datetime(2026, 7, 14, 11, tzinfo=UTC))

    assert (fete.title, fete.site) == ("Fête nationale", "")
    assert (fete.starts, fete.ends - fete.starts) == (datetime(2026, 7, 13, 22, tzinfo=UTC), timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "wrong"),
    [("no calendar", "is no calendar"), (MARKET.replace("SUMMARY:Fête nationale\n", ""), "has no title")],
)
def test_a_calendar_that_cannot_be_used_is_a_fault_and_stops_nothing(busy: Town, text: str, wrong: str) -> None:
    town = busy.model_copy(update={"events": {"marches.ics": text}})
    metrics, events = MonitorMetrics(town.town), Happenings(town)
    events.show(metrics, datetime(2026, 7, 14, 10, tzinfo=UTC).timestamp() + READ_SECONDS)
    (fault,) = faults(town)

    assert shown(metrics) == set()
    assert str(fault).startswith("events/marches.ics:1:")
    assert wrong in str(fault)
