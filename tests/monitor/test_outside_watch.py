"""The watch outside the town: it calls when the monitor gives no sign of life, and only then."""

import json
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from http.client import BadStatusLine, IncompleteRead
from pathlib import Path
from threading import Thread
from zoneinfo import ZoneInfo

import pytest
import yaml
from click.testing import CliRunner
from monitor_actors import Desk

from dashboards.alertmanager import alertmanager
from monitor import outside
from monitor.oncall_commands import oncall
from monitor.outside import Outside
from parvis.inventory import Town

NIGHT = datetime(2026, 6, 3, 23, tzinfo=ZoneInfo("Europe/Paris"))


class Watched:
    """A monitor in the town, a watch outside; both share the clock."""

    def __init__(self, town: Town, folder: Path) -> None:
        for name in ("inside", "outside"):
            (folder / name).mkdir()
        self.inside = Desk(town, folder / "inside", now=NIGHT)
        self.outside = Desk(town, folder / "outside", now=NIGHT)
        self.answers: Callable[[], bytes] = lambda: self.inside.client.get("/beat.json").data
        self.watch = Outside(self.outside.duty, "https://monitor.example", 180.0, lambda _url: self.answers())
        self.engine_runs = True

    def lasts(self, seconds: float) -> "Watched":
        for _ in range(round(seconds / 30)):
            self.inside.at = self.outside.at = self.outside.clock() + 30
            if self.engine_runs:
                self.inside.duty.tick(self.inside.watch.picture)
            self.watch.ask()
            self.outside.works()
        return self

    def told(self) -> list[str]:
        return [line["kind"] for line in self.outside.written()]


@pytest.fixture
def watched(town: Town, tmp_path: Path) -> Watched:
    return Watched(town, tmp_path)


def unreachable() -> bytes:
    raise OSError("no route to host")


def test_a_monitor_that_works_calls_nobody(watched: Watched) -> None:
    assert watched.lasts(1200).told() == []


def garbled() -> bytes:
    raise BadStatusLine("SSH-2.0-OpenSSH_9.2")


def broken_off() -> bytes:
    raise IncompleteRead(b'{"worked', 30)


ANSWERS = (
    unreachable,
    garbled,
    broken_off,
    lambda: b"",
    lambda: b"{}",
    lambda: b'{"worked_at": "soon"}',
    lambda: b'{"worked_at": Infinity}',
    lambda: b"[" * 10_000,
)


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_monitor_that_does_not_answer_is_called_for_once_patience_is_over(
    watched: Watched, answer: Callable[[], bytes]
) -> None:
    watched.lasts(60).answers = answer
    assert watched.lasts(150).told() == []
    assert watched.lasts(60).told() == ["call"]


def test_an_answer_for_a_dead_engine_is_no_sign_of_life(watched: Watched) -> None:
    watched.lasts(60).engine_runs = False

    assert watched.lasts(240).told() == ["call"]


def test_when_it_is_back_who_was_called_is_told(watched: Watched) -> None:
    watched.lasts(60).engine_runs = False
    watched.lasts(240).engine_runs = True

    assert watched.lasts(60).told() == ["call", "all-clear"]


def test_a_time_from_the_future_vouches_for_nothing_later(watched: Watched) -> None:
    later = json.dumps({"worked_at": watched.outside.clock() + 86400}).encode()
    watched.answers = lambda: later
    watched.watch.ask()
    watched.answers = unreachable

    assert watched.lasts(240).told() == ["call"]


def test_alertmanager_tells_the_watch_outside_of_a_silent_monitor(town: Town) -> None:
    told = town.model_copy(update={"outside_watch": "https://watch.example"})
    config = yaml.safe_load(alertmanager(told))
    (route,) = [route for route in config["route"]["routes"] if route["receiver"] == "outside"]
    (receiver,) = [one for one in config["receivers"] if one["name"] == "outside"]

    assert route["continue"] is True
    assert "MoniteurMuet" in route["matchers"][0]
    assert receiver["webhook_configs"][0]["url"] == "https://watch.example/alertmanager"
    assert "outside" not in alertmanager(town)


@pytest.mark.parametrize("url", ["monitor.example", "ftp://monitor.example", "http://", "https://a.example/b c"])
def test_an_address_that_cannot_be_asked_is_refused_before_it_calls_somebody(url: str) -> None:
    refused = CliRunner().invoke(oncall, ["watch", url])

    assert (refused.exit_code, f"{url} cannot be asked; write https://" in refused.output) == (2, True)


def test_a_host_that_answers_letter_by_letter_holds_the_watch_up_no_longer_than_its_time(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "TIMEOUT_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=trickle, args=(server,), daemon=True).start()
        begun = time.monotonic()
        watch = Outside(watched.outside.duty, f"http://127.0.0.1:{server.getsockname()[1]}", 180.0)

        assert watch.ask() is False

    assert 1 <= time.monotonic() - begun < 4


def trickle(server: socket.socket) -> None:
    """A header without an end, a letter every tenth of a second: no single wait is too long."""
    with suppress(OSError), server.accept()[0] as peer:
        for letter in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 40:
            peer.sendall(bytes([letter]))
            time.sleep(0.1)
