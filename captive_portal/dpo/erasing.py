"""The officer's records whose time is over: found and erased by the console's upkeep, whoever lists them or not."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from captive_portal.dpo.duties import CLOSED, over
from parvis.durable import sync_folder
from parvis.kept import kept_days

FOLDER = "dpo"
"""Where the records are, in the state folder of the console."""


@dataclass(slots=True)
class Found:
    """*over*: folder of a kind -> the files that go; *damaged*: files of which nobody can say since when."""

    over: dict[str, list[Path]] = field(default_factory=dict)
    damaged: list[Path] = field(default_factory=list)

    def __len__(self) -> int:
        """How many are over."""
        return sum(map(len, self.over.values()))


def find(folder: Path, today: date) -> Found:
    """What below *folder* is over on *today*; OSError when it cannot be read."""
    found = Found()
    for name, (kind, closed) in CLOSED.items():
        days = kept_days(kind)
        for path in sorted(_records(folder / name)):
            try:
                since = closed({"name": path.stem, **_said(path)})
            except (ValueError, KeyError, TypeError, AttributeError):
                found.damaged.append(path)
                continue
            if over(since, days, today):
                found.over.setdefault(name, []).append(path)
    return found


def erase(paths: Iterable[Path]) -> None:
    """Remove *paths*, which are in one folder; they are gone from the disk's tables when this returns. OSError."""
    gone = list(paths)
    for path in gone:
        path.unlink(missing_ok=True)
    sync_folder(gone[0].parent)


def _records(folder: Path) -> list[Path]:
    """Every record in *folder*; glob would pass over a folder that may not be read."""
    if not folder.exists():
        return []
    return [path for path in folder.iterdir() if path.suffix == ".json"]


def _said(path: Path) -> dict[str, object]:
    """What a record says; a report is a list and says its day by its name."""
    said = json.loads(path.read_text("utf-8"))
    return said if isinstance(said, dict) else {}
