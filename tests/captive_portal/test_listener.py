"""gatewayd's socket refuses in words, counts, and never stops for one bad peer."""

import os
import selectors
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from captive_portal import listener
from captive_portal.listener import Listener


class Desk:
    """A listener that answers every line with its length."""

    def __init__(self, path: Path, uids: frozenset[int]) -> None:
        self.path, self.refusals = path, Counter[str]()
        self.selector = selectors.DefaultSelector()
        self.listener = Listener(path, uids, lambda line: b"%d\n" % len(line), self._refused, self.selector)

    def _refused(self, reason: str) -> None:
        self.refusals[reason] += 1

    def work(self) -> None:
        while ready := self.selector.select(0):
            for key, events in ready:
                key.data(events)

    def peer(self) -> socket.socket:
        channel = socket.socket(socket.AF_UNIX)
        channel.settimeout(2)
        channel.connect(str(self.path))
        self.work()
        return channel


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "s", frozenset({os.getuid()}))
    yield made
    made.listener.close()


def test_lines_in_pieces_and_many_at_once_are_answered_in_order(desk: Desk) -> None:
    peer = desk.peer()
    for part in (b"ab", b"c\nd", b"\n\n"):
        peer.sendall(part)
        desk.work()

    assert peer.recv(100) == b"3\n1\n0\n"


def test_a_line_without_end_is_refused_and_others_go_on(desk: Desk) -> None:
    good, bad = desk.peer(), desk.peer()
    for _ in range(16):
        bad.sendall(b"x" * 4096)
        desk.work()
    good.sendall(b"hello\n")
    desk.work()

    assert desk.refusals == {"oversized": 1}
    assert good.recv(10) == b"5\n"


def test_a_peer_that_keeps_a_request_half_done_is_let_go(desk: Desk) -> None:
    idle, half = desk.peer(), desk.peer()
    half.sendall(b"half")
    desk.work()
    desk.listener.sweep(100.0)
    desk.listener.sweep(111.0)

    assert desk.refusals == {"slow": 1}
    idle.sendall(b"x\n")
    desk.work()
    assert idle.recv(10) == b"1\n"


def test_a_peer_that_reads_no_answer_is_let_go_and_keeps_nobody_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "MAX_UNSENT", 1 << 20)
    good, deaf = desk.peer(), desk.peer()
    with suppress(ConnectionError):
        for _ in range(200):
            deaf.sendall(b"\n" * 16_000)
            desk.work()
    good.sendall(b"hello\n")
    desk.work()

    assert desk.refusals == {"slow": 1}
    assert good.recv(10) == b"5\n"


def test_too_many_peers_are_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "MAX_PEERS", 2)
    peers = [desk.peer() for _ in range(3)]

    assert desk.refusals == {"crowded": 1}
    assert b"crowded" in peers[2].recv(100)


def test_a_user_who_is_not_allowed_is_refused(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "s", frozenset({os.getuid() + 1}))

    assert b"peer" in desk.peer().recv(100)
    assert desk.refusals == {"peer": 1}
    desk.listener.close()


def test_a_peer_that_hangs_up_early_is_forgotten(desk: Desk) -> None:
    peer = desk.peer()
    peer.sendall(b"x\n")
    peer.close()
    desk.work()

    assert desk.listener._peers == {}
