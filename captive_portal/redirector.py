"""The server on port 80: one short answer of :mod:`captive_portal.redirects` a connection, then the end.

Written with few system calls, so that the probes of idle phones cost next to nothing and never reach Flask. No device
can keep others out: who holds too many connections, or the oldest when all are taken, gives way to who comes.
"""

import errno
import selectors
import socket
import time
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
"""A connection ends after so long, whatever happens on it."""
MAX_CONNECTIONS = 512
MAX_CONNECTIONS_EACH = 16
"""From one address. A browser opens six to a host; a phone's probes come one or two at a time."""
ACCEPTED_AT_ONCE = 64
CHUNK = 16 * 1024
OUT_OF_HANDLES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
NO_WAIT = socket.MSG_DONTWAIT


@dataclass(slots=True, eq=False)
class _Visit:
    """A connection that is not over: *answered* when only its end is waited for."""

    channel: socket.socket
    address: str
    until: float
    received: bytes = b""
    answered: bool = False


@dataclass(slots=True)
class _Room:
    """The visits, in the order of their coming, and what they are answered. For one thread."""

    own: str
    replies: dict[Kind, bytes]
    count: Callable[[Verdict, str], None]
    selector: selectors.BaseSelector
    waiting: dict[_Visit, None] = field(default_factory=dict)
    each: dict[str, int] = field(default_factory=dict)

    def enter(self, channel: socket.socket, address: str) -> None:
        """Answer at once who has asked already; let the others wait."""
        visit = _Visit(channel, address, time.monotonic() + HEAD_SECONDS)
        if self._serve(visit):
            return
        if self.each.get(address, 0) >= MAX_CONNECTIONS_EACH:
            self.end(next(other for other in self.waiting if other.address == address))
        elif len(self.waiting) >= MAX_CONNECTIONS:
            self.make_room()
        self.waiting[visit] = None
        self.each[address] = self.each.get(address, 0) + 1
        self.selector.register(channel, selectors.EVENT_READ, visit)

    def speaks(self, visit: _Visit) -> None:
        """*visit* has sent something, or hung up."""
        if visit in self.waiting and self._serve(visit):
            self.end(visit)

    def end(self, visit: _Visit) -> None:
        """Hang up; an address without a visit is forgotten with it."""
        del self.waiting[visit]
        self.each[visit.address] -= 1
        if not self.each[visit.address]:
            del self.each[visit.address]
        self.selector.unregister(visit.channel)
        visit.channel.close()

    def make_room(self) -> None:
        """End the oldest visit; when there is none, others hold what is missing, and a moment must do."""
        if self.waiting:
            self.end(next(iter(self.waiting)))
        else:
            time.sleep(0.01)

    def sweep(self) -> float | None:
        """Hang up on whoever had time enough; seconds until the next has, None when nobody waits."""
        now = time.monotonic()
        while self.waiting:
            oldest = next(iter(self.waiting))
            if oldest.until > now:
                return oldest.until - now
            self.end(oldest)
        return None

    def _serve(self, visit: _Visit) -> bool:
        """Read, and answer when the request is whole; True when the connection is over."""
        try:
            data = visit.channel.recv(CHUNK, NO_WAIT)
            if not data:
                return self._over(visit)
            if visit.answered:
                return False
            visit.received += data
            found = verdict(visit.received, self.own)
            return found is not None and self._answer(visit, found)
        except BlockingIOError:
            return False
        except OSError:
            return self._over(visit)

    def _answer(self, visit: _Visit, found: Verdict) -> bool:
        reply = self.replies[found.kind]
        visit.channel.send(reply if found.with_body else reply[: reply.index(b"\r\n\r\n") + 4], NO_WAIT)
        self.count(found, visit.address)
        if not found.more:
            return self._over(visit)
        visit.answered, visit.received = True, b""
        visit.channel.shutdown(socket.SHUT_WR)  # to close would reset it, and the answer be lost (RFC 9112 section 9.6)
        return False

    def _over(self, visit: _Visit) -> bool:
        if visit not in self.waiting:
            visit.channel.close()
        return True


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
        self._selector = selectors.DefaultSelector()
        count = _counting(instruments, probed)
        self._room = _Room(urlsplit(url).hostname or "", answers(url), count, self._selector)
        self._thread = thread_or_exit("redirector", self._run)
        self._ready = Event()
        self._woken, self._wake = socket.socketpair()
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wake.send(b"x")
        self._thread.join()

    def _run(self) -> None:
        place = self._place
        with socket.socket(fileno=place) if isinstance(place, int) else _listening(place) as listening:
            listening.setblocking(False)
            self.port = listening.getsockname()[1]
            self._selector.register(listening, selectors.EVENT_READ, listening)
            self._selector.register(self._woken, selectors.EVENT_READ, None)
            self._ready.set()
            while self._turn(listening):
                pass
            for visit in list(self._room.waiting):
                self._room.end(visit)
        for one in (self._selector, self._woken, self._wake):
            one.close()

    def _turn(self, listening: socket.socket) -> bool:
        """Serve who has something to say; False when told to stop."""
        for key, _ in self._selector.select(self._room.sweep()):
            if key.data is None:
                return False
            if key.data is listening:
                self._accept(listening)
            else:
                self._room.speaks(key.data)
        return True

    def _accept(self, listening: socket.socket) -> None:
        try:
            for _ in range(ACCEPTED_AT_ONCE):
                channel, address = listening.accept()
                self._room.enter(channel, address[0])
        except BlockingIOError:
            return  # nobody is left
        except OSError as error:
            if error.errno in OUT_OF_HANDLES:
                self._room.make_room()


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
