"""What must survive a restart: the alerts told to us, one JSON line each, on disk before they are acknowledged."""

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import BinaryIO
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from monitor.alertmanager import Alert, Called, Event, Key, Message, Sorted, called, sort_out
from monitor.rota import on_call
from parvis.inventory import Town
from parvis.running import log

MAX_SEEN = 20_000
"""Events remembered to recognise a repetition; Alertmanager repeats only what is still open or just closed."""


class Alerts:
    """The book of alerts: takes messages, keeps pages.jsonl, knows what is open. Safe to use from several threads."""

    def __init__(self, town: Town, file: Path, beat_max_age: float) -> None:
        self._town = town
        self._file = file
        self._beat_max_age = beat_max_age
        self._lock = Lock()
        self._seen: dict[Key, None] = {}
        self._open: dict[tuple[str, str], Event] = {}
        self.beat = 0.0
        """Unix time carried by the last Watchdog; 0 before the first."""
        for event in read(file):
            self._remember(event)

    @property
    def open(self) -> list[Event]:
        """The alerts not yet resolved, oldest first."""
        with self._lock:
            return sorted(self._open.values(), key=lambda event: event.starts_at)

    def beats(self, now: datetime) -> bool:
        """Whether Prometheus's beat is young enough at *now* for its all-clears to be believed."""
        return now.timestamp() - self.beat <= self._beat_max_age

    def take(self, message: Message, now: datetime) -> Sorted:
        """Sort *message* out and write its new events; OSError when the disk refuses, and then nothing is remembered.

        *now* is aware.
        """
        with self._lock:
            found = sort_out(
                message,
                self._seen,
                lambda alert: self._called(alert, now),
                now=now.astimezone(ZoneInfo(self._town.timezone)),
                beat=self.beat,
                beat_max_age=self._beat_max_age,
            )
            append(self._file, found.events)
            self.beat = max(self.beat, found.beat or 0.0)
            for event in found.events:
                self._remember(event)
            return found

    def _called(self, alert: Alert, now: datetime) -> Called | None:
        fired = self._open.get(alert.key[:2])
        if alert.status == "resolved":
            return fired.paged if fired else None
        local = now.astimezone(ZoneInfo(self._town.timezone))
        return called(alert.labels.get("severity", ""), on_call(self._town, now), local)

    def _remember(self, event: Event) -> None:
        self._seen[event.key] = None
        if len(self._seen) > MAX_SEEN:
            del self._seen[next(iter(self._seen))]
        if event.status == "firing":
            self._open[event.occurrence] = event
        else:
            self._open.pop(event.occurrence, None)


def append(file: Path, events: Iterable[Event]) -> None:
    """Add *events* to *file* and wait until they are on the disk; on OSError the file is as it was."""
    lines = "".join(f"{event.model_dump_json()}\n" for event in events).encode()
    if not lines:
        return
    with file.open("a+b") as out:
        before = out.tell()
        try:
            out.write(b"\n" * _cut_short(out, before) + lines)
            out.flush()
            os.fsync(out.fileno())
        except OSError:
            with suppress(OSError):
                os.truncate(file, before)
            raise


def _cut_short(out: BinaryIO, size: int) -> bool:
    """Whether the last line has no end: the power went while it was written."""
    if not size:
        return False
    out.seek(size - 1)
    return out.read(1) != b"\n"


def read(file: Path) -> list[Event]:
    """The events in *file*; a line cut short by a power loss is left out, and said so in the log."""
    if not file.exists():
        return []
    found = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        try:
            found.append(Event.model_validate_json(line))
        except ValidationError:
            log.warning("line left out", file=file.name, line=number)
    return found
