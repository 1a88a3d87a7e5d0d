"""A clock that was ahead and is set right, by a day: what goes by it goes on at once, and not in a day."""

import time
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from monitor_actors import Desk, Listener
from test_outages_recorded import Scribe
from test_outside_watch import Watched, unreachable

from monitor.dispatch import REPLY_SECONDS
from monitor.history.blocks import FIVE_MINUTES
from parvis.inventory import Town

NIGHT = datetime(2026, 6, 3, 23, tzinfo=ZoneInfo("Europe/Paris"))
DAY = 86_400


def test_answers_are_read_on(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(town, tmp_path, now=NIGHT)
    dispatcher, read = desk.duty.dispatcher, list[float]()
    monkeypatch.setattr(dispatcher, "read_replies", lambda: read.append(desk.clock()))
    dispatcher._round()
    desk.at = desk.clock() - DAY
    limit = time.monotonic() + 10
    while len(read) < 2 and time.monotonic() < limit:  # the first may still hold the hand
        dispatcher._round()
        desk.at = desk.clock() + REPLY_SECONDS / 100
        time.sleep(0.01)
    dispatcher._pool.shutdown()

    assert len(read) == 2
    assert read[1] < NIGHT.timestamp() - DAY + REPLY_SECONDS


def test_who_is_on_call_is_shown_on(town: Town, tmp_path: Path) -> None:
    desk = Desk(town, tmp_path, now=NIGHT)
    desk.duty.show()
    desk.at = desk.clock() - DAY
    desk.duty.show()
    ends = desk.duty.roster.turn(datetime.fromtimestamp(desk.clock(), NIGHT.tzinfo), 1).ends.timestamp()

    assert desk.counted("oncall_turn_remaining_seconds", level="1") == pytest.approx(ends - desk.clock())


def test_the_watch_outside_still_calls_for_a_monitor_that_is_silent(town: Town, tmp_path: Path) -> None:
    watched = Watched(town, tmp_path).lasts(60)
    watched.outside.at = watched.outside.clock() - DAY
    watched.inside.at = watched.outside.clock()
    watched.answers = unreachable

    assert watched.lasts(300).told() == ["call"]


def test_the_history_is_written_on(listener: Listener, tmp_path: Path) -> None:
    listener.now = 1_764_000_000.0
    scribe: Any = Scribe(listener, tmp_path).sees(60)
    scribe.listener.now -= DAY
    began = scribe.listener.now
    scribe.sees(60)
    name = next(iter(scribe.recorder.ring.names()))
    read = scribe.recorder.history.read([name], began, began + 1200, FIVE_MINUTES)

    assert len(read[name]) >= 2
