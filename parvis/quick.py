"""HTTP/1.1 for pages that are ready when they are asked for: one thread, no queue, at a tenth of a full server's cost.

A WSGI application answers in the thread that reads the sockets, so it must not wait for anything; one that may wait
belongs behind waitress (endpoint.py). Only GET and HEAD are served. Requests are read by httptools (Node.js' llhttp).
What a stranger can make us hold is bounded: connections, octets of a request, requests behind one that is not taken
off our hands, and the time for each.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from email.utils import formatdate
from functools import lru_cache
from threading import Thread
from typing import Any
from urllib.parse import unquote_to_bytes

import httptools

from parvis.journal import log

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

MOST_CONNECTIONS = 100
MOST_OCTETS = 32_768
"""Of one request, its body included."""
READ_OCTETS = 16_384
"""At once."""
MOST_BEHIND = 16
"""Requests that wait until the answer before them is taken."""
IDLE_SECONDS = 150.0
"""A kept connection without a request is closed; Prometheus asks every minute or more often."""
SLOW_SECONDS = 30.0
"""The longest a request may take to arrive, or an answer to be taken by whoever asked for it."""
SWEEP_SECONDS = 5.0
STOP_SECONDS = 2.0


class Server:
    """Listens at once, and answers by *app* in a thread of its own from ``start`` to ``stop``; OSError: port taken."""

    def __init__(self, app: WsgiApp, host: str, port: int) -> None:
        self.app = app
        self.connections: set[_Connection] = set()
        self.buffer = memoryview(bytearray(READ_OCTETS))
        """Where all connections read: what came is taken out before the next one reads."""
        self._loop = asyncio.new_event_loop()
        try:
            listening = self._loop.create_server(lambda: _Connection(self), host or None, port)
            self._server = self._loop.run_until_complete(listening)
        except BaseException:
            self._loop.close()
            raise
        self.address: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        self._thread = Thread(target=self._run, name="endpoint", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and the port; from any thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        self._sweep()
        try:
            self._loop.run_forever()
        finally:
            self._server.close()
            for connection in list(self.connections):
                connection.drop()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in [each for each in self.connections if each.is_late(now)]:
            connection.drop()
        self._loop.call_later(SWEEP_SECONDS, self._sweep)


class _Connection(asyncio.BufferedProtocol):
    """One connection; the methods called ``on_…`` are httptools' callbacks while it reads."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: Any = None
        self._parser = httptools.HttpRequestParser(self)
        self._base: dict[str, Any] = {}
        self._environ: dict[str, Any] = {}
        self._url = b""
        self._octets = 0
        self._since = time.monotonic()
        self._is_full = False
        self._behind: deque[tuple[dict[str, Any], bool]] = deque()
        self._is_over = False

    # --- what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        if len(self._server.connections) >= MOST_CONNECTIONS:
            self._refuse("503 Service Unavailable", "Too many connections")
        self._server.connections.add(self)
        address, port = self._server.address
        peer = transport.get_extra_info("peername") or ("", 0)
        self._base = {"SERVER_NAME": address, "SERVER_PORT": str(port), "REMOTE_ADDR": peer[0], "SCRIPT_NAME": ""}
        self._base |= {"SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http", "QUERY_STRING": ""}

    def connection_lost(self, _error: Exception | None) -> None:
        self._is_over = True
        self._server.connections.discard(self)

    def get_buffer(self, _sizehint: int) -> memoryview:
        return self._server.buffer

    def buffer_updated(self, many: int) -> None:
        if self._is_over:
            return
        if not self._octets and not self._behind:
            self._since = time.monotonic()
        self._octets += many
        if self._octets > MOST_OCTETS:
            self._refuse("431 Request Header Fields Too Large", "The request is too long")
            return
        try:
            self._parser.feed_data(self._server.buffer[:many])
        except httptools.HttpParserUpgrade:
            self._refuse("400 Bad Request", "Only HTTP/1.1 is spoken here")
        except httptools.HttpParserError:
            self._refuse("400 Bad Request", "That was no HTTP request")

    def pause_writing(self) -> None:
        self._is_full = True
        self._since = time.monotonic()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._is_full = False
        self._since = time.monotonic()
        while self._behind and not self._is_full and not self._is_over:
            self._answer(*self._behind.popleft())
        if not self._is_full and not self._is_over:
            self._transport.resume_reading()

    # --- what httptools tells

    def on_message_begin(self) -> None:
        self._environ, self._url = dict(self._base), b""

    def on_url(self, part: bytes) -> None:
        self._url += part

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = _key(name), value.decode("latin-1")
        self._environ[key] = f"{self._environ[key]}, {text}" if key in self._environ else text

    def on_message_complete(self) -> None:
        self._octets = 0
        if self._is_over:
            return
        method = self._parser.get_method().decode("latin-1")
        if method not in {"GET", "HEAD"}:
            self._refuse("405 Method Not Allowed", "Only GET and HEAD are served", "Allow: GET, HEAD\r\n")
            return
        self._environ["REQUEST_METHOD"] = method
        path, _, self._environ["QUERY_STRING"] = self._target().partition("?")
        self._environ["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1") if "%" in path else path
        keeps = self._parser.should_keep_alive()
        if not self._is_full:
            self._answer(self._environ, keeps)
        elif len(self._behind) < MOST_BEHIND:
            self._behind.append((self._environ, keeps))
        else:
            self.drop()

    def _target(self) -> str:
        if not self._url.startswith(b"/"):  # the absolute form (RFC 9112 section 3.2.2)
            found = httptools.parse_url(self._url)
            self._url = (found.path or b"/") + (b"?" + found.query if found.query else b"")
        return self._url.decode("latin-1").partition("#")[0]

    # --- what we say

    def _answer(self, environ: dict[str, Any], keeps: bool) -> None:
        told: list[Any] = []
        try:
            body = b"".join(self._server.app(environ, lambda status, headers: told.extend((status, headers))))
            status, headers = told
        except Exception:  # noqa: BLE001 logged; the next request may do better
            log.exception("a page failed", path=environ["PATH_INFO"])
            status, headers, body = "500 Internal Server Error", [("Content-Length", "0")], b""
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        end = "\r\n" if keeps else "Connection: close\r\n\r\n"
        head = f"HTTP/1.1 {status}\r\n{lines}{_usual(int(time.time()))}{end}".encode("latin-1")
        self._transport.write(head if environ["REQUEST_METHOD"] == "HEAD" else head + body)
        self._since = time.monotonic()
        if not keeps:
            self._close()

    def _refuse(self, status: str, words: str, more: str = "") -> None:
        if not self._is_over:
            head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n{more}"
            length = f"Content-Length: {len(words) + 2}\r\nConnection: close\r\n\r\n"
            self._transport.write(f"{head}{_usual(int(time.time()))}{length}{words}.\n".encode())
            self._close()

    def _close(self) -> None:
        """No more requests; what was written is still sent, for as long as a slow reader may take."""
        self._is_over = True
        self._behind.clear()
        self._transport.close()

    def drop(self) -> None:
        """Close at once."""
        self._is_over = True
        self._transport.abort()

    def is_late(self, now: float) -> bool:
        """Whether it has been waited for long enough."""
        is_busy = self._octets or self._is_full or self._is_over
        return now - self._since > (SLOW_SECONDS if is_busy else IDLE_SECONDS)


@lru_cache(maxsize=256)
def _key(name: bytes) -> str:
    """A header in WSGI's spelling; one with an underscore would pass for another, and goes nowhere."""
    return "HTTP_" + name.decode("latin-1").upper().replace("-", "_") if b"_" not in name else "parvis.ignored"


@lru_cache(maxsize=1)
def _usual(now: int) -> str:
    """The headers of every answer; *now* is Unix time in seconds."""
    return f"Date: {formatdate(now, usegmt=True)}\r\nServer: parvis\r\n"
