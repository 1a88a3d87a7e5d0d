"""The connections that go on, read from the kernel at once: written down now and then, so a power cut takes none along.

conntrack announces a connection's end only. Whoever waits for that has nothing of what went on when the power went.
"""

import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from captive_portal import netlink as nl
from captive_portal.deadline import deadline
from captive_portal.legal.conntrack import IPCTNL_MSG_CT_GET, IPCTNL_MSG_CT_NEW, OPEN, Reader
from captive_portal.legal.segment import day_of

EVERY_MS = 2000
REST = 20
"""Between two looks, at least so many times what one took: a full table costs a twentieth of a core at most."""
PATIENCE_SECONDS = 10.0
AT_ONCE = 256 * 1024


def bodies() -> Iterator[bytes]:
    """The body of each connection's message. OSError when the kernel does not answer."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, nl.NETLINK_NETFILTER) as channel:
        deadline(channel, PATIENCE_SECONDS)
        about = nl.NFGENMSG.pack(socket.AF_UNSPEC, 0, 0)
        channel.send(nl.message(IPCTNL_MSG_CT_GET, nl.NLM_F_REQUEST | nl.NLM_F_DUMP, 1, about))
        while True:
            for kind, _flags, _number, body in nl.messages(channel.recv(AT_ONCE)):
                if kind == nl.NLMSG_DONE:
                    return
                if kind == nl.NLMSG_ERROR:
                    raise OSError(nl.error(body), "the connections cannot be read")
                if kind == IPCTNL_MSG_CT_NEW:
                    yield body


@dataclass(slots=True)
class Openings:
    """Which connections are to be written as going on: what began since the last look, and everything once a UTC day.

    So each day's file speaks for itself, however long a connection lasts.
    """

    read: Callable[[], Iterable[bytes]] = bodies
    _since: int = 0
    _day: int = 0
    _due: int = 0

    def all(self) -> None:
        """Look at once, and take everything."""
        self._since = self._due = 0

    def now(self) -> None:
        """Look at once."""
        self._due = 0

    def are_due(self, steady: int) -> bool:
        """Whether it is time to look; *steady* in milliseconds."""
        return steady >= self._due

    def rows(self, reader: Reader, wall: int, steady: Callable[[], int]) -> list[bytes]:
        """Their rows; *wall* in milliseconds since 1970, *steady* the clock nobody can set."""
        began, day = steady(), day_of(wall).toordinal()
        since = self._since if day == self._day else 0
        now = wall * 1_000_000
        found = [row for body in self.read() if (row := reader.row(body, now, OPEN, since))]
        self._since, self._day = now, day
        ended = steady()
        self._due = ended + max(EVERY_MS, REST * (ended - began))
        return found
