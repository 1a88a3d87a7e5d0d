"""The HTTP server of a process: ``/metrics``, ``/healthz`` and its own pages. Small processes use it."""

import gzip
import json
import re
import socket
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from prometheus_client import CollectorRegistry

ALIVE_SECONDS = 10.0
"""An endpoint that takes longer to answer itself hangs."""

WORTH_COMPRESSING = 1000
"""Octets; below, a packet holds it anyway."""
_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=([0-9.]+))?\s*(?=,|$)", re.IGNORECASE)
_NEVER = re.compile(r"0(?:\.0*)?")

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Check = Callable[[], str]
"""Empty when all is well, else what is wrong, in words."""
Page = Callable[[], tuple[str, bytes]]
"""(content type, body)."""
Loop = Callable[[], "AbstractEventLoop"]
"""An event loop that runs in another thread."""


class Endpoint(AbstractContextManager["Endpoint"]):
    """The HTTP server of a process: ``/metrics``, ``/healthz``, *pages*, and *app* for every other path.

    ``/healthz`` answers 200 with ``{"ok": true}``, or 503 naming each check that fails. Without a *registry*
    ``/metrics`` is one of *pages*: its room writes them itself. *compress*: pages, for who asks.
    *is_quick*: no page waits for anything, so one thread answers them all. Where that is the one *loop* names, which
    has other work too, *pages* are made aside.
    """

    def __init__(
        self,
        address: tuple[str, int],
        registry: "CollectorRegistry | None",
        checks: dict[str, Check] | None = None,
        pages: dict[str, Page] | None = None,
        app: WsgiApp | None = None,
        *,
        compress: bool = False,
        is_quick: bool = False,
        loop: Loop | None = None,
    ) -> None:
        self._compress = compress
        self._is_quick = is_quick
        self._loop = loop
        self._address = address
        self._checks = checks or {}
        self._pages = {**({} if registry is None else _metrics(registry)), **(pages or {})}
        self._app = app
        self._server: Any = None

    @property
    def port(self) -> int:
        """The port in use, once started."""
        return int(self._server.address[1])

    def __enter__(self) -> Self:
        self._server = self._made()
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    def alive(self) -> bool:
        """Whether it answers at all; what ``/healthz`` says is for people, not for the watchdog."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._address[0], self._address[0])  # noqa: S104
        try:
            with socket.create_connection((host, self.port), ALIVE_SECONDS) as connection:
                connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                return connection.recv(16).startswith(b"HTTP/")
        except OSError:
            return False

    def _made(self) -> Any:
        """Who reads the sockets; the library of the other one is not loaded."""
        if not self._is_quick:
            from parvis.threaded import Server as Threaded  # noqa: PLC0415 see above

            return Threaded(self._answer, *self._address)
        from parvis.quick import Server as Quick  # noqa: PLC0415 see above

        if self._loop is None:
            return Quick(self._answer, *self._address)
        return Quick(self._answer, *self._address, self._loop(), self._pages)

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path == "/healthz":
            return self._health(start_response)
        if path in self._pages:
            content_type, body = self._pages[path]()
            return respond(environ, start_response, "200 OK", content_type, body, compress=self._compress)
        if self._app is not None:
            return self._app(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"No page here; there are {', '.join(['/healthz', *self._pages])}\n".encode()]

    def _health(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        found = {name: check() for name, check in self._checks.items()}
        wrong = {name: text for name, text in found.items() if text}
        body = json.dumps({"ok": not wrong, **({"wrong": wrong} if wrong else {})}, ensure_ascii=False).encode()
        status = "503 Service Unavailable" if wrong else "200 OK"
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


def _metrics(registry: "CollectorRegistry") -> dict[str, Page]:
    """The page of what *registry* has."""
    from prometheus_client.exposition import (  # noqa: PLC0415 4 MB: who renders its own metrics needs none of it
        CONTENT_TYPE_PLAIN_0_0_4,
        generate_latest,
    )

    return {"/metrics": lambda: (CONTENT_TYPE_PLAIN_0_0_4, generate_latest(registry))}


def respond(
    environ: dict[str, Any],
    start_response: Callable[..., Any],
    status: str,
    content_type: str,
    body: bytes,
    *,
    headers: Iterable[tuple[str, str]] = (),
    compress: bool = False,
) -> Iterable[bytes]:
    """Answer with *body*; with *compress* as gzip of level 1 where it is asked for and worth it."""
    given = [("Content-Type", content_type), *headers]
    if compress and len(body) >= WORTH_COMPRESSING and _takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", "")):
        body = gzip.compress(body, 1, mtime=0)
        given.append(("Content-Encoding", "gzip"))
    if compress:
        given.append(("Vary", "Accept-Encoding"))
    start_response(status, [*given, ("Content-Length", str(len(body)))])
    return [body]


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding (RFC 9110 section 12.5.3) names gzip and does not weigh it 0.

    >>> [_takes_gzip(each) for each in ("gzip", "br, gzip;q=0.5", "gzip;q=0", "identity", "")]
    [True, True, False, False, False]
    """
    found = _GZIP.search(accepted)
    return bool(found) and not _NEVER.fullmatch(found[1] or "") if found else False
