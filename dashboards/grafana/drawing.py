"""One panel of the catalogue as Grafana's: which plugin draws it, with which options, units, colours and words."""

from collections.abc import Iterator, Mapping
from typing import Any

from grafana_foundation_sdk.builders import common as build
from grafana_foundation_sdk.models import (
    bargauge,
    common,
    dashboard,
    geomap,
    heatmap,
    stat,
    statetimeline,
    statushistory,
    table,
    text,
    timeseries,
)

from dashboards.grafana.links import data_link, panel_link
from dashboards.grafana.units import unit
from dashboards.panel import MOST_ROWS, Board, Figures, Kind, Panel, Saying
from dashboards.words import Language, Words

PLUGINS: Mapping[Kind, str] = {
    "text": "text",
    "stat": "stat",
    "lines": "timeseries",
    "stack": "timeseries",
    "bars": "timeseries",
    "gauges": "bargauge",
    "table": "table",
    "states": "state-timeline",
    "grid": "status-history",
    "heat": "heatmap",
    "map": "geomap",
    "matrix": "table",
}
"""Grafana's own panels, nothing that has to be installed."""
HEIGHTS: Mapping[Kind, int] = {"text": 2, "stat": 4}
USUAL_HEIGHT = 8
COLOURS = {"grey": "#8e8e8e"}
"""Colours that have no name in Grafana."""
LAST = "lastNotNull"


def drawn(panel: Panel, board: Board, language: Language) -> dashboard.Panel:
    """*panel* without its queries and its place."""
    below = panel.link or (board.below if panel.queries else "")
    return dashboard.Panel(
        type_val=PLUGINS[panel.kind],
        id_val=panel.id,
        title=panel.title.said(language),
        description=panel.answers.said(language),
        transparent=panel.kind == "text",
        links=[panel_link(below, board, language)] if below else None,
        time_from=panel.since or None,
        hide_time_override=False if panel.since else None,
        options=_options(panel, language),
        field_config=_fields(panel, board, language),
        transformations=_transformations(panel, language),
        max_data_points=96 if panel.kind == "grid" else None,
    )


def colour(name: str) -> str:
    """Grafana's name of a colour."""
    return COLOURS.get(name, name)


def column_name(panel: Panel, place: int) -> str:
    """What Grafana calls the figures of the query at *place* of a table."""
    return "Value" if len(panel.queries) == 1 else f"Value #{chr(ord('A') + place)}"


def _options(panel: Panel, language: Language) -> object:
    """The plugin's own options."""
    legend = (
        build.VizLegendOptions()
        .display_mode(common.LegendDisplayMode.LIST)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(len(panel.queries) > 1 or bool(panel.labels))
        .calcs([])
        .build()
    )
    tooltip = build.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING).build()
    always = common.VisibilityMode.AUTO
    blue = heatmap.HeatmapColorOptions(scheme="Blues", steps=32)
    found: Mapping[Kind, object] = {
        "text": text.Options(mode=text.TextMode.MARKDOWN, content=panel.answers.said(language)),
        "stat": _tiles(panel),
        "gauges": bargauge.Options(
            display_mode=common.BarGaugeDisplayMode.BASIC,
            orientation=common.VizOrientation.HORIZONTAL,
            reduce_options=_newest(),
        ),
        "table": table.Options(cell_height=common.TableCellHeight.SM),
        "matrix": table.Options(cell_height=common.TableCellHeight.SM),
        "states": statetimeline.Options(show_value=always, merge_values=True, legend=legend, tooltip=tooltip),
        "grid": statushistory.Options(show_value=always, legend=legend, tooltip=tooltip),
        "heat": heatmap.Options(calculate=False, color=blue, cell_gap=1),
        "map": _map(),
    }
    return found.get(panel.kind) or timeseries.Options(legend=legend, tooltip=tooltip)


def _map() -> geomap.Options:
    """Dots where the query's latitude and longitude say, as large as the whole of them fits."""
    where = common.FrameGeometrySource(
        mode=common.FrameGeometrySourceMode.COORDS, latitude="latitude", longitude="longitude"
    )
    style = {"size": {"fixed": 9}, "color": {"field": "Value"}, "symbol": {"fixed": "img/icons/marker/circle.svg"}}
    dots = common.MapLayerOptions(type_val="markers", name="Sites", config={"style": style}, location=where)
    return geomap.Options(
        view=geomap.MapViewConfig(id_val="fit", all_layers=True, padding=10, zoom=15),
        basemap=common.MapLayerOptions(type_val="default", name="Basemap"),
        layers=[dots],
    )


