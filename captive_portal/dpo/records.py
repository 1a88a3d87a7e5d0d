"""Records as files: a JSON object each, numbered by year, whole or not there, erased when their time is over."""

import json
from datetime import date
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from captive_portal.console.locked import locked
from parvis.durable import write_whole

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
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked(self._folder):
            text = json.dumps(record.model_dump(mode="json"), ensure_ascii=False, indent=1)
            write_whole(self._folder / f"{number}.json", text, 0o600)

    def erase(self, number: str) -> None:
        """Erase a record whose time is over."""
        (self._folder / f"{number}.json").unlink()


def over(closed: date | None, days: int, today: date) -> bool:
    """Whether what was *closed* then may be kept no longer.

    >>> over(date(2025, 1, 1), 365, date(2026, 1, 1)), over(date(2025, 1, 1), 365, date(2026, 1, 2))
    (False, True)
    """
    return closed is not None and (today - closed).days > days
