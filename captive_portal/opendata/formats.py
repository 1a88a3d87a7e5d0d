"""Rows as CSV, JSON, GeoJSON, Parquet and OpenStreetMap XML."""

import csv
import json
from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import Any
from xml.etree import ElementTree as ET

from captive_portal.opendata.datasets import Column, Row, datasets

ARROW = {"integer": "int64", "number": "float64", "boolean": "bool"}
"""Everything else is text."""


def as_csv(fields: Sequence[str], rows: Sequence[Row], delimiter: str = ",") -> str:
    """UTF-8, a header, decimal points, ``true`` and ``false``, nothing for None (RFC 4180)."""
    out = StringIO()
    write = csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerow
    write(fields)
    for row in rows:
        write([cell(row[name]) for name in fields])
    return out.getvalue()


def cell(value: Any) -> str:
    """A value as CSV has it.

    >>> cell((48.79, 2.33)), cell(True), cell(None), cell(0.5)
    ('48.79,2.33', 'true', '', '0.5')
    """
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def as_json(rows: Sequence[Row]) -> str:
    """A list of objects; a point is ``{lon, lat}``."""
    return json.dumps([plain(row) for row in rows], ensure_ascii=False, indent=1) + "\n"


def plain(row: Row) -> Row:
    """A row as JSON has it."""
    return {
        name: {"lon": value[1], "lat": value[0]} if isinstance(value, tuple) else value for name, value in row.items()
    }


def as_geojson(rows: Sequence[Row], point: str = "geo_point_2d") -> str:
    """A FeatureCollection (RFC 7946): longitude first, WGS 84."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [row[point][1], row[point][0]]} if row[point] else None,
            "properties": {name: value for name, value in row.items() if name != point},
        }
        for row in rows
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, indent=1) + "\n"


def as_parquet(name: str, rows: Sequence[Row]) -> bytes:
    """Apache Parquet, each field in its type; a point is the text of the CSV."""
    from arro3.core import Array, DataType, Schema, Table  # noqa: PLC0415 the extra "opendata", for this file only
    from arro3.core import Field as ArrowField  # noqa: PLC0415
    from arro3.io import write_parquet  # noqa: PLC0415

    columns, described = [], []
    for field, column in datasets()[name].fields_.items():
        kind = getattr(DataType, ARROW.get(column.type, "string"))()
        columns.append(Array([_arrow(column, row[field]) for row in rows], kind))
        described.append(ArrowField(field, kind, nullable=not column.required))
    out = BytesIO()
    write_parquet(Table.from_arrays(columns, schema=Schema(described)), out)
    return out.getvalue()


def _arrow(column: Column, value: Any) -> Any:
    if value is None or column.type in {"integer", "boolean"}:
        return value
    return float(value) if column.type == "number" else cell(value)


def as_osm(rows: Sequence[Row]) -> str:
    """Nodes with OpenStreetMap's tags, to be compared by a mapper; negative numbers are new nodes (ODA-09)."""
    root = ET.Element("osm", version="0.6", generator="parvis", upload="false")
    for number, row in enumerate((row for row in rows if row["geo_point_2d"]), 1):
        latitude, longitude = row["geo_point_2d"]
        node = ET.SubElement(root, "node", id=str(-number), lat=str(latitude), lon=str(longitude), visible="true")
        tags = {
            "internet_access": "wlan",
            "internet_access:fee": "no",
            "internet_access:ssid": row["ssid"],
            "name": row["nom_site"],
            "opening_hours": row["horaires"],
            "wheelchair": {True: "yes", False: "no", None: None}[row["pmr"]],
        }
        for key, value in tags.items():
            if value:
                ET.SubElement(node, "tag", k=key, v=value)
    ET.indent(root, " ")
    return ET.tostring(root, "unicode", xml_declaration=True) + "\n"
