"""Every file Grafana is provisioned with, by name: dashboards, folders, datasources."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import yaml

from dashboards.catalogue import BOARDS, by_uid
from dashboards.grafana.classic import classic
from dashboards.influx import is_written
from dashboards.panel import Board, Panel
from dashboards.ports import PRODUCTION, Ports
from dashboards.query import Query, Select
from dashboards.rules import HEADER
from dashboards.words import Language
from parvis.inventory import Town

SOURCES = ("prometheus", "influx", "influx-sql")
FOLDER = "Wi-Fi public"
BOARDS_FOLDER = f"dashboards/{FOLDER}"
PLACE = "/etc/grafana/parvis"
"""Where deployment puts the dashboards; Grafana is told to read them there."""
DATA_AGE = "snmp_data_age_seconds"
FEWEST_PANELS = 5
"""A board of which less is left for InfluxDB says nothing."""


def files(town: Town, language: Language, source: str = "prometheus", place: str = PLACE) -> dict[str, str]:
    """Name -> text. The names lie as Grafana wants them: ``provisioning/…`` and ``dashboards/FOLDER/…``."""
    made = {f"{BOARDS_FOLDER}/{board.uid}.json": text for board, text in boards(language, town.timezone, source)}
    made["provisioning/dashboards/parvis.yml"] = _providers(place)
    made["provisioning/datasources/parvis.yml"] = _datasources(source)
    return made


def boards(language: Language, timezone: str, source: str) -> Iterator[tuple[Board, str]]:
    """Each board there is for *source*, and its text."""
    for board in BOARDS:
        if source == "prometheus":
            yield board, classic(board, language, timezone, source)
        elif _is_there(board):
            yield board, classic(for_influx(board), language, timezone, source)


def for_influx(board: Board) -> Board:
    """What is left of *board* where only the collectors' figures are: whole panels, links to what is there."""
    rows = tuple(kept for row in board.rows if (kept := tuple(_without_link(one) for one in _told_of(row))))
    variables = tuple(one for one in board.variables if one.influx)
    below = by_uid().get(board.below)
    return replace(board, rows=rows, variables=variables, below=board.below if below and _is_there(below) else "")


def _told_of(row: Iterable[Panel]) -> Iterator[Panel]:
    """The panels of *row* that the collectors' figures fill; the age of the data is that of the newest of them."""
    for panel in row:
        if any(DATA_AGE in query.promql for query in panel.queries):
            yield replace(panel, queries=(Query(Select("snmp_up", how="age"), panel.queries[0].legend),))
        elif _is_told(panel):
            yield panel


def _is_there(board: Board) -> bool:
    return sum(len([*_told_of(row)]) for row in board.rows) >= FEWEST_PANELS


def _is_told(panel: Panel) -> bool:
    return all(isinstance(query.what, Select) and is_written(query.what) for query in panel.queries)


def _without_link(panel: Panel) -> Panel:
    return replace(panel, link="", width=0)


def _providers(place: str) -> str:
    provider = {
        "name": "parvis",
        "type": "file",
        "allowUiUpdates": False,
        "disableDeletion": False,
        "updateIntervalSeconds": 60,
        "options": {"path": f"{place}/dashboards", "foldersFromFilesStructure": True},
    }
    return _yaml({"apiVersion": 1, "providers": [provider]})


def _datasources(source: str, ports: Ports = PRODUCTION) -> str:
    """The town's own Prometheus and Alertmanager on the loopback; InfluxDB by variables, its token is a secret."""
    listed: list[Mapping[str, object]] = [
        {
            "name": "Parvis Prometheus",
            "uid": "parvis-prometheus",
            "type": "prometheus",
            "access": "proxy",
            "url": f"http://127.0.0.1:{ports.prometheus}",
            "isDefault": source == "prometheus",
            "jsonData": {"timeInterval": "15s", "httpMethod": "POST"},
        },
        {
            "name": "Parvis Alertmanager",
            "uid": "parvis-alertmanager",
            "type": "alertmanager",
            "access": "proxy",
            "url": f"http://127.0.0.1:{ports.alertmanager}",
            "jsonData": {"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
        },
    ]
    if source != "prometheus":
        kept = {"organization": "$PARVIS_INFLUX_ORG", "defaultBucket": "$PARVIS_INFLUX_BUCKET"}
        told = (
            {"version": "Flux", **kept} if source == "influx" else {"version": "SQL", "dbName": kept["defaultBucket"]}
        )
        listed.append(
            {
                "name": "Parvis InfluxDB",
                "uid": "parvis-influxdb",
                "type": "influxdb",
                "access": "proxy",
                "url": "$PARVIS_INFLUX_URL",
                "isDefault": True,
                "jsonData": told,
                "secureJsonData": {"token": "$PARVIS_INFLUX_TOKEN"},
            }
        )
    return _yaml({"apiVersion": 1, "datasources": listed})


def _yaml(content: Mapping[str, object]) -> str:
    return HEADER.replace("parvis rules", "parvis dashboards") + yaml.safe_dump(
        content, sort_keys=False, allow_unicode=True, width=120
    )
