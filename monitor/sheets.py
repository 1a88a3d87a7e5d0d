"""Intervention sheets and lifted rests, between the on-call engine's file and the values that are reckoned with."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from monitor.astreinte import Sheet
from monitor.rest import Rest, rests
from monitor.store_forget import LIFTED
from monitor.store_oncall import Book, Entries


def row_of(sheet: Sheet, entries: Entries) -> dict[str, Any]:
    """*sheet* as a row; when its agent says no other time, they were called when the engine first called them."""
    pages = entries.pages_of(sheet.incident)
    called_at = next((row["made_at"] for row in pages if row["person"] == sheet.person), None)
    minutes = timedelta(minutes=1)
    return {
        "incident": sheet.incident,
        "person": sheet.person,
        "on_site": sheet.on_site,
        "began_at": sheet.starts.timestamp(),
        "ended_at": sheet.ends.timestamp(),
        "travel_minutes": round(sheet.travel / minutes),
        "note": sheet.note,
        "called_at": sheet.called.timestamp() if sheet.called else called_at,
        "back_minutes": None if sheet.back is None else round(sheet.back / minutes),
        "result": sheet.result,
    }


def sheets_of(book: Book, zone: ZoneInfo, person: str = "") -> list[Sheet]:
    """The intervention sheets of *person*, or of all, oldest first."""
    with book.look() as entries:
        return [_sheet(row, zone) for row in entries.sheets(person=person)]


def rests_of(book: Book, zone: ZoneInfo) -> list[Rest]:
    """The weekly rests that are owed and that nobody has lifted."""
    with book.look() as entries:
        told = entries.facts_below(LIFTED)
        sheets = [_sheet(row, zone) for row in entries.sheets()]
    return rests(
        sheets, zone, {(name, date.fromisoformat(day)) for name, _, day in (one.partition("/") for one in told)}
    )


def lift(book: Book, person: str, friday: date, reason: str) -> None:
    """Let *person* be on duty without the rest of that weekend; *reason* is kept."""
    with book.page() as entries:
        entries.remember(f"{LIFTED}{person}/{friday}", reason)


def _sheet(row: dict[str, Any], zone: ZoneInfo) -> Sheet:
    back, called = row["back_minutes"], row["called_at"]
    return Sheet(
        row["person"],
        datetime.fromtimestamp(row["began_at"], zone),
        datetime.fromtimestamp(row["ended_at"], zone),
        timedelta(minutes=row["travel_minutes"]),
        row["on_site"],
        row["incident"],
        row["note"],
        None if back is None else timedelta(minutes=back),
        None if called is None else datetime.fromtimestamp(called, zone),
        row["result"],
    )
