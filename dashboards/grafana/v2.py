"""Dashboards in Grafana's schema v2, from the same panels: what a compiler can check of them is checked there.

Grafana 12 warns against v2 in production, so classic JSON is what is shipped.
"""

from typing import Any

from dashboards.grafana.classic import as_json, built
from dashboards.panel import Board
from dashboards.words import Language

API = "dashboard.grafana.app/v2"


def v2(board: Board, language: Language, timezone: str) -> dict[str, Any]:
    """*board* as a resource of Grafana 13."""
    made = as_json(built(board, language, timezone, "prometheus"))
    spec = {
        "title": made["title"],
        "description": made["description"],
        "tags": made["tags"],
        "editable": False,
        "cursorSync": "Crosshair",
        "preload": False,
        "liveNow": False,
        "links": [{"icon": "external link", "tooltip": "", "url": "", **link} for link in made["links"]],
        "timeSettings": _time(made),
        "variables": [_variable(one) for one in made["templating"]["list"]],
        "annotations": [_annotation(one) for one in made["annotations"]["list"]],
        "elements": {f"panel-{one['id']}": _panel(one) for one in made["panels"]},
        "layout": {"kind": "GridLayout", "spec": {"items": [_item(one) for one in made["panels"]]}},
    }
    return {"apiVersion": API, "kind": "Dashboard", "metadata": {"name": board.uid}, "spec": spec}


def _time(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "timezone": made["timezone"],
        "from": made["time"]["from"],
        "to": made["time"]["to"],
        "autoRefresh": made["refresh"],
        "autoRefreshIntervals": ["30s", "1m", "5m", "15m"],
        "hideTimepicker": False,
        "fiscalYearStartMonth": 0,
    }


def _query(source: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    asked = {key: value for key, value in spec.items() if key not in {"datasource", "refId"}}
    return {
        "kind": "DataQuery",
        "group": source["type"],
        "version": "v0",
        "datasource": {"name": source["uid"]},
        "spec": asked,
    }


def _variable(one: dict[str, Any]) -> dict[str, Any]:
    shared = {"name": one["name"], "label": one["label"], "hide": "dontHide", "skipUrlSync": False}
    if one["type"] == "datasource":
        spec = {
            **shared,
            "pluginId": one["query"],
            "refresh": "onDashboardLoad",
            "regex": "",
            "current": {"text": "", "value": ""},
            "options": [],
            "multi": False,
            "includeAll": False,
            "allowCustomValue": False,
        }
        return {"kind": "DatasourceVariable", "spec": spec}
    spec = {
        **shared,
        "current": {"text": one["current"]["text"], "value": one["current"]["value"]},
        "refresh": "onTimeRangeChanged",
        "query": _query(one["datasource"], one["query"]),
        "regex": "",
        "sort": "alphabeticalAsc",
        "options": [],
        "multi": one["multi"],
        "includeAll": one["includeAll"],
        **({"allValue": one["allValue"]} if "allValue" in one else {}),
        "allowCustomValue": True,
    }
    return {"kind": "QueryVariable", "spec": spec}


def _annotation(one: dict[str, Any]) -> dict[str, Any]:
    texts = {"titleFormat": one["titleFormat"], "textFormat": one["textFormat"], "tagKeys": one["tagKeys"]}
    spec = {
        "name": one["name"],
        "enable": one["enable"],
        "hide": one["hide"],
        "iconColor": one["iconColor"],
        "query": _query(one["datasource"], {"expr": one["expr"], "step": one["step"]}),
        "legacyOptions": texts,
    }
    return {"kind": "AnnotationQuery", "spec": spec}


def _panel(one: dict[str, Any]) -> dict[str, Any]:
    queries = [
        {
            "kind": "PanelQuery",
            "spec": {"refId": asked["refId"], "hidden": False, "query": _query(asked["datasource"], asked)},
        }
        for asked in one.get("targets", ())
    ]
    options = {"timeFrom": one["timeFrom"]} if "timeFrom" in one else {}
    transformations = [
        {"kind": "Transformation", "group": made["id"], "spec": {"options": made["options"]}}
        for made in one.get("transformations", ())
    ]
    data = {"queries": queries, "transformations": transformations, "queryOptions": options}
    drawn = {"fieldConfig": one["fieldConfig"], "options": one["options"]}
    spec = {
        "id": one["id"],
        "title": one["title"],
        "description": one["description"],
        "transparent": one["transparent"],
        "links": [{"title": link["title"], "url": link["url"]} for link in one.get("links", ())],
        "data": {"kind": "QueryGroup", "spec": data},
        "vizConfig": {"kind": "VizConfig", "group": one["type"], "version": "", "spec": drawn},
    }
    return {"kind": "Panel", "spec": spec}


def _item(one: dict[str, Any]) -> dict[str, Any]:
    place = one["gridPos"]
    named = {"kind": "ElementReference", "name": f"panel-{one['id']}"}
    spec = {"x": place["x"], "y": place["y"], "width": place["w"], "height": place["h"], "element": named}
    return {"kind": "GridLayoutItem", "spec": spec}
