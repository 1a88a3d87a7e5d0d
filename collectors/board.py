"""The board: for each device the last samples with their age, and how its polls went. A stale sample leaves it.

The poller writes from its thread, HTTP reads from others; a lock keeps each device's entry whole.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from collectors import prometheus
from collectors.clocks import Continued
from collectors.device import Device, Failed, Outcome, Polled
from collectors.known import known
from collectors.layout import Layout
from collectors.prometheus import Blocks
from collectors.sample import Sample
from collectors.snmp.transport import Traffic

_NONE: Mapping[str, int] = {}
_NOTHING_DROPPED: Mapping[str, int] = {"duplicate": 0, "implausible": 0}
"""The same object for all devices of which nothing is to be told."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one device stands. Times are Unix time in seconds; None: not yet."""

    device: Device
    up: bool | None = None
    reason: str = "not polled yet"
    duration_seconds: float | None = None
    last_success: float | None = None
    polled: Polled | None = None
    layouts: tuple[Layout, ...] = ()
    has_doubles: bool = False
    polls: int = 0
    dropped: Mapping[str, int] = field(default_factory=lambda: _NOTHING_DROPPED)
    budget: int | None = None
    failures: Mapping[str, int] = field(default_factory=lambda: _NONE)
    faults: Mapping[str, int] = field(default_factory=lambda: _NONE)
    clock_events: Mapping[str, int] = field(default_factory=lambda: _NONE)
    engine_id: bytes = b""
    """The SNMPv3 engine that answered last."""
    engine_changes: int = 0
    traffic: Traffic = field(default_factory=Traffic)
    """All that went to the device."""
    last: Traffic = field(default_factory=Traffic)
    """What the last poll sent."""

    def after(
        self, outcome: Outcome, now: float, duration_seconds: float, budget: int, traffic: Traffic | None = None
    ) -> "Standing":
        """The standing after one more poll; *traffic* is all that went to the device so far."""
        traffic = traffic or self.traffic
        last, polls = traffic.since(self.traffic), self.polls + 1
        if isinstance(outcome, Failed):
            failures = {**self.failures, outcome.reason: self.failures.get(outcome.reason, 0) + 1}
            return replace(
                self,
                up=False,
                reason=outcome.reason,
                polls=polls,
                failures=failures,
                duration_seconds=duration_seconds,
                traffic=traffic,
                last=last,
            )
        layouts = tuple([part.layout for part in outcome.samples.parts])
        is_same = layouts == self.layouts
        doubles = self.has_doubles if is_same else prometheus.has_doubles(layouts)
        return replace(
            self,
            up=True,
            reason="",
            duration_seconds=duration_seconds,
            last_success=now,
            polled=outcome,
            layouts=self.layouts if is_same else layouts,
            has_doubles=doubles,
            polls=polls,
            dropped=self._dropped_after(outcome, doubles=doubles),
            budget=budget,
            faults=Counter(self.faults) + Counter(end for _, end in outcome.faults) if outcome.faults else self.faults,
            clock_events=self._events_after(outcome),
            engine_id=outcome.engine_id or self.engine_id,
            engine_changes=self.engine_changes + self._is_another(outcome.engine_id),
            traffic=traffic,
            last=last,
        )

    def _dropped_after(self, outcome: Polled, *, doubles: bool) -> Mapping[str, int]:
        if not doubles and not outcome.implausible:
            return self.dropped
        return {
            "duplicate": self.dropped["duplicate"] + (prometheus.blocks(outcome.samples).dropped if doubles else 0),
            "implausible": self.dropped["implausible"] + outcome.implausible,
        }

    def _events_after(self, outcome: Polled) -> Mapping[str, int]:
        event = outcome.clock
        if not event or event is Continued:
            return self.clock_events
        return {**self.clock_events, event.value: self.clock_events.get(event.value, 0) + 1}

    def _is_another(self, engine_id: bytes) -> bool:
        return bool(self.engine_id and engine_id and engine_id != self.engine_id)

    def is_fresh(self, now: float, stale_after_seconds: float) -> bool:
        """Whether its samples may still be shown."""
        return self.last_success is not None and now - self.last_success <= stale_after_seconds

    def blocks(self) -> Blocks:
        """The lines of its last samples; empty before the first."""
        if self.polled is None:
            return {}
        found = self.polled.samples
        return prometheus.blocks(found).blocks if self.has_doubles else prometheus.readings(found)

    def own_samples(self, now: float) -> Iterator[Sample]:
        """What we know of the polls themselves."""
        base = tuple(self.device.labels.items())

        def sample(metric: str, value: float | None, **more: str) -> Iterator[Sample]:
            if value is not None:
                yield Sample(metric, base + tuple(more.items()), value, now)

        yield from sample("snmp_up", None if self.up is None else int(self.up))
        yield from sample("snmp_poll_duration_seconds", self.duration_seconds)
        yield from sample("snmp_poll_last_success_timestamp_seconds", self.last_success)
        yield from sample(
            "snmp_poll_age_seconds", None if self.last_success is None else max(now - self.last_success, 0)
        )
        yield from sample("snmp_polls_total", self.polls)
        yield from sample("snmp_poll_max_repetitions", self.budget)
        yield from sample("snmp_requests_total", self.traffic.sent)
        yield from sample("snmp_requests_resent_total", self.traffic.resent)
        yield from sample("snmp_timeouts_total", self.traffic.timeouts)
        if self.polled:
            yield from sample("snmp_poll_variables", self.polled.variables)
            yield from sample("snmp_profile_info", 1, profile=self.polled.profile)
        if self.engine_id:
            yield from sample("snmp_engine_changes_total", self.engine_changes)
        for reason, count in self.dropped.items():
            yield from sample("snmp_samples_dropped_total", count, reason=reason)
        for reason, count in self.failures.items():
            yield from sample("snmp_poll_failures_total", count, reason=reason)
        for fault, count in self.faults.items():
            yield from sample("snmp_walk_faults_total", count, fault=fault)
        for kind, count in self.clock_events.items():
            yield from sample("device_clock_events_total", count, kind=kind)


