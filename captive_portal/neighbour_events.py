"""The kernel's own news of neighbours and of bridge ports: rtnetlink(7), group RTNLGRP_NEIGH. Needs no privilege."""

import errno
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from captive_portal import neighbours
from captive_portal.neighbours import Neighbour
from parvis.addresses import MacAddress

RTMGRP_NEIGH = 4
FAILED = 0x20
"""NUD_FAILED."""


@dataclass(frozen=True, slots=True)
class Port:
    """A bridge has learned *mac* at *port*, an interface's number."""

    mac: MacAddress
    port: int


class NeighbourEvents:
    """What changes in the neighbour table of *interface*, and in its ports where it is a bridge."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._socket.bind((0, RTMGRP_NEIGH))

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def news(self) -> Iterator[Neighbour | Port]:
        """What has come; a neighbour without MAC address is gone. After an overflow: the whole table."""
        index = socket.if_nametoindex(self._interface)
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                yield from neighbours.everybody(self._interface)
                continue
            yield from self._told(data, index)

    def _told(self, data: bytes, index: int) -> Iterator[Neighbour | Port]:
        for kind, one in neighbours.read(data):
            if one.index != index:
                continue
            gone = kind == neighbours.RTM_DELNEIGH or one.state & FAILED
            yield Neighbour(one.address, None, one.state, one.index) if gone else one
        for mac, port, bridge in neighbours.ports(data):
            if bridge == index:
                yield Port(mac, port)
