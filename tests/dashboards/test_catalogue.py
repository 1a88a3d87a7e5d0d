"""The panel catalogue: true to the metrics catalogue, lawful by the house rules, the same each time it is drawn."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import astuple
from pathlib import Path
from typing import Any

import generated
import promql_parser
import pytest
import yaml
from grafana_foundation_sdk.models import units
from rules_judged import selectors

from dashboards import spoken
from dashboards.catalogue import BOARDS, by_uid
from dashboards.every import VERDICTS
from dashboards.grafana import lint
from dashboards.grafana.annotations import ANNOTATIONS
from dashboards.grafana.classic import classic
from dashboards.grafana.files import boards, files, for_influx
from dashboards.grafana.units import UNITS
from dashboards.panel import Board, Panel, steps
from dashboards.query import Select
from dashboards.words import LANGUAGES, Language
from parvis.alerts import alerts
from parvis.catalogue import Levels, metrics
from parvis.inventory import Town
from parvis.runbooks import runbooks

WHO_TABLE = 13
ROOT = Path(__file__).parents[2]
IDS = Path(__file__).parent / "panel_ids.yml"
WORDS = ROOT / "monitor/web/words.yml"
OTHERS = frozenset(
    (
        "ALERTS",
        "alertmanager_silences",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "prometheus_rule_evaluation_failures_total",
        "prometheus_rule_group_last_duration_seconds",
        "prometheus_tsdb_head_samples_appended_total",
        "prometheus_tsdb_head_series",
        "up",
    )
)
"""Metrics that Prometheus, Alertmanager and the Python client bring along."""
SUFFIX = re.compile(r"_(bucket|sum|count)$")
each_board = pytest.mark.parametrize("board", BOARDS, ids=[board.uid for board in BOARDS])


def plain(text: str) -> str:
    """A query as Prometheus gets it, whatever the reader chose."""
    filled = re.sub(r"\$__(rate_interval|range|interval)\b", "1m", text).replace("$__range_s", "60")
    return re.sub(r"\$\w+", ".*", filled)


def queries(board: Board) -> Iterator[tuple[Panel, str]]:
    for panel in board.panels:
        yield from ((panel, plain(query)) for query in panel.promql)


def drawn(board: Board, language: Language = "fr") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(classic(board, language, "Europe/Paris"))
    return found


def test_what_is_committed_is_what_the_catalogue_says() -> None:
    assert generated.present() == generated.wanted(), "run script/dashboards"


@pytest.mark.parametrize("language", LANGUAGES)
@each_board
def test_a_board_keeps_the_house_rules(board: Board, language: Language) -> None:
    assert lint.faults(drawn(board, language)) == []


@pytest.mark.parametrize("source", ["influx", "influx-sql"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_drawn_for_influxdb_keeps_them_too(language: Language, source: str) -> None:
    drawn_there = [json.loads(text) for _, text in boards(language, "Europe/Paris", source)]
    ages = [
        [one["id"] for one in board["panels"] if "Âge" in one["title"] or "Age" in one["title"]]
        for board in drawn_there
    ]

    assert [fault for board in drawn_there for fault in lint.faults(board)] == []
    assert [len(found) for found in ages] == [1] * len(drawn_there), "the age of the data is everywhere"


@each_board
def test_every_query_is_promql_and_asks_only_for_metrics_that_exist(board: Board) -> None:
    for panel, text in queries(board):
        for name in selectors(promql_parser.parse(text)):
            assert name in OTHERS or SUFFIX.sub("", name) in metrics(), f"panel {panel.id} asks for {name}"


def test_every_annotation_asks_only_for_metrics_that_exist() -> None:
    names = set().union(*(selectors(promql_parser.parse(one.expr)) for one in ANNOTATIONS))

    assert names - OTHERS <= set(metrics())


@each_board
def test_labels_asked_for_are_labels_the_metric_has(board: Board) -> None:
    given = {"town", "site", "device", "job", "instance", "le"}
    for panel in board.panels:
        for query in panel.queries:
            if isinstance(query.what, Select):
                entry = metrics()[query.what.metric]
                known = set(entry.labels) | (
                    {"site", "device"} if entry.exposed_by in {"portal", "gatewayd"} else set()
                )
                assert {*query.what.by, *query.what.where} <= known, panel.id
            for label in re.findall(r"{{(\w+)}}", query.legend if isinstance(query.legend, str) else query.legend.fr):
                assert label in {name for one in metrics().values() for name in one.labels} | given | {"alertname"}


@each_board
def test_every_link_leads_to_a_board(board: Board) -> None:
    known = {one.uid for one in BOARDS}

    assert {panel.link for panel in board.panels} - {""} <= known


def links(drawn_board: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """(where it is, its address, whether it hangs on one line or row) of every link to a board."""
    for panel in drawn_board["panels"]:
        yield from ((panel["title"], one["url"], False) for one in panel.get("links", ()))
        told = panel["fieldConfig"]["defaults"].get("links", ()) if "fieldConfig" in panel else ()
        yield from ((panel["title"], one["url"], True) for one in told)


@each_board
def test_a_link_keeps_the_time_and_every_choice_the_board_below_knows(board: Board) -> None:
    choices = {one.uid: {variable.name for variable in one.variables} for one in BOARDS}
    for title, url, _ in links(drawn(board)):
        uid, _, words = url.removeprefix("/d/").partition("?")
        kept = set(re.findall(r"\$\{(\w+):queryparam\}", words)) | set(re.findall(r"var-(\w+)=", words))
        assert "${__url_time_range}" in words, title
        assert kept >= {"ds", *(choices[board.uid] & choices[uid])}, title


@each_board
def test_a_click_on_a_line_or_a_row_chooses_what_it_is_about(board: Board) -> None:
    """On an uplink's line: that uplink; never a choice the board below does not have."""
    choices = {one.uid: {variable.name for variable in one.variables} for one in BOARDS}
    about = {
        "site": {"site"},
        "device": {"borne"},
        "uplink": {"lien"},
        "target": {"lien"},
        "subject": {"borne", "lien"},
    }
    panels = {panel.title.fr: panel for panel in board.panels}
    for title, url, is_of_one in links(drawn(board)):
        if is_of_one:
            uid = url.removeprefix("/d/").partition("?")[0]
            chosen = set(re.findall(r"var-(\w+)=", url))
            told = [about.get(label, set()) & choices[uid] for label in panels[title].labels]
            assert chosen <= choices[uid], title
            assert all(chosen & one for one in told if one), title


