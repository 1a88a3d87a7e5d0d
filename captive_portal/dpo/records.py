"""Records as files: a JSON object each, numbered by year, whole or not there."""

import json
import os
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from parvis.durable import write_whole
from parvis.locked import locked

Record = TypeVar("Record", bound=BaseModel)


class NoRecord(Exception):
    """There is no record of this number, or its file is damaged; says which."""


class Records(Generic[Record]):
    """The records of one kind in *folder*, which only the owner reads."""

    def __init__(self, folder: Path, model: type[Record]) -> None:
        self._folder, self._model = folder, model

    def numbers(self) -> list[str]:
        """Every number there is, oldest first."""
        return sorted(path.stem for path in self._folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9][0-9].json"))

    def next_number(self, year: int) -> str:
        """The number of the next record of *year*."""
        used = [int(number[5:]) for number in self.numbers() if number.startswith(f"{year:04}-")]
        return f"{year:04}-{max(used, default=0) + 1:03}"

    def read(self, number: str) -> Record:
        """The record *number*. NoRecord."""
        path = self._folder / f"{number}.json"
        if number not in self.numbers():
            raise NoRecord(f"there is no record {number}; there are {', '.join(self.numbers()) or 'none'}")
        try:
            return self._model.model_validate_json(path.read_text("utf-8"))
        except (ValidationError, OSError) as error:
            raise NoRecord(f"{path}: is damaged; restore it: {error}") from error

    def all(self) -> list[Record]:
        """Every record, oldest first."""
        return [self.read(number) for number in self.numbers()]

    def write(self, number: str, record: Record) -> None:
        """Write *record*; it is on disk when this returns."""
        text = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, indent=1)
        write_down(self._folder / f"{number}.json", text)


def write_down(path: Path, text: str) -> None:
    """Write *text* to *path* (STATE/dpo/KIND/NAME) whole or not at all, as the owner of STATE would, for its eyes only.

    So what root writes the console can read, and erase in time.
    """
    state, folder = path.parents[2], path.parent
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    owner = (state.stat().st_uid, state.stat().st_gid) if os.geteuid() == 0 else None
    for one in (folder.parent, folder):
        if not one.exists():
            one.mkdir(mode=0o700)
            if owner:
                os.chown(one, *owner)
    with locked(folder):
        write_whole(path, text, 0o600, owner)
