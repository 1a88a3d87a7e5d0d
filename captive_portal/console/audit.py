"""What staff did: JSON lines, each with the hash of the line before (SHA-256), only ever appended to.

A line says who, what, at which site, about which code of the day, why, and how it went; never a device's address.
Whoever changes or removes a line breaks the chain at that place; the last hash, noted elsewhere, proves the end. Only
what a power cut left of a last line is taken off again, and stands in the line that says so.
"""

import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from parvis.durable import append_text
from parvis.kept import kept_days
from parvis.locked import locked

KEPT_MONTHS = kept_days("staff-journal") // 30
"""Whole months an entry is kept after its own (CNIL, recommendation on logging, 2021: six months to a year)."""
MONTH, DAY = len("2026-01"), len("2026-01-01")
ITSELF = "parvis"
"""Who does what nobody has to ask for."""
START = "0" * 64
"""What the first line has for the hash of the line before."""
CUT, MOST_KEPT = "cut-line", 2000
"""What is said to be done where a line was cut short, and how much of it is kept, in characters."""
_ADDRESS = re.compile(
    r"\b[0-9a-f]{2}([:-]?[0-9a-f]{2}){5}\b|\b\d{1,3}(\.\d{1,3}){3}\b|\b[0-9a-f]{1,4}(:[0-9a-f]{0,4}){2,7}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line; *at* is ISO 8601 in UTC, *about* a code of the day or a number, *how* empty or what went wrong."""

    at: str
    who: str
    role: str
    did: str
    site: str = ""
    about: str = ""
    why: str = ""
    how: str = ""


class Broken(Exception):
    """The chain is broken: a line was changed, removed or cut. Whoever keeps the machine must explain it."""


class NotWritten(Exception):
    """The log could not be written, so nothing was done. The disk needs attention."""


def names_an_address(text: str) -> bool:
    """Whether *text* has a MAC or IP address in it, which no reason and no log may.

    >>> [names_an_address(t) for t in ("abus 02:00:00:00:00:0a", "depuis 10.11.0.5", "K7F-2QD, à 14:30:00, v2.1")]
    [True, True, False]
    """
    return any(not _is_time(found[0]) for found in _ADDRESS.finditer(text))


def _is_time(text: str) -> bool:
    return re.fullmatch(r"\d{1,2}:\d{2}:\d{2}", text) is not None


class Audit:
    """The log in *folder*, a file a month, the chain across them. For any number of threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def write(self, entry: Entry) -> None:
        """Append *entry*; it is on disk when this returns. NotWritten."""
        if any(map(names_an_address, (entry.about, entry.why, entry.how))):
            raise ValueError("an audit entry names no address")
        try:
            with self._lock, locked(self._folder):
                if torn := self._taken_off():
                    self._append(Entry(entry.at, ITSELF, "", CUT, how=torn))
                self._append(entry)
        except OSError as error:
            raise NotWritten(str(error)) from error

    def _append(self, entry: Entry) -> None:
        line = {**asdict(entry), "before": _hash(self._last_line())}
        # No line goes before the newest, not even when the clock was set back to another month.
        path = max([self._file(entry.at[:MONTH]), *self._files()[-1:]])
        append_text(path, json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n", 0o600)

    def _taken_off(self) -> str:
        """The beginning of a last line without an end, which is taken off; empty when the last line is whole.

        A power cut leaves such a one, and nobody was told that it is written. What there was of it goes into the log.
        """
        last = self._last_line()
        if not last or last.endswith(b"\n"):
            return ""
        path = next(path for path in reversed(self._files()) if path.stat().st_size)
        os.truncate(path, path.stat().st_size - len(last))
        return last.decode(errors="replace")[:MOST_KEPT]

    def tidy(self, today: date) -> int:
        """Remove the months that are older than :data:`KEPT_MONTHS`; returns how many.

        A newest month that is still to come, of a clock that was ahead, takes the name of this one where that is free.
        """
        with self._lock, locked(self._folder):
            old = self.over(today)
            for path in old:
                path.unlink()
            files, now = self._files(), self._file(f"{today:%Y-%m}")
            if files and files[-1] > now and not now.exists():
                files[-1].rename(now)
        return len(old)

    def over(self, today: date) -> list[Path]:
        """The months that are older than :data:`KEPT_MONTHS`."""
        oldest = today.year * 12 + today.month - 1 - KEPT_MONTHS
        first = self._file(f"{oldest // 12:04}-{oldest % 12 + 1:02}")
        return [path for path in self._files() if path < first]

    def newest_day(self) -> date | None:
        """The UTC day of the last entry; None when there is none, or when it cannot be read."""
        try:
            return date.fromisoformat(_read(self._last_line(), "the last line")[0].at[:DAY])
        except (Broken, OSError, ValueError):
            return None

    def newest(self, most: int) -> list[Entry]:
        """The last *most* entries, newest first; Broken when the chain is."""
        kept: list[Entry] = []
        for entry, _hash_of_line in self._entries():
            kept.append(entry)
            del kept[:-most]
        return kept[::-1]

    def verify(self) -> tuple[int, str]:
        """How many entries there are, and the hash of the last; Broken says at which line the chain breaks."""
        count, last = 0, START
        for _entry, digest in self._entries():
            count, last = count + 1, digest
        return count, last

    def _file(self, month: str) -> Path:
        return self._folder / f"audit-{month}.jsonl"

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("audit-[0-9][0-9][0-9][0-9]-[0-9][0-9].jsonl"))

    def _last_line(self) -> bytes:
        """The last line with its newline; lines have less than 8 kB. One without was cut."""
        for path in reversed(self._files()):
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - 8192))
                tail = file.read()
            if tail:
                return tail[tail.rfind(b"\n", 0, -1) + 1 :]
        return b""

    def _entries(self) -> Iterator[tuple[Entry, str]]:
        """Every entry with its hash. What the oldest month follows from may be erased already."""
        before = ""
        for path in self._files():
            with path.open("rb") as file:
                for number, raw in enumerate(file, 1):
                    where = f"{path.name}, line {number}"
                    entry, said = _read(raw, where)
                    if said != before and before:
                        raise Broken(f"{where}: does not follow from the line before it; one of them was changed")
                    before = _hash(raw)
                    yield entry, before


def _read(raw: bytes, where: str) -> tuple[Entry, str]:
    try:
        if not raw.endswith(b"\n"):
            raise ValueError("no end")  # noqa: TRY301 one place says what is wrong
        line = json.loads(raw)
        before = str(line.pop("before"))
        return Entry(**line), before
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Broken(f"{where}: is not one of ours, or cut: {error}") from error


def _hash(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest() if raw else START
