"""The portal's way to gatewayd: one connection a thread, short deadlines, one error."""

import json
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from captive_portal import protocol, rows
from captive_portal.admission import Admitted, Picture, Step
from captive_portal.deadline import deadline
from captive_portal.protocol import MAX_STEPS, Counted, Seen, State, Truth
from parvis.addresses import MacAddress

DEADLINE_SECONDS = 2.0
PARTS_SECONDS = 10.0
"""gatewayd reads thousands in parts, and serves everybody else in between."""
CHUNK = 1 << 16
AHEAD = 2
"""Requests of one long :meth:`Remote.apply` that gatewayd may have unanswered: it reads one while we write the next."""


class GatewayAway(Exception):
    """gatewayd does not answer, or refuses; it may be restarting. Nothing was changed, or all of it."""


class Door(Protocol):
    """What the portal asks of the gateway. All raise GatewayAway."""

    def identify(self, address: IPv4Address | IPv6Address) -> MacAddress | None:
        """The MAC address that speaks from *address*; None when nobody is known there."""

    def visitor(self, address: IPv4Address | IPv6Address) -> tuple[MacAddress | None, Truth | None]:
        """The same, and the session the kernel admits for it: one question where two were asked."""

    def session(self, mac: MacAddress) -> Truth | None:
        """The session the kernel admits for *mac*."""

    def admitted(self) -> Mapping[MacAddress, Admitted]:
        """Everybody the kernel admits."""

    def altered(self, *, surely: bool) -> Picture | None:
        """Everybody the kernel admits; None, unless *surely*, when nothing but :meth:`apply` changed that lately."""

    def everybody_soon(self) -> Picture | None:
        """Everybody the kernel admits, for who must not wait: None while they are being read; then ask again."""

    def apply(self, steps: Iterable[Step]) -> None:
        """Do *steps*, which are taken one by one as they are sent."""

    def arrivals(self, after: int, wait: float) -> tuple[int, list[MacAddress]]:
        """Devices that appeared after number *after*, within *wait* seconds, and the number to ask with next."""

    def counters(self) -> Iterable[Counted]:
        """Every session's bytes and seconds left, to be gone through once."""

    def counters_soon(self) -> Iterable[Counted] | None:
        """The same, for who must not wait: None while they are being read; then ask again."""

    def open(self, seconds: int) -> None:
        """Let everybody pass for *seconds* without acceptance; 0 closes."""

    def device(self, mac: MacAddress) -> Seen:
        """Everything the gateway knows of *mac*."""

    def status(self) -> State:
        """How the gateway is."""


