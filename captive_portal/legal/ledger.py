"""A store on the gateway's disk: sealed files, only ever appended to, each block durable before :meth:`append` returns.

A cut frame at the end, left by a crash in the middle of a write, is cut off. On a full disk the reserve kept for that
day is given up; when that is used too, nothing is dropped: the caller keeps what is not written and tries again.
"""

import json
import os
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from captive_portal.legal import day_keys, sealing, segment
from captive_portal.legal.conntrack import columns
from captive_portal.legal.segment import Name, Store
from parvis.durable import sync_folder
from parvis.reserve import Reserve

LARGEST_FILE = 16 * 1024 * 1024
RECORDS, ROWS, COLUMNS = b"J", b"F", b"T"
"""How a block begins: lines of JSON, communications by rows (until 0.1), or by columns; then zlib (RFC 1950)."""
MODE = 0o640


class NotWritten(Exception):
    """The disk does not take it; nothing was lost yet. The disk needs attention at once."""


def records(lines: Iterable[dict[str, Any]]) -> bytes:
    """A block of records."""
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    return RECORDS + zlib.compress(text.encode(), 6)


def rows(data: bytes) -> bytes:
    """A block of communications."""
    return COLUMNS + zlib.compress(columns(data), 1)


class Ledger:
    """The sealed files of one *store* of *gateway* in *folder*, for the holders of *master*. For one thread."""

    def __init__(self, folder: Path, keys: Path, gateway: str, store: Store, master: bytes, reserve: Reserve) -> None:
        self._folder, self._keys, self._gateway, self._store, self._master = folder, keys, gateway, store, master
        self._reserve = reserve
        self._file: int | None = None
        self._size = 0
        self.torn = 0
        """Cut frames that were found at the start and cut off."""
        self.name: Name | None = None
        self._public = b""
        self._number, self._hash = 0, segment.START
        self._resume()

    def append(self, block: bytes, at: int) -> None:
        """Seal *block* into the file of its UTC day and make it durable; NotWritten, and nothing is changed."""
        try:
            self._append(block, at)
        except OSError as error:
            if not self._reserve.give_up():
                raise NotWritten(str(error)) from error
            try:
                self._append(block, at)
            except OSError as again:
                raise NotWritten(str(again)) from again

    @property
    def letter(self) -> str:
        """Which store it is."""
        return self._store.value

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def starts_a_file(self, at: int) -> bool:
        """Whether what is written now begins a file: then it must say again what lasts."""
        return self._file is None or self._another_day(segment.day_of(at)) or self._size >= LARGEST_FILE

    def _append(self, block: bytes, at: int) -> None:
        if self.starts_a_file(at):
            self._open(segment.day_of(at))
        if self.name is None or self._file is None:
            raise OSError("no file is open")
        number = self._number + 1
        sealed = sealing.seal(self._public, block, self.name.about(number))
        data = segment.frame(number, at, self._hash, sealed)
        try:
            written = os.write(self._file, data)
            if written != len(data):
                raise OSError(28, "the disk is full")  # noqa: TRY301 what came short is cut off below
            os.fdatasync(self._file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise
        self._number, self._hash = number, segment.hash_of(data)
        self._size += len(data)

    def _another_day(self, day: date) -> bool:
        return self.name is None or self.name.day != day

    def _open(self, day: date) -> None:
        """Begin a file; a day that comes again, because the clock was set back, has the key it had."""
        key = day_keys.of_day(self._keys, self._store, self._gateway, day, self._master)
        name = Name(self._store, self._gateway, day, self.name.number + 1 if self.name else 1)
        handle = os.open(self._folder / str(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, MODE)
        sync_folder(self._folder)
        self.close()
        self._file, self._size, self.name, self._public = handle, os.fstat(handle).st_size, name, key.public

    def _resume(self) -> None:
        """Find the end of the chain; cut off what a crash has left of a frame. A new start begins a new file."""
        names = names_in(self._folder, self._store, self._gateway)
        for name in reversed(names):
            path = self._folder / str(name)
            data = path.read_bytes()
            kept = segment.whole(data)
            if kept != len(data):
                self.torn += 1
                os.truncate(path, kept)
            if self.name is None:
                self.name = name
            found = [(one.number, one.hash) for one in segment.frames(data)]
            if found:
                self._number, self._hash = found[-1]
                return


def names_in(folder: Path, store: Store, gateway: str | None = None) -> Sequence[Name]:
    """The sealed files of *store* in *folder*, of *gateway* or of all, in the order they were begun."""
    found = []
    for path in folder.glob(f"{store.value}-*.sealed"):
        with suppress(ValueError):
            name = Name.read(path.name)
            if gateway is None or name.gateway == gateway:
                found.append(name)
    return sorted(found, key=lambda one: (one.gateway, one.number))


def newest_day(folder: Path) -> date | None:
    """The newest day a sealed file in *folder* is named after."""
    return max((name.day for store in Store for name in names_in(folder, store)), default=None)
