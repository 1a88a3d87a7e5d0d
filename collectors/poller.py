"""The service: every device on its own clock, one task each, so that a silent device delays nobody."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from types import TracebackType
from typing import Self, TypeVar

from collectors.access import Credentials, GetSecret, open_session
from collectors.board import Board, Standing
from collectors.device import Device, Failed, Outcome
from collectors.known import known
from collectors.poll import Target, knock, poll
from collectors.profile import Profile
from collectors.sample import Sample
from collectors.schedule import Breaker, next_turn, offset_seconds
from collectors.snmp.errors import SnmpError
from collectors.snmp.sockets import resolve
from collectors.snmp.transport import Exchange, Patience
from collectors.where import port_of
from parvis.running import log
from parvis.secrets import SecretMissing

FIRST_ROUND_SECONDS = 5
"""After a start, every device is asked once within this time, so that the page is soon full ..."""
FIRST_POLLS_PER_SECOND = 50
"""... or no faster than this: a device asked for the first time is walked, and learned."""

LEARNED_AT_ONCE = 8
"""Devices that answer and are walked for the first time: all together, on a busy machine, would end none in time."""

WHERE_SECONDS = 3.0
MOST_SOUGHT = 16
"""Intruders that are looked for at once."""

T = TypeVar("T")
Outlet = Callable[[list[Sample]], None]
"""Where samples go beside the board; it must not wait."""
MAY_PASS = ("silent", "deadline")
"""Reasons after which what was learned of a device is kept; after others its address and secrets are read anew."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """How often and how patiently devices are asked; everything in seconds but *tries*."""

    interval_seconds: float = 60.0
    deadline_seconds: float = 45.0
    timeout_seconds: float = 1.5
    tries: int = 3

    @property
    def patience(self) -> Patience:
        """With a device that is thought to be alive: silence is told before the deadline, however short it is."""
        whole = Patience(1.0, self.tries).longest_seconds + Patience(1.0, 1).longest_seconds  # then once more as v1
        return Patience(min(self.timeout_seconds, 0.9 * self.deadline_seconds / whole), self.tries)

    @property
    def curt(self) -> Patience:
        """With a device that has been dead for a while: one datagram."""
        return Patience(self.timeout_seconds, 1)

    def told(self, breaker: Breaker) -> Patience | None:
        """With a device after what *breaker* knows of it; None: as its session has it."""
        return self.curt if breaker.is_open else None


class Poller(AbstractContextManager["Poller"]):
    """Polls *devices* in a thread of its own from entering to leaving; the results are on *board*."""

    def __init__(
        self,
        town: Credentials,
        devices: list[Device],
        secret: GetSecret,
        board: Board,
        pacing: Pacing,
        outlet: Outlet | None = None,
        also: tuple[Profile, ...] = (),
    ) -> None:
        self._also = also
        self._outlet = outlet
        self._town = town
        self._devices = devices
        self._secret = secret
        self._board = board
        self._pacing = pacing
        self._exchange = Exchange()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()), name="poller", daemon=True)
        self._running = Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._wanted: dict[str, Turn] = {}
        self._sought: dict[tuple[str, str], Future[list[tuple[str, str]]]] = {}
        self._learning = asyncio.Semaphore(LEARNED_AT_ONCE)

    @property
    def transport_counts(self) -> Mapping[str, int]:
        """What happened on the socket so far."""
        return dict(self._exchange.counts)

    def wrong(self) -> str:
        """Empty while the poller runs, else what is wrong; for /healthz."""
        return "" if self._thread.is_alive() else "the poller is not running"

    def loop(self) -> asyncio.AbstractEventLoop:
        """Where it polls, once entered; RuntimeError before."""
        if self._loop is None:
            raise RuntimeError("the poller has not been started")
        return self._loop

    def poll_now(self, name: str) -> None:
        """Have the device called *name* polled at once, or once more if it is being polled; from any thread."""
        wanted = self._wanted.get(name)
        if self._loop and wanted:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(wanted.come)

    def where(self, site: str, mac: str) -> list[tuple[str, str]] | None:
        """Switch and port of *site* behind which *mac* was learned; None while they are being asked: ask again.

        Nothing of it is kept once it is told, nor is it asked for more than a few at a time.
        """
        key = site, mac
        if key in self._sought:
            return self._sought.pop(key).result() if self._sought[key].done() else None
        if self._loop is None or len(self._sought) >= MOST_SOUGHT:
            return []
        self._sought[key] = asyncio.run_coroutine_threadsafe(self._where(site, mac), self._loop)
        return None

    def __enter__(self) -> Self:
        known()  # before anybody waits for the loop
        self._thread.start()
        self._running.wait(5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop and self._stop and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._wanted = {device.name: Turn() for device in self._devices}
        tasks = [asyncio.create_task(self._attend(device), name=device.name) for device in self._devices]
        self._running.set()
        await self._stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._exchange.close()

    async def _attend(self, device: Device) -> None:
        """Poll one device for ever, never twice at once; the first time within seconds, then at its turn."""
        target: Target | None = None
        breaker = Breaker()
        interval = self._pacing.interval_seconds
        first = max(FIRST_ROUND_SECONDS, len(self._devices) / FIRST_POLLS_PER_SECOND)
        await asyncio.sleep(offset_seconds(device.name, min(interval, first)))
        while True:
            self._wanted[device.name].begin()
            started = time.monotonic()
            try:
                target = target or await self._target(device)
                if target.combined is None:
                    outcome, started = await self._first(target, breaker)
                else:
                    outcome = await attempt(target, self._pacing, breaker)
            except (SecretMissing, SnmpError) as error:
                outcome = failure(error)
            except Exception as error:  # noqa: BLE001 a fault of ours before it is asked: tried again at its turn
                outcome = fault(device, error)
            self._noted(device, outcome, time.monotonic() - started, target, breaker)
            if isinstance(outcome, Failed):
                breaker = breaker.failed()
                target = target if outcome.reason in MAY_PASS else None
            else:
                breaker = breaker.succeeded()
            now = time.time()
            turn = next_turn(device.name, interval, now) + breaker.turns_left_out * interval
            await self._wanted[device.name].wait(turn - now)

    async def _first(self, target: Target, breaker: Breaker) -> tuple[Outcome, float]:
        """The first poll of a device, when it is its turn; and when that was. Who is silent holds nobody up."""
        started = time.monotonic()
        answered = await _within(knock(target, self._pacing.told(breaker)), target, self._pacing)
        if isinstance(answered, Failed):
            return answered, started
        async with self._learning:
            started = time.monotonic()
            return await attempt(target, self._pacing, breaker), started

    async def _where(self, site: str, mac: str) -> list[tuple[str, str]]:
        async def ask(device: Device) -> tuple[str, str]:
            with suppress(SnmpError, SecretMissing, TimeoutError):
                async with asyncio.timeout(WHERE_SECONDS):
                    return device.name, await port_of((await self._target(device)).session, mac)
            return device.name, ""

        switches = [device for device in self._devices if device.kind == "switch" and device.site == site]
        return [(name, port) for name, port in await asyncio.gather(*map(ask, switches)) if port]

    async def _target(self, device: Device) -> Target:
        address = await resolve(device.host, device.port)
        credential = self._town.credential(device.credential)
        session = open_session(self._exchange, address, credential, self._secret, self._pacing.patience, device)
        return Target(device, session, also=self._also)

    def _noted(self, device: Device, outcome: Outcome, duration: float, target: Target | None, before: Breaker) -> None:
        """Note it; what goes wrong there must not end the device's task."""
        try:
            self._note(device, outcome, duration, target, before)
        except Exception:  # noqa: BLE001 logged, and polled again at its turn
            log.exception("poll not noted", device=device.name)

    def _note(self, device: Device, outcome: Outcome, duration: float, target: Target | None, before: Breaker) -> None:
        now = time.time()
        budget = target.pace.least if target else 0
        traffic = self._exchange.traffic(target.session.address) if target else None
        earlier = self._board.find(device.name)
        standing = self._board.put(device, outcome, now, duration, budget, traffic)
        if earlier and earlier.engine_id != standing.engine_id:
            self._note_engine(standing, earlier.engine_id)
        if self._outlet:
            samples = () if isinstance(outcome, Failed) else outcome.samples
            self._outlet([*samples, *standing.own_samples(now)])
        facts = {"device": device.name, "site": device.site, "duration_seconds": round(duration, 3)}
        if isinstance(outcome, Failed):
            if before.failures % 60 == 0:
                log.warning("poll failed", reason=outcome.reason, detail=outcome.detail, advice=outcome.advice, **facts)
        elif before.failures:
            log.info("device answers again", failures=before.failures, **facts)
        else:
            log.debug("polled", profile=outcome.profile, variables=outcome.variables, **facts)

    def _note_engine(self, standing: Standing, before: bytes) -> None:
        """Say that another SNMPv3 engine answers than before, or one that is another device's as well."""
        facts = {"device": standing.device.name, "site": standing.device.site, "engine_id": standing.engine_id.hex()}
        if before:
            advice = "it was exchanged or set up anew, or another device has its address"
            log.warning("another SNMPv3 engine answers", before=before.hex(), advice=advice, **facts)
        if others := self._board.with_engine_of(standing):
            advice = "their configuration was copied; give each an engine ID of its own, or traps of one may be refused"
            log.warning("devices share an SNMPv3 engine ID", others=others, advice=advice, **facts)


