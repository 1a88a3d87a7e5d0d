"""A read-only subset of Opendatasoft's Explore API v2.1 over the exported datasets, so that its clients work here."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, redirect, request, send_from_directory
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as AnyResponse

from captive_portal.opendata.datasets import LICENCE, LICENCE_URL, Row, datasets
from captive_portal.opendata.formats import as_csv, as_geojson, as_json, as_parquet, plain
from captive_portal.opendata.map_page import PAGES
from captive_portal.opendata.odsql import Malformed, grouped, known, ordered, select, where

ROOT = "/api/explore/v2.1/catalog/datasets"
MOST_ROWS, FARTHEST = 100, 10_000
"""Of one answer of ``records``; offset and limit together. Exports have no limit."""
DEFAULT_ROWS = 10
TYPES = {
    "string": "text",
    "integer": "int",
    "number": "double",
    "boolean": "boolean",
    "datetime": "datetime",
    "yearmonth": "text",
    "geopoint": "geo_point_2d",
}
EXPORTS = ("csv", "json", "geojson", "parquet")
PARAMETERS = {"select", "where", "group_by", "order_by", "limit", "offset", "refine", "exclude", "lang", "timezone"}
Rows = Mapping[str, Sequence[Row]]


class BadParameter(Malformed):
    """A parameter of the request is not one of the API's, or out of its bounds."""


def create_app(read: Callable[[], Rows], folder: Path, publisher: str) -> Flask:
    """The API, and beside it the files of the export *folder*; *read* gives the rows as they are now."""
    app = Flask(__name__, static_folder=None)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    routes: dict[str, Callable[..., AnyResponse]] = {
        ROOT: lambda: _catalogue(read(), publisher),
        f"{ROOT}/<name>": lambda name: jsonify(_described(name, _of(read(), name), publisher)),
        f"{ROOT}/<name>/records": lambda name: _records(name, _of(read(), name)),
        f"{ROOT}/<name>/facets": lambda name: _facets(name, _of(read(), name)),
        f"{ROOT}/<name>/exports": lambda name: _formats(name, _of(read(), name)),
        f"{ROOT}/<name>/exports/<kind>": lambda name, kind: _export(name, kind, _of(read(), name)),
        "/": lambda: redirect(f"/{PAGES['fr']}"),
        "/<path:file>": lambda file: send_from_directory(folder.resolve(), file),
    }
    for rule, answer in routes.items():
        app.add_url_rule(rule, rule, answer, methods=["GET"])
    app.register_error_handler(Malformed, _malformed)
    app.register_error_handler(HTTPException, _refused)
    app.after_request(_open_to_all)
    return app


