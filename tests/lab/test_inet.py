"""The fake internet answers as the real one does, and the windows pass requests on unaltered."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest

from lab import inet, windows


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/generate_204", "204 No Content", b""),
        ("/hotspot-detect.html", "200 OK", inet.APPLE),
        ("/connecttest.txt", "200 OK", b"Microsoft Connect Test"),
        ("/success.txt", "200 OK", b"success\n"),
    ],
)
def test_the_systems_probes_get_what_they_expect(path: str, status: str, body: bytes) -> None:
    assert inet.answer(path, "example.org")[::2] == (status, body)


def test_a_name_from_outside_cannot_break_the_page() -> None:
    _, _, body = inet.answer("/", "<script>")

    assert b"<script>" not in body


@pytest.fixture
def web() -> Iterator[int]:
    """The loopback port of a web server of the fake internet."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(asyncio.start_server(inet.serve_one, "127.0.0.1", 0), loop).result(5)
    yield int(server.sockets[0].getsockname()[1])
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


@pytest.fixture
def proxied() -> int:
    """The loopback port of a proxy."""
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=windows.serve, args=({listener: windows.proxy},), daemon=True).start()
    return int(listener.getsockname()[1])


def ask(port: int, *parts: str) -> bytes:
    """All that comes back when *parts* are sent one after the other."""
    with socket.create_connection(("127.0.0.1", port), 5) as channel:
        for part in parts:
            channel.sendall(part.encode())
            time.sleep(0.05)
        return b"".join(iter(partial(channel.recv, 65536), b""))


def test_the_proxy_passes_an_absolute_request_on(web: int, proxied: int) -> None:
    host = f"127.0.0.1:{web}"

    answer = ask(proxied, f"GET http://{host}/bytes/70000 HTTP/1.1\r\n", f"Host: {host}\r\n\r\n")

    assert len(answer.partition(b"\r\n\r\n")[2]) == 70_000


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "once connected"])
def test_the_proxy_tunnels(web: int, proxied: int, at_once: bool) -> None:
    host = f"127.0.0.1:{web}"
    parts = [f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n", f"GET /success.txt HTTP/1.1\r\nHost: {host}\r\n\r\n"]

    answer = ask(proxied, *(["".join(parts)] if at_once else parts))

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"success\n")


@pytest.mark.parametrize(
    "request_text",
    ["GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\n\r\n", "nonsense\r\n\r\n"],
    ids=["nobody there", "no request"],
)
def test_the_proxy_says_what_failed(proxied: int, request_text: str) -> None:
    assert ask(proxied, request_text).startswith(b"HTTP/1.1 502 ")


def test_a_head_is_whole() -> None:
    near, browser = socket.socketpair()
    browser.sendall(b"GET / HTTP/1.1")
    browser.close()

    with near, pytest.raises(ValueError, match="head"):
        windows._request(near)


def test_a_head_is_not_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "HEAD_SECONDS", 1.0)
    near, browser = socket.socketpair()
    browser.sendall(b"x" * 2 * windows.MAX_HEAD)

    with near, browser, pytest.raises(ValueError, match="head"):
        windows._request(near)


@pytest.mark.parametrize(
    "request_line", [b"GET / HTTP/1.1", b"nonsense", b"GET http:/// HTTP/1.1", b"CONNECT : HTTP/1.1"]
)
def test_what_is_no_proxy_request_is_refused(request_line: bytes) -> None:
    with pytest.raises(ValueError, match=r"host|unpack|Port"):
        windows.forwarded(request_line + b"\r\n\r\n")
