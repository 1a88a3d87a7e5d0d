"""Sends router advertisements on the guest interface: now and then, and to whoever asks.

The socket needs CAP_NET_RAW to be made and nothing to be used: :func:`drop_raw` gives the capability up at once.
No farewell (lifetime 0, RFC 4861 section 6.2.5) is sent when the process stops: the gateway goes on without it.
"""

import ctypes
import errno
import os
import random
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from captive_portal import advertisement
from captive_portal.advertisement import Offer

ALL_NODES, ALL_ROUTERS = "ff02::1", "ff02::2"
INTERVAL_SECONDS = (450.0, 600.0)
"""RFC 7772 section 5.1: at most seven an hour to everybody, because each wakes every phone."""
FIRST, FIRST_SECONDS = 3, 16.0
"""RFC 4861 section 10: MAX_INITIAL_RTR_ADVERTISEMENTS and MAX_INITIAL_RTR_ADVERT_INTERVAL."""
LEAST_SECONDS = 3.0
"""MIN_DELAY_BETWEEN_RAS, to everybody; to one who asks, the answer comes at once."""
ICMPV6_FILTER = 1
_FILTER_ALL = 0xFFFFFFFF
CAP_NET_RAW = 13
_CAPABILITY_VERSION_3 = 0x20080522
_HOP_LIMIT = struct.Struct("=i")


class NoRawSocket(Exception):
    """Router advertisements need CAP_NET_RAW at the start; whoever wrote the unit must grant it."""


class Advertiser:
    """Advertises *offer* on *interface*. OSError when the interface is away; NoRawSocket without CAP_NET_RAW."""

    def __init__(self, interface: str, offer: Offer, count: Callable[[str], None]) -> None:
        self._interface, self._offer, self._count = interface, offer, count
        self._socket = _socket(interface)
        self._left, self._next, self._last = FIRST, 0.0, float("-inf")

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def close(self) -> None:
        """Fall silent; the last advertisement stays valid for its time."""
        self._socket.close()

    def tick(self, now: float) -> None:
        """Advertise to everybody when it is time; *now* is monotonic seconds."""
        if now < self._next or now - self._last < LEAST_SECONDS:
            return
        self._left = max(0, self._left - 1)
        self._next = now + (FIRST_SECONDS if self._left else random.uniform(*INTERVAL_SECONDS))  # noqa: S311 RFC 4861
        self._last = now
        self._send(ALL_NODES, "all")

    def answer(self, now: float) -> None:
        """Answer the solicitations that have come; one without an address of its own is answered to everybody."""
        while True:
            try:
                data, told, _, sender = self._socket.recvmsg(2048, socket.CMSG_SPACE(_HOP_LIMIT.size))
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENETDOWN:
                    return
                raise
            limit = next((_HOP_LIMIT.unpack(value)[0] for _, kind, value in told if kind == socket.IPV6_HOPLIMIT), 0)
            if not advertisement.asks(data, limit):
                continue
            if sender[0] == "::":
                self._next = min(self._next, now)
                self.tick(now)
            else:
                self._send(sender[0], "one")

    def _send(self, target: str, to: str) -> None:
        folder = Path("/sys/class/net") / self._interface
        try:
            mac = bytes.fromhex((folder / "address").read_text("ascii").replace(":", ""))
            mtu = int((folder / "mtu").read_text("ascii"))
            index = socket.if_nametoindex(self._interface)
            self._socket.sendto(advertisement.message(self._offer, mac, mtu), (target.partition("%")[0], 0, 0, index))
        except OSError:
            self._count("failed")
            return
        self._count(to)


def _socket(interface: str) -> socket.socket:
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    try:
        made = socket.socket(socket.AF_INET6, kind, socket.IPPROTO_ICMPV6)
    except PermissionError as error:
        raise NoRawSocket("router advertisements need CAP_NET_RAW when gatewayd starts") from error
    index = socket.if_nametoindex(interface)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
    wanted = [_FILTER_ALL] * 8
    word, bit = divmod(advertisement.ROUTER_SOLICITATION, 32)
    wanted[word] &= ~(1 << bit)
    made.setsockopt(socket.IPPROTO_ICMPV6, ICMPV6_FILTER, struct.pack("=8I", *wanted))
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    for option in (socket.IPV6_MULTICAST_HOPS, socket.IPV6_UNICAST_HOPS):
        made.setsockopt(socket.IPPROTO_IPV6, option, 255)
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    group = socket.inet_pton(socket.AF_INET6, ALL_ROUTERS) + struct.pack("=I", index)
    made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    return made


def drop_raw() -> None:
    """Give CAP_NET_RAW up for good (capset(2)); the socket that is open stays open."""
    library = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    held = ctypes.create_string_buffer(24)
    if library.capget(header, held) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    words = list(struct.unpack("=6I", held.raw))
    words[:3] = [word & ~(1 << CAP_NET_RAW) for word in words[:3]]
    if library.capset(header, struct.pack("=6I", *words)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
