"""What is really kept, and since when, beside what the data inventory allows: counts and dates, nobody."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from stat import S_ISREG

from parvis.data_inventory import DataInventory, Kind

GRACE_DAYS = 1
"""What is over is erased within a day."""
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Kept:
    """One place of one kind of data: how many rows or files, the oldest (Unix time), how many are over their time."""

    kind: str
    place: str
    count: int
    oldest: float | None
    days: int | None
    over: int

    def says(self) -> str:
        """One line."""
        since = "-" if self.oldest is None else datetime.fromtimestamp(self.oldest, UTC).strftime("%Y-%m-%d")
        limit = "no limit" if self.days is None else f"{self.days} d"
        late = f"  {self.over} OVER" if self.over else ""
        return f"{self.kind:20} {self.place:34} {self.count:>8}  since {since:10}  {limit:>8}{late}"


def report(inventory: DataInventory, folder: Path, now: float) -> Iterator[Kept]:
    """What the state folder of a process holds. Databases are only read; sqlite3.Error when one cannot be."""
    for name, kind in inventory.kinds.items():
        if kind.age:
            database, table, column = kind.age.split(".")
            path = folder / Path(inventory.databases[database]).name
            if path.exists():
                yield _rows(name, kind, path, f"{table}.{column}", now)
        for place in kind.files:
            if times := list(_times(folder, place)):
                yield _files(name, kind, place, times, now)


def _times(folder: Path, place: str) -> Iterator[float]:
    """When each file of *place* was last written; what is erased meanwhile is not there any more."""
    for path in folder.rglob("*"):
        if fnmatch(str(path.relative_to(folder)), place.partition("/")[2]):
            with suppress(FileNotFoundError):
                found = path.stat()
                if S_ISREG(found.st_mode):
                    yield found.st_mtime


def _rows(name: str, kind: Kind, path: Path, column: str, now: float) -> Kept:
    table, _, age = column.partition(".")
    limit = now - ((kind.days or 0) + GRACE_DAYS) * DAY
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
        wanted = f'SELECT count(*), min("{age}"), coalesce(sum("{age}" < ?), 0) FROM "{table}"'  # noqa: S608 the inventory's
        count, oldest, over = connection.execute(wanted, (limit,)).fetchone()
    return Kept(name, column, count, oldest, kind.days, over if kind.days is not None else 0)


def _files(name: str, kind: Kind, place: str, times: list[float], now: float) -> Kept:
    limit = now - ((kind.days or 0) + GRACE_DAYS) * DAY
    over = 0 if not kind.days else sum(time < limit for time in times)
    return Kept(name, place, len(times), min(times), kind.days, over)