def _open_to_all(response: Response) -> Response:
    """Any page may read public data (CORS); ours load nothing and are framed by nobody."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    return response


def _malformed(error: Exception) -> tuple[Response, int]:
    code = "InvalidRESTParameterError" if isinstance(error, BadParameter) else "ODSQLError"
    return jsonify({"message": str(error), "error_code": code}), 400


def _refused(error: HTTPException) -> tuple[Response, int]:
    code = error.code or 500
    return jsonify({"message": error.description, "error_code": f"HTTP{code}"}), code


def _of(rows: Rows, name: str) -> Sequence[Row]:
    if name not in rows:
        raise NotFound(f"The dataset '{name}' is not found")
    return rows[name]


def _catalogue(rows: Rows, publisher: str) -> AnyResponse:
    limit, offset = _bounds()
    all_ = [_described(name, found, publisher) for name, found in rows.items()]
    return jsonify({"total_count": len(all_), "results": all_[offset : offset + limit]})


def _described(name: str, rows: Sequence[Row], publisher: str) -> dict[str, Any]:
    dataset = datasets()[name]
    fields = [
        {"name": key, "label": one.title, "description": one.description, "type": TYPES[one.type], "annotations": {}}
        for key, one in dataset.fields_.items()
    ]
    default = {
        "title": dataset.title,
        "description": dataset.description,
        "keyword": list(dataset.keywords),
        "license": LICENCE,
        "license_url": LICENCE_URL,
        "language": "fr",
        "publisher": publisher,
        "records_count": len(rows),
    }
    return {
        "dataset_id": name,
        "dataset_uid": name,
        "attachments": [],
        "has_records": True,
        "data_visible": True,
        "features": ["analyze", *(["geo"] if any(one["type"] == "geo_point_2d" for one in fields) else [])],
        "metas": {"default": default},
        "fields": fields,
    }


def _bounds(*, unlimited: bool = False) -> tuple[int, int]:
    """``limit`` and ``offset``; -1: no limit, where that is allowed."""
    strange = set(request.args) - PARAMETERS
    if strange:
        raise BadParameter(f"Unknown parameter: {', '.join(sorted(strange))}")
    limit = _number("limit", -1 if unlimited else DEFAULT_ROWS)
    offset = _number("offset", 0)
    if not unlimited and not 0 <= limit <= MOST_ROWS:
        raise BadParameter(
            f"Invalid value for limit API parameter: {limit} was found but 0 <= limit <= 100 is expected."
        )
    if offset < 0 or (not unlimited and offset + limit > FARTHEST):
        raise BadParameter(f"Invalid value for offset API parameter: {offset}; offset + limit <= 10000 is expected.")
    return limit, offset


def _number(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    try:
        return int(text)
    except ValueError as error:
        raise BadParameter(f"Invalid value for {name} API parameter: {text!r} is no whole number.") from error


def _asked(name: str, rows: Sequence[Row]) -> list[Row]:
    """The results that the request's parameters ask for, all of them."""
    fields = list(datasets()[name].fields_)
    found = list(rows)
    for text in request.args.getlist("where"):
        test = where(text, fields)
        found = [row for row in found if test(row)]
    for word, wanted in (("refine", True), ("exclude", False)):
        for text in request.args.getlist(word):
            key, _, value = text.partition(":")
            known(key, fields)
            found = [row for row in found if (_facet(row[key]) == value.strip("\"'")) is wanted]
    by = [known(one.strip(), fields) for one in request.args.get("group_by", "").split(",") if one.strip()]
    picks, together = select(request.args.get("select") or (", ".join(by) if by else "*"), fields)
    groups = grouped(found, by) if by else [found] if together else [[row] for row in found]
    order = request.args.get("order_by")
    if by or together:
        results = [{key: pick(group) for key, pick in picks.items()} for group in groups]
        return ordered(results, order) if order else results
    sorted_ = ordered(found, order) if order else found
    return [{key: pick([row]) for key, pick in picks.items()} for row in sorted_]


def _records(name: str, rows: Sequence[Row]) -> AnyResponse:
    limit, offset = _bounds()
    found = _asked(name, rows)
    return jsonify({"total_count": len(found), "results": [plain(row) for row in found[offset : offset + limit]]})


def _facet(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _facets(name: str, rows: Sequence[Row]) -> AnyResponse:
    """How often each value of each text or boolean field occurs."""
    found = []
    for key, column in datasets()[name].fields_.items():
        if column.type not in {"string", "boolean", "yearmonth"}:
            continue
        counts: dict[str, int] = {}
        for row in rows:
            if row[key] is not None:
                counts[_facet(row[key])] = counts.get(_facet(row[key]), 0) + 1
        values = [
            {"name": value, "count": count, "state": "displayed", "value": value}
            for value, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
        ]
        found.append({"name": key, "facets": values})
    return jsonify({"links": [], "facets": found})


def _formats(name: str, _rows: Sequence[Row]) -> AnyResponse:
    links = [{"rel": kind, "href": f"{request.host_url.rstrip('/')}{ROOT}/{name}/exports/{kind}"} for kind in EXPORTS]
    return jsonify({"links": links})


def _export(name: str, kind: str, rows: Sequence[Row]) -> AnyResponse:
    if kind not in EXPORTS:
        raise NotFound(f"The format '{kind}' is not exported; there are {', '.join(EXPORTS)}")
    limit, offset = _bounds(unlimited=True)
    found = _asked(name, rows)
    found = found[offset:] if limit < 0 else found[offset : offset + limit]
    fields = list(found[0]) if found else list(datasets()[name].fields_)
    if kind == "csv":
        return Response("\ufeff" + as_csv(fields, found, ";"), content_type="text/csv; charset=utf-8")
    if kind == "json":
        return Response(as_json(found), content_type="application/json; charset=utf-8")
    if fields != list(datasets()[name].fields_) or (kind == "geojson" and "geo_point_2d" not in fields):
        raise BadParameter(f"the format {kind} is exported whole, of datasets that fit it; leave select out")
    if kind == "geojson":
        return Response(as_geojson(found), content_type="application/geo+json; charset=utf-8")
    return Response(as_parquet(name, found), content_type="application/vnd.apache.parquet")
