"""Everything generated from the town, by every room: what ``parvis plan`` compares and deployment writes.

A room registers ``outputs(town) -> {name: text}`` under the entry-point group parvis.outputs and
``faults(town) -> list[Fault]`` under parvis.checks. A name reads like a path: ``gateway/gw-msp/nftables.nft``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from importlib.metadata import entry_points
from typing import Literal

from parvis.inventory import Fault, Town

Generate = Callable[[Town], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One output that differs; *lines* is its unified diff."""

    name: str
    verb: Literal["added", "changed", "removed"]
    lines: tuple[str, ...]


def generate(town: Town) -> dict[str, str]:
    """Every output of every room, by name; two rooms giving one name is a ValueError."""
    made: dict[str, str] = {}
    for entry in sorted(entry_points(group="parvis.outputs"), key=lambda e: e.name):
        produce: Generate = entry.load()
        for name, text in produce(town).items():
            if name in made:
                raise ValueError(f"two rooms generate {name}; the second is {entry.name}")
            made[name] = text
    return made


def checks() -> list[Callable[[Town], list[Fault]]]:
    """The rooms' own checks."""
    return [entry.load() for entry in sorted(entry_points(group="parvis.checks"), key=lambda e: e.name)]


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    """What differs between two sets of outputs, by name.

    >>> [(d.name, d.verb) for d in differences({"a": "1", "b": "1"}, {"b": "2", "c": "1"})]
    [('a', 'removed'), ('b', 'changed'), ('c', 'added')]
    """
    return [
        _difference(name, before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _difference(name: str, old: str | None, new: str | None) -> Difference:
    verb: Literal["added", "changed", "removed"] = "added" if old is None else "removed" if new is None else "changed"
    lines = unified_diff(
        (old or "").splitlines(), (new or "").splitlines(), f"before/{name}", f"after/{name}", lineterm="", n=1
    )
    return Difference(name, verb, tuple(lines))
