"""Plain HTTP's only answer: 302 to the portal (RFC 9110). Nothing of the request comes back in it.

A tiny asyncio server, so that the probes of idle phones never reach Flask. Never 204, 301, 511 or an empty 200:
phones would take those for the internet, or remember them.
"""

import asyncio
import re
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event
from types import TracebackType
from typing import Self

from parvis.instruments import Instruments
from parvis.running import thread_or_exit

MAX_HEAD = 16 * 1024
"""Bytes of request line and headers; phones' probes have less than 1 kB, tests ask with 8 kB."""
HEAD_SECONDS = 5.0
MAX_CONNECTIONS = 512
_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) \S+ HTTP/1\.[01]\r?\n")
_BODY = """<!doctype html><html lang="fr"><meta charset="utf-8"><title>Wi-Fi public</title>
<p><a href="{url}">Se connecter au Wi-Fi public</a></p><p lang="en"><a href="{url}">Connect to the public Wi-Fi</a></p>
"""
_REASONS = {302: "Found", 400: "Bad Request", 405: "Method Not Allowed", 431: "Request Header Fields Too Large"}


def answers(url: str) -> dict[int, bytes]:
    """The whole answer by status code; they never change."""
    body = _BODY.format(url=url).encode()
    return {code: _answer(code, url, body) for code in _REASONS}


def _answer(code: int, url: str, body: bytes) -> bytes:
    extra = {302: f"Location: {url}\r\n", 405: "Allow: GET, HEAD\r\n"}.get(code, "")
    head = (
        f"HTTP/1.1 {code} {_REASONS[code]}\r\n{extra}Cache-Control: no-store\r\n"
        f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def verdict(received: bytes) -> tuple[int, bool] | None:
    r"""Status code and whether the body is wanted; None while the head is incomplete.

    >>> verdict(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), verdict(b"POST / HTTP/1.1\r\n\r\n"), verdict(b"GET")
    ((302, True), (405, True), None)
    """
    if b"\r\n\r\n" not in received and b"\n\n" not in received:
        return (431, True) if len(received) > MAX_HEAD else None
    line = _REQUEST_LINE.match(received)
    if line is None:
        return 400, True
    method = line[1]
    return (302 if method in {b"GET", b"HEAD"} else 405), method != b"HEAD"


class _Visit(asyncio.Protocol):
    """One connection: one answer, then the end."""

    def __init__(
        self, replies: dict[int, bytes], count: Callable[[int, str], None], open_visits: set["_Visit"]
    ) -> None:
        self._replies, self._count, self._open = replies, count, open_visits
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 TCP gives nothing else
        self._transport = transport
        if len(self._open) >= MAX_CONNECTIONS:
            transport.abort()
            return
        self._open.add(self)
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, transport.abort)

    def data_received(self, data: bytes) -> None:
        self._received += data
        found = verdict(bytes(self._received))
        if found is None or self._transport is None or self._transport.is_closing():
            return
        code, with_body = found
        reply = self._replies[code]
        self._transport.write(reply if with_body else reply[: reply.index(b"\r\n\r\n") + 4])
        self._transport.close()
        self._count(code, self._transport.get_extra_info("peername")[0])

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 the parent's signature
        self._open.discard(self)
        if self._timer is not None:
            self._timer.cancel()


def _listening(address: tuple[str, int]) -> socket.socket:
    """A listening socket; ``::`` serves IPv4 too, which asyncio by itself would not."""
    six = ":" in address[0]
    family = socket.AF_INET6 if six else socket.AF_INET
    return socket.create_server(address, family=family, backlog=256, dualstack_ipv6=six and address[0] == "::")


class Redirector(AbstractContextManager["Redirector"]):
    """Answers at *address* (host, port; port 0 picks one) with 302 to *url*, in a thread of its own.

    *heard* is told the address of each device that was answered.
    """

    def __init__(
        self,
        address: tuple[str, int],
        url: str,
        instruments: Instruments,
        heard: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._address, self._replies = address, answers(url)
        counter = instruments.counter("portal_redirects_total")
        self._counter, self._heard = counter, heard
        self._loop = asyncio.new_event_loop()
        self._thread = thread_or_exit("redirector", self._run)
        self._ready = Event()
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _answered(self, code: int, address: str) -> None:
        self._counter.labels(code).inc()
        self._heard(address)

    def _run(self) -> None:
        open_visits: set[_Visit] = set()
        listening = _listening(self._address)
        make = self._loop.create_server(lambda: _Visit(self._replies, self._answered, open_visits), sock=listening)
        server = self._loop.run_until_complete(make)
        self.port = listening.getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.close()
