"""The receiver of traps and informs: ``python -m collectors.traps.receiver HANDLE``, alive while some arrive.

HANDLE is the socket's; its orders come on standard input, its reports go to standard output, and it ends when nothing
came for a while. Datagrams that nobody read stay in the socket for the next receiver.

Before pysnmp sees a datagram (a millisecond of work) its source must be a device of the inventory with room in its
bucket; so a storm costs a look at an address each.
"""

import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, BinaryIO

from collectors.traps.engine import TICK_SECONDS, Engine, Heard
from collectors.traps.limit import Bucket
from collectors.traps.wire import Orders, Refused, Trap, write

BURST_SECONDS = 10
"""A device may send at once what it may send in this time: a switch that loses its power supply names every port."""
MOST_PER_SECOND = 2000
"""Datagrams looked at in a second; what a flood sends beyond waits in the socket or is dropped by the kernel."""
_DATAGRAM_OCTETS = 65535


@dataclass(slots=True)
class Judge:
    """Decides about each datagram; *engine* is what pysnmp is to us."""

    orders: Orders
    engine: Engine
    refused: Counter[str] = field(default_factory=Counter)
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def hear(self, data: bytes, source: Any, now: float) -> Trap | None:
        """The notification in *data*, when it is one and proves to come from the device at *source*; else None."""
        device, login = self.orders.sources.get(plain(source[0]), ("", ""))
        if not device:
            self.refused["unknown_source"] += 1
            return None
        if not self._bucket(device).takes(now):
            self.refused["rate"] += 1
            return None
        try:
            heard = self.engine.hear(data, source, login)
        except Exception:  # noqa: BLE001 pysnmp raises what it likes about broken octets: TypeError, OverflowError
            self.refused["garbage"] += 1
            return None
        if isinstance(heard, Heard):
            return Trap(device, heard.oid, heard.port)
        if heard:
            self.refused[heard] += 1
        return None

    def _bucket(self, device: str) -> Bucket:
        found = self._buckets.get(device)
        if found is None:
            rate = self.orders.per_second
            found = self._buckets[device] = Bucket(rate, max(rate * BURST_SECONDS, 1))
        return found


def plain(host: str) -> str:
    """An address as the inventory writes it: an IPv4 address that came through an IPv6 socket is IPv4.

    >>> plain("::ffff:10.91.1.11"), plain("fe80::1%eth0"), plain("10.91.1.11")
    ('10.91.1.11', 'fe80::1', '10.91.1.11')
    """
    if ":" not in host:
        return host
    address = ip_address(host.partition("%")[0])
    return str(getattr(address, "ipv4_mapped", None) or address)


def serve(channel: socket.socket, orders: Orders, out: BinaryIO) -> None:
    """Hear what comes on *channel* until nothing has come for a while, or nobody reads our reports."""
    channel.setblocking(False)
    judge = Judge(orders, Engine(orders, channel))
    last = begun = time.monotonic()
    looked_at = 0
    while time.monotonic() - last < orders.idle_seconds:
        select.select([channel], [], [], min(TICK_SECONDS, orders.idle_seconds))
        now = time.monotonic()
        if now - begun >= TICK_SECONDS:
            judge.engine.tidy(now)
            begun, looked_at = now, 0
        fresh = not looked_at
        while looked_at < MOST_PER_SECOND and (arrived := _next(channel)):
            looked_at, last = looked_at + 1, now
            trap = judge.hear(*arrived, now)
            if trap:
                out.write(write(trap))
        if fresh:
            _tell(out, judge.refused)
        out.flush()
        if looked_at >= MOST_PER_SECOND:
            time.sleep(max(begun + TICK_SECONDS - time.monotonic(), 0))
    _tell(out, judge.refused)


def _next(channel: socket.socket) -> tuple[bytes, Any] | None:
    try:
        return channel.recvfrom(_DATAGRAM_OCTETS)
    except (BlockingIOError, InterruptedError, ConnectionError):
        return None


def _tell(out: BinaryIO, refused: Counter[str]) -> None:
    """Report what was refused; called once a second, so that a storm of refusals is a few lines."""
    counts: Mapping[str, int] = dict(refused)
    refused.clear()
    out.writelines(write(Refused(reason, count)) for reason, count in counts.items())
    out.flush()


def main() -> None:
    """Serve on the socket we were given; the collectors' end is ours, for then nobody reads our reports."""
    orders = Orders.read(sys.stdin.buffer.readline())
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        try:
            serve(channel, orders, sys.stdout.buffer)
        except BrokenPipeError:
            sys.stderr.close()


if __name__ == "__main__":
    main()