def _newest() -> common.ReduceDataOptions:
    return build.ReduceDataOptions().calcs([LAST]).values(False).build()


def _tiles(panel: Panel) -> stat.Options:
    """Figures in large; named where there are several, lit where a colour means something."""
    named = len(panel.queries) > 1 or bool(panel.labels)
    return stat.Options(
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.BACKGROUND if panel.steps or panel.says else common.BigValueColorMode.VALUE,
        text_mode=common.BigValueTextMode.VALUE_AND_NAME if named else common.BigValueTextMode.VALUE,
        reduce_options=_newest(),
    )


def _fields(panel: Panel, board: Board, language: Language) -> dashboard.FieldConfigSource:
    is_table = panel.kind == "table"
    link = data_link(panel, board, language)
    low, high = panel.bounds
    known = panel.kind in {"gauges", "lines", "bars"} and panel.measure == "ratio"
    defaults = dashboard.FieldConfig(
        unit=None if is_table or panel.kind == "text" else unit(panel.measure),
        decimals=panel.decimals,
        min_val=low if known else 0 if panel.kind in {"stack", "bars"} else None,
        max_val=high if known else None,
        no_value=panel.silence.said(language),
        mappings=_mappings(panel.says, language),
        thresholds=_thresholds(panel),
        color=_colouring(panel),
        links=[link] if link else None,
        custom=_custom(panel),
    )
    overrides: list[Any] = [_override(column.title.said(language), column, language) for column in panel.columns]
    if panel.kind == "matrix":
        overrides.append(_heads(panel, language))
    elif panel.kind == "table":
        overrides += [_cells(panel, label, language) for label in panel.names]
    else:
        overrides += list(_lines(panel, language))
    return dashboard.FieldConfigSource(defaults=defaults, overrides=overrides)


def _colouring(panel: Panel) -> dashboard.FieldColor:
    if panel.kind in {"lines", "stack", "bars"}:
        return dashboard.FieldColor(mode=dashboard.FieldColorModeId.PALETTE_CLASSIC)
    if panel.kind == "matrix":
        return dashboard.FieldColor(mode=dashboard.FieldColorModeId.CONTINUOUS_BLUES)
    return dashboard.FieldColor(mode=dashboard.FieldColorModeId.THRESHOLDS)


def _thresholds(figures: Figures) -> dashboard.ThresholdsConfig:
    """Where there is no limit, one quiet colour: green would say that all is well."""
    listed = [dashboard.Threshold(value=step.at, color=colour(step.colour)) for step in figures.steps]
    quiet = [dashboard.Threshold(value=None, color="blue")]
    return dashboard.ThresholdsConfig(mode=dashboard.ThresholdsMode.ABSOLUTE, steps=listed or quiet)


def _mappings(says: Mapping[float, Saying], language: Language) -> list[dashboard.ValueMapping] | None:
    if not says:
        return None
    options = {
        f"{value:g}": dashboard.ValueMappingResult(
            text=saying.words.said(language), color=colour(saying.colour), index=place
        )
        for place, (value, saying) in enumerate(says.items())
    }
    return [dashboard.ValueMap(options=options)]


def _custom(panel: Panel) -> object:
    match panel.kind:
        case "lines" | "stack" | "bars":
            stacked = common.StackingMode.NORMAL if panel.kind == "stack" else common.StackingMode.NONE
            limit = common.GraphThresholdsStyleMode.DASHED if panel.steps else common.GraphThresholdsStyleMode.OFF
            return timeseries.FieldConfig(
                draw_style=common.GraphDrawStyle.BARS if panel.kind == "bars" else common.GraphDrawStyle.LINE,
                line_width=1,
                fill_opacity=30 if panel.kind == "stack" else 80 if panel.kind == "bars" else 0,
                show_points=common.VisibilityMode.NEVER,
                span_nulls=False,
                stacking=common.StackingConfig(mode=stacked, group="A"),
                thresholds_style=common.GraphThresholdsStyleConfig(mode=limit),
            )
        case "states":
            return statetimeline.FieldConfig(fill_opacity=80, line_width=0)
        case "grid":
            return statushistory.FieldConfig(fill_opacity=80, line_width=0)
        case "table":
            return table.FieldConfig(align=common.FieldTextAlignment.AUTO)
        case "matrix":
            lit = common.TableColoredBackgroundCellOptions(mode=common.TableCellBackgroundDisplayMode.BASIC)
            return table.FieldConfig(align=common.FieldTextAlignment.AUTO, cell_options=lit, min_width=36)
    return None


