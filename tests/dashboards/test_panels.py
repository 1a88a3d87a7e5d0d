"""Every panel on a real Prometheus that holds a played town, whatever the reader chooses: figures, bounds, lines."""

import re
from collections.abc import Iterator
from pathlib import Path

import promql_parser
import pytest
from panel_answers import Answer, Choices, Shown, answers, escaped, filled_in, numbers
from played_faults import LINK, POINT, SITE
from played_town import ODD
from playing import CROWDED, DOUBLED, Play

from dashboards.catalogue import BOARDS
from dashboards.grafana.speech import TABLES
from dashboards.panel import Board, Figures, Panel
from parvis.inventory import InventoryError, load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MOST_LINES, ROUND_TRIP = 12, 8
NEEDS_HISTORY = {("wifi-ville", 9): {1}, ("wifi-usage", 2): {1}, ("wifi-astreinte", 8): {1}, ("wifi-sla", 7): {1, 2}}
"""Queries that look back weeks: test_monthly_panels has them."""
NOTHING_WRONG = {
    ("wifi-ville", 13): {0},
    ("wifi-site", 14): {0, 1},
    ("wifi-borne", 10): {0, 1},
    ("wifi-astreinte", 10): {0},
    ("wifi-collecte", 6): {0},
    ("wifi-collecte", 8): {0},
    ("wifi-collecte", 10): {0, 1, 2, 3},
    ("wifi-collecte", 11): {1},
}
"""Queries whose emptiness is good news; those that a fault fills are looked at below."""
NOT_BY_THESE_MODELS: dict[str, dict[tuple[str, int], set[int]]] = {
    "one point": {("wifi-borne", 9): {0}, ("wifi-borne", 15): {0}, ("wifi-borne", 16): {0, 1, 2}},
    "two points": {("wifi-borne", 15): {0}},
}
"""Noise, temperature and clients' signal: no UniFi access point tells them, no OpenWrt one its temperature."""
PROMISES = "maison-services-publics"
OF_PROMISES = {("wifi-sla", 6): {5, 6, 7}}
"""What a contract promises of availability: of the sites chosen here, that of PROMISES only does."""
OTHERS = "bibliotheque-centrale", "maison-services-publics"
WHO: dict[str, Choices] = {
    "all": {},
    "one": {"site": (SITE,)},
    "two": {"site": (SITE, OTHERS[0])},
    "odd": {"site": (ODD,)},
    "odd and another": {"site": (ODD, OTHERS[1])},
    "one point": {"site": (SITE,), "borne": (POINT,), "bande": ("5GHz",), "lien": ("fibre-lagrange",)},
    "two points": {
        "borne": (POINT, "ap-lagrange-dojo"),
        "bande": ("2.4GHz", "5GHz"),
        "lien": ("fibre-lagrange", "fibre-msp"),
    },
}
each_board = pytest.mark.parametrize("board", BOARDS, ids=[board.uid for board in BOARDS])
each_choice = pytest.mark.parametrize("who", WHO)


def asked(panel: Panel, play: Play, who: Choices) -> list[Answer]:
    return answers(play.prometheus, panel, who, play.shown(DOUBLED))


def excused(board: Board, panel: Panel, who: str) -> set[int]:
    key = (board.uid, panel.id)
    promised = PROMISES in WHO[who].get("site", (PROMISES,))
    unpromised = set() if promised else OF_PROMISES.get(key, set())
    untold = NOT_BY_THESE_MODELS.get(who, {}).get(key, set())
    return unpromised | untold | NEEDS_HISTORY.get(key, set()) | NOTHING_WRONG.get(key, set())


@each_choice
@each_board
def test_every_panel_has_figures_whatever_the_reader_chooses(play: Play, board: Board, who: str) -> None:
    empty = [
        f"{panel.id} {panel.title.fr}, query {place}"
        for panel in board.panels
        for place, answer in enumerate(asked(panel, play, WHO[who]))
        if not numbers([answer]) and place not in excused(board, panel, who)
    ]

    assert empty == []


@pytest.mark.parametrize(
    ("uid", "number", "fault"),
    [
        ("wifi-ville", 13, "fibre-cut"),
        ("wifi-site", 14, "fibre-cut"),
        ("wifi-astreinte", 10, "fibre-cut"),
        ("wifi-collecte", 6, "ap-silent"),
        ("wifi-collecte", 8, "ap-silent"),
        ("wifi-collecte", 11, "influx-away"),
    ],
)
def test_what_is_empty_while_all_is_well_has_figures_when_it_is_not(
    play: Play, uid: str, number: int, fault: str
) -> None:
    (panel,) = (panel for board in BOARDS if board.uid == uid for panel in board.panels if panel.id == number)
    found = answers(play.prometheus, panel, {}, play.shown(fault))

    assert [place for place, answer in enumerate(found) if not numbers([answer])] == []


