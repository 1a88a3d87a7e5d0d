"""The datasets and their fields, read once and checked."""

from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, model_validator

from parvis.settings import Frozen

LICENCE = "Licence Ouverte / Open Licence 2.0 (Etalab)"
LICENCE_URL = "https://www.etalab.gouv.fr/licence-ouverte-open-licence"
SITES = "wifi-public-sites"
USAGE = "wifi-public-usages-mensuels"
AVAILABILITY = "wifi-public-disponibilite-mensuelle"
Kind = Literal["string", "integer", "number", "boolean", "datetime", "yearmonth", "geopoint"]
Row = dict[str, Any]
"""Field -> value; None: nothing to say. A geopoint is (latitude, longitude) in degrees."""


class Column(Frozen):
    """One field of a dataset."""

    type: Kind
    title: str
    description: str
    required: bool = False
    pattern: str | None = None
    enum: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None


class Dataset(Frozen):
    """One dataset. *key*: the fields by which a row is known. *periodicity*: of the EU's frequency list."""

    title: str
    description: str
    keywords: tuple[str, ...] = Field(min_length=1)
    periodicity: Literal["DAILY", "MONTHLY"]
    key: tuple[str, ...] = Field(min_length=1)
    fields_: Annotated[dict[str, Column], Field(alias="fields", min_length=1)]

    @model_validator(mode="after")
    def _key_is_there(self) -> "Dataset":
        if not all(self.fields_[name].required for name in self.key):
            raise ValueError("the key's fields are required fields")
        return self


@cache
def datasets() -> dict[str, Dataset]:
    """Every dataset by name."""
    said = yaml.safe_load((files("captive_portal") / "opendata/datasets.yml").read_text("utf-8"))
    return {name: Dataset.model_validate(one) for name, one in said.items()}


def table_schema(name: str, page: str) -> dict[str, Any]:
    """The Table Schema (Frictionless Data) of a dataset; *page*: where the export is to be read."""
    dataset = datasets()[name]
    return {
        "$schema": "https://specs.frictionlessdata.io/schemas/table-schema.json",
        "name": name,
        "title": dataset.title,
        "description": dataset.description,
        "path": f"{page}{name}.schema.json",
        "fields": [_field(key, column) for key, column in dataset.fields_.items()],
        "primaryKey": list(dataset.key),
        "missingValues": [""],
    }


def _field(name: str, column: Column) -> dict[str, Any]:
    limits: dict[str, Any] = {"required": column.required or None, "pattern": column.pattern, "enum": column.enum}
    limits |= {"minimum": column.minimum, "maximum": column.maximum}
    if column.type == "geopoint":  # Table Schema's own has the longitude first; this is Opendatasoft's
        limits["pattern"] = r"^-?[0-9]{1,2}\.[0-9]+,-?[0-9]{1,3}\.[0-9]+$"
    constraints = {key: list(v) if isinstance(v, tuple) else v for key, v in limits.items() if v is not None}
    kind = "string" if column.type == "geopoint" else column.type
    described = {"name": name, "type": kind, "title": column.title, "description": column.description}
    return described | ({"constraints": constraints} if constraints else {})
