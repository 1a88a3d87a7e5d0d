"""Peers that speak a letter at a time, or stop in the middle: no question of the monitor's waits for them."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException
from threading import Event, Thread

import pytest

from monitor.asking import asked
from monitor.collectors import CollectorsSilent, fetch
from monitor.probes import tls

HEADERS = b"HTTP/1.1 200 OK\r\nX: "
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
HANDSHAKE = b"\x16\x03\x03\x40\x00"
"""The head of a TLS record of 16 kB."""
Peer = Callable[[bytes, bool], str]


@pytest.fixture
def peer() -> Iterator[Peer]:
    """``peer(words, dribbles)``: the address of one that says *words*, and then letters for ever or nothing more."""
    ended, opened = Event(), list[socket.socket]()

    def speak(server: socket.socket, words: bytes, dribbles: bool) -> None:
        channel, _ = server.accept()
        with channel, suppress(OSError):
            channel.recv(4096)
            channel.sendall(words)
            while dribbles and not ended.wait(0.1):
                channel.sendall(b".")

    def started(words: bytes, dribbles: bool) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        opened.append(server)
        Thread(target=speak, args=(server, words, dribbles), daemon=True).start()
        return f"127.0.0.1:{server.getsockname()[1]}"

    yield started
    ended.set()
    for server in opened:
        server.close()


@pytest.mark.parametrize("words", [HEADERS, LONG], ids=["headers", "body"])
def test_collectors_that_never_end_are_silent(peer: Peer, words: bytes) -> None:
    begun = time.monotonic()

    with pytest.raises(CollectorsSilent, match=r"not done in 0\.5 s"):
        fetch(f"http://{peer(words, True)}", 0.5)

    assert time.monotonic() - begun < 3


def test_half_an_answer_is_none(peer: Peer) -> None:
    with pytest.raises(CollectorsSilent, match="IncompleteRead"):
        fetch(f"http://{peer(LONG + b'wifi_radio_clients 1', False)}", 5)


@pytest.mark.parametrize(("scheme", "words"), [("http", HEADERS), ("http", LONG), ("https", HANDSHAKE)])
def test_nobody_outside_the_town_keeps_the_monitor(peer: Peer, scheme: str, words: bytes) -> None:
    begun = time.monotonic()

    with pytest.raises((OSError, HTTPException), match=r"not done in 0\.5 s"):
        asked(f"{scheme}://{peer(words, True)}", 0.5)

    assert time.monotonic() - begun < 3


def test_a_gateway_that_never_ends_its_handshake_keeps_nobody(peer: Peer) -> None:
    host, _, port = peer(HANDSHAKE, True).partition(":")
    begun = time.monotonic()

    with pytest.raises(OSError, match=r"not done in 0\.5 s"):
        tls.not_after(host, int(port), 0.5)

    assert time.monotonic() - begun < 3


@pytest.mark.parametrize("words", [b"nonsense\r\n\r\n", b""])
def test_garbage_is_no_answer(peer: Peer, words: bytes) -> None:
    with pytest.raises((OSError, HTTPException)):
        asked(f"http://{peer(words, False)}", 5)
