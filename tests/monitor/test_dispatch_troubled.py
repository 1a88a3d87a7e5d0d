"""Messages when the machine itself is in trouble: no process can be made, replies hang, the book refuses one."""

import time
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from monitor_actors import Desk, alert

from monitor import dispatch
from monitor.dispatch import REPLY_SECONDS
from parvis.inventory import Town
from parvis.inventory.people import FileChannel, MailChannel, ModemChannel

NIGHT = datetime(2026, 6, 3, 23, tzinfo=ZoneInfo("Europe/Paris"))
MAIL = MailChannel(name="courriel", kind="smtp", host="127.0.0.1", port=9, security="none", sender="w@c.example")


def desk_with(town: Town, folder: Path, *channels: Any) -> Desk:
    desk = Desk(town.model_copy(update={"channels": channels}), folder, now=NIGHT)
    desk.messenger.tells(alert("LienCoupe", startsAt=NIGHT.isoformat()))
    return desk


@pytest.fixture
def modem(town: Town, tmp_path: Path) -> Desk:
    spool = tmp_path / "spool"
    for name in ("inbox", "outbox", "sent", "error"):
        (spool / name).mkdir(parents=True)
    channel = ModemChannel(name="modem", kind="gsm", spool=str(spool))
    return desk_with(town, tmp_path, channel).works()


def answered(desk: Desk, number: int, text: str) -> None:
    phone = desk.duty.roster.turn(NIGHT).person.phone.replace(" ", "")
    inbox = Path(desk.town.channels[0].spool, "inbox")
    (inbox / f"IN20260603_23010{number}_00_{phone}_00.txt").write_text(text, "utf-8")


def test_a_machine_that_can_make_no_process_any_more_still_writes_the_file(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_with(town, tmp_path, MAIL, FileChannel(name="carnet", kind="file"))
    monkeypatch.setattr(dispatch.sys, "executable", str(tmp_path / "there-is-no-such-program"))
    desk.works().works()

    assert [line["kind"] for line in desk.written()] == ["call"]
    assert desk.timeline() == ["opened", "sent-failed", "sent-accepted"]


def test_an_answer_that_cannot_be_written_down_takes_no_other_with_it(
    modem: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    act, seen = modem.engine.act, list[int]()

    def breaks_once(*words: Any) -> Any:
        seen.append(1)
        if len(seen) == 1:
            raise OSError("database is locked")
        return act(*words)

    monkeypatch.setattr(modem.engine, "act", breaks_once)
    answered(modem, 0, "OK 1")
    answered(modem, 1, "OK 1")
    modem.duty.dispatcher.read_replies()

    assert len(seen) == 2
    assert modem.states() == ["acknowledged"]


def test_answers_that_hang_take_one_hand_and_not_all(modem: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, over, dispatcher = list[float](), Event(), modem.duty.dispatcher

    def hangs() -> None:
        begun.append(modem.clock())
        over.wait(30)
        raise OSError("it hangs no more")

    monkeypatch.setattr(dispatcher, "read_replies", hangs)
    for _ in range(4):
        modem.at = modem.clock() + REPLY_SECONDS + 1
        dispatcher._round()
    limit = time.monotonic() + 10
    while not begun and time.monotonic() < limit:
        time.sleep(0.01)
    during = len(begun)
    over.set()
    while len(begun) < 2 and time.monotonic() < limit:
        modem.at = modem.clock() + REPLY_SECONDS + 1
        dispatcher._round()
        time.sleep(0.01)
    dispatcher._pool.shutdown()

    assert during == 1
    assert len(begun) >= 2, "and they are asked for again afterwards"
