"""Ask every target for an echo, all at once, over unprivileged ICMP sockets with the kernel's time stamps.

SO_TIMESTAMPNS (socket(7)) dates each reply when it arrives, not when Python reads it.
"""

import secrets
import selectors
import socket
import struct
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from monitor.observations import Outcome
from monitor.targets import Target
from parvis.echo import SEQUENCES, SO_TIMESTAMPNS, TOKEN_BYTES, Window, ping_socket, reply, request
from parvis.running import log

_TIMESPEC = struct.Struct("@ll")
_PACING_SECONDS = 0.001
"""Between two requests, so that a large town is not one burst."""


@dataclass(slots=True)
class _Awaited:
    target: Target
    token: bytes
    sent_at_ns: int
    sent: float
    rtt_seconds: float | None = None
    answered: bool = False


class Prober(AbstractContextManager["Prober"]):
    """One ping socket a family; ``round()`` asks each target once. *timeout* in seconds; *window* counts echoes."""

    def __init__(self, targets: Sequence[Target], *, timeout: float = 2.0, window: int = 20) -> None:
        self.counts: Counter[str] = Counter()
        self._targets = targets
        self._timeout = timeout
        self._windows = {target.name: Window(window) for target in targets}
        self._sockets: dict[int, socket.socket] = {}
        self._selector = selectors.DefaultSelector()
        self._open = ExitStack()
        self._sequence = secrets.randbelow(SEQUENCES)

    def __enter__(self) -> Self:
        with ExitStack() as opening:
            opening.callback(self._selector.close)
            for version in sorted({target.address.version for target in self._targets}):
                self._sockets[version] = opening.enter_context(ping_socket(version))
                self._selector.register(self._sockets[version], selectors.EVENT_READ, version)
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def round(self) -> list[Outcome]:
        """Ask every target once; returns when all have answered, or *timeout* after the last request."""
        awaited: dict[tuple[int, int], _Awaited] = {}
        refused: dict[str, bool | None] = {}
        for target in self._targets:
            self._ask(target, awaited, refused)
            self._listen(awaited, _PACING_SECONDS)
        last = time.monotonic() + self._timeout
        while (left := last - time.monotonic()) > 0 and not all(echo.answered for echo in awaited.values()):
            self._listen(awaited, left)
        heard = {echo.target.name: echo for echo in awaited.values()}
        return [self._outcome(target, heard.get(target.name), refused) for target in self._targets]

    def _ask(self, target: Target, awaited: dict[tuple[int, int], _Awaited], refused: dict[str, bool | None]) -> None:
        version = target.address.version
        self._sequence = (self._sequence + 1) % SEQUENCES
        token = secrets.token_bytes(TOKEN_BYTES)
        echo = _Awaited(target, token, time.time_ns(), time.monotonic())
        try:
            self._sockets[version].sendto(request(version, self._sequence, token), (str(target.address), 0))
        except BlockingIOError:
            refused[target.name] = None
        except OSError as error:  # no route, host unreachable: the kernel already knows that nobody will answer
            log.debug("echo not sent", target=target.name, error=str(error))
            refused[target.name] = False
        else:
            awaited[version, self._sequence] = echo

    def _listen(self, awaited: dict[tuple[int, int], _Awaited], seconds: float) -> None:
        for key, _events in self._selector.select(seconds):
            version = int(key.data)
            for packet, source, arrived_ns in _received(self._sockets[version]):
                self._match(awaited, version, packet, source, arrived_ns)

    def _match(
        self,
        awaited: dict[tuple[int, int], _Awaited],
        version: int,
        packet: bytes,
        source: str,
        arrived_ns: int | None,
    ) -> None:
        found = reply(version, packet)
        echo = awaited.get((version, found[0])) if found else None
        late = echo is None or echo.answered
        if found is None or echo is None or late or (source, found[1]) != (str(echo.target.address), echo.token):
            self.counts["stray"] += 1
            return
        echo.answered = True
        echo.rtt_seconds = _elapsed(echo, arrived_ns)

    def _outcome(self, target: Target, echo: _Awaited | None, refused: dict[str, bool | None]) -> Outcome:
        window = self._windows[target.name]
        answered = echo.answered if echo else refused[target.name]
        self.counts["refused" if echo is None else "answered" if answered else "lost"] += 1
        took = echo.rtt_seconds if echo else None
        if answered is not None:
            window.add(took)
        return Outcome(target.name, answered, window.loss_ratio, window.rtt_seconds, window.jitter_seconds, took)


def _elapsed(echo: _Awaited, arrived_ns: int | None) -> float:
    """Seconds from request to reply; the monotonic clock's when the wall clock was stepped in between."""
    at_most = time.monotonic() - echo.sent
    if arrived_ns is None:
        return at_most
    stamped = (arrived_ns - echo.sent_at_ns) / 1e9
    return stamped if 0 <= stamped <= at_most else at_most


def _received(channel: socket.socket) -> Iterable[tuple[bytes, str, int | None]]:
    """What waits on *channel*: bytes, source address, arrival in nanoseconds of Unix time."""
    while True:
        try:
            packet, control, _flags, source = channel.recvmsg(2048, 128)
        except BlockingIOError:
            return
        except OSError as error:  # an error queued by an earlier request
            log.debug("echo socket", error=str(error))
            return
        yield packet, str(source[0]), _stamp(control)


def _stamp(control: Sequence[tuple[int, int, bytes]]) -> int | None:
    for level, kind, data in control:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            return int(seconds) * 10**9 + int(nanoseconds)
    return None
