"""gatewayd's Unix socket: lines in, lines out, for the users it may serve. It refuses in words, and counts."""

import selectors
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from captive_portal import protocol

MAX_PEERS = 64
MAX_UNSENT = 8 * 1024 * 1024
"""Bytes of answers a peer may leave unread."""
SLOW_SECONDS = 10.0
"""A request must be complete, and an answer taken, in this time."""
_CREDENTIALS = struct.Struct("=iII")


class Pending(Protocol):
    """An answer that is not there yet."""

    @property
    def working(self) -> bool:
        """Whether it gets on whenever it is asked, so that it should be asked again soon; else time has to pass."""

    def now(self, monotonic: float) -> bytes | None:
        """The answer, or None to go on waiting."""


class InParts:
    """A long answer, made in *parts*, between which others are served; the last part is the answer."""

    working = True

    def __init__(self, parts: Iterator[bytes | None]) -> None:
        self._parts = parts

    def now(self, monotonic: float) -> bytes | None:  # noqa: ARG002 work, not time, brings it about
        """Do the next part; the answer when it was the last."""
        return next(self._parts)


Answer = Callable[[bytes], bytes | Pending]
Refused = Callable[[str], None]


@dataclass(slots=True)
class _Peer:
    channel: socket.socket
    received: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    waiting_since: float | None = None
    pending: Pending | None = None
    writing: bool = False
    """Whether the selector also waits until it can be written to."""


class Listener:
    """Serves *answer* at *path* to users in *uids*; calls *refused* with a reason word for all else."""

    def __init__(
        self, path: Path, uids: frozenset[int], answer: Answer, refused: Refused, selector: selectors.BaseSelector
    ) -> None:
        self._uids, self._answer, self._refused, self._selector = uids, answer, refused, selector
        self._path = path
        self._peers: dict[int, _Peer] = {}
        self._server = _bound(path)
        selector.register(self._server, selectors.EVENT_READ, lambda _events: self._accept())

    def close(self) -> None:
        """Hang up on everybody and remove the socket."""
        for peer in list(self._peers.values()):
            self._drop(peer)
        self._selector.unregister(self._server)
        self._server.close()
        self._path.unlink(missing_ok=True)

    @property
    def working(self) -> bool:
        """Whether :meth:`serve_pending` has something to get on with."""
        return any(peer.pending.working for peer in self._peers.values() if peer.pending)

    def serve_pending(self, now: float) -> None:
        """Send the answers that are there by now; *now* is monotonic seconds."""
        for peer in [one for one in self._peers.values() if one.pending]:
            answer = peer.pending.now(now) if peer.pending else None
            if answer is None:
                continue
            peer.pending = None
            peer.unsent += answer
            try:
                self._work(peer)
            except BlockingIOError:
                pass
            except OSError:
                self._drop(peer)

    def sweep(self, now: float) -> None:
        """Hang up on peers that keep a request or an answer half done; *now* is monotonic seconds."""
        for peer in list(self._peers.values()):
            if peer.pending or not (peer.received or peer.unsent):
                peer.waiting_since = None
            elif peer.waiting_since is None:
                peer.waiting_since = now
            elif now - peer.waiting_since > SLOW_SECONDS:
                self._refuse(peer, "slow")

    def _accept(self) -> None:
        channel, _ = self._server.accept()
        channel.setblocking(False)
        peer = _Peer(channel)
        _, uid, _ = _CREDENTIALS.unpack(channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        self._peers[channel.fileno()] = peer
        self._selector.register(channel, selectors.EVENT_READ, lambda events: self._ready(peer, events))
        if uid not in self._uids:
            self._refuse(peer, "peer")
        elif len(self._peers) > MAX_PEERS:
            self._refuse(peer, "crowded")

    def _ready(self, peer: _Peer, events: int) -> None:
        try:
            if events & selectors.EVENT_WRITE:
                self._send(peer)
            if events & selectors.EVENT_READ:
                self._receive(peer)
        except BlockingIOError:
            pass
        except OSError:
            self._drop(peer)

    def _receive(self, peer: _Peer) -> None:
        data = peer.channel.recv(1 << 16)
        if not data:
            self._drop(peer)
            return
        peer.received += data
        self._work(peer)

    def _work(self, peer: _Peer) -> None:
        """Answer the complete lines that *peer* has sent; those behind a pending one wait."""
        while not peer.pending and (end := peer.received.find(b"\n")) >= 0:
            if end >= protocol.MAX_LINE:
                break
            line = bytes(peer.received[:end])
            del peer.received[: end + 1]
            answer = self._answer(line)
            if isinstance(answer, bytes):
                peer.unsent += answer
            else:
                peer.pending = answer
        if len(peer.received) >= protocol.MAX_LINE:
            self._refuse(peer, "oversized")
        elif len(peer.unsent) > MAX_UNSENT:
            self._refuse(peer, "slow")
        else:
            self._send(peer)

    def _send(self, peer: _Peer) -> None:
        if peer.unsent:
            del peer.unsent[: peer.channel.send(peer.unsent)]
        if peer.writing is not bool(peer.unsent):
            peer.writing = bool(peer.unsent)
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if peer.writing else 0)
            self._selector.modify(peer.channel, wanted, self._selector.get_key(peer.channel).data)

    def _refuse(self, peer: _Peer, reason: str) -> None:
        self._refused(reason)
        with suppress(OSError):
            peer.channel.send(protocol.refusal(reason))
        self._drop(peer)

    def _drop(self, peer: _Peer) -> None:
        if self._peers.pop(peer.channel.fileno(), None) is not None:
            self._selector.unregister(peer.channel)
            peer.channel.close()


def _bound(path: Path) -> socket.socket:
    """A listening socket anybody may connect to: the peer's user decides who may speak, not the file's mode."""
    path.unlink(missing_ok=True)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    server.bind(str(path))
    path.chmod(0o666)
    server.listen(MAX_PEERS)
    return server
