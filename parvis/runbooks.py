"""The runbooks of docs/06-runbooks.md as values: what pages and letters show to whoever is on call."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

PATH = "/runbooks/"
FIRST = ("Vérifier en 2 minutes", "Réparer")
"""What is done first, at night and by telephone."""
_SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
_PART = re.compile(r"\*\*([^*]+?)\.\*\* (.*?)(?=\n\n|\Z)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Runbook:
    """What to do about the alert called *name*. *parts*: (title, text), in French; code stands between backticks."""

    name: str
    parts: tuple[tuple[str, str], ...]

    @property
    def first(self) -> tuple[tuple[str, str], ...]:
        """The parts of :data:`FIRST`."""
        return tuple(part for part in self.parts if part[0] in FIRST)


@cache
def runbooks() -> Mapping[str, Runbook]:
    """Every runbook by its alert's name, in the order of the file.

    >>> [title for title, _ in runbooks()["LienCoupe"].first]
    ['Vérifier en 2 minutes', 'Réparer']
    """
    text = (files("parvis") / "runbooks.md").read_text("utf-8")
    return {name: Runbook(name, _parts(section)) for name, section in _SECTION.findall(text)}


def runbook(name: str) -> str:
    """Where the monitor shows the runbook of the alert called *name*."""
    return f"{PATH}{name}"


def of(address: str) -> Runbook | None:
    """The runbook *address* leads to; None where it leads elsewhere."""
    return runbooks().get(address.removeprefix(PATH)) if address.startswith(PATH) else None


def _parts(section: str) -> tuple[tuple[str, str], ...]:
    return tuple((title, " ".join(text.split())) for title, text in _PART.findall(section))