def test_a_click_on_an_uplink_opens_that_uplink() -> None:
    (site,) = (board for board in BOARDS if board.uid == "wifi-site")
    urls = [url for _, url, is_of_one in links(drawn(site)) if is_of_one and url.startswith("/d/wifi-lien")]

    assert sum("var-lien=${__field.labels." in url for url in urls) >= 3, urls


def test_no_board_forgets_the_site_a_reader_has_chosen() -> None:
    """The drop-down passes on what the board itself knows."""
    assert [board.uid for board in BOARDS if "site" not in {one.name for one in board.variables}] == []


@each_board
def test_unit_and_limits_of_a_metric_come_from_the_catalogue(board: Board) -> None:
    for panel in board.panels:
        for figures in (panel, *panel.columns):
            if figures.of and not figures.levels:
                assert figures.steps == steps(metrics()[figures.of].levels)
            if figures.of:
                assert figures.of in metrics()
            assert not (figures.unit and figures.of), f"panel {panel.id} has a unit twice"


def test_every_board_shows_the_age_of_its_data() -> None:
    without = [board.uid for board in BOARDS if not any("snmp_data_age_seconds" in text for _, text in queries(board))]

    assert without == []


def test_s45_there_are_nine_dashboards_and_their_uids_stay() -> None:
    assert [board.uid.removeprefix("wifi-") for board in BOARDS] == [
        "ville", "site", "borne", "lien", "portail", "usage", "astreinte", "collecte", "sla",
    ]  # fmt: skip


def test_every_verdict_of_the_monitor_has_words() -> None:
    said = yaml.safe_load(WORDS.read_text("utf-8"))

    assert {f"verdict-{one}" for one in VERDICTS} == {key for key in said if key.startswith("verdict-")}


def test_every_unit_is_one_grafana_knows() -> None:
    known = {unit for unit in vars(units).values() if isinstance(unit, str)}

    assert [unit for unit in UNITS.values() if unit not in known and not unit.startswith("suffix:")] == []


@pytest.mark.parametrize("name", [name for name in vars(spoken) if name.isupper()])
def test_every_value_that_has_words_is_one_the_catalogue_names(name: str) -> None:
    values = set(getattr(spoken, name))
    helps = [entry.help for entry in metrics().values()]

    assert any(all(re.search(rf"\b{value}\b", text) for value in values) for text in helps), name


