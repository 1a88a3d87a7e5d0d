"""Notices when another program changes nftables: the kernel tells every commit, with the thread that made it."""

import errno
import socket
import struct
from collections.abc import Iterator

NETLINK_NETFILTER = 12
NFNLGRP_NFTABLES = 7
NFT_MSG_NEWGEN = 10 << 8 | 15
"""Subsystem nftables, message "new generation" (linux/netfilter/nf_tables.h): the end of a commit."""
NFTA_GEN_PROC_PID = 2
SO_RCVBUFFORCE = 33
"""socket(7); the module socket has no name for it."""
BUFFER_BYTES = 8 * 1024 * 1024
"""The kernel tells every element of a transaction; what is lost must be taken for a change by somebody else."""
_HEADER = struct.Struct("=LHHLL")
_NFGENMSG_SIZE = 4
_ATTRIBUTE = struct.Struct("=HH")


def authors(data: bytes) -> Iterator[int]:
    """The thread that made each commit in one datagram of the kernel, 0 where it does not say."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, *_ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size:
            return
        if kind == NFT_MSG_NEWGEN:
            yield _author(data[offset + _HEADER.size + _NFGENMSG_SIZE : offset + length])
        offset += (length + 3) & ~3


def _author(attributes: bytes) -> int:
    offset = 0
    while offset + _ATTRIBUTE.size <= len(attributes):
        length, kind = _ATTRIBUTE.unpack_from(attributes, offset)
        if length < _ATTRIBUTE.size:
            break
        if kind == NFTA_GEN_PROC_PID:
            return int(struct.unpack_from(">L", attributes, offset + _ATTRIBUTE.size)[0])
        offset += (length + 3) & ~3
    return 0


class Changes:
    """The kernel's announcements in this network namespace. OSError when they cannot be had (CAP_NET_ADMIN)."""

    def __init__(self) -> None:
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_NETLINK, kind, NETLINK_NETFILTER)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        self._socket.bind((0, 1 << (NFNLGRP_NFTABLES - 1)))

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def foreign(self, own: int) -> bool:
        """Whether a thread other than *own* committed something since the last call; True also when news were lost."""
        found = False
        while True:
            try:
                found = any(author != own for author in authors(self._socket.recv(1 << 16))) or found
            except BlockingIOError:
                return found
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                found = True

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
