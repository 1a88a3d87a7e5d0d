"""Notices what other programs change in nftables: the kernel tells every commit, what it touched and who made it."""

import ctypes
import errno
import socket
import struct
from collections.abc import Iterator

from captive_portal import netlink as nl
from captive_portal.tables import ARP_TABLE, TABLE

NFNLGRP_NFTABLES = 7
NFT_MSG_NEWGEN = 10 << 8 | 15
"""Subsystem nftables, message "new generation" (linux/netfilter/nf_tables.h): the end of a commit."""
NFTA_GEN_PROC_PID = 2
ELEMENTS = {nl.NFT_MSG_NEWSETELEM, nl.NFT_MSG_DELSETELEM}
RULESET = ""
"""Something else than elements was altered, or nobody knows what: news were lost."""
SO_RCVBUFFORCE, SO_ATTACH_FILTER = 33, 26
"""socket(7); the module socket has no name for them."""
BUFFER_BYTES = 8 * 1024 * 1024
"""The kernel tells every element of a transaction; what is lost must be taken for a change by somebody else."""
PORT = 12
"""Where a message's header has the number of the socket that asked for the change."""


def authors(data: bytes) -> Iterator[int]:
    """The thread that made each commit in one datagram of the kernel, 0 where it does not say."""
    for kind, _, _, body in nl.messages(data):
        if kind == NFT_MSG_NEWGEN:
            yield _author(body)


def _author(body: bytes) -> int:
    for kind, start, _ in nl.attributes(body, nl.NFGENMSG.size):
        if kind == NFTA_GEN_PROC_PID:
            return int(struct.unpack_from(">L", body, start)[0])
    return 0


class Changes:
    """The kernel's announcements in this network namespace. OSError when they cannot be had (CAP_NET_ADMIN).

    What is asked over the socket numbered *own* is not announced: its thread knows what it does.
    """

    def __init__(self, own: int = 0) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_NETLINK, kind, nl.NETLINK_NETFILTER)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        if own:
            _deaf_to(self._socket, own)
        self._socket.bind((0, 1 << (NFNLGRP_NFTABLES - 1)))
        self._begun: set[str] = set()

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def foreign(self, own: int) -> set[str]:
        """What threads other than *own* have altered since the last call: names of our sets, and :data:`RULESET`."""
        found: set[str] = set()
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                return found
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                found.add(RULESET)
                continue
            for kind, _, _, body in nl.messages(data):
                if kind != NFT_MSG_NEWGEN:
                    self._begun.add(_touched(body) if kind in ELEMENTS else RULESET)
                    continue
                if _author(body) != own:
                    found |= self._begun or {RULESET}
                self._begun = set()

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def _touched(body: bytes) -> str:
    """The set whose elements a message is about; of another table's nothing is to be done, but it is a name too."""
    names = {}
    for kind, start, end in nl.attributes(body, nl.NFGENMSG.size):
        if kind == nl.LIST_ELEMENTS:
            break
        names[kind] = body[start:end].rstrip(b"\0").decode("ascii", "replace")
    ours = names.get(nl.LIST_TABLE) in {TABLE, ARP_TABLE}
    return names.get(nl.LIST_SET, RULESET) if ours else "of another table"


def _deaf_to(channel: socket.socket, own: int) -> None:
    """Have the kernel drop announcements of what the socket numbered *own* has asked for (bpf(4), classic)."""
    code = (
        (0x20, 0, 0, PORT),  # A = the header's port, in network order
        (0x15, 0, 1, socket.htonl(own)),  # is it ours?
        (0x06, 0, 0, 0),  # drop
        (0x06, 0, 0, 0xFFFFFFFF),  # take
    )
    program = b"".join(struct.pack("=HBBL", *line) for line in code)
    buffer = ctypes.create_string_buffer(program)
    told = struct.pack("@HP", len(code), ctypes.addressof(buffer))
    channel.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, told)