def _override(name: str, column: Figures, language: Language) -> Any:
    """A table's column has a unit, colours and words of its own."""
    properties = [dashboard.DynamicConfigValue("unit", unit(column.measure))]
    if column.decimals is not None:
        properties.append(dashboard.DynamicConfigValue("decimals", column.decimals))
    if mappings := _mappings(column.says, language):
        properties.append(dashboard.DynamicConfigValue("mappings", mappings))
    if column.steps or column.says:
        cell = common.TableColoredBackgroundCellOptions(mode=common.TableCellBackgroundDisplayMode.BASIC)
        properties.append(dashboard.DynamicConfigValue("custom.cellOptions", cell))
        properties.append(dashboard.DynamicConfigValue("thresholds", _thresholds(column)))
    matcher = dashboard.MatcherConfig(id_val="byName", options=name)
    return dashboard.DashboardFieldConfigSourceOverrides(matcher=matcher, properties=properties)


def _transformations(panel: Panel, language: Language) -> list[dashboard.DataTransformerConfig] | None:
    """One table of all queries, with headings in the reader's words and without the time of the answer."""
    if panel.kind == "map":
        numbers = [{"targetField": name, "destinationType": "number"} for name in ("latitude", "longitude")]
        return [dashboard.DataTransformerConfig(id_val="convertFieldType", options={"conversions": numbers})]
    if panel.kind == "matrix":
        return _crossed(*panel.keys)
    if panel.kind != "table":
        return None
    names = {key: words.said(language) for key, words in panel.keys.items()}
    names |= {column_name(panel, place): column.title.said(language) for place, column in enumerate(panel.columns)}
    order = {name: place for place, name in enumerate(names)}
    organized = {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": names}
    return [
        dashboard.DataTransformerConfig(id_val="merge", options={}),
        dashboard.DataTransformerConfig(id_val="organize", options=organized),
        *_worst(panel, language),
    ]


def _worst(panel: Panel, language: Language) -> Iterator[dashboard.DataTransformerConfig]:
    """The rows with the worst first figures, and not more of them than somebody looks through."""
    if panel.first:
        by = {"field": panel.columns[0].title.said(language), "desc": panel.first == "highest"}
        yield dashboard.DataTransformerConfig(id_val="sortBy", options={"fields": {}, "sort": [by]})
        yield dashboard.DataTransformerConfig(id_val="limit", options={"limitField": MOST_ROWS})


def _crossed(row: str, column: str) -> list[dashboard.DataTransformerConfig]:
    """A row for each value of one label and a column for each of the other, both in their order."""
    ordered = [
        dashboard.DataTransformerConfig(id_val="sortBy", options={"fields": {}, "sort": [{"field": name}]})
        for name in (row, column)
    ]
    options = {"rowField": row, "columnField": column, "valueField": "Value", "emptyValue": "null"}
    return [*ordered, dashboard.DataTransformerConfig(id_val="groupingToMatrix", options=options)]


def _cells(panel: Panel, label: str, language: Language) -> Any:
    """The column of *label*: what its values are called."""
    matcher = dashboard.MatcherConfig(id_val="byName", options=panel.keys[label].said(language))
    return dashboard.DashboardFieldConfigSourceOverrides(
        matcher=matcher, properties=[_named(panel.names[label], language)]
    )


def _named(spoken: Mapping[str, Words], language: Language) -> dashboard.DynamicConfigValue:
    options = {
        value: dashboard.ValueMappingResult(text=words.said(language), index=place)
        for place, (value, words) in enumerate(spoken.items())
    }
    return dashboard.DynamicConfigValue("mappings", [dashboard.ValueMap(options=options)])


def _lines(panel: Panel, language: Language) -> Iterator[Any]:
    """Lines told apart by one label alone have its value for a name, until they get another."""
    for spoken in panel.names.values():
        for value, words in spoken.items():
            called = dashboard.DynamicConfigValue("displayName", words.said(language))
            matcher = dashboard.MatcherConfig(id_val="byName", options=value)
            yield dashboard.DashboardFieldConfigSourceOverrides(matcher=matcher, properties=[called])


def _heads(panel: Panel, language: Language) -> Any:
    """The first column of a matrix: rows by their names, never read as figures."""
    plain = common.TableAutoCellOptions()
    row, _ = panel.keys
    properties = [
        _named(panel.names[row], language),
        dashboard.DynamicConfigValue("custom.cellOptions", plain),
    ]
    matcher = dashboard.MatcherConfig(id_val="byName", options="\\".join(panel.keys))
    return dashboard.DashboardFieldConfigSourceOverrides(matcher=matcher, properties=properties)
