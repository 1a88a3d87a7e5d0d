"""How a query is put to each kind of datasource: Prometheus, InfluxDB 2 in Flux, InfluxDB 3 in SQL."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common, prometheus

from dashboards.influx import flux, flux_choices, sql, sql_choices
from dashboards.panel import INSTANT, Panel, Variable
from dashboards.query import Query, Select
from dashboards.words import Language

TABLES = {"table", "map", "matrix"}


class Speech(Protocol):
    """One kind of datasource."""

    plugin: str
    everything: str
    annotates: bool

    @property
    def datasource(self) -> common.DataSourceRef:
        """What ``$ds`` names."""

    def targets(self, panel: Panel, language: Language) -> Iterable[Dataquery]:
        """The queries of *panel*."""

    def choices(self, variable: Variable) -> Any:
        """What to ask for the choices of *variable*."""


def speech(source: str) -> Speech:
    """The datasource called *source*: prometheus, influx (Flux) or influx-sql."""
    known: Mapping[str, Speech] = {
        "prometheus": Prometheus(),
        "influx": Influx("flux"),
        "influx-sql": Influx("sql"),
    }
    return known[source]


def legend(query: Query, language: Language) -> str:
    """What the lines of *query* are called; *__auto* leaves it to Grafana."""
    return (query.legend if isinstance(query.legend, str) else query.legend.said(language)) or "__auto"


class Prometheus:
    """PromQL."""

    plugin = "prometheus"
    everything = ".*"
    annotates = True

    @property
    def datasource(self) -> common.DataSourceRef:
        """What ``$ds`` names."""
        return common.DataSourceRef(type_val=self.plugin, uid="${ds}")

    def targets(self, panel: Panel, language: Language) -> Iterable[Dataquery]:
        """The queries of *panel*."""
        for place, (query, asked) in enumerate(zip(panel.queries, panel.promql, strict=True)):
            now = panel.kind in INSTANT
            shape = "TABLE" if panel.kind in TABLES else "HEATMAP" if panel.kind == "heat" else "TIME_SERIES"
            yield prometheus.Dataquery(
                ref_id=chr(ord("A") + place),
                datasource=self.datasource,
                expr=asked,
                legend_format=legend(query, language),
                instant=now,
                range_val=not now,
                format_val=prometheus.PromQueryFormat[shape],
            )

    def choices(self, variable: Variable) -> Any:
        """What to ask for the choices of *variable*."""
        series = f"{variable.metric}{{{variable.matches}}}" if variable.matches else variable.metric
        return {"query": f"label_values({series}, {variable.label})", "refId": variable.name}


@dataclass
class InfluxQuery(Dataquery):
    """A query of Grafana's InfluxDB datasource, for which the SDK has no model."""

    ref_id: str
    datasource: common.DataSourceRef
    text: str
    is_sql: bool

    def to_json(self) -> dict[str, object]:
        """As Grafana's InfluxDB datasource writes it: Flux in ``query``, SQL in ``rawSql``."""
        asked: dict[str, object] = {"refId": self.ref_id, "datasource": self.datasource}
        if self.is_sql:
            return {**asked, "rawSql": self.text, "rawQuery": True, "format": "time_series"}
        return {**asked, "query": self.text}


@dataclass
class Influx:
    """InfluxDB, in one of its two languages. It holds what the collectors measured; nothing else is written to it."""

    language: str
    plugin: str = "influxdb"
    everything: str = ".*"
    annotates: bool = False

    @property
    def datasource(self) -> common.DataSourceRef:
        """What ``$ds`` names."""
        return common.DataSourceRef(type_val=self.plugin, uid="${ds}")

    def targets(self, panel: Panel, language: Language) -> Iterable[Dataquery]:
        """The queries of *panel*."""
        del language
        say = sql if self.language == "sql" else flux
        for place, query in enumerate(panel.queries):
            if isinstance(query.what, Select):
                text = say(query.what, now=panel.kind in INSTANT)
                yield InfluxQuery(chr(ord("A") + place), self.datasource, text, self.language == "sql")

    def choices(self, variable: Variable) -> Any:
        """What to ask for the choices of *variable*."""
        metric, label = variable.influx or ("", "")
        return sql_choices(metric, label) if self.language == "sql" else flux_choices(metric, label)
