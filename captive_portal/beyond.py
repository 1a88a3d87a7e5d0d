"""What answers beyond the site's own uplink: echoes to targets that have nothing to do with each other (RFC 792).

The monitor asks from the town's centre and sees each gateway; whether the site's line leads any further only the
gateway can tell. Nothing is decided here: each target is up, down or not known, with loss, round-trip time and jitter.
"""

import secrets
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from select import select

from parvis.echo import SEQUENCES, TOKEN_BYTES, Window, ping_socket, reply, request
from parvis.instruments import Instruments
from parvis.running import Turns, log

EVERY_SECONDS = 5.0
PATIENCE_SECONDS = 2.0
TURNS = 3
"""Rounds without an answer until a target is down, and with one until it is up again."""
WINDOW = 20


@dataclass
class Target:
    """One address to ask. *up*: None while it is not known."""

    address: str
    window: Window = field(default_factory=lambda: Window(WINDOW))
    up: bool | None = None
    contrary: int = 0

    @property
    def version(self) -> int:
        """Of the Internet protocol."""
        return ip_address(self.address).version

    def after(self, rtt: float | None) -> None:
        """Take in one echo: its seconds, None when it was lost."""
        self.window.add(rtt)
        answered = rtt is not None
        self.contrary = 0 if answered is self.up else self.contrary + 1
        if self.contrary >= TURNS or (self.up is None and answered):
            self.up, self.contrary = answered, 0


class Beyond:
    """Asks again and again within ``with beyond.turns``, by *interface* where the kernel lets it."""

    def __init__(self, interface: str, addresses: Sequence[str], instruments: Instruments) -> None:
        self.targets = [Target(address) for address in addresses]
        self._interface = interface
        self._up = instruments.gauge("uplink_target_up")
        self._loss = instruments.gauge("uplink_target_loss_ratio")
        self._rtt = instruments.gauge("uplink_target_rtt_seconds")
        self._jitter = instruments.gauge("uplink_target_jitter_seconds")
        self._forbidden = False
        self.turns = Turns("beyond", self.look)

    def look(self) -> float:
        """Ask each target once; for how many seconds to rest then."""
        begun = time.monotonic()
        with ExitStack() as stack:
            try:
                channels = {version: stack.enter_context(self._channel(version)) for version in self._versions()}
            except OSError as error:  # forbidden, or a kernel without IPv6
                if not self._forbidden:
                    log.warning("no echoes beyond the uplink", error=error.strerror)
                self._forbidden = True
                return EVERY_SECONDS
            for target, rtt in zip(self.targets, _asked(self.targets, channels), strict=True):
                target.after(rtt)
                self._show(target)
        return max(0.0, EVERY_SECONDS - (time.monotonic() - begun))

    def _versions(self) -> set[int]:
        return {target.version for target in self.targets}

    def _channel(self, version: int) -> socket.socket:
        made = ping_socket(version)
        with suppress(OSError):  # before Linux 5.7 only the administrator may; the route then says where it goes
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._interface.encode())
        return made

    def _show(self, target: Target) -> None:
        shown = (
            (self._up, None if target.up is None else float(target.up)),
            (self._loss, target.window.loss_ratio),
            (self._rtt, target.window.rtt_seconds),
            (self._jitter, target.window.jitter_seconds),
        )
        for gauge, value in shown:
            if value is None:
                gauge.remove(target.address)
            else:
                gauge.labels(target.address).set(value)


def _asked(targets: Sequence[Target], channels: dict[int, socket.socket]) -> list[float | None]:
    """Seconds until each of *targets* answered, None for those that did not within the patience."""
    sent: dict[tuple[int, bytes], tuple[int, float]] = {}
    found: list[float | None] = [None] * len(targets)
    for place, target in enumerate(targets):
        number, token = secrets.randbelow(SEQUENCES), secrets.token_bytes(TOKEN_BYTES)
        with suppress(OSError):  # no route: nobody will answer
            channels[target.version].sendto(request(target.version, number, token), (target.address, 0))
            sent[number, token] = place, time.monotonic()
    ends = time.monotonic() + PATIENCE_SECONDS
    while sent and (left := ends - time.monotonic()) > 0:
        for channel in select(list(channels.values()), [], [], left)[0]:
            _hear(channel, sent, found)
    return found


def _hear(channel: socket.socket, sent: dict[tuple[int, bytes], tuple[int, float]], found: list[float | None]) -> None:
    version = 4 if channel.family == socket.AF_INET else 6
    try:
        packet = channel.recv(2048)
    except OSError:  # an error queued by a request
        return
    if (answer := reply(version, packet)) and answer in sent:
        place, at = sent.pop(answer)
        found[place] = time.monotonic() - at