class Turn:
    """A device's next turn: it comes after a while, or when somebody calls it. An asyncio.Event takes 800 octets."""

    __slots__ = ("_has_come", "_waiting")

    def __init__(self) -> None:
        self._has_come = False
        self._waiting: asyncio.Future[None] | None = None

    def begin(self) -> None:
        """It is here; what comes from now on is the next."""
        self._has_come = False

    def come(self) -> None:
        """It comes now."""
        self._has_come = True
        if self._waiting and not self._waiting.done():
            self._waiting.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Until it comes, but no longer than *seconds*."""
        if self._has_come:
            return
        loop = asyncio.get_running_loop()
        self._waiting = loop.create_future()
        timer = loop.call_later(seconds, self.come)
        try:
            await self._waiting
        finally:
            timer.cancel()
            self._waiting = None


async def attempt(target: Target, pacing: Pacing, breaker: Breaker) -> Outcome:
    """One poll within its deadline; every failure becomes a named reason."""
    asked = poll(target, at=time.time(), clock=time.monotonic(), patience=pacing.told(breaker))
    return await _within(asked, target, pacing)


async def _within(work: Awaitable[T], target: Target, pacing: Pacing) -> T | Failed:
    try:
        async with asyncio.timeout(pacing.deadline_seconds):
            return await work
    except SnmpError as error:
        return failure(error)
    except TimeoutError:
        return Failed(
            "deadline",
            f"not finished after {pacing.deadline_seconds:g} s",
            "the device answers too slowly; lengthen the interval or look at its load",
        )
    except Exception as error:  # noqa: BLE001 a fault of ours with one device must not end its task
        return fault(target.device, error)


def fault(device: Device, error: Exception) -> Failed:
    """What nobody has foreseen, told and logged, in the place of the *error* that is being handled."""
    log.exception("poll crashed", device=device.name)
    return Failed("internal_error", repr(error), "this is a fault in the collectors; report it with the log")


def failure(error: SnmpError | SecretMissing) -> Failed:
    """The named reason behind *error*."""
    if isinstance(error, SecretMissing):
        return Failed("secret_missing", str(error), "deliver the secret as a file or a systemd credential")
    return Failed(error.reason, str(error), error.advice)