@each_board
def test_words_for_a_label_go_where_grafana_looks_for_them(board: Board) -> None:
    """A table's column, or a line whose only label is its name: nothing else can be called otherwise."""
    for panel in board.panels:
        for label in panel.names:
            legends = {query.legend for query in panel.queries}
            assert label in panel.keys or legends == {f"{{{{{label}}}}}"}, panel.id


def test_a_french_board_says_in_french_who_looks_after_an_incident() -> None:
    (table,) = (one for one in drawn(BOARDS[0])["panels"] if one["id"] == WHO_TABLE)
    (stat,) = (one for one in drawn(by_uid()["wifi-astreinte"])["panels"] if one["id"] == 3)
    column = next(one for one in table["fieldConfig"]["overrides"] if one["matcher"]["options"] == "État")
    renamed = {one["matcher"]["options"]: one["properties"][0] for one in stat["fieldConfig"]["overrides"]}

    assert column["properties"][0]["value"][0]["options"]["acknowledged"]["text"] == "pris en charge"
    assert renamed["open"] == {"id": "displayName", "value": "personne encore"}


def test_days_of_the_usual_week_are_named_and_the_fourth_is_no_masked_count() -> None:
    (usage,) = (board for board in BOARDS if board.uid == "wifi-usage")
    (week,) = (one for one in drawn(usage)["panels"] if one["id"] == 12)
    (heads,) = week["fieldConfig"]["overrides"]
    named = next(one["value"][0]["options"] for one in heads["properties"] if one["id"] == "mappings")

    assert heads["matcher"] == {"id": "byName", "options": r"weekday\hour"}
    assert [named[str(day)]["text"] for day in range(1, 8)][3:5] == ["jeudi", "vendredi"]
    assert week["fieldConfig"]["defaults"]["mappings"][0]["options"]["4"]["text"] == "< 5"


def test_a_fault_names_what_it_is_for_a_reader_of_english_as_of_french() -> None:
    for board in BOARDS:
        for panel in board.panels:
            for words in (panel.title, panel.answers, panel.silence, *(column.title for column in panel.columns)):
                assert bool(words.fr) == bool(words.en), f"{board.uid} {panel.id}"
            if panel.kind != "text":
                assert panel.answers.fr != panel.answers.en, f"{board.uid} {panel.id}"


def test_calls_and_tickets_are_drawn_whatever_the_alert_is_called() -> None:
    told = {severity for one in ANNOTATIONS for severity in re.findall(r'severity=~"([^"]+)"', one.expr)}
    severities = {alert.severity_at(kind) for alert in alerts().values() for kind in ("A", "B", "C")}

    assert severities <= {part for text in told for part in text.split("|")}
    assert all("alertname=" not in one.expr for one in ANNOTATIONS)


def of_kind(board: dict[str, Any], kind: str) -> dict[str, Any]:
    """The first panel that *kind* of plugin draws."""
    found: dict[str, Any] = next(panel for panel in board["panels"] if panel["type"] == kind)
    return found


def test_an_id_once_given_keeps_its_question() -> None:
    """Links lead to panels by id: one that is taken away is not given again, one that is added is written there."""
    known = yaml.safe_load(IDS.read_text("utf-8"))
    asked_now = {board.uid: {panel.id: panel.title.en for panel in board.panels} for board in BOARDS}

    assert {uid: {id_: known[uid].get(id_) for id_ in found} for uid, found in asked_now.items()} == asked_now


@each_board
def test_a_panel_never_leads_up_a_level(board: Board) -> None:
    level = {one.uid: one.level for one in BOARDS}

    assert [panel.id for panel in board.panels if level.get(panel.link, board.level) < board.level] == []
    assert not board.below or level[board.below] > board.level