@each_choice
@each_board
def test_no_panel_draws_more_lines_than_a_reader_follows(play: Play, board: Board, who: str) -> None:
    crowded = [
        f"{panel.id} {panel.title.fr}: {lines}"
        for panel in board.panels
        if panel.kind not in TABLES and (lines := sum(map(len, asked(panel, play, WHO[who])))) > MOST_LINES
    ]

    assert crowded == []


@each_board
def test_of_a_large_town_no_panel_draws_more_lines_than_a_reader_follows(play: Play, board: Board) -> None:
    """Seventeen sites, fifty access points: the busiest of one moment are not those of the next."""
    drawn = {
        f"{panel.id} {panel.title.fr}": sum(map(len, answers(play.prometheus, panel, {}, play.shown(CROWDED))))
        for panel in board.panels
        if panel.kind not in TABLES
    }

    assert {name: lines for name, lines in drawn.items() if lines > MOST_LINES} == {}


def test_what_stands_out_for_a_moment_is_drawn_all_along(play: Play) -> None:
    (panel,) = (one for board in BOARDS if board.uid == "wifi-site" for one in board.panels if one.id == ROUND_TRIP)
    (found,) = answers(play.prometheus, panel, {}, play.shown(CROWDED))

    assert len(found) == MOST_LINES
    assert all(None not in values for values in found.values()), "a line of the highest has a gap"


@each_board
def test_every_value_of_a_label_that_has_words_is_called_by_them(play: Play, board: Board) -> None:
    shown = play.shown("store-broken")
    unsaid = [
        f"{panel.id} {panel.title.fr}: {label}={value}"
        for panel in board.panels
        for answer in answers(play.prometheus, panel, {}, shown)
        for line in answer
        for label, value in line
        if label in panel.names and value not in panel.names[label]
    ]

    assert unsaid == []


def judged(panel: Panel, found: list[Answer]) -> Iterator[tuple[Figures, float]]:
    for place, answer in enumerate(found):
        figures = panel.columns[place] if panel.columns else panel
        yield from ((figures, value) for value in numbers([answer]))


@each_choice
@each_board
def test_every_figure_lies_where_its_unit_lets_it(play: Play, board: Board, who: str) -> None:
    wild = [
        f"{panel.id} {panel.title.fr}: {value} {figures.measure}"
        for panel in board.panels
        for figures, value in judged(panel, asked(panel, play, WHO[who]))
        if not figures.bounds[0] <= value <= figures.bounds[1]
    ]

    assert wild == []


def test_fewer_come_with_each_step_of_the_way_in(play: Play) -> None:
    (funnel,) = (panel for board in BOARDS if board.uid == "wifi-portail" for panel in board.panels if panel.id == 2)
    shown = play.shown("store-broken")
    steps = [max(numbers([answer])) for answer in answers(play.prometheus, funnel, {}, shown)]

    assert steps == sorted(steps, reverse=True)
    assert steps[0] > steps[-1] > 0


def test_a_choice_in_a_query_finds_its_very_name() -> None:
    pattern = escaped(ODD).replace("\\\\", "\\")

    assert re.fullmatch(pattern, ODD)
    assert not re.fullmatch(pattern, ODD.replace("+", "x"))


def test_a_double_quote_would_end_the_query_so_no_name_may_have_one() -> None:
    """Grafana 10 to 12 leave it as it is in a choice of several: what cannot be asked for cannot be called so."""
    query = filled_in('snmp_up{site=~"$site"}', {"site": ('l"été', SITE)}, Shown(0, 60))
    with pytest.raises(ValueError, match="unexpected"):
        promql_parser.parse(query)


@pytest.mark.parametrize("line", [f"site: {SITE}", f"name: {POINT}", f"name: {LINK}"])
def test_the_inventory_refuses_a_quote_in_what_a_reader_chooses(town_folder: Path, line: str) -> None:
    file = town_folder / f"sites/{SITE}.yml"
    text = file.read_text("utf-8")
    key, _, name = line.partition(": ")
    assert line in text
    file.write_text(text.replace(line, f"{key}: '{name}\"'", 1), "utf-8")

    with pytest.raises(InventoryError) as refused:
        load(town_folder)
    assert any('"' in str(fault) or "pattern" in str(fault) or "name" in str(fault) for fault in refused.value.faults)


