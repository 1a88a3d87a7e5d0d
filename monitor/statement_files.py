"""A statement as CSV and as PDF, and the rates from their YAML file."""

import csv
from datetime import date
from decimal import Decimal
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, model_validator

from monitor.astreinte import UNITS, WORKWEEK, Rates
from monitor.statement import Statement, hours
from parvis.papers import harmless, pdf
from parvis.settings import Frozen


class RatesFaulty(Exception):
    """The file of rates cannot be used; its words say where and why. Who keeps it must act."""


def _all_units(worth: dict[str, Decimal]) -> dict[str, Decimal]:
    if {*worth, WORKWEEK} != set(UNITS):
        raise ValueError(f"must name {', '.join(UNITS)} ({WORKWEEK} where the text has it)")
    return worth


OfUnits = Annotated[dict[str, Annotated[Decimal, Field(ge=0)]], AfterValidator(_all_units)]


class RatesEntry(Frozen):
    """One entry of the file, of one category. *seen*: where its figures were read, for who checks them."""

    since: date = Field(alias="from")
    text: str = Field(min_length=5)
    seen: str = Field(min_length=5)
    confirmed: bool = True
    units: OfUnits
    rest: OfUnits | None = None
    notice_days: int = Field(ge=0)
    clear_days: bool = False
    short_notice: Decimal = Field(ge=0)

    @model_validator(mode="after")
    def _same_units(self) -> Self:
        if self.rest is not None and set(self.rest) != set(self.units):
            raise ValueError("rest must name what units names")
        return self


def rates(path: Path | None = None) -> list[Rates]:
    """The rates of the file at *path*, else those that come with Parvis; RatesFaulty."""
    name = str(path or "rates.yml")
    try:
        text = path.read_text("utf-8") if path else (files("monitor") / "rates.yml").read_text("utf-8")
        found = TypeAdapter(dict[str, list[RatesEntry]]).validate_python(yaml.safe_load(text))
    except (OSError, yaml.YAMLError) as error:
        raise RatesFaulty(f"{name}: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise RatesFaulty(f"{name}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return [
        Rates(
            category,
            one.since,
            one.units,
            one.notice_days,
            one.short_notice,
            one.text,
            one.clear_days,
            one.confirmed,
            one.rest or {},
        )
        for category, entries in found.items()
        for one in entries
    ]


def as_csv(made: Statement) -> str:
    """Semicolons, as French spreadsheets read it; one part after the other."""
    out = StringIO()
    write = csv.writer(out, delimiter=";").writerow
    write(("agent", made.person, f"{made.month:%Y-%m}"))
    write(("astreinte", "du", "au", "annoncée tard"))
    for duty in made.duties:
        write(("", _at(duty.starts), _at(duty.ends), "oui" if duty.short_notice else ""))
    write(("intervention", "appelé", "du", "au", "retour", "trajet", "sur place", "incident", "note", "résultat"))
    for one in made.sheets:
        place = "oui" if one.on_site else ""
        instants = (_at(one.called) if one.called else "", _at(one.starts), _at(one.ends), _at(one.home))
        words = (harmless(one.note), harmless(one.result))
        write(("", *instants, hours(one.travel), place, one.incident or "", *words))
    write(("total", "nombre", "remarque"))
    for row in made.rows():
        write(row)
    for text in made.warnings:
        write(("repos", text))
    return out.getvalue()


def as_pdf(made: Statement, town: str) -> bytes:
    """One or more A4 pages, tagged with language and title."""
    return pdf(
        f"{town} : relevé d'astreinte {made.month:%m/%Y}, {made.person}",
        [
            (
                "",
                ("Astreinte du", "au", "annoncée tard"),
                [(_at(one.starts), _at(one.ends), "oui" if one.short_notice else "non") for one in made.duties],
            ),
            (
                "",
                ("Intervention du", "au", "trajet, note, résultat"),
                [
                    (_at(one.starts), _at(one.ends), f"{hours(one.travel)} {one.note} {one.result}".strip())
                    for one in made.sheets
                ],
            ),
            ("", ("Total", "Nombre", "Remarque"), made.rows()),
        ],
        [*made.warnings, "Relevé de travail, à vérifier ; il ne classe personne."],
    )


def _at(moment: object) -> str:
    return f"{moment:%d/%m/%Y %H:%M}"
