"""Whether internet is there beyond the site's uplink, as a resident would find it: asked before anybody needs to know.

A fibre that is unplugged shows at once (IFF_RUNNING, netdevice(7)). A fault further on does not: the operator's box
keeps its light. So the town's resolvers are asked now and then; when none has answered twice, internet is cut. It
needs no privilege, and no name but the root's is asked.
"""

import fcntl
import os
import socket
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from selectors import EVENT_READ, DefaultSelector

from parvis.running import Turns, log

SIOCGIFFLAGS = 0x8913
IFF_RUNNING = 0x40
_REQUEST = struct.Struct("16sH22x")
EVERY_SECONDS = 5.0
PATIENCE_SECONDS = 2.0
MISSES = 2
"""Rounds without any answer: one lost packet is no fault."""
DNS_PORT = 53
_QUESTION = struct.Struct("!HHHHHH")
ROOT_NS = b"\x00\x00\x02\x00\x01"
"""The root's name servers (RFC 1035 section 4.1.2): every resolver knows them."""
Place = tuple[str, int]


def running(channel: socket.socket, interface: str) -> bool:
    """Whether *interface* has a carrier, asked over any *channel*; False when it does not exist."""
    try:
        answer = fcntl.ioctl(channel, SIOCGIFFLAGS, _REQUEST.pack(interface.encode(), 0))
    except OSError:
        return False
    flags: int = _REQUEST.unpack(answer)[1]
    return bool(flags & IFF_RUNNING)


def answered(resolvers: Sequence[Place], patience: float = PATIENCE_SECONDS) -> bool:
    """Whether one of *resolvers* answers a DNS question within *patience* seconds. Any answer to it will do."""
    number = os.urandom(2)
    question = number + _QUESTION.pack(0, 0x0100, 1, 0, 0, 0)[2:] + ROOT_NS
    ends = time.monotonic() + patience
    with DefaultSelector() as selector, ExitStack() as open_channels:
        for channel in filter(None, (_asked(place, question) for place in resolvers)):
            open_channels.enter_context(channel)
            selector.register(channel, EVENT_READ)
        while selector.get_map() and (left := ends - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                if _reads(key.fileobj, number):
                    return True
                selector.unregister(key.fileobj)
    return False


def _asked(place: Place, question: bytes) -> socket.socket | None:
    family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    try:
        channel = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    except OSError:  # a kernel without IPv6, or no descriptor left
        return None
    try:
        channel.connect(place)
        channel.send(question)
    except OSError:
        channel.close()
        return None
    return channel


def _reads(channel: object, number: bytes) -> bool:
    try:
        return isinstance(channel, socket.socket) and channel.recv(512)[:2] == number
    except OSError:  # refused: something is there, but no resolver
        return False


class Uplink:
    """Asks again and again within ``with uplink.turns``; :meth:`there` costs one system call."""

    def __init__(self, interface: str, ask: Callable[[], bool], every: float = EVERY_SECONDS) -> None:
        self._interface, self._ask, self._every = interface, ask, every
        self._channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._misses = 0
        self.turns = Turns("uplink", self.look)

    def there(self) -> bool:
        """Whether internet answers, as far as is known; True until the first questions are out."""
        return running(self._channel, self._interface) and self._misses < MISSES

    def look(self) -> float:
        """Ask once; for how many seconds to rest then."""
        before = self._misses
        self._misses = 0 if self._ask() else before + 1
        if self._misses == MISSES or (self._misses == 0 and before >= MISSES):
            log.warning("internet is cut" if self._misses else "internet is back")
        return self._every
