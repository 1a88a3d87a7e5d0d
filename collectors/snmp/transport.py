"""One UDP socket for all agents: a datagram goes out, the first reply that proves to be its answer comes back.

The socket is unconnected, so each reply must come from the address asked and carry a number we wait for; *read* then
checks community or HMAC. A reply that fails is counted and remembered as the likely reason, never an end to waiting:
the true answer may be behind it.

What is in flight is bounded, so that the answers fit into the socket's receive buffer and are read before they are
given up; the first try of a request holds its place no longer than its own time-out, so silent agents fill nothing.

The kernel's error queue (``IP_RECVERR``, ip(7)) tells us which host refused; asyncio's datagram transport would let
one host's refusal swallow the next datagram for another host, so the socket is read with ``add_reader``.
"""

import asyncio
import random
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from collectors.snmp import pdu
from collectors.snmp.errors import Malformed, Refused, Silent, SnmpError, Unauthentic, Unreachable
from collectors.snmp.sockets import Address, open_socket

Seal = Callable[[], tuple[int, bytes]]
"""Makes the next datagram and the number its reply will carry; called again for each retry."""
Read = Callable[[bytes, int], Any]
"""Turns the reply to a number into an answer, or raises an SnmpError."""
AGAIN = object()
"""What a *read* returns that has another request to the same agent: it is sealed and sent at once."""

_MSG_ERRQUEUE = 0x2000
_DATAGRAM_OCTETS = 65535
_DATAGRAMS_PER_TURN = 64
_OCTETS_PER_ANSWER = 16384
"""What an answer takes of the receive buffer, generously: the kernel counts its own bookkeeping too."""
_NUMBER_WITHIN = 64
"""Octets of a message among which its number usually is."""
MOST_IN_FLIGHT = 128
LEAST_IN_FLIGHT = 8


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for one answer and how often to ask; each try waits *growth* times longer, with jitter."""

    timeout_seconds: float = 1.5
    tries: int = 3
    growth: float = 1.5
    jitter: float = 0.2
    gap_seconds: float = 0.0
    """The least time between two requests to one agent."""

    def seconds(self, attempt: int) -> float:
        """Seconds to wait for the answer to the *attempt*-th try, counted from 0."""
        return self.timeout_seconds * self.growth**attempt * random.uniform(1, 1 + self.jitter)  # noqa: S311 jitter

    @property
    def longest_seconds(self) -> float:
        """The most that all tries together can take."""
        return self.timeout_seconds * (1 + self.jitter) * sum(self.growth**attempt for attempt in range(self.tries))


@dataclass(slots=True, eq=False)
class _Waiting:
    address: Address
    seal: Seal
    read: Read
    patience: Patience
    any_source: bool
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    traffic: "Traffic"
    first_seconds: float
    """How long the first try of each request waits."""
    numbers: set[int] = field(default_factory=set)
    attempt: int = 0
    refusal: SnmpError | None = None
    timer: asyncio.TimerHandle | None = None
    given_up_at: float = 0.0
    """When this try is over, in the event loop's time; the timer may be earlier, and is then set again."""
    has_place: bool = True


@dataclass(slots=True)
class Traffic:
    """What went to one address: requests, how many of them again, and how often no answer came in time."""

    sent: int = 0
    resent: int = 0
    timeouts: int = 0

    def since(self, before: "Traffic") -> "Traffic":
        """What came on top of *before*."""
        return Traffic(self.sent - before.sent, self.resent - before.resent, self.timeouts - before.timeouts)


