"""The dead man's switch outside hears that the engine works, and nothing when it does not."""

from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from monitor_actors import Desk

from parvis.inventory import Town


class Switch(BaseHTTPRequestHandler):
    """Counts what it hears."""

    heard: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.heard.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Be quiet."""


@pytest.fixture
def desk(town: Town, tmp_path: Path) -> Iterator[Desk]:
    Switch.heard.clear()
    with HTTPServer(("127.0.0.1", 0), Switch) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/ping/town"
        yield Desk(town, tmp_path, now=datetime(2026, 6, 3, 23, tzinfo=UTC), heartbeat_url=url)
        server.shutdown()


def test_the_switch_is_told_while_the_engine_works(desk: Desk) -> None:
    desk.duty.tick(desk.watch.picture)

    assert desk.duty.beat() is True
    assert Switch.heard == ["/ping/town"]


def test_an_engine_that_stands_still_tells_it_nothing(desk: Desk) -> None:
    desk.duty.tick(desk.watch.picture)
    desk.at = desk.clock() + 60

    assert desk.duty.beat() is False
    assert Switch.heard == []
    assert "nothing for 60 s" in desk.duty.late()
