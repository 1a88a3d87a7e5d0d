"""A process' prometheus_client instruments, made from definitions. It imports little: small processes use it."""

import time
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from parvis.definition import Definition as Definition  # noqa: PLC0414 for everybody who imports instruments
from parvis.processes import VERSION as VERSION  # noqa: PLC0414 as well
from parvis.vitals import disk

Instrument = TypeVar("Instrument", Gauge, Counter, Histogram)
CLOCK = "clock_timestamp_seconds"


class Instruments:
    """The prometheus_client instruments of one process; asking for a name it does not expose is a KeyError."""

    def __init__(self, process: str, definitions: Iterable[Definition], registry: CollectorRegistry) -> None:
        self._made: dict[str, Gauge | Counter | Histogram] = {
            entry.name: _instrument(entry, registry) for entry in definitions
        }
        self.process = process

    def __contains__(self, name: str) -> bool:
        return name in self._made

    def gauge(self, name: str) -> Gauge:
        """The gauge called *name*."""
        return self._get(name, Gauge)

    def counter(self, name: str) -> Counter:
        """The counter called *name* (with its ``_total``)."""
        return self._get(name, Counter)

    def histogram(self, name: str) -> Histogram:
        """The histogram called *name*."""
        return self._get(name, Histogram)

    def _get(self, name: str, kind: type[Instrument]) -> Instrument:
        found = self._made.get(name)
        if not isinstance(found, kind):
            near = get_close_matches(name, self._made, n=1)
            hint = f"; did you mean {near[0]}?" if near and found is None else ""
            raise KeyError(f"{name} is no {kind.__name__.lower()} exposed by {self.process}{hint}")
        return found


def registry_of(process: str, definitions: Iterable[Definition]) -> tuple[CollectorRegistry, Instruments]:
    """A registry with the usual process metrics, and the instruments of *definitions*; ``process_info`` is set."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    instruments = Instruments(process, definitions, registry)
    instruments.gauge("process_info").labels(process, VERSION).set(1)
    if CLOCK in instruments:
        instruments.gauge(CLOCK).set_function(time.time)
    return registry, instruments


def watch_disk(instruments: Instruments, state: Path) -> None:
    """Show the room left where the process's folder *state* is; looked at by each scrape."""
    free, size = instruments.gauge("state_disk_free_bytes"), instruments.gauge("state_disk_size_bytes")
    free.labels("state").set_function(lambda: disk(state)[0])
    size.labels("state").set_function(lambda: disk(state)[1])


def _instrument(entry: Definition, registry: CollectorRegistry) -> Gauge | Counter | Histogram:
    if entry.kind == "gauge":
        return Gauge(entry.name, entry.help, entry.labels, registry=registry)
    if entry.kind == "counter":
        return Counter(entry.name, entry.help, entry.labels, registry=registry)
    return Histogram(entry.name, entry.help, entry.labels, registry=registry, buckets=entry.buckets)
