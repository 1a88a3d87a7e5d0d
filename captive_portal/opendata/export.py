"""The export folder: every dataset in every format, schemas, catalogue, map page, notice. What is in it is public."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from captive_portal.opendata.datasets import (
    AVAILABILITY,
    LICENCE,
    LICENCE_URL,
    SITES,
    USAGE,
    Row,
    datasets,
    table_schema,
)
from captive_portal.opendata.dcat import RDF_FORMATS, catalogue
from captive_portal.opendata.formats import as_csv, as_geojson, as_json, as_osm, as_parquet
from captive_portal.opendata.map_page import PAGES, page
from captive_portal.opendata.sites import PARIS, under_paris_names
from parvis.durable import write_whole
from parvis.inventory import OpenData, Town

PARIS_NAME = f"{SITES}-noms-paris"
Rows = Mapping[str, Sequence[Row]]
"""Dataset -> its rows."""


def contents(town: Town, data: OpenData, rows: Rows, issued: date, today: date) -> dict[str, bytes]:
    """Every file of the folder by its name; the same rows on the same day make the same bytes."""
    made: dict[str, bytes] = {}
    for name in datasets():
        made |= _dataset(name, rows[name], data.page)
    made |= _sites(town, rows[SITES], today)
    endings = {name: [end for end in ("csv", "json", "geojson", "parquet") if f"{name}.{end}" in made] for name in rows}
    graph = catalogue(town, data, endings, issued, today)
    for ending, kind in RDF_FORMATS.items():
        made[f"catalog.{ending}"] = graph.serialize(format=kind, encoding="utf-8")
    made["README.txt"] = _notice(town, data, today).encode()
    return made


def _dataset(name: str, rows: Sequence[Row], page_url: str) -> dict[str, bytes]:
    fields = list(datasets()[name].fields_)
    return {
        f"{name}.csv": as_csv(fields, rows).encode(),
        f"{name}.semicolon.csv": as_csv(fields, rows, ";").encode(),
        f"{name}.json": as_json(rows).encode(),
        f"{name}.parquet": as_parquet(name, rows),
        f"{name}.schema.json": (json.dumps(table_schema(name, page_url), ensure_ascii=False, indent=1) + "\n").encode(),
    }


def _sites(town: Town, rows: Sequence[Row], today: date) -> dict[str, bytes]:
    paris = under_paris_names(rows)
    maps = {
        file: page(rows, town.title.fr, town.contact.email, today.isoformat(), language).encode()
        for language, file in PAGES.items()
    }
    return maps | {
        f"{SITES}.geojson": as_geojson(rows).encode(),
        f"{SITES}.osm": as_osm(rows).encode(),
        f"{PARIS_NAME}.csv": as_csv(list(PARIS.values()), paris, ";").encode(),
        f"{PARIS_NAME}.json": as_json(paris).encode(),
    }


def _notice(town: Town, data: OpenData, today: date) -> str:
    """What Licence Ouverte 2.0 wants reused with the data: the source, and the day of the last update."""
    lines = [
        f"Wi-Fi public, {data.commune} : données ouvertes",
        "",
        f"Source : {town.title.fr}",
        f"Dernière mise à jour : {today.isoformat()}",
        f"Licence : {LICENCE}, {LICENCE_URL}",
        "Vous pouvez réutiliser ces données librement en citant la source et la date de mise à jour.",
        "",
        f"{USAGE} : aucun nombre en dessous de 11 appareils ; nombres arrondis ; un mois publié ne change plus.",
        f"{AVAILABILITY} : part du temps mesuré.",
        "",
        "Jeux de données :",
        *(f"- {name} : {dataset.title}. {dataset.description}" for name, dataset in datasets().items()),
    ]
    return "\n".join(lines) + "\n"


def write(folder: Path, made: Mapping[str, bytes]) -> list[str]:
    """Write what is new or different, each file whole or not at all; the names of those."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, data in made.items():
        path = folder / name
        if path.exists() and path.read_bytes() == data:
            continue
        write_whole(path, data, 0o644)
        changed.append(name)
    return changed
