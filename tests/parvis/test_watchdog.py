"""systemd's watchdog is fed while every part works, by each kind of process."""

import socket
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from parvis.endpoint import Endpoint
from parvis.running import feed_watchdog, start_logging

ROOT = Path(__file__).parents[2]


class Part:
    def __init__(self, works: bool) -> None:
        self.works = works

    def alive(self) -> bool:
        return self.works


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind(str(tmp_path / "notify"))
    ear.setblocking(False)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return ear


def test_the_watchdog_is_fed_while_every_part_works(systemd: socket.socket) -> None:
    feed_watchdog([Part(works=True), object()])

    assert systemd.recv(100) == b"WATCHDOG=1"


def test_a_part_that_does_not_work_lets_it_go_hungry(systemd: socket.socket) -> None:
    feed_watchdog([Part(works=True), Part(works=False)])

    with pytest.raises(BlockingIOError):
        systemd.recv(100)


def test_a_systemd_that_cannot_be_told_ends_nothing(systemd: socket.socket, capsys: pytest.CaptureFixture[str]) -> None:
    systemd.close()
    start_logging("portal", "info")
    feed_watchdog([Part(works=True)])

    assert "systemd cannot be told" in capsys.readouterr().err


def test_an_endpoint_is_alive_while_it_answers() -> None:
    with Endpoint(("127.0.0.1", 0), CollectorRegistry(), {"broken": lambda: "for people"}) as endpoint:
        assert endpoint.alive()


def test_a_process_that_does_not_hold_feeds_the_watchdog_by_itself() -> None:
    """The portal's main thread is granian's; without these lines systemd ends it each minute."""
    text = (ROOT / "captive_portal/portal_parts.py").read_text("utf-8")
    tended = text.partition("def _tended(")[2].partition("\n\n\n")[0]

    assert "keep_tidy(partial(_tended, hall, [endpoint, ready]))" in text
    assert "\n    feed_watchdog(components)" in tended
