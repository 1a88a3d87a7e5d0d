"""Asks our own resolver for the garden's names, now and then, and compares its answers with what the sets hold.

An empty set is noticed in both families, whatever the cause: dnsmasq without its capability, a flushed table, a name
that no longer exists. What is missing is added, so that the garden opens although dnsmasq keeps its answers.
"""

import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from captive_portal import resolving
from captive_portal.probes import HOSTS
from parvis.instruments import Instruments
from parvis.running import log

DNS_PORT = 53
EVERY_SECONDS = 300.0
PATIENCE_SECONDS = 5.0
Address = IPv4Address | IPv6Address
Fill = Callable[[Iterable[Address]], dict[int, int]]
"""Puts addresses into the sets; how many were missing, by family."""


@dataclass(slots=True)
class Asked:
    """What is expected, and what has come: addresses of the garden, and of hosts that phones probe."""

    pending: dict[int, bool] = field(default_factory=dict)
    """Question number -> whether it is about the garden."""
    ours: set[Address] = field(default_factory=set)
    probed: set[Address] = field(default_factory=set)


class GardenWatch:
    """Watches the garden's *names* through the resolver at *resolver*; *families* are those of the site."""

    def __init__(
        self, names: Sequence[str], resolver: str, families: Sequence[int], fill: Fill, instruments: Instruments
    ) -> None:
        self._names, self._families, self._fill = names, families, fill
        self._missing = instruments.gauge("gateway_garden_missing_addresses")
        self._resolved = instruments.gauge("gateway_garden_addresses")
        self._shared = instruments.gauge("gateway_garden_probe_addresses")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        self._socket.connect((resolver, DNS_PORT))
        self._asked: Asked | None = None
        self._due, self._number = 0.0, 0

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._socket.fileno()

    def close(self) -> None:
        """Stop asking."""
        self._socket.close()

    def tick(self, now: float) -> None:
        """Ask when it is time, judge when there was time to answer; *now* is monotonic seconds."""
        if now < self._due:
            return
        if self._asked is None:
            self._asked, self._due = Asked(), now + PATIENCE_SECONDS
            for name, ours in [*((name, True) for name in self._names), *((host, False) for host in sorted(HOSTS))]:
                self._ask(name, ours=ours)
        else:
            self._judge(self._asked)
            self._asked, self._due = None, now + EVERY_SECONDS

    def answered(self) -> None:
        """Take the answers that have come."""
        with suppress(BlockingIOError, ConnectionRefusedError):
            while True:
                message = self._socket.recv(4096)
                ours = self._asked.pending.pop(int.from_bytes(message[:2], "big"), None) if self._asked else None
                if self._asked is None or ours is None:
                    continue
                with suppress(ValueError):
                    (self._asked.ours if ours else self._asked.probed).update(resolving.answers(message))

    def _ask(self, name: str, *, ours: bool) -> None:
        for family in self._families:
            self._number = (self._number + 1) & 0xFFFF
            if self._asked is not None:
                self._asked.pending[self._number] = ours
            with suppress(OSError):
                self._socket.send(resolving.question(self._number, name, {4: resolving.A, 6: resolving.AAAA}[family]))

    def _judge(self, asked: Asked) -> None:
        missing = self._fill(asked.ours)
        for family in self._families:
            label = f"ipv{family}"
            self._resolved.labels(label).set(sum(one.version == family for one in asked.ours))
            self._missing.labels(label).set(missing.get(family, 0))
        shared = asked.ours & asked.probed
        self._shared.set(len(shared))
        if shared:
            log.warning("the walled garden opens addresses of hosts that phones probe", addresses=len(shared))
