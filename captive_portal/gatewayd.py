"""The gateway's daemon, the only process with CAP_NET_ADMIN: it owns the ruleset and serves the portal a few requests.

Where IPv6 is on it advertises the router too, over a socket made with CAP_NET_RAW, which it gives up before it serves.

Stopping it leaves everything in force. ``parvis gatewayd`` starts it; this module is what that command becomes.
"""

import os
import selectors
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from ipaddress import IPv6Address, IPv6Network
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from captive_portal.advertisement import Offer
from captive_portal.advertiser import Advertiser, drop_raw
from captive_portal.changes import RULESET, Changes
from captive_portal.clock import boot_seconds
from captive_portal.garden_watch import GardenWatch
from captive_portal.gateway import Gateway
from captive_portal.guard import Guard, Site
from captive_portal.leases import DirectoryWatch, Follower
from captive_portal.listener import Listener, Pending
from captive_portal.neighbour_events import NeighbourEvents
from parvis.endpoint import Endpoint
from parvis.instruments import VERSION, Definition, Instruments, registry_of
from parvis.launch import handed
from parvis.running import hold, start_logging, thread_or_exit

TICK_SECONDS = 1.0
COUNT_EVERY = 5
"""Ticks."""
HANGS_SECONDS = 30.0
"""A loop that has not ticked for so long hangs; the watchdog starts the process again, and sessions stay."""
QUIET_SECONDS = 0.05
"""Changes by others are looked at no more often than this."""


class Loop(AbstractContextManager["Loop"]):
    """Waits in one thread for requests, leases and changes by others; a fault ends the process, systemd starts it."""

    def __init__(
        self,
        guard: Guard,
        follower: Follower,
        socket: Path,
        uids: frozenset[int],
        leases: Path,
        neighbours: NeighbourEvents,
        advertiser: Advertiser | None = None,
        watch: GardenWatch | None = None,
    ) -> None:
        self._guard, self._follower, self._path, self._uids, self._folder = guard, follower, socket, uids, leases.parent
        self._neighbours, self._advertiser, self._garden = neighbours, advertiser, watch
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)[::-1]
        self._stopping = False
        self._watch: DirectoryWatch | None = None
        self._changed = False
        self._ticked = time.monotonic()
        self._thread = thread_or_exit("gatewayd", self._serve)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        os.write(self._wake, b"x")
        self._thread.join()

    def alive(self) -> bool:
        """Whether the loop turns."""
        return time.monotonic() - self._ticked < HANGS_SECONDS

    def _serve(self) -> None:
        changes = Changes(self._guard.port)
        self._guard.start()
        own = threading.get_native_id()

        def answer(line: bytes) -> bytes | Pending:
            self._note_change(changes.foreign(own))  # what is answered is never older than the question
            return self._guard.answer(line)

        listener = Listener(self._path, self._uids, answer, self._guard.refused, self._selector)
        neighbours = self._neighbours
        self._selector.register(neighbours, selectors.EVENT_READ, lambda _e: self._guard.meet(neighbours.news()))
        self._selector.register(changes, selectors.EVENT_READ, lambda _e: self._note_change(changes.foreign(own)))
        self._selector.register(self._woken, selectors.EVENT_READ, lambda _e: None)
        advertiser = self._advertiser
        if advertiser is not None:
            self._selector.register(advertiser, selectors.EVENT_READ, lambda _e: advertiser.answer(time.monotonic()))
        garden = self._garden
        if garden is not None:
            self._selector.register(garden, selectors.EVENT_READ, lambda _e: garden.answered())
        self._ready.set()
        self._wait_and_work(listener)
        listener.close()
        changes.close()
        self._follower.close()

    def _wait_and_work(self, listener: Listener) -> None:
        ticks, next_tick, verified = 0, 0.0, 0.0
        while not self._stopping:
            now = time.monotonic()
            if now >= next_tick:
                next_tick, ticks = now + TICK_SECONDS, ticks + 1
                self._tick(ticks, listener, now)
            if self._changed and now - verified >= QUIET_SECONDS:
                self._changed, verified = False, now
                self._guard.verify()
            until = min(next_tick, verified + QUIET_SECONDS) if self._changed else next_tick
            patience = 0.0 if listener.working else max(0.0, until - time.monotonic())
            for key, events in self._selector.select(patience):
                act: Callable[[int], None] = key.data
                act(events)
            listener.serve_pending(time.monotonic())

    def _tick(self, ticks: int, listener: Listener, now: float) -> None:
        self._ticked = now
        listener.sweep(now)
        if self._advertiser is not None:
            self._advertiser.tick(now)
        if self._garden is not None:
            self._garden.tick(now)
        self._watch_leases()
        self._guard.follow_leases()
        self._guard.mend()
        if ticks % COUNT_EVERY == 1:
            self._guard.verify()
            self._guard.count()

    def _note_change(self, names: set[str]) -> None:
        self._changed = self._changed or RULESET in names
        self._guard.altered(names)

    def _watch_leases(self) -> None:
        """Watch the lease file's folder as soon as there is one; until then each tick looks."""
        if self._watch is None:
            with suppress(OSError):
                watch = self._watch = DirectoryWatch(self._folder)
                self._selector.register(watch, selectors.EVENT_READ, lambda _e: self._leases_written(watch))

    def _leases_written(self, watch: DirectoryWatch) -> None:
        watch.drain()
        self._guard.follow_leases()


def run(facts: dict[str, Any]) -> None:
    """Serve until a signal. *facts* are those of :func:`captive_portal.commands.gatewayd_facts`."""
    start_logging("gatewayd", facts["log_level"])
    definitions = [Definition(**entry) for entry in facts["metrics"]]
    registry, instruments = registry_of("gatewayd", definitions)
    leases = Path(facts["leases"])
    follower = Follower(leases, lambda: boot_seconds() - time.time())
    interface = facts["interface"]
    guard = Guard(
        Site(interface, facts["ruleset"], facts["pool"]), Gateway(interface), follower, instruments, boot_seconds
    )
    checks = {
        "ruleset": lambda: guard.wrong,
        "leases": lambda: "" if follower.readable else f"{leases} cannot be read",
    }
    advertiser = _advertiser(interface, facts["offer"], instruments)
    drop_raw()
    watch = _garden(facts["garden"], guard, instruments)
    loop = Loop(
        guard,
        follower,
        Path(facts["socket"]),
        frozenset(facts["uids"]),
        leases,
        NeighbourEvents(interface),
        advertiser,
        watch,
    )
    endpoint = Endpoint((facts["listen"], facts["port"]), registry, checks)
    hold([loop, endpoint], version=VERSION, town=facts["town"], site=facts["site"], port=facts["port"])


def _advertiser(interface: str, offer: dict[str, str] | None, instruments: Instruments) -> Advertiser | None:
    """Who advertises IPv6 here; None where it is closed."""
    if offer is None:
        return None
    sent = instruments.counter("gateway_router_advertisements_total")
    for to in ("all", "one", "failed"):
        sent.labels(to)
    made = Offer(IPv6Network(offer["prefix"]), IPv6Address(offer["resolver"]), offer["api"])
    return Advertiser(interface, made, lambda to: sent.labels(to).inc())


def _garden(facts: dict[str, Any] | None, guard: Guard, instruments: Instruments) -> GardenWatch | None:
    """Who watches the walled garden; None where there is none."""
    if facts is None:
        return None
    return GardenWatch(facts["names"], facts["resolver"], facts["families"], guard.plant, instruments)


if __name__ == "__main__":
    run(handed("gatewayd"))
