"""The house rules for dashboards, checked on what Grafana will read. No I/O.

A town may check dashboards of its own with it: what it finds is a list of sentences.
"""

import re
from collections.abc import Iterator
from typing import Any

from grafana_foundation_sdk.models import units

from dashboards.grafana.drawing import PLUGINS
from parvis.catalogue import metrics

MOST_PANELS = 16
WITHOUT_LINES = {"table", "geomap"}
SCRAPE_SECONDS = 15
SUFFIXES = {"s": 1, "m": 60, "h": 3600, "d": 86400}
UNITS = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")}
FEW_VALUES = {
    *("band", "bande", "by", "captive", "channel", "code", "direction", "family", "hour", "job", "kind", "language"),
    *("le", "level", "operator", "part", "person", "process", "reason", "result", "severity", "state", "version"),
    *("weekday", "which"),
}
"""Labels of which there are a dozen values at most, whatever the town's size."""
LOWEST_LEVEL = "wifi-l3"
_SENTENCE = re.compile(r"[.:;?!](?=\s|$)")
_ITSELF = re.compile(r"(?:(?:top|bottom)k\(\d+, )?(?:max|min)(?: by \([^)]*\))? \((\w+)(?:\{[^}]*\})?\)+")
"""A query that shows a metric's own values, which the metric's limits are about."""
_ALL_ALONG = re.compile(
    r"\((.+)\) and (?:top|bottom)k\(\d+, \w+_over_time\(\(\1\)\[\$__range:\$__interval\] @ end\(\)\)\)", re.DOTALL
)
"""The extremes of a query over the whole span shown: the same lines at each step."""
_ANEW = re.compile(r"\b(?:top|bottom)k\(")
_BY = re.compile(r"\bby *\(([^)]*)\)")
_WINDOW = re.compile(r"\b(rate|irate|increase|changes|resets|delta)\(")
_RANGE = re.compile(r"\[([^\]:]+)[\]:]")
_DURATION = re.compile(r"([0-9]+)([smhd])")


def faults(board: dict[str, Any]) -> list[str]:
    """What breaks a rule in *board* (classic JSON), each in one sentence that names the panel."""
    found = [*_of_board(board)]
    is_lowest = LOWEST_LEVEL in board.get("tags", ())
    for panel in board["panels"]:
        if panel["type"] != "text":
            faulty = [*_of(panel), *([] if is_lowest or _leads_on(panel) else ["it leads to no other dashboard"])]
            found += [f"{board['uid']}, panel {panel.get('id')} ({panel['title']}): {fault}" for fault in faulty]
    return found


def _leads_on(panel: dict[str, Any]) -> bool:
    return any(link["url"].startswith("/d/") for link in panel.get("links", ()))


def _of_board(board: dict[str, Any]) -> Iterator[str]:
    uid, panels = board["uid"], board["panels"]
    shown = [panel for panel in panels if panel["type"] != "row"]
    if len(shown) > MOST_PANELS:
        yield f"{uid}: {len(shown)} panels; no human keeps up with more than {MOST_PANELS}"
    if panels[0]["type"] != "text" or not all(word in panels[0]["options"]["content"] for word in ("docs/", "Source")):
        yield f"{uid}: the first panel says what the board is for, where figures come from and where the docs are"
    if board.get("editable", True):
        yield f"{uid}: what is generated is not edited in Grafana; say editable: false"
    if not {"wifi"} < set(board.get("tags", ())):
        yield f"{uid}: the tags are wifi and the level"
    if not any(link["asDropdown"] and link["includeVars"] and link["keepTime"] for link in board.get("links", ())):
        yield f"{uid}: no drop-down to the other boards that keeps choices and time"
    if _seconds(board.get("refresh", "0s")) < SCRAPE_SECONDS:
        yield f"{uid}: it refreshes faster than figures arrive ({SCRAPE_SECONDS} s)"
    ids = [panel.get("id") for panel in panels]
    if None in ids or len(set(ids)) < len(ids):
        yield f"{uid}: every panel has an id of its own, for links lead to it"
    choices = [one for one in board["templating"]["list"] if one["type"] == "query"]
    yield from (f"{uid}: ${one['name']} is not several and all" for one in choices if not _many(one))
    if not any(one["type"] == "datasource" and one["name"] == "ds" for one in board["templating"]["list"]):
        yield f"{uid}: no variable ds to choose the datasource"
    yield from _annotation_faults(board)


def _annotation_faults(board: dict[str, Any]) -> Iterator[str]:
    for one in board["annotations"]["list"]:
        if one["iconColor"] == "red" and 'severity=~"page' not in one["expr"]:
            yield f"{board['uid']}: annotation {one['name']} is red and calls nobody; red means act now"


def _many(variable: dict[str, Any]) -> bool:
    return bool(variable.get("multi") and variable.get("includeAll"))