LOOKS_LIKE = {
    "a hardware address": re.compile(r"(?i)\b[0-9a-f]{2}([:-][0-9a-f]{2}){5}\b"),
    "an address": re.compile(r"\b(?!127\.)\d{1,3}(\.\d{1,3}){3}\b"),
    "an e-mail": re.compile(r"[^@\s]+@[^@\s]+\.[a-z]+"),
}
OF_MACHINES: dict[tuple[str, str], re.Pattern[str]] = {
    ("mac", "a hardware address"): re.compile(r"02:00:5e(:[0-9a-f]{2}){3}"),
    ("remote_chassis", "a hardware address"): re.compile(r"02:00:5e(:[0-9a-f]{2}){3}"),
    ("ifPhysAddress", "a hardware address"): re.compile(r"(?i)02:00:5e(:[0-9a-f]{2}){3}"),
    ("unifiVapBssId", "a hardware address"): re.compile(r"(?i)02:00:5e(:[0-9a-f]{2}){3}"),
    ("instance", "an address"): re.compile(r"10\.\d+\.\d+\.1:9201"),
    ("target", "an address"): re.compile(r"203\.0\.113\.(53|80)"),
    ("sysContact", "an e-mail"): re.compile(r"wifi@cachan\.example"),
    ("sysDescr", "an address"): re.compile(r"ArubaOS \(MODEL: \d+\), Version 8\.10\.0\.6-8\.10\.0\.6"),
    ("version", "an address"): re.compile(r"8\.10\.0\.6-8\.10\.0\.6"),
}
"""What looks like it and is none of a person: the town's own machines, each label with the very values they have. An
address beyond the uplinks is the town's choice; ArubaOS counts its versions like addresses."""


def suspicious(label: str, value: str) -> list[str]:
    """What *value* looks like, and no machine of the town's explains."""
    found = [what for what, pattern in LOOKS_LIKE.items() if pattern.search(value)]
    return [what for what in found if not ((own := OF_MACHINES.get((label, what))) and own.fullmatch(value))]


def test_no_label_says_anything_of_a_person(play: Play) -> None:
    found = [
        f"{label}={value}: {what}"
        for label in play.prometheus.ask("labels")
        for value in play.prometheus.ask(f"label/{label}/values")
        for what in suspicious(label, value)
    ]

    assert found == []


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("device", "de:ad:be:ef:00:01"),
        ("version", "192.168.7.21"),
        ("version", "8.10.0.6-8.10.0.6 de:ad:be:ef:00:01"),
        ("target", "10.11.0.57"),
        ("mac", "de:ad:be:ef:00:01"),
        ("instance", "10.11.0.57:443"),
        ("subject", "anna@cachan.example"),
        ("sysContact", "anna@cachan.example"),
    ],
)
def test_a_label_that_says_something_of_a_person_would_be_found(label: str, value: str) -> None:
    assert suspicious(label, value)


def test_no_board_shows_a_machines_address() -> None:
    labels = {label for board in BOARDS for panel in board.panels for label in panel.labels}

    assert labels & ({label for label, _ in OF_MACHINES} - {"version"}) <= {"target"}


COMMUNITY = (
    "sum(rate(ifHCInOctets[5m])) * 8",
    "sum by (instance) (rate(ifHCOutOctets[5m]) * 8)",
    "rate(ifHCInOctets[5m]) * 8 / ifHighSpeed / 1e6 * 100",
    "rate(ifInOctets[5m])",
    "sum(increase(ifInErrors[5m]))",
    "rate(ifOutDiscards[5m])",
    "count(ifOperStatus == 1)",
    "sysUpTime / 100",
    "ifAdminStatus",
    "rate(ifHCInUcastPkts[5m])",
    "snmp_scrape_duration_seconds",
    "sum(unifiVapNumStations)",
    "sum by (unifiVapEssId) (unifiVapNumStations)",
    "rate(unifiVapRxBytes[5m])",
    "rate(unifiVapTxBytes[5m])",
    "unifiVapChannel",
    "unifiRadioCuTotal",
)
"""Metric expressions that public dashboards for snmp_exporter's if_mib and for UniFi ask."""


@pytest.mark.parametrize("expression", COMMUNITY)
def test_dashboards_made_for_snmp_exporter_find_their_metrics(play: Play, expression: str) -> None:
    rows = play.prometheus.ask("query", query=expression, time=play.shown(DOUBLED).ends)["result"]

    assert rows, "a dashboard a town may have already would stay empty"
