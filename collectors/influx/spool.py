"""Batches of lines on disk, oldest first, until the server has them: an outage or a kill -9 loses nothing written.

One file is one batch. Lines are appended to an open file (``.part``); :meth:`Spool.settle` forces it to disk once a
second and closes it (``.lines``) when it is full or old enough. At the configured size the oldest batches are dropped
and counted.
"""

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from parvis.durable import sync_folder

MOST_LINES = 5_000
MOST_BYTES = 1_000_000
SYNC_SECONDS = 1.0
LONGEST_OPEN_SECONDS = 10.0
"""A batch is closed after this, so that a slow trickle also reaches the server."""
READY, OPEN = ".lines", ".part"


@dataclass(frozen=True, slots=True)
class Batch:
    """A closed batch: its file, size in bytes, number of lines."""

    path: Path
    size: int
    lines: int


@dataclass(slots=True)
class _Open:
    """A batch being written."""

    file: BinaryIO
    opened_at: float
    synced_at: float
    size: int = 0
    lines: int = 0


class SpoolFull(Exception):
    """The disk takes no more, even after the oldest batches were dropped; the disk needs attention."""


class Spool:
    """The spool in *folder*, of at most *size* bytes. One thread adds, another settles and sends."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder, self._most = folder, size
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        self._lock = Lock()
        self._open: _Open | None = None
        self._full: list[_Open] = []
        self._number = 0
        self._batches = self._recovered()
        self.dropped = 0
        """Lines given up because the spool was full, since the start."""

    def add(self, lines: list[str], now: float) -> None:
        """Append *lines*; never waits for the disk to be sure. *now* is a monotonic clock. SpoolFull when it can't."""
        with self._lock:
            for start in range(0, len(lines), MOST_LINES):
                self._append(lines[start : start + MOST_LINES], now)

    def settle(self, now: float) -> None:
        """Force what was added to disk, and close what is full or old enough; call it twice a second.

        OSError when the disk is not well.
        """
        with self._lock:
            if self._open and self._is_due(self._open, now):
                self._full.append(self._open)
                self._open = None
            full, open_one = list(self._full), self._open
        for each in full:
            self._close(each)
        if open_one and now - open_one.synced_at >= SYNC_SECONDS:
            os.fsync(open_one.file.fileno())
            open_one.synced_at = now

    def close(self) -> None:
        """Close everything; the spool is not used after this."""
        with self._lock:
            full = [*self._full, *([self._open] if self._open else [])]
            self._open = None
        for each in full:
            self._close(each)

    def oldest(self) -> Batch | None:
        """The batch to send next."""
        with self._lock:
            return self._batches[0] if self._batches else None

    def waiting_since(self) -> float | None:
        """Unix time at which the oldest batch was last written to; None while none is closed."""
        batch = self.oldest()
        try:
            return batch.path.stat().st_mtime if batch else None
        except FileNotFoundError:  # it has just been sent
            return None

    def done(self, batch: Batch) -> None:
        """Forget a batch that the server has, or has refused for good."""
        with self._lock:
            self._remove(batch)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(batch.size for batch in self._batches) + sum(each.size for each in self._unfinished())

    @property
    def lines(self) -> int:
        """Lines on disk."""
        return sum(batch.lines for batch in self._batches) + sum(each.lines for each in self._unfinished())

    def _unfinished(self) -> list[_Open]:
        return [*self._full, *([self._open] if self._open else [])]

    def _recovered(self) -> list[Batch]:
        """What an earlier run left; of a batch that was open, the whole lines."""
        for path in sorted(self._folder.glob(f"*{OPEN}")):
            data = path.read_bytes()
            whole = data.rfind(b"\n") + 1
            if whole < len(data):
                os.truncate(path, whole)  # what is whole stays where it is, whatever happens now
            if whole:
                path.rename(path.with_suffix(READY))
            else:
                path.unlink()
        paths = sorted(self._folder.glob(f"*{READY}"))
        self._number = int(paths[-1].stem) if paths else 0
        return [_batch(path) for path in paths]

    def _append(self, lines: list[str], now: float) -> None:
        data = ("\n".join(lines) + "\n").encode()
        if self._open and (self._open.lines + len(lines) > MOST_LINES or self._open.size + len(data) > MOST_BYTES):
            self._full.append(self._open)
            self._open = None
        while self._batches and self.size + len(data) > self._most:
            self._drop_oldest()
        try:
            self._write(data, len(lines), now)
        except OSError:
            self._drop_oldest()
            try:
                self._write(data, len(lines), now)
            except OSError as error:
                raise SpoolFull(str(error)) from error

    def _write(self, data: bytes, lines: int, now: float) -> None:
        if self._open is None:
            self._number += 1
            file = (self._folder / f"{self._number:012}{OPEN}").open("wb", buffering=0)
            self._open = _Open(file, now, now)
        target = self._open
        try:
            _write_whole(target.file, data)
        except OSError:
            with suppress(OSError):
                target.file.truncate(target.size)
                target.file.seek(target.size)
            raise
        target.size += len(data)
        target.lines += lines

    def _is_due(self, target: _Open, now: float) -> bool:
        """Old enough to be sent: at once when nothing else waits, later when batches do, so that they grow."""
        return now - target.opened_at >= (LONGEST_OPEN_SECONDS if self._batches else SYNC_SECONDS)

    def _close(self, target: _Open) -> None:
        path = Path(target.file.name)
        ready = path.with_suffix(READY)
        if target.lines and not target.file.closed:  # it is, where an earlier time failed behind this
            os.fsync(target.file.fileno())
        target.file.close()
        if target.lines:
            if not ready.exists():
                path.rename(ready)
            sync_folder(self._folder)
        else:
            path.unlink(missing_ok=True)
        with self._lock:
            self._full = [each for each in self._full if each is not target]
            if target.lines:
                self._batches.append(Batch(ready, target.size, target.lines))

    def _drop_oldest(self) -> None:
        if self._batches:
            self.dropped += self._batches[0].lines
            self._remove(self._batches[0])

    def _remove(self, batch: Batch) -> None:
        if batch in self._batches:
            self._batches.remove(batch)
        batch.path.unlink(missing_ok=True)


def _write_whole(file: BinaryIO, data: bytes) -> None:
    if file.write(data) != len(data):
        raise OSError(errno.ENOSPC, "the disk took only a part")


def _batch(path: Path) -> Batch:
    data = path.read_bytes()
    return Batch(path, len(data), data.count(b"\n"))