BROKEN: dict[str, Callable[[dict[str, Any]], Any]] = {
    "editable": lambda board: board.update(editable=True),
    "more than 16": lambda board: board["panels"].extend(copy.deepcopy(board["panels"]) * 2),
    "tags": lambda board: board.update(tags=["wifi"]),
    "drop-down": lambda board: board.update(links=[]),
    "refreshes faster": lambda board: board.update(refresh="5s"),
    "id of its own": lambda board: board["panels"][1].pop("id"),
    "several and all": lambda board: board["templating"]["list"][1].update(multi=False),
    "variable ds": lambda board: board["templating"]["list"].pop(0),
    "what the board is for": lambda board: board["panels"].pop(0),
    "where figures come from": lambda board: board["panels"][0]["options"].update(content="See docs/."),
    "what to do": lambda board: board["panels"][1].update(description="How many access points answer, of all."),
    "it leads to no other": lambda board: board["panels"][1].pop("links"),
    "has limits in the catalogue": lambda board: (
        board["panels"][1]["targets"][0].update(expr='max by (direction) (optical_drift_db{site=~"$site"})')
        or board["panels"][1]["fieldConfig"]["defaults"]["thresholds"].update(steps=[{"color": "blue"}])
    ),
    "a line is red": lambda board: board["panels"][1]["fieldConfig"]["defaults"].update(
        color={"mode": "fixed", "fixedColor": "red"}
    ),
    "red and calls nobody": lambda board: board["annotations"]["list"][1].update(iconColor="red"),
    "as many rows as there are": lambda board: of_kind(board, "table").update(transformations=[]),
    "empty panel": lambda board: board["panels"][1]["fieldConfig"]["defaults"].pop("noValue"),
    "no unit": lambda board: board["panels"][1]["fieldConfig"]["defaults"].update(unit="percentunitt"),
    "another datasource": lambda board: board["panels"][1].update(datasource={"uid": "mine"}),
    "a query asks another": lambda board: board["panels"][1]["targets"][0]["datasource"].update(uid="mine"),
    "every Grafana has": lambda board: board["panels"][1].update(type="grafana-clock-panel"),
    "in colours only": lambda board: board["panels"][1].update(type="state-timeline"),
    "anew at every step": lambda board: board["panels"][1]["targets"][0].update(
        expr="topk(12, sum by (device) (snmp_up))", range=True
    ),
    "use topk": lambda board: board["panels"][1]["targets"][0].update(expr="sum by (device) (snmp_up)"),
    "have no names": lambda board: board["panels"][1]["targets"][0].update(
        expr="sum by (reason) (snmp_up)", legendFormat="__auto"
    ),
    "use $__rate_interval": lambda board: board["panels"][1]["targets"][0].update(
        expr="sum(rate(portal_errors_total[30s]))"
    ),
    "without words": lambda board: board["panels"][7]["fieldConfig"]["defaults"]["mappings"][0]["options"]["0"].pop(
        "text"
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_the_linter_notices(fault: str) -> None:
    board = drawn(BOARDS[0])
    BROKEN[fault](board)

    assert any(fault in found for found in lint.faults(board)), lint.faults(board)


def test_a_level_on_both_sides_has_no_colours_and_says_so() -> None:
    with pytest.raises(ValueError, match="both sides"):
        steps(Levels(warn="> 5", page="< 1"))


def test_influxdb_is_asked_only_for_what_the_collectors_write() -> None:
    for board in BOARDS:
        for panel in for_influx(board).panels:
            for query in panel.queries:
                assert isinstance(query.what, Select)
                assert metrics()[query.what.metric].exposed_by == "collectors"
                assert "lien" not in {one.name for one in for_influx(board).variables}


def test_grafana_is_told_where_everything_is(town: Town, tmp_path: Path) -> None:
    made = files(town, "en", "influx", "/srv/grafana")
    providers = yaml.safe_load(made["provisioning/dashboards/parvis.yml"])["providers"]
    sources = yaml.safe_load(made["provisioning/datasources/parvis.yml"])["datasources"]

    assert providers[0]["options"] == {"path": "/srv/grafana/dashboards", "foldersFromFilesStructure": True}
    assert providers[0]["allowUiUpdates"] is False
    assert [one["type"] for one in sources] == ["prometheus", "alertmanager", "influxdb"]
    assert [one["name"] for one in sources if one.get("isDefault")] == ["Parvis InfluxDB"]
    assert sources[2]["secureJsonData"] == {"token": "$PARVIS_INFLUX_TOKEN"}, "no secret is in a file"
    assert tmp_path.exists()


def test_what_a_board_says_of_runbooks_is_where_the_monitor_shows_them() -> None:
    told = [text for board in BOARDS for row in board.rows for panel in row for text in astuple(panel.answers)]
    named = {name for text in told for name in re.findall(r"`/runbooks/?(\w*)`", text)}

    assert [text for text in told if "06-runbooks" in text] == []
    assert named == {"", "ServicePasserelleArrete"}
    assert named - {""} <= set(runbooks())
