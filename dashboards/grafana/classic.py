"""Dashboards as classic JSON (schema 42), which Grafana 10 to 13 read from files."""

import json
from collections.abc import Iterable
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, dashboard

from dashboards.grafana.annotations import ANNOTATIONS, Annotation
from dashboards.grafana.drawing import HEIGHTS, USUAL_HEIGHT, drawn
from dashboards.grafana.links import TAG, menu
from dashboards.grafana.speech import Speech, speech
from dashboards.panel import Board
from dashboards.words import Language, Words

COLUMNS = 24
SOURCE = Words("Source", "Source")
LEVELS = ("wifi-l0", "wifi-l1", "wifi-l2", "wifi-l3")
"""The tag of each level: the wall, sites, single equipment, raw figures."""


def classic(board: Board, language: Language, timezone: str, source: str = "prometheus") -> str:
    """The file of *board*."""
    made = JSONEncoder(sort_keys=True, indent=1).encode(built(board, language, timezone, source))
    return json.dumps(json.loads(made), sort_keys=True, indent=1, ensure_ascii=False) + "\n"


def built(board: Board, language: Language, timezone: str, source: str) -> dashboard.Dashboard:
    """*board* as the SDK's dashboard."""
    says = speech(source)
    return dashboard.Dashboard(
        uid=board.uid,
        title=board.title.said(language),
        description=board.purpose.said(language),
        tags=[TAG, LEVELS[board.level]],
        timezone=timezone,
        editable=False,
        graph_tooltip=dashboard.DashboardCursorSync.CROSSHAIR,
        time=dashboard.DashboardDashboardTime(from_val=board.since, to=board.until),
        refresh=board.refresh,
        links=[menu(language)],
        templating=dashboard.DashboardDashboardTemplating(list_val=_variables(board, says, language)),
        annotations=dashboard.AnnotationContainer(
            list_val=[_annotation(one, language) for one in ANNOTATIONS] if says.annotates else []
        ),
        panels=list(panels(board, says, language)),
    )


def panels(board: Board, says: Speech, language: Language) -> Iterable[dashboard.Panel]:
    """Every panel in its place, with its queries."""
    top = 0
    for row in board.rows:
        left, tallest = 0, 0
        free = COLUMNS - sum(panel.width for panel in row)
        open_ended = sum(not panel.width for panel in row)
        for panel in row:
            width = panel.width or free // open_ended
            height = panel.height or HEIGHTS.get(panel.kind, USUAL_HEIGHT)
            made = drawn(panel, board, language)
            made.grid_pos = dashboard.GridPos(h=height, w=width, x=left, y=top)
            made.targets = [*says.targets(panel, language)] or None
            made.datasource = says.datasource if panel.queries else None
            left, tallest = left + width, max(tallest, height)
            yield made
        top += tallest


def _variables(board: Board, says: Speech, language: Language) -> list[dashboard.VariableModel]:
    chosen = dashboard.VariableModel(
        type_val=dashboard.VariableType.DATASOURCE, name="ds", label=SOURCE.said(language), query=says.plugin
    )
    return [chosen, *(_variable(board, place, says, language) for place in range(len(board.variables)))]


def _variable(board: Board, place: int, says: Speech, language: Language) -> dashboard.VariableModel:
    """One or several or all; the choices of a variable lie within those of the ones before it."""
    variable = board.variables[place]
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name=variable.name,
        label=variable.title.said(language),
        datasource=says.datasource,
        query=says.choices(variable),
        current=dashboard.VariableOption(selected=True, text="All", value="$__all"),
        refresh=dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=dashboard.VariableSort.ALPHABETICAL_ASC,
        multi=True,
        include_all=True,
        all_value=says.everything if variable.open else None,
    )


def _annotation(one: Annotation, language: Language) -> dashboard.AnnotationQuery:
    return dashboard.AnnotationQuery(
        name=one.title.said(language),
        datasource=common.DataSourceRef(type_val="prometheus", uid="${ds}"),
        enable=one.shown,
        hide=False,
        icon_color=one.colour,
        expr=one.expr,
        title_format=one.title.said(language),
        text_format=one.text,
        tag_keys=",".join(one.tags),
        step="60s",
    )


def as_json(built_one: Any) -> Any:
    """What Grafana will read, as plain values."""
    return json.loads(JSONEncoder(sort_keys=True).encode(built_one))
