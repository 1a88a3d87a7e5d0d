"""The collectors' side of traps: holds the socket, starts the receiver when a datagram waits, counts what it reports.

pysnmp costs forty megabytes, and most towns have no trap for days; so the receiver is a process that comes when
something waits in the socket and goes after a while of quiet, as systemd's socket activation does. Nothing is lost in
between: what arrives stays in the socket.
"""

import contextlib
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from collectors.access import Credentials, GetSecret
from collectors.device import Device
from collectors.sample import Sample
from collectors.traps import wire
from collectors.traps.identity import BadIdentity, next_boot
from collectors.traps.kinds import kind
from collectors.traps.limit import Bucket
from collectors.traps.wire import Login, Orders, Trap
from parvis.running import log
from parvis.secrets import SecretMissing

RECEIVE_BUFFER_OCTETS = 4 * 2**20
LOOK_SECONDS = 0.5
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
"""Between two starts of a receiver that failed; it doubles from the first to the longest."""
SPARING_SECONDS = 10.0
"""Traps of a device within this time cause one poll."""
POLLS_PER_SECOND = 20.0
"""Polls that all traps together may cause."""

PollNow = Callable[[str], None]
"""Has the device of this name polled at once; from any thread."""


class CannotListen(Exception):
    """The socket for traps could not be opened; the text says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Where and how patiently we listen. *per_second* is what one device may send for long."""

    host: str
    port: int
    per_second: float
    idle_seconds: float


@dataclass(slots=True)
class Counts:
    """What was heard since the start."""

    traps: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    polls: Counter[str] = field(default_factory=Counter)
    starts: int = 0


