"""The data inventory, whole and checked: what is kept, why, on which legal basis, how long, where, and who reads it."""

from collections.abc import Iterator
from functools import cache
from typing import Annotated, Literal

import yaml
from pydantic import Field, model_validator

from parvis.kept import FILE
from parvis.settings import Frozen

Line = Annotated[str, Field(min_length=3, max_length=400)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")]
Place = Annotated[str, Field(pattern=r"^[a-z]+/[A-Za-z0-9_*./-]+$")]
"""Process, and the path below its state folder; ``*`` stands for anything."""
Level = Literal["négligeable", "faible", "limitée", "importante", "maximale"]
Module = Annotated[str, Field(pattern=r"^[a-z_]+/[a-z0-9_/]+\.py$")]


class Processing(Frozen):
    """A processing activity: one entry of the register (GDPR art. 30)."""

    title: Line
    purpose: Line
    people: Line
    categories: Line
    recipients: Line
    measures: tuple[Line, ...] = Field(min_length=1)


class Resident(Frozen):
    """What the notice says of a kind of data; without *kept* it says the number of days."""

    what: Line
    kept: Line | None = None


class Kind(Frozen):
    """A kind of data. See the head of the YAML file for the fields."""

    title: Line
    processing: Key
    basis: Key
    since: Line = Field(alias="from")
    readers: Line
    days: Annotated[int, Field(ge=0, le=3660)] | None = None
    when: Literal["remember"] | None = None
    """Kept only where the site's policy has this."""
    resident: Resident | None = None
    tables: dict[Annotated[str, Field(pattern=r"^[a-z]+\.[a-z_]+$")], tuple[str, ...]] = Field(default_factory=dict)
    age: Annotated[str, Field(pattern=r"^[a-z]+\.[a-z_]+\.[a-z_]+$")] | None = None
    files: tuple[Place, ...] = ()
    written_by: tuple[Module, ...] = ()
    memory: Line | None = None


class Risk(Frozen):
    """A risk to residents, as the impact assessment has it (GDPR art. 35)."""

    title: Line
    severity: Level
    likelihood: Level
    measures: Line
    rest: Level


class DataInventory(Frozen):
    """The whole file."""

    databases: dict[Key, Place]
    bases: dict[Key, Line]
    processings: dict[Key, Processing]
    kinds: dict[Key, Kind]
    risks: tuple[Risk, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _known(self) -> "DataInventory":
        for name, kind in self.kinds.items():
            if kind.processing not in self.processings:
                raise ValueError(f"{name}: no processing is called {kind.processing}")
            if kind.basis not in self.bases:
                raise ValueError(f"{name}: no legal basis is called {kind.basis}")
            if kind.resident and kind.resident.kept is None and not kind.days and kind.when is None:
                raise ValueError(f"{name}: the notice would not say how long it is kept; write days or resident.kept")
        return self

    def of(self, processing: str) -> dict[str, Kind]:
        """The kinds of data of one processing, by name."""
        return {name: kind for name, kind in self.kinds.items() if kind.processing == processing}

    def texts(self) -> Iterator[str]:
        """Every French text that the residents' pages show, in the order of the file."""
        wifi = self.processings["wifi"]
        yield from (wifi.purpose, wifi.categories, wifi.recipients)
        for kind in self.kinds.values():
            if kind.resident:
                yield from (kind.title, kind.resident.what, self.bases[kind.basis])
                yield from [kind.resident.kept] if kind.resident.kept else []


@cache
def data_inventory() -> DataInventory:
    """The inventory that comes with Parvis; pydantic's ValidationError says what is wrong with it."""
    return DataInventory.model_validate(yaml.safe_load(FILE.read_text("utf-8")))