class Board:
    """The standings of all devices; *stale_after_seconds* is how long samples are shown after their poll."""

    def __init__(self, devices: Sequence[Device], stale_after_seconds: float) -> None:
        self._standings = {device.name: Standing(device) for device in devices}
        self._names = {name: device.name for device in devices for name in device.addresses}
        self._engines: dict[bytes, tuple[str, ...]] = {}
        """Which devices answered last as which SNMPv3 engine."""
        self._stale_after_seconds = stale_after_seconds
        self._lock = Lock()

    def put(
        self,
        device: Device,
        outcome: Outcome,
        now: float,
        duration_seconds: float,
        budget: int,
        traffic: Traffic | None = None,
    ) -> Standing:
        """Note one poll's outcome and return the device's new standing; see Standing.after."""
        before = self._standings[device.name]
        standing = before.after(outcome, now, duration_seconds, budget, traffic)
        with self._lock:
            self._standings[device.name] = standing
            if standing.engine_id != before.engine_id:
                self._engines[before.engine_id] = self._others(before)
                self._engines[standing.engine_id] = (*self._others(standing), device.name)
        return standing

    def standings(self) -> list[Standing]:
        """All standings, in the order the devices were given."""
        with self._lock:
            return list(self._standings.values())

    def find(self, target: str) -> Standing | None:
        """The standing of the device of this name or address, with or without its port; None: not of the inventory."""
        with self._lock:
            name = target if target in self._standings else self._names.get(target)
            return self._standings[name] if name else None

    def is_fresh(self, standing: Standing, now: float) -> bool:
        """Whether the samples of *standing* may still be shown."""
        return standing.is_fresh(now, self._stale_after_seconds)

    def device_blocks(self, standing: Standing, now: float) -> list[Blocks]:
        """The lines of one device: how its polls go, and its samples while they are fresh."""
        own = prometheus.blocks(standing.own_samples(now)).blocks
        return [own, *([standing.blocks()] if self.is_fresh(standing, now) else [])]

    def with_engine_of(self, standing: Standing) -> tuple[str, ...]:
        """The other devices that answer as the same SNMPv3 engine, by name; no two should."""
        with self._lock:
            return self._others(standing)

    def _others(self, standing: Standing) -> tuple[str, ...]:
        named = self._engines.get(standing.engine_id, ()) if standing.engine_id else ()
        return tuple([name for name in named if name != standing.device.name])

    def metrics(self, now: float, transport: Mapping[str, int], more: Iterable[Sample] = ()) -> str:
        """The page for Prometheus; *transport* counts what happened on the socket, *more* comes from other parts."""
        standings = self.standings()
        own = [sample for standing in standings for sample in standing.own_samples(now)]
        events = sorted(transport.items())
        own += self._shared_engines(standings, now)
        own += more
        own += [Sample("snmp_datagrams_total", (("event", event),), count, now) for event, count in events]
        fresh = [standing.blocks() for standing in standings if self.is_fresh(standing, now)]
        return prometheus.page([prometheus.blocks(own).blocks, *fresh], known().announced)

    def _shared_engines(self, standings: Iterable[Standing], now: float) -> Iterator[Sample]:
        """With how many others each device shares its SNMPv3 engine ID."""
        for standing in standings:
            if standing.engine_id:
                labels = tuple(standing.device.labels.items())
                yield Sample("snmp_engine_sharers", labels, len(self.with_engine_of(standing)), now)

    def devices_json(self, now: float) -> bytes:
        """What the monitor asks: of each device how it is asked, whether it is up, since when not, how many it has."""
        return json.dumps([self._described(standing, now) for standing in self.standings()]).encode()

    def _described(self, standing: Standing, now: float) -> dict[str, Any]:
        fresh = standing.polled if self.is_fresh(standing, now) else None
        return {
            "device": standing.device.name,
            "site": standing.device.site,
            "kind": standing.device.kind,
            "credential": standing.device.credential,
            "version": standing.device.version,
            "up": standing.up,
            "reason": standing.reason,
            "last_success": standing.last_success,
            "age_seconds": None if standing.last_success is None else round(max(now - standing.last_success, 0), 3),
            "profile": standing.polled.profile if standing.polled else None,
            "clients": fresh.clients if fresh else None,
        }
