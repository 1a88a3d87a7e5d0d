"""Cases: without one nobody reads. A case says who asks, on which basis, with which paper, and which two people act."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, timedelta
from pathlib import Path

from parvis.durable import write_whole
from parvis.kept import kept_days

BASES = {
    "CPP 60-1": "réquisition, enquête de flagrance",
    "CPP 77-1-1": "réquisition, enquête préliminaire",
    "CPP 99-3": "réquisition, information judiciaire",
    "CPP 60-1-2 1°": "crime, ou délit puni d'au moins trois ans",
    "CPP 60-1-2 2°": "délit puni d'au moins un an, commis par un réseau, pour identifier son auteur",
    "CPP 60-1-2 3°": "équipement terminal de la victime, à sa demande",
    "CPP 60-1-2 4°": "personne disparue",
    "CSI L.851-1": "services de renseignement, par le groupement interministériel de contrôle",
}
"""Who else asks (mayor, municipal police, rights holders, employers) has no basis, and gets nothing."""
KEPT_DAYS = kept_days("requisition-case")
_ID = re.compile(r"\d{4}-\d{3}")


class CaseError(Exception):
    """The case does not allow it, or does not exist; says what is missing."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case. *order_sha256* is of the scanned order; *opened* and *closed* are ISO dates."""

    id: str
    authority: str
    basis: str
    reference: str
    dated: str
    order_sha256: str
    opened_by: str
    opened: str
    approved_by: str = ""
    wide_by: str = ""
    closed: str = ""

    def allows(self, *, wide: bool) -> None:
        """CaseError unless somebody else has approved, twice for more than 24 hours, and it is open."""
        if self.closed:
            raise CaseError(f"case {self.id} is closed")
        if not self.approved_by:
            raise CaseError(f"case {self.id} waits for a second person: parvis legal case approve {self.id}")
        if wide and not self.wide_by:
            raise CaseError(f"more than 24 hours need a second approval: parvis legal case approve {self.id} --wide")

    def approved(self, by: str, *, wide: bool) -> "Case":
        """The case, approved; CaseError when it is the same person who opened it."""
        if by == self.opened_by:
            raise CaseError(f"{by} opened case {self.id}; somebody else approves it")
        return replace(self, wide_by=by) if wide else replace(self, approved_by=by)

    def over(self, today: date) -> bool:
        """Whether everything of it goes: a year after it was closed, or after it was opened."""
        return date.fromisoformat(self.closed or self.opened) + timedelta(days=KEPT_DAYS) < today


class Cases:
    """The cases in *folder*: a folder each, with what was answered, sealed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def all(self) -> list[Case]:
        """Every case, oldest first."""
        return list(self._each())

    def find(self, number: str) -> Case:
        """The case called *number*; CaseError."""
        if not _ID.fullmatch(number) or not (self._folder / number / "case.json").is_file():
            known = ", ".join(one.id for one in self._each()) or "none"
            raise CaseError(f"no case is called {number}; there are {known}")
        return self._read(number)

    def place(self, number: str) -> Path:
        """The folder of case *number*."""
        return self._folder / number

    def new_id(self, today: date) -> str:
        """The next free number of the year."""
        taken = [int(path.name[5:]) for path in self._folder.glob(f"{today.year}-[0-9][0-9][0-9]")]
        return f"{today.year}-{max(taken, default=0) + 1:03}"

    def save(self, case: Case) -> None:
        """Write *case*; durable when this returns."""
        self.place(case.id).mkdir(mode=0o700, exist_ok=True)
        text = json.dumps(asdict(case), ensure_ascii=False, indent=1)
        write_whole(self.place(case.id) / "case.json", text.encode())

    def purge(self, today: date) -> list[str]:
        """Remove what is over; which cases. Their lines in the journal go with its own year."""
        gone = [case.id for case in self._each() if case.over(today)]
        for number in gone:
            for path in sorted(self.place(number).iterdir()):
                path.unlink()
            self.place(number).rmdir()
        return gone

    def _each(self) -> Iterator[Case]:
        for path in sorted(self._folder.iterdir()):
            with suppress(FileNotFoundError):
                yield self._read(path.name)

    def _read(self, number: str) -> Case:
        said = json.loads((self.place(number) / "case.json").read_text("utf-8"))
        return Case(**{one.name: str(said[one.name]) for one in fields(Case)})
