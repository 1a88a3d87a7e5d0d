"""The engine's file: who reads waits for nobody who writes, and sees one instant."""

from pathlib import Path
from threading import Thread

import pytest
from monitor_actors import Desk, alert

from monitor.store_file import BookFailed
from parvis.inventory import Town


def test_a_writer_that_is_slow_keeps_no_reader_waiting_and_shows_it_nothing_half_done(
    town: Town, tmp_path: Path
) -> None:
    """A page that is shown, a metric, a starting monitor: none of them stands behind a disk that takes its time."""
    desk = Desk(town, tmp_path)
    desk.messenger.tells(alert("LienCoupe"))
    found: list[list[str]] = []

    def read() -> None:
        found.append(desk.states())
        found.append([str(desk.client.get("/oncall").status_code)])

    with desk.engine.book.page() as entries:
        entries.remember("half", "done")
        reader = Thread(target=read)
        reader.start()
        reader.join(5)
        with desk.engine.book.look() as other:
            seen = other.fact("half")

    assert found == [["open"], ["200"]], "read while the writer held its lock"
    assert seen is None


def test_who_only_reads_cannot_spoil_what_another_writes(desk: Desk) -> None:
    desk.messenger.tells(alert("LienCoupe"))

    def spoil() -> None:
        with desk.engine.book.look() as reading:
            reading.fact("beat")
            with desk.engine.book.page() as writing:
                writing.remember("beat", 1.0)
            reading.remember("beat", 2.0)

    with pytest.raises(BookFailed):
        spoil()
    with desk.engine.book.look() as entries:
        assert entries.fact("beat") == 1.0
