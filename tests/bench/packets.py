"""Packets as fast as the path takes them: frames made beforehand, sent by sendmmsg(2) on a packet socket.

Over veth pairs a packet's whole way, through the gateway to the far side, is walked in the sender's own system call. So
the CPU time of the sending thread is the cost of the path; other work on the machine disturbs it little.
"""

import ctypes
import os
import random
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address

from door_twin import Inside

SOL_PACKET, PACKET_QDISC_BYPASS = 263, 20
AT_ONCE = 512
PAYLOAD = bytes(158)
"""With Ethernet, IPv4 and UDP headers a frame of 200 bytes."""


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Message(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("sent", ctypes.c_uint),
    )


@dataclass(frozen=True, slots=True)
class End:
    """One end of a flow, or the next hop towards it: MAC address, IPv4 address, UDP port."""

    mac: bytes
    address: IPv4Address
    port: int


def frame(source: End, target: End) -> bytes:
    """Ethernet, IPv4 and UDP from *source* to *target*."""
    udp = struct.pack(">HHHH", source.port, target.port, 8 + len(PAYLOAD), 0) + PAYLOAD
    head = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0x4000, 64, 17, 0, source.address.packed, target.address.packed
    )
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    checksum = struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF)
    return target.mac + source.mac + b"\x08\x00" + head[:10] + checksum + head[12:] + udp


class Sender:
    """Sends *frames* over *interface* of this thread's network namespace, again and again, in one random order."""

    def __init__(self, interface: str, frames: Sequence[bytes]) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.bind((interface, 0))
        self._socket.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
        order = list(frames)
        random.Random(1).shuffle(order)
        while len(order) < AT_ONCE:
            order += order
        self._bytes = [ctypes.create_string_buffer(one, len(one)) for one in order]
        self._vectors = (_Vector * len(order))(*(_Vector(ctypes.addressof(b), len(b)) for b in self._bytes))
        self._messages = (_Message * len(order))()
        for place, message in enumerate(self._messages):
            message.vectors, message.count = ctypes.pointer(self._vectors[place]), 1
        self._send = ctypes.CDLL(None, use_errno=True).sendmmsg
        self._next = 0

    def send(self, count: int) -> None:
        """Send *count* packets or a few more."""
        size, sent = ctypes.sizeof(_Message), 0
        while sent < count:
            now = min(AT_ONCE, len(self._messages) - self._next)
            done = self._send(self._socket.fileno(), ctypes.byref(self._messages, self._next * size), now, 0)
            if done < 0:
                raise OSError(ctypes.get_errno(), "sendmmsg")
            sent += done
            self._next = (self._next + done) % len(self._messages)

    def nanoseconds(self, count: int) -> float:
        """CPU time of one packet, over *count* packets."""
        started = time.thread_time_ns()
        self.send(count)
        return (time.thread_time_ns() - started) / count

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


@contextmanager
def sender(namespace: str, interface: str, frames: Sequence[bytes]) -> Iterator[Sender]:
    """A sender in *namespace*."""
    with Inside(namespace):
        made = Sender(interface, frames)
    try:
        yield made
    finally:
        made.close()


def pinned(cpu: int = 0) -> None:
    """Keep this thread on one core: its caches are part of what is measured."""
    os.sched_setaffinity(0, {cpu})
