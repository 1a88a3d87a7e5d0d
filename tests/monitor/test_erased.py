"""Who was called and who intervened is kept for thirteen months after an incident is over, and not a day longer."""

from datetime import UTC, datetime
from pathlib import Path

from monitor_actors import Desk, alert

from monitor.incidents import Event
from monitor.store_forget import KEEP_SECONDS
from parvis.inventory import Town

NOON = datetime(2026, 6, 3, 12, tzinfo=UTC)
DAY = 86400.0


def rows(desk: Desk) -> dict[str, int]:
    with desk.engine.book.page() as entries:
        number = desk.incidents()[0]["number"] if desk.incidents() else 1
        return {
            "incidents": len(entries.rows()),
            "timeline": len(entries.timeline_of(number)),
            "messages": len(entries.pages_of(number)),
            "sheets": len(entries.sheets()),
            "lifted": len(entries.facts_below("rest-lifted/")),
        }


def test_ast08_what_is_over_is_erased_after_thirteen_months_and_what_goes_on_is_not(town: Town, tmp_path: Path) -> None:
    desk = Desk(town, tmp_path, now=NOON)
    at = desk.clock()
    desk.messenger.beats(at)
    desk.messenger.tells(alert("LienCoupe", startsAt=NOON.isoformat()))
    desk.works().engine.act(1, Event.ACKNOWLEDGE, "agent-1", at)
    facts = {"on_site": False, "began_at": at, "ended_at": at + 600, "travel_minutes": 0, "note": "", "incident": 1}
    with desk.engine.book.page() as entries:
        entries.add_sheet(person="agent-1", **facts)
        entries.remember(f"rest-lifted/agent-1/{NOON:%Y-%m-%d}", "seul formé")
    desk.messenger.tells(alert("LienCoupe", startsAt=NOON.isoformat(), status="resolved"))
    desk.works()
    desk.at = at + KEEP_SECONDS - DAY
    kept = rows(desk.works())

    desk.at = at + KEEP_SECONDS + 2 * DAY
    desk.messenger.tells(
        alert("BorneMuette", severity="ticket", startsAt=datetime.fromtimestamp(desk.at, UTC).isoformat())
    )
    gone = rows(desk.works())

    assert 390 * DAY <= KEEP_SECONDS <= 400 * DAY
    assert all(count >= 1 for count in kept.values()), kept
    assert (gone["messages"], gone["sheets"], gone["lifted"]) == (0, 0, 0)
    assert [row["title"] for row in desk.incidents()] == ["BorneMuette !"]
