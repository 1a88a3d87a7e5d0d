"""The kernel's own announcements: connections that end, and elements of our sets that come and go (netlink(7)).

The buffers are large and forced, so that a burst waits instead of being lost; what is lost all the same is counted by
the kernel, and read from there (sock_diag, SK_MEMINFO_DROPS).
"""

import errno
import socket
import struct
from collections.abc import Iterator
from enum import IntEnum

from captive_portal import netlink as nl
from captive_portal.changes import NFNLGRP_NFTABLES, NFT_MSG_NEWGEN, SO_RCVBUFFORCE
from captive_portal.elements import Layout, elements_in
from captive_portal.legal.bindings import KINDS
from captive_portal.legal.spool import Spool
from captive_portal.tables import TABLE

NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_DESTROY = 1, 3
BUFFER_BYTES = 64 * 1024 * 1024
SO_MEMINFO, MEMINFO_DROPS = 55, 8
_MEMINFO = struct.Struct("=9L")


class Source(IntEnum):
    """Who has told a word of the spool."""

    SETS = 1
    CONNECTIONS = 2


def sets(handle: int | None = None) -> "Ear":
    """Who listens for elements that come and go; *handle*: the socket of a predecessor."""
    return Ear(Source.SETS, NFNLGRP_NFTABLES, handle)


def connections(handle: int | None = None, group: int = NFNLGRP_CONNTRACK_DESTROY) -> "Ear":
    """Who listens for connections that end."""
    return Ear(Source.CONNECTIONS, group, handle)


class Ear:
    """A socket on which the kernel announces. OSError when it cannot be had (CAP_NET_ADMIN)."""

    def __init__(self, source: Source, group: int, handle: int | None = None) -> None:
        self.source = source
        if handle is not None:
            self._socket = socket.socket(fileno=handle)
            self._socket.setblocking(False)
        else:
            kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            self._socket = socket.socket(socket.AF_NETLINK, kind, nl.NETLINK_NETFILTER)
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
            self._socket.bind((0, 1 << (group - 1)))
        self._drops = 0
        self._overran = False

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def drain(self, spool: Spool, at: int) -> int:
        """Take all that waits into *spool*, as long as there is place; how many words."""
        count = 0
        receive = self._socket.recv_into
        while not spool.full:
            try:
                spool.took(receive(spool.place(self.source, at)))
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self._overran = True
                continue
            count += 1
        return count

    def lost(self) -> int:
        """How many announcements were lost since the last call; at least 1 when the kernel said some were."""
        total = _MEMINFO.unpack(self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, _MEMINFO.size))[MEMINFO_DROPS]
        fresh, self._drops = total - self._drops, total
        overran, self._overran = self._overran, False
        return max(int(fresh), int(overran))

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def set_changes(word: bytes) -> Iterator[tuple[str, bool, bytes, bytes, float | None]]:
    """(set, whether it came, key, value, seconds it has) of each element that matters in one word of the kernel."""
    for kind, _flags, _number, body in nl.messages(word):
        if kind not in (nl.NFT_MSG_NEWSETELEM, nl.NFT_MSG_DELSETELEM):
            continue
        table, name = _about(body)
        if table == TABLE and name in KINDS:
            for one in Layout().read(elements_in(body)):
                yield name, kind == nl.NFT_MSG_NEWSETELEM, one.key, one.data, one.seconds


def commits(word: bytes) -> bool:
    """Whether a transaction ends in *word*."""
    return any(kind == NFT_MSG_NEWGEN for kind, _flags, _number, _body in nl.messages(word))


def _about(body: bytes) -> tuple[str, str]:
    names = {}
    for kind, start, end in nl.attributes(body, nl.NFGENMSG.size):
        if kind == nl.LIST_ELEMENTS:
            break
        names[kind] = body[start:end].rstrip(b"\0").decode("ascii", "replace")
    return names.get(nl.LIST_TABLE, ""), names.get(nl.LIST_SET, "")
