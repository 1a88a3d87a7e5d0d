"""HTTP/1.1 for pages that are ready when they are asked for: one thread, no queue, at a tenth of a full server's cost.

A WSGI application answers in the thread that reads the sockets, so it must not wait for anything; one that may wait
belongs behind waitress (endpoint.py). That thread may be one that has an event loop already: two that take turns at
Python's lock cost more than the pages. Pages that take long are then made aside. Only GET and HEAD are served. Requests
are read by httptools (Node.js' llhttp).
What a stranger can make us hold is bounded: connections, octets of a request, requests behind one that is not taken
off our hands, and the time for each.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache, partial
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

import httptools

from parvis.journal import log

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Told = tuple[str, list[tuple[str, str]], bytes]
"""Status, headers and body."""
T = TypeVar("T")

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
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""In the words of HTTP (RFC 9110 section 5.6.7); email.utils, which has them too, costs a process 1 MB."""
START_SECONDS = 30.0
"""A loop that has other work may be busy with it for a while, above all when the machine starts."""
STOP_SECONDS = 2.0


class Server:
    """Listens at once, and answers by *app* from ``start`` to ``stop``; OSError: the port is taken.

    It answers in *loop*, which runs in another thread already, or else in a thread of its own. Pages of the paths
    *aside* are made in one more thread, one after the other, and nobody else waits for them.
    """

    def __init__(
        self,
        app: WsgiApp,
        host: str,
        port: int,
        loop: asyncio.AbstractEventLoop | None = None,
        aside: Collection[str] = (),
    ) -> None:
        self.app = app
        self.aside = frozenset(aside)
        self.connections: set[_Connection] = set()
        self.buffer = memoryview(bytearray(READ_OCTETS))
        """Where all connections read: what came is taken out before the next one reads."""
        self.maker = ThreadPoolExecutor(1, "pages")
        self.loop = loop or asyncio.new_event_loop()
        self._thread = None if loop else Thread(target=self._run, name="endpoint", daemon=True)
        self._sweeping: asyncio.TimerHandle | None = None
        try:
            self._server = self._do(self._listen(host or None, port), START_SECONDS)
        except BaseException:
            if self._thread:
                self.loop.close()
            raise
        self.address: tuple[str, int] = self._server.sockets[0].getsockname()[:2]

    async def _listen(self, host: str | None, port: int) -> asyncio.Server:
        return await self.loop.create_server(lambda: _Connection(self), host, port)

    def start(self) -> None:
        """Begin to answer."""
        if self._thread:
            self._thread.start()
        self.loop.call_soon_threadsafe(self._sweep)

    def stop(self) -> None:
        """Close every connection and the port; from any thread but that of the loop."""
        with suppress(TimeoutError):  # whoever has the loop keeps it busy, and ends soon
            self._do(self._close())
        if self._thread:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(STOP_SECONDS)
        self.maker.shutdown(wait=False)

    def told(self, environ: dict[str, Any]) -> Told:
        """Status, headers and body; a page that fails is logged, and the next request may do better."""
        said: list[Any] = []
        try:
            body = b"".join(self.app(environ, lambda status, headers: said.extend((status, headers))))
            status, headers = said
        except Exception:  # noqa: BLE001 see above
            log.exception("a page failed", path=environ["PATH_INFO"])
            return "500 Internal Server Error", [("Content-Length", "0")], b""
        return status, headers, body

    def _do(self, work: Coroutine[Any, Any, T], seconds: float = STOP_SECONDS) -> T:
        """Have *work* done in the loop, whoever runs it, within *seconds*."""
        if self.loop.is_running():
            return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)
        return self.loop.run_until_complete(work)

    async def _close(self) -> None:
        self._server.close()
        if self._sweeping:
            self._sweeping.cancel()
        for connection in list(self.connections):
            connection.drop()
        await asyncio.sleep(0)

    def _run(self) -> None:
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()

    def _sweep(self) -> None:
        now = time.monotonic()
        for connection in [each for each in self.connections if each.is_late(now)]:
            connection.drop()
        self._sweeping = self.loop.call_later(SWEEP_SECONDS, self._sweep)


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
        self._is_waiting = False
        """For a page that is being made aside."""
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
        self._go_on()
        if not self._is_full and not self._is_over:
            self._transport.resume_reading()

    def _go_on(self) -> None:
        """Answer who had to wait."""
        while self._behind and not (self._is_full or self._is_waiting or self._is_over):
            self._answer(*self._behind.popleft())

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
        if not (self._is_full or self._is_waiting):
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
        if environ["PATH_INFO"] not in self._server.aside:
            self._say(environ, keeps, self._server.told(environ))
            return
        self._is_waiting, self._since = True, time.monotonic()
        made = self._server.loop.run_in_executor(self._server.maker, self._server.told, environ)
        made.add_done_callback(partial(self._made, environ, keeps))

    def _made(self, environ: dict[str, Any], keeps: bool, made: "asyncio.Future[Told]") -> None:
        self._is_waiting = False
        if not self._is_over and not made.cancelled():
            self._say(environ, keeps, made.result())
            self._go_on()

    def _say(self, environ: dict[str, Any], keeps: bool, told: Told) -> None:
        status, headers, body = told
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
        is_busy = self._octets or self._is_full or self._is_waiting or self._is_over
        return now - self._since > (SLOW_SECONDS if is_busy else IDLE_SECONDS)


@lru_cache(maxsize=256)
def _key(name: bytes) -> str:
    """A header in WSGI's spelling; one with an underscore would pass for another, and goes nowhere."""
    return "HTTP_" + name.decode("latin-1").upper().replace("-", "_") if b"_" not in name else "parvis.ignored"


@lru_cache(maxsize=1)
def _usual(now: int) -> str:
    r"""The headers of every answer; *now* is Unix time in seconds.

    >>> _usual(784111777)
    'Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: parvis\r\n'
    """
    at = time.gmtime(now)
    date = f"{DAYS[at.tm_wday]}, {at.tm_mday:02} {MONTHS[at.tm_mon - 1]} {at.tm_year} {time.strftime('%H:%M:%S', at)}"
    return f"Date: {date} GMT\r\nServer: parvis\r\n"
