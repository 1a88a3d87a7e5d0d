"""The server on port 80: one short answer of :mod:`captive_portal.redirects` a connection, then the end.

A tiny asyncio server, so that the probes of idle phones never reach Flask. No device can keep others out: who holds too
many connections, or the oldest when all are taken, gives way to who comes.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from threading import Event
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from captive_portal.probes import FAMILIES
from captive_portal.redirects import CODES, Kind, Verdict, answers, verdict
from parvis.instruments import Instruments
from parvis.running import thread_or_exit

HEAD_SECONDS = 5.0
MAX_CONNECTIONS = 512
MAX_CONNECTIONS_EACH = 16
"""From one address. A browser opens six to a host; a phone's probes come one or two at a time."""


@dataclass(slots=True)
class _Room:
    """What all visits share; *waiting* is in the order of their coming."""

    own: str
    replies: dict[Kind, bytes]
    count: Callable[[Verdict, str], None]
    waiting: dict["_Visit", str] = field(default_factory=dict)
    each: dict[str, int] = field(default_factory=dict)

    def enter(self, visit: "_Visit", address: str) -> None:
        """Make room for *visit*: its address' oldest goes first, else everybody's."""
        if self.each.get(address, 0) >= MAX_CONNECTIONS_EACH:
            next(other for other, whose in self.waiting.items() if whose == address).end()
        elif len(self.waiting) >= MAX_CONNECTIONS:
            next(iter(self.waiting)).end()
        self.waiting[visit] = address
        self.each[address] = self.each.get(address, 0) + 1

    def leave(self, visit: "_Visit") -> None:
        """Forget *visit*; an address without a visit is forgotten with it."""
        address = self.waiting.pop(visit, None)
        if address is None:
            return
        self.each[address] -= 1
        if not self.each[address]:
            del self.each[address]


class _Visit(asyncio.Protocol):
    """One connection: one answer, then the end."""

    def __init__(self, room: _Room) -> None:
        self._room = room
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._address = ""
        self._answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 TCP gives nothing else
        self._transport = transport
        self._address = (transport.get_extra_info("peername") or ("",))[0]
        self._room.enter(self, self._address)
        self._timer = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.end)

    def data_received(self, data: bytes) -> None:
        if self._answered or self._transport is None:
            return
        self._received += data
        found = verdict(bytes(self._received), self._room.own)
        if found is not None:
            self._answer(found, self._transport)

    def _answer(self, found: Verdict, transport: asyncio.Transport) -> None:
        self._answered = True
        reply = self._room.replies[found.kind]
        transport.write(reply if found.with_body else reply[: reply.index(b"\r\n\r\n") + 4])
        if found.more:  # to close now would reset the connection, and the answer be lost (RFC 9112 section 9.6)
            transport.write_eof()
        else:
            transport.close()
        self._room.count(found, self._address)

    def end(self) -> None:
        """Hang up now."""
        self._room.leave(self)
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 the parent's signature
        self._room.leave(self)
        if self._timer is not None:
            self._timer.cancel()


def _listening(address: tuple[str, int]) -> socket.socket:
    """A listening socket; ``::`` serves IPv4 too, which asyncio by itself would not."""
    six = ":" in address[0]
    family = socket.AF_INET6 if six else socket.AF_INET
    return socket.create_server(address, family=family, backlog=256, dualstack_ipv6=six and address[0] == "::")


def _nobody(_address: str) -> None:
    """Nobody wants to know."""


class Redirector(AbstractContextManager["Redirector"]):
    """Answers plain HTTP in a thread of its own: 302 to *url*.

    *place* is host and port to listen at (port 0 picks one), or the number of a listening socket that was handed over
    and outlives this process, so that no probe meets a closed door while it is restarted. *probed* is told the
    address of each sender.
    """

    def __init__(
        self,
        place: tuple[str, int] | int,
        url: str,
        instruments: Instruments,
        probed: Callable[[str], None] = _nobody,
    ) -> None:
        self._place = place
        self._room = _Room(urlsplit(url).hostname or "", answers(url), _counting(instruments, probed))
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

    def _run(self) -> None:
        place = self._place
        listening = socket.socket(fileno=place) if isinstance(place, int) else _listening(place)
        make = self._loop.create_server(lambda: _Visit(self._room), sock=listening)
        server = self._loop.run_until_complete(make)
        self.port = listening.getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.close()


def _counting(instruments: Instruments, probed: Callable[[str], None]) -> Callable[[Verdict, str], None]:
    redirects, probes = instruments.counter("portal_redirects_total"), instruments.counter("portal_probes_total")
    by_kind = {kind: redirects.labels(code) for kind, code in CODES.items()}
    by_family = {name: probes.labels(name) for name in FAMILIES}

    def count(found: Verdict, address: str) -> None:
        by_kind[found.kind].inc()
        if found.kind is Kind.FOUND:
            by_family[found.family].inc()
            probed(address)

    return count