class Remote:
    """The Door behind gatewayd's socket at *path*. For any number of threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mine = threading.local()
        self._reader = ThreadPoolExecutor(1, "counters")
        self._soon: Future[Iterable[Counted]] | None = None
        self._picture: Future[Picture] | None = None
        self._unsure: set[MacAddress] = set()
        """Who was changed while the picture was being taken."""
        self._revision = 0
        """Of the sessions, as far as :meth:`altered` has shown them and :meth:`apply` alone has changed them."""

    def identify(self, address: IPv4Address | IPv6Address) -> MacAddress | None:
        """See :class:`Door`."""
        said = self._ask(protocol.Identify(address))
        return MacAddress(said["mac"]) if said["mac"] else None

    def visitor(self, address: IPv4Address | IPv6Address) -> tuple[MacAddress | None, Truth | None]:
        """See :class:`Door`."""
        said = self._ask(protocol.Identify(address, session=True))
        mac, found = said["mac"], said["session"]
        return MacAddress(mac) if mac else None, Truth(**found) if found else None

    def session(self, mac: MacAddress) -> Truth | None:
        """See :class:`Door`."""
        found = self._ask(protocol.Lookup(mac))["session"]
        return Truth(**found) if found else None

    def admitted(self) -> Mapping[MacAddress, Admitted]:
        """See :class:`Door`."""
        return self._everybody().admitted

    def _everybody(self) -> Picture:
        return rows.admitted_in(self._ask(protocol.Everybody(), PARTS_SECONDS)) or Picture({}, 0.0)

    def altered(self, *, surely: bool) -> Picture | None:
        """See :class:`Door`; for the one thread that applies."""
        known, self._revision = self._revision, 0
        said = self._ask(protocol.Everybody(0 if surely else known), PARTS_SECONDS)
        self._revision = said["revision"]
        return rows.admitted_in(said)

    def everybody_soon(self) -> Picture | None:
        """See :class:`Door`; for the one thread that applies."""
        if self._picture is None:
            self._picture, self._unsure = self._reader.submit(self._everybody), set()
        if not self._picture.done():
            return None
        done, self._picture = self._picture, None
        return done.result()._replace(unsure=self._unsure)

    def apply(self, steps: Iterable[Step]) -> None:
        """See :class:`Door`; more than MAX_STEPS steps go in several transactions."""
        known, self._revision = self._revision, 0  # what fails may have been done all the same
        for said in self._each(_requests(self._noting(steps))):
            known = said["revision"] if said["revision"] == known + 1 else 0
        self._revision = known

    def _noting(self, steps: Iterable[Step]) -> Iterator[Step]:
        """*steps*; whom they are about is not sure in a picture that is being taken."""
        for step in steps:
            if self._picture is not None:
                self._unsure.add(step.mac)
            yield step

    def _each(self, lines: Iterator[bytes]) -> Iterator[dict[str, Any]]:
        """The answers to *lines*. Whether gatewayd is there, the first shows; the others do not wait for each other."""
        if (first := next(lines, None)) is None:
            return
        yield self._asked(first, DEADLINE_SECONDS)
        channel, due = self._channel(DEADLINE_SECONDS), 0
        answers = _answers(channel)
        try:
            for line in lines:
                channel.sendall(line)
                due += 1
                if due == AHEAD:
                    yield _good(next(answers))
                    due -= 1
            for _ in range(due):
                yield _good(next(answers))
        except (OSError, ValueError) as error:
            self._hang_up()
            raise GatewayAway(str(error)) from error
        except GatewayAway:
            self._hang_up()  # answers to what was sent ahead may follow
            raise

    def arrivals(self, after: int, wait: float) -> tuple[int, list[MacAddress]]:
        """See :class:`Door`; blocks its thread, so it wants one of its own."""
        said = self._ask(protocol.Arrivals(after, wait), wait + DEADLINE_SECONDS)
        return said["next"], [MacAddress(mac) for mac in said["devices"]]

    def counters(self) -> Iterable[Counted]:
        """See :class:`Door`."""
        return rows.counters_in(self._ask(protocol.Counters(), PARTS_SECONDS))

    def counters_soon(self) -> Iterable[Counted] | None:
        """See :class:`Door`; for one thread."""
        if self._soon is None:
            self._soon = self._reader.submit(self.counters)
        if not self._soon.done():
            return None
        done, self._soon = self._soon, None
        return done.result()

    def open(self, seconds: int) -> None:
        """See :class:`Door`."""
        self._ask(protocol.Open(seconds))

    def device(self, mac: MacAddress) -> Seen:
        """See :class:`Door`."""
        return Seen(**self._ask(protocol.Device(mac))["device"])

    def status(self) -> State:
        """See :class:`Door`."""
        return State(**self._ask(protocol.Status())["state"])

    def _ask(self, request: protocol.Request, seconds: float = DEADLINE_SECONDS) -> dict[str, Any]:
        return self._asked(protocol.render(request), seconds)

    def _asked(self, line: bytes, seconds: float) -> dict[str, Any]:
        fresh = not hasattr(self._mine, "channel")
        try:
            return self._exchange(line, seconds)
        except GatewayAway:
            if fresh:
                raise
        return self._exchange(line, seconds)  # gatewayd was restarted since; every request may be repeated

    def _exchange(self, line: bytes, seconds: float) -> dict[str, Any]:
        try:
            channel = self._channel(seconds)
            channel.sendall(line)
            return _good(_line(channel))
        except (OSError, ValueError) as error:
            self._hang_up()
            raise GatewayAway(str(error)) from error

    def _channel(self, seconds: float) -> socket.socket:
        if not hasattr(self._mine, "channel"):
            made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
            deadline(made, seconds)
            made.connect(str(self._path))
            self._mine.channel, self._mine.seconds = made, seconds
        channel: socket.socket = self._mine.channel
        if self._mine.seconds != seconds:
            deadline(channel, seconds)
            self._mine.seconds = seconds
        return channel

    def _hang_up(self) -> None:
        channel = self._mine.__dict__.pop("channel", None)
        if channel is not None:
            channel.close()


def _line(channel: socket.socket) -> bytes:
    """One answer: all that comes until a line ends, for nothing follows it unasked."""
    parts = [channel.recv(CHUNK)]
    while not parts[-1].endswith(b"\n"):
        if not parts[-1]:
            raise ConnectionError("gatewayd hung up")
        parts.append(channel.recv(CHUNK))
    return b"".join(parts)


def _answers(channel: socket.socket) -> Iterator[bytes]:
    """Answers one by one, where more than one may have come."""
    rest = b""
    while True:
        while b"\n" not in rest:
            more = channel.recv(CHUNK)
            if not more:
                raise ConnectionError("gatewayd hung up")
            rest += more
        line, _, rest = rest.partition(b"\n")
        yield line


def _good(line: bytes) -> dict[str, Any]:
    """What the answer says; GatewayAway when it is a refusal, ValueError when it is none."""
    said: dict[str, Any] = json.loads(line.decode())
    if not said.get("ok"):
        raise GatewayAway(str(said.get("error")))
    return said


def _requests(steps: Iterable[Step]) -> Iterator[bytes]:
    """The lines that ask for *steps*."""
    rest = iter(steps)
    while part := tuple(islice(rest, MAX_STEPS)):
        yield protocol.render(protocol.Apply(part))