class Traps(AbstractContextManager["Traps"]):
    """Listens from entering to leaving, in a thread of its own."""

    def __init__(
        self,
        town: Credentials,
        devices: Sequence[Device],
        secret: GetSecret,
        poll_now: PollNow,
        listening: Listening,
        state: Path,
    ) -> None:
        self._town = town
        self._devices = {device.name: device for device in devices}
        self._secret = secret
        self._poll_now = poll_now
        self._listening = listening
        self._state = state
        self._counts = Counts()
        self._lock = Lock()
        self._stop = Event()
        self._sparing = {device.name: Bucket(1 / SPARING_SECONDS, 1) for device in devices}
        self._all = Bucket(POLLS_PER_SECOND, POLLS_PER_SECOND)
        self._thread = Thread(target=self._serve, name="traps", daemon=True)
        self._receiver: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where we listen."""
        assert self._channel is not None  # noqa: S101 entered
        host, port = self._channel.getsockname()[:2]
        return str(host), int(port)

    @property
    def receiver_pid(self) -> int | None:
        """The receiver's process, while there is one."""
        return self._receiver.pid if self._receiver else None

    def __enter__(self) -> Self:
        self._channel = listen(self._listening.host, self._listening.port)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        receiver = self._receiver
        if receiver:
            receiver.terminate()
        self._thread.join(10)
        if self._channel:
            self._channel.close()

    def wrong(self) -> str:
        """Empty while we listen, else what is wrong; for /healthz."""
        return "" if self._thread.is_alive() else "nobody listens for traps"

    def own_samples(self, now: float) -> Iterator[Sample]:
        """What was heard, for the page."""
        with self._lock:
            traps, refused, polls = dict(self._counts.traps), dict(self._counts.refused), dict(self._counts.polls)
        for (device, name), count in traps.items():
            labels = (*self._devices[device].labels.items(), ("kind", name))
            yield Sample("device_traps_total", labels, count, now)
        for reason, count in refused.items():
            yield Sample("snmp_traps_refused_total", (("reason", reason),), count, now)
        for outcome, count in polls.items():
            yield Sample("snmp_trap_polls_total", (("outcome", outcome),), count, now)
        yield Sample("snmp_trap_receiver_starts_total", (), self._counts.starts, now)

    def _serve(self) -> None:
        assert self._channel is not None  # noqa: S101 entered
        pause = 0.0
        while not self._stop.wait(pause):
            if not select.select([self._channel], [], [], LOOK_SECONDS)[0]:
                pause = 0.0
                continue
            failed = not self._received(self._channel)
            pause = min(max(pause * 2, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS) if failed else 0.0

    def _received(self, channel: socket.socket) -> bool:
        """The same as :meth:`_receive`; whatever goes wrong, such as no process to be had, it is tried again later."""
        try:
            return self._receive(channel)
        except Exception:  # noqa: BLE001 traps are an extra: polls go on
            log.exception("traps were not received; trying again later")
            return False
        finally:
            if receiver := self._receiver:
                receiver.kill()
                receiver.wait()
                self._receiver = None

    def _receive(self, channel: socket.socket) -> bool:
        """Run one receiver to its end; whether it ended well."""
        try:
            orders = self._orders()
        except BadIdentity as error:
            log.error("traps cannot be received", detail=str(error))
            return False
        receiver = self._receiver = _start(channel)
        with self._lock:
            self._counts.starts += 1
        if self._stop.is_set():
            receiver.terminate()
        log.debug("trap receiver started", pid=receiver.pid)
        assert receiver.stdin is not None  # noqa: S101 a pipe
        assert receiver.stdout is not None  # noqa: S101 a pipe
        with contextlib.suppress(BrokenPipeError):
            receiver.stdin.write(orders.line())
            receiver.stdin.close()
        for line in receiver.stdout:
            self._noted(wire.read(line))
        code = receiver.wait()
        if code and not self._stop.is_set():
            log.error("the trap receiver failed; it is started again later", code=code)
        return not code

    def _orders(self) -> Orders:
        name, boots = next_boot(self._state / "traps" / "engine.json")
        logins: dict[str, Login] = {}
        sources: dict[str, tuple[str, str]] = {}
        for device in self._devices.values():
            try:
                logins[device.credential] = logins.get(device.credential) or self._login(device.credential)
            except SecretMissing as error:
                log.warning("traps of this device cannot be checked", device=device.name, detail=str(error))
                continue
            sources[device.host] = (device.name, device.credential)
        return Orders(sources, logins, self._listening.per_second, self._listening.idle_seconds, name, boots)

    def _login(self, name: str) -> Login:
        credential = self._town.credential(name)
        if credential.version != "v3":
            return Login(community=self._secret(credential.community_secret).reveal())
        return Login(
            user=credential.user,
            auth=credential.auth,
            auth_secret=self._secret(credential.auth_secret).reveal() if credential.auth_secret else "",
            privacy=credential.privacy,
            privacy_secret=self._secret(credential.privacy_secret).reveal() if credential.privacy_secret else "",
        )

    def _noted(self, report: wire.Report) -> None:
        if not isinstance(report, Trap):
            with self._lock:
                self._counts.refused[report.reason] += report.count
            return
        name = kind(report.oid)
        now = time.monotonic()
        wanted = self._sparing[report.device].takes(now) and self._all.takes(now)
        if wanted:
            log.info("trap", device=report.device, kind=name, oid=report.oid, port=report.port)
            self._poll_now(report.device)
        with self._lock:
            self._counts.traps[report.device, name] += 1
            self._counts.polls["caused" if wanted else "spared"] += 1


def listen(host: str, port: int) -> socket.socket:
    """A socket for traps at *host* (``::`` hears IPv4 as well); CannotListen when there is none to be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    channel = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            channel.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_OCTETS)
        channel.bind((host, port))
    except OSError as error:
        channel.close()
        advice = "free it, set another trap_port, or give the process CAP_NET_BIND_SERVICE for a port below 1024"
        raise CannotListen(f"traps: UDP port {port} at {host} cannot be opened: {error.strerror}; {advice}") from error
    return channel


def _start(channel: socket.socket) -> subprocess.Popen[bytes]:
    """The receiver, which gets *channel*, and pipes for orders and reports; its words go where ours go."""
    command = [sys.executable, "-OO", "-m", "collectors.traps.receiver", str(channel.fileno())]
    return subprocess.Popen(  # noqa: S603 our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(channel.fileno(),)
    )