class Exchange:
    """Requests and replies over one socket per address family; ``counts`` says how often what happened.

    *in_flight* bounds the requests whose first try waits for its answer; a smaller receive buffer bounds them further.
    """

    def __init__(self, in_flight: int = MOST_IN_FLIGHT) -> None:
        self.counts: Counter[str] = Counter()
        self._traffic: dict[Address, Traffic] = {}
        self._sockets: dict[int, socket.socket] = {}
        self._waiting: dict[Address, list[_Waiting]] = {}
        self._anywhere: dict[int, _Waiting] = {}
        self._places = in_flight
        self._queue: deque[asyncio.Future[None]] = deque()
        self._next: dict[Address, float] = {}

    async def ask(
        self, address: Address, seal: Seal, read: Read, patience: Patience, *, any_source: bool = False
    ) -> Any:
        """The answer of the agent at *address*, or the SnmpError that says why there is none.

        With *any_source* it may come from another address of the agent, if its number and proof are right. AGAIN when
        there is more to ask, but the place was lost to others because the agent kept us waiting.
        """
        if patience.gap_seconds:
            await self._gap(address, patience.gap_seconds)
        await self._place()
        loop = asyncio.get_running_loop()
        traffic = self._traffic.get(address) or self._traffic.setdefault(address, Traffic())
        future, seconds = loop.create_future(), patience.seconds(0)
        waiting = _Waiting(address, seal, read, patience, any_source, future, loop, traffic, seconds)
        self._waiting.setdefault(address, []).append(waiting)
        try:
            self._try(waiting)
            return await waiting.future
        finally:
            self._leave(waiting)
            if waiting.timer:
                waiting.timer.cancel()
            self._waiting[address].remove(waiting)
            if not self._waiting[address]:
                del self._waiting[address]
            self._forget_numbers(waiting)

    async def _gap(self, address: Address, seconds: float) -> None:
        """Wait for the agent's turn: turns are *seconds* apart, however many ask."""
        now = time.monotonic()
        turn = max(self._next.get(address, now), now)
        self._next[address] = turn + seconds
        if turn > now:
            await asyncio.sleep(turn - now)

    async def _place(self) -> None:
        """Wait until one more request may be in flight; first come, first served."""
        if self._places > 0:
            self._places -= 1
            return
        self.counts["queued"] += 1
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self._give_place()
            raise

    def _leave(self, waiting: _Waiting) -> None:
        if waiting.has_place:
            waiting.has_place = False
            self._give_place()

    def _give_place(self) -> None:
        while self._queue:
            first = self._queue.popleft()
            if not first.done():
                first.set_result(None)
                return
        self._places += 1

    def traffic(self, address: Address) -> Traffic:
        """What went to *address* so far."""
        return replace(self._traffic.get(address, Traffic()))

    def close(self) -> None:
        """Give the sockets back; whoever still waits is told the agent was silent."""
        loop = asyncio.get_running_loop()
        for opened in self._sockets.values():
            loop.remove_reader(opened)
            opened.close()
        self._sockets.clear()
        for waiting in [each for group in self._waiting.values() for each in group]:
            _fail(waiting, Silent("the collector stopped"))

    def _forget_numbers(self, waiting: _Waiting) -> None:
        if waiting.any_source:
            for number in waiting.numbers:
                self._anywhere.pop(number, None)
        waiting.numbers.clear()

    def _try(self, waiting: _Waiting) -> None:
        number, datagram = waiting.seal()
        waiting.numbers.add(number)
        if waiting.any_source:
            self._anywhere[number] = waiting
        self._send(waiting, datagram)
        waiting.traffic.sent += 1
        if waiting.attempt:
            waiting.traffic.resent += 1
            self.counts["resent"] += 1
        else:
            self.counts["sent"] += 1
        seconds = waiting.patience.seconds(waiting.attempt) if waiting.attempt else waiting.first_seconds
        waiting.given_up_at = waiting.loop.time() + seconds
        if waiting.timer is None:
            waiting.timer = waiting.loop.call_at(waiting.given_up_at, self._expired, waiting)

    def _expired(self, waiting: _Waiting) -> None:
        waiting.timer = None
        if waiting.future.done():  # answered in the same turn of the event loop
            return
        if waiting.loop.time() < waiting.given_up_at:  # that was the time of an earlier request, which was answered
            waiting.timer = waiting.loop.call_at(waiting.given_up_at, self._expired, waiting)
            return
        self._leave(waiting)
        waiting.attempt += 1
        waiting.traffic.timeouts += 1
        if waiting.attempt < waiting.patience.tries:
            try:
                self._try(waiting)
            except SnmpError as error:
                _fail(waiting, error)
        else:
            _fail(waiting, waiting.refusal or Silent(f"no answer to {waiting.attempt} requests"))

    def _send(self, waiting: _Waiting, datagram: bytes) -> None:
        opened = self._socket(socket.AF_INET6 if ":" in waiting.address[0] else socket.AF_INET)
        for _ in range(8):
            try:
                opened.sendto(datagram, waiting.address)
            except (BlockingIOError, InterruptedError):
                self.counts["send_buffer_full"] += 1
                return
            except OSError as error:
                if not self._drain_errors(opened):  # not the echo of an earlier refusal, but about this datagram
                    raise Unreachable(str(error)) from error
            else:
                return

    def _socket(self, family: int) -> socket.socket:
        if family not in self._sockets:
            self._sockets[family] = opened = open_socket(family)
            buffer = opened.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            self._places -= max(MOST_IN_FLIGHT - max(buffer // _OCTETS_PER_ANSWER, LEAST_IN_FLIGHT), 0)
            asyncio.get_running_loop().add_reader(opened, self._readable, opened)
        return self._sockets[family]

    def _readable(self, opened: socket.socket) -> None:
        for turn in range(_DATAGRAMS_PER_TURN):
            try:
                data, source = opened.recvfrom(_DATAGRAM_OCTETS)
            except (BlockingIOError, InterruptedError):
                if not turn:  # woken, and not by a datagram
                    self._drain_errors(opened)
                return
            except OSError:
                self._drain_errors(opened)
            else:
                self._received(data, source[:2])

    def _received(self, data: bytes, source: Address) -> None:
        group = self._waiting.get(source)
        if not group and not self._anywhere:
            self.counts["stray"] += 1
            return
        if group and len(group) == 1:
            # One request waits at this address, and its number stands where it belongs: reading proves the rest.
            for number in group[0].numbers:
                if data.find(number.to_bytes(4), 0, _NUMBER_WITHIN) > 0:
                    self._answered(group[0], data, number)
                    return
        try:
            number = pdu.identity(data)
        except Malformed as error:
            self.counts["garbage"] += 1
            for waiting in group or ():
                waiting.refusal = error
            return
        for waiting in group or ():
            if number in waiting.numbers:
                self._answered(waiting, data, number)
                return
        if number in self._anywhere:
            self._answered(self._anywhere[number], data, number)
            return
        self.counts["stray"] += 1

    def _answered(self, waiting: _Waiting, data: bytes, number: int) -> None:
        if waiting.future.done():  # a second answer, before whoever asked has seen the first
            self.counts["stray"] += 1
            return
        try:
            answer = waiting.read(data, number)
        except (Malformed, Unauthentic) as error:
            self.counts[error.reason] += 1
            waiting.refusal = error
        except Exception as error:  # noqa: BLE001 an SnmpError, or a fault of ours: whoever asked tells it
            _fail(waiting, error)
        else:
            self.counts["answered"] += 1
            if answer is AGAIN and waiting.has_place:
                self._again(waiting)
            else:
                waiting.future.set_result(answer)

    def _again(self, waiting: _Waiting) -> None:
        """The next request of somebody who was answered."""
        if waiting.any_source:
            self._forget_numbers(waiting)
        waiting.numbers.clear()
        waiting.attempt, waiting.refusal = 0, None
        try:
            self._try(waiting)
        except SnmpError as error:
            _fail(waiting, error)

    def _drain_errors(self, opened: socket.socket) -> int:
        """Tell those concerned that their host refused (ICMP); how many such messages there were."""
        drained = 0
        while True:
            try:
                _, _, _, destination = opened.recvmsg(0, 512, _MSG_ERRQUEUE)
            except OSError:
                return drained
            drained += 1
            self.counts["refused"] += 1
            for waiting in list(self._waiting.get(tuple(destination[:2]), ())):
                _fail(waiting, Refused("port unreachable"))


def _fail(waiting: _Waiting, error: Exception) -> None:
    if not waiting.future.done():
        waiting.future.set_exception(error)