def _of(panel: dict[str, Any]) -> Iterator[str]:
    fields = panel["fieldConfig"]["defaults"]
    if panel["type"] not in PLUGINS.values():
        yield f"{panel['type']} is no panel that every Grafana has"
    if len(_SENTENCE.findall(panel.get("description", ""))) < len(("what it answers", "what to do")):
        yield "it does not say what it answers and what to do"
    if not fields.get("noValue"):
        yield "it does not say what an empty panel means"
    yield from _unit_faults(panel)
    if _is_always_red(panel):
        yield "a line is red whatever its value; red means act now"
    if panel["type"] == "state-timeline" and not fields.get("mappings"):
        yield "states in colours only, without words"
    for mapping in fields.get("mappings", ()):
        if not all(one.get("text") for one in mapping["options"].values()):
            yield "a colour without words"
    if panel.get("datasource", {}).get("uid") != "${ds}":
        yield "it asks another datasource than $ds"
    for place, target in enumerate(panel.get("targets", ())):
        yield from _query_faults(panel, target)
        yield from _limit_faults(panel, place, target.get("expr", ""))


def _is_always_red(panel: dict[str, Any]) -> bool:
    overrides = panel["fieldConfig"].get("overrides", ())
    chosen = [value["value"] for one in overrides for value in one["properties"] if value["id"] == "color"]
    colours = [panel["fieldConfig"]["defaults"].get("color", {}), *chosen]
    return any(one.get("mode") == "fixed" and one.get("fixedColor") == "red" for one in colours)


def _limit_faults(panel: dict[str, Any], place: int, asked: str) -> Iterator[str]:
    """A metric that has limits in the catalogue is never shown without their colours."""
    whole = _ALL_ALONG.fullmatch(asked)
    found = _ITSELF.fullmatch(whole[1] if whole else asked)
    entry = metrics().get(found[1]) if found else None
    if entry and (entry.levels.warn or entry.levels.page) and not _has_colours(panel, place):
        yield f"{entry.name} has limits in the catalogue and no colours here"


def _has_colours(panel: dict[str, Any], place: int) -> bool:
    configured = panel["fieldConfig"]
    if panel["type"] == "table" and configured.get("overrides"):
        return any(one["id"] in {"thresholds", "mappings"} for one in configured["overrides"][place]["properties"])
    return len(configured["defaults"]["thresholds"]["steps"]) > 1 or bool(configured["defaults"].get("mappings"))


def _unit_faults(panel: dict[str, Any]) -> Iterator[str]:
    overrides = panel["fieldConfig"].get("overrides", ())
    told = [value["value"] for one in overrides for value in one["properties"] if value["id"] == "unit"]
    if panel["type"] != "table":
        told.append(panel["fieldConfig"]["defaults"].get("unit", ""))
    yield from (f"{unit!r} is no unit of Grafana's" for unit in told if unit not in UNITS and "suffix:" not in unit)


def _query_faults(panel: dict[str, Any], target: dict[str, Any]) -> Iterator[str]:
    if target["datasource"]["uid"] != "${ds}":
        yield "a query asks another datasource than $ds"
    if "expr" not in target:
        return
    asked = target["expr"]
    is_cut = bool(_ANEW.search(asked)) or _is_cut(panel)
    labels = {label.strip() for text in _BY.findall(asked) for label in text.split(",") if label.strip()}
    if panel["type"] not in WITHOUT_LINES and labels - FEW_VALUES and not is_cut and not _is_one(asked):
        yield f"as many lines as there are {', '.join(sorted(labels - FEW_VALUES))}: more than twelve; use topk"
    if panel["type"] == "table" and labels - FEW_VALUES and not is_cut:
        yield f"as many rows as there are {', '.join(sorted(labels - FEW_VALUES))}; put the worst first and limit them"
    if target.get("range") and _ANEW.search(asked) and not _ALL_ALONG.fullmatch(asked):
        yield "it chooses the extremes anew at every step, and draws more than so many lines; choose them @ end()"
    if panel["type"] not in WITHOUT_LINES and labels and not _is_one(asked) and target["legendFormat"] == "__auto":
        yield "its lines have no names"
    for found in _WINDOW.finditer(asked):
        window = _RANGE.search(asked, found.end())
        if window and not _wide_enough(window[1]):
            yield f"{found[1]}() over [{window[1]}]: fewer than four scrapes; use $__rate_interval"


def _is_cut(panel: dict[str, Any]) -> bool:
    """Whether a table shows its worst rows only."""
    return {"sortBy", "limit"} <= {made["id"] for made in panel.get("transformations", ())}


def _is_one(asked: str) -> bool:
    """Whether the outermost aggregation leaves one line."""
    return bool(re.match(r"(sum|avg|min|max|count|quantile)\s*\((?!.*\) by)", asked)) and not asked.startswith("sum by")


def _wide_enough(window: str) -> bool:
    return window.startswith("$__") or _seconds(window) >= 4 * SCRAPE_SECONDS


def _seconds(text: str) -> int:
    found = _DURATION.fullmatch(text)
    return int(found[1]) * SUFFIXES[found[2]] if found else 0
