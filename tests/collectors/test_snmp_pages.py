"""``/snmp`` and ``/sd``: one device of the inventory as a Prometheus wants it, from the board alone."""

import gzip
import json
from dataclasses import replace
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_board import AP, NAMED, SILENT, SWITCH, polled
from test_prometheus import read_back

from collectors.board import Board
from collectors.device import Polled
from collectors.layout import gather
from collectors.sample import Sample
from collectors.snmp.transport import Traffic
from collectors.web import Questions

PORTS = (("ifAlias", "vers la mairie"), ("ifDescr", "eth0"), ("ifIndex", "2"), ("ifName", "eth0"))


def asked(questions: Questions, path: str, **environ: str) -> tuple[str, dict[str, str], bytes]:
    """Status, headers and body."""
    found: list[Any] = []
    request: dict[str, Any] = {"PATH_INFO": path.partition("?")[0], "QUERY_STRING": path.partition("?")[2]}
    setup_testing_defaults(request)
    request |= environ
    body = b"".join(questions(request, lambda *words: found.extend(words)))
    return found[0], dict(found[1]), body


@pytest.fixture
def board() -> Board:
    return Board([AP, SWITCH], stale_after_seconds=180)


@pytest.fixture
def questions(board: Board) -> Questions:
    return Questions(board, ("if_mib",), lambda: 130.0, gzip=True)


def with_ports(value: int = 2**53 + 5) -> Polled:
    named = gather((), 100.0, [Sample("ifHCInOctets", PORTS, value, 100.0)])
    return replace(polled(), foreign=named, variables=12)


def put(board: Board, outcome: Any) -> None:
    sent = board.standings()[0].traffic.sent
    board.put(AP, outcome, 100.0, 0.25, 40, Traffic(sent + 9, 2, 1))


@pytest.mark.parametrize("target", ["ap-1", "10.0.0.1", "10.0.0.1:161"])
def test_a_device_is_found_by_name_and_by_address(board: Board, questions: Questions, target: str) -> None:
    put(board, polled())

    status, headers, body = asked(questions, f"/snmp?target={target}&module=native")

    assert (status, headers["Content-Type"]) == ("200 OK", "text/plain; version=0.0.4; charset=utf-8")
    found = read_back(body.decode())
    assert found["wifi_radio_clients", frozenset({*NAMED, ("radio", "wifi0")})] == 7
    assert found["snmp_up", frozenset(NAMED)] == 1
    assert not [labels for _, labels in found if ("device", "sw-1") in labels]


def test_a_module_shows_what_snmp_exporter_would(board: Board, questions: Questions) -> None:
    put(board, with_ports())

    _, _, body = asked(questions, "/snmp?target=ap-1&module=if_mib")

    assert [line for line in body.decode().splitlines() if not line.startswith("#")] == [
        'ifHCInOctets{ifAlias="vers la mairie",ifDescr="eth0",ifIndex="2",ifName="eth0"} 5',
        'snmp_scrape_duration_seconds{module="if_mib"} 0.25',
        'snmp_scrape_walk_duration_seconds{module="if_mib"} 0.25',
        'snmp_scrape_packets_sent{module="if_mib"} 9',
        'snmp_scrape_packets_retried{module="if_mib"} 2',
        'snmp_scrape_pdus_returned{module="if_mib"} 12',
    ]
    assert b"# TYPE ifHCInOctets counter\n" in body


def test_without_a_module_the_answer_is_if_mibs_where_it_is_on_as_in_snmp_exporter(board: Board) -> None:
    put(board, with_ports())

    def metrics(*modules: str) -> bytes:
        return asked(Questions(board, modules, lambda: 130.0, gzip=False), "/snmp?target=ap-1")[2]

    assert (b"ifHCInOctets{" in metrics("if_mib"), b"snmp_up{" in metrics("if_mib")) == (True, False)
    assert (b"ifHCInOctets{" in metrics(), b"snmp_up{" in metrics()) == (False, True)


def test_several_modules_share_one_header(board: Board) -> None:
    put(board, with_ports())
    questions = Questions(board, ("if_mib", "system"), lambda: 130.0, gzip=False)

    _, _, body = asked(questions, "/snmp?target=ap-1&module=native,if_mib&module=system,if_mib")

    assert body.count(b"# TYPE snmp_scrape_duration_seconds ") == 1
    assert body.count(b"snmp_scrape_duration_seconds{module=") == 2
    assert b'snmp_up{town="cachan",site="msp",device="ap-1"} 1\n' in body


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("target=192.0.2.1&module=native", "404", "no device of the inventory"),
        ("target=127.0.0.1:22", "404", "no device of the inventory"),
        ("module=native", "400", "must be specified once"),
        ("target=&module=native", "400", "must be specified once"),
        ("target=ap-1&target=sw-1", "400", "must be specified once"),
        ("target=ap-1&module=mikrotik", "400", "there are native, if_mib"),
        ("&".join(f"a{number}=1" for number in range(30)), "400", "too many"),
    ],
)
def test_what_cannot_be_answered_is_told_and_nothing_is_asked(
    board: Board, questions: Questions, query: str, status: str, words: str
) -> None:
    put(board, polled())

    told, headers, body = asked(questions, f"/snmp?{query}")

    assert told.startswith(status)
    assert words in body.decode()
    assert headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize("outcomes", [[SILENT], [with_ports(), SILENT], []])
def test_a_failed_poll_is_a_failed_scrape_of_a_module_and_a_metric_of_ours(
    board: Board, questions: Questions, outcomes: list[Any]
) -> None:
    """So that ``up`` is 0, as rules written for snmp_exporter expect."""
    for outcome in outcomes:
        put(board, outcome)

    status, _, body = asked(questions, "/snmp?target=ap-1&module=if_mib")
    ours, _, page = asked(questions, "/snmp?target=ap-1&module=native")

    assert (status, ours) == ("500 Internal Server Error", "200 OK")
    assert (b"silent" if outcomes else b"not polled yet") in body
    assert (b"snmp_up{" in page) == bool(outcomes)


def test_stale_samples_leave_the_page_of_the_device_too(board: Board) -> None:
    put(board, polled())
    late = Questions(board, (), lambda: 281.0, gzip=False)

    _, _, body = asked(late, "/snmp?target=ap-1")

    assert b"wifi_radio_clients{" not in body
    assert b"snmp_poll_age_seconds{" in body


def test_every_device_is_a_target_with_its_place(questions: Questions) -> None:
    status, headers, body = asked(
        questions, "/sd?module=native", HTTP_HOST="ears:9203", HTTP_X_PROMETHEUS_REFRESH_INTERVAL_SECONDS="30"
    )

    groups = json.loads(body)
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == ("200 OK", "application/json", "max-age=30")
    assert [group["targets"] for group in groups] == [["ears:9203"], ["ears:9203"]]
    assert groups[0]["labels"] == {
        "instance": "ap-1",
        "device": "ap-1",
        "site": "msp",
        "kind": "access-point",
        "__metrics_path__": "/snmp",
        "__param_target": "ap-1",
        "__param_module": "native",
        "__meta_parvis_address": "10.0.0.1",
    }


@pytest.mark.parametrize("host", ["evil/../path", 'a"b', "", "x" * 300])
def test_a_host_that_is_none_is_not_handed_on(questions: Questions, host: str) -> None:
    groups = json.loads(asked(questions, "/sd", HTTP_HOST=host)[2])

    assert {target for group in groups for target in group["targets"]} == {"127.0.0.1:80"}


def test_an_unknown_module_has_no_targets(questions: Questions) -> None:
    status, _, body = asked(questions, "/sd?module=mikrotik")

    assert (status, b"there are native, if_mib" in body) == ("400 Bad Request", True)


@pytest.mark.parametrize(
    ("accepted", "compressed"), [("gzip", True), ("identity", False), ("", False), ("gzip;q=0", False)]
)
def test_a_page_is_compressed_for_who_asks(board: Board, questions: Questions, accepted: str, compressed: bool) -> None:
    many = tuple(Sample("port_up", (*NAMED, ("port", f"eth{number}")), 1, 100.0) for number in range(100))
    put(board, polled(samples=many))

    _, headers, body = asked(questions, "/snmp?target=ap-1&module=native", HTTP_ACCEPT_ENCODING=accepted)

    assert (headers.get("Content-Encoding") == "gzip") == compressed
    assert len(body) == int(headers["Content-Length"])
    assert (gzip.decompress(body) if compressed else body).count(b"port_up{") == 100
    assert headers["Vary"] == "Accept-Encoding"


def test_the_switch_turns_compression_off(board: Board) -> None:
    put(board, polled())

    _, headers, _ = asked(
        Questions(board, (), lambda: 130.0, gzip=False), "/snmp?target=ap-1", HTTP_ACCEPT_ENCODING="gzip"
    )

    assert "Content-Encoding" not in headers


def test_another_path_says_which_there_are(questions: Questions) -> None:
    status, _, body = asked(questions, "/snmpp")

    assert (status, b"/sd" in body) == ("404 Not Found", True)


@given(st.text(max_size=60), st.sampled_from(["/snmp", "/sd", "/", "/snmp/"]), st.text(max_size=30))
def test_any_query_has_an_answer(query: str, path: str, accepted: str) -> None:
    board = Board([AP, SWITCH], stale_after_seconds=180)
    put(board, with_ports())
    questions = Questions(board, ("if_mib",), lambda: 130.0, gzip=True)

    status, headers, body = asked(questions, f"{path}?target=ap-1&{query}", HTTP_ACCEPT_ENCODING=accepted)

    assert status[:3] in {"200", "400", "404"}
    assert len(body) == int(headers["Content-Length"])


def test_where_an_intruder_is_is_asked_by_site_and_address_and_waits_for_the_switches(board: Board) -> None:
    answers = iter([None, [("sw-1", "7")], []])
    sought: list[tuple[str, str]] = []

    def where(site: str, mac: str) -> list[tuple[str, str]] | None:
        sought.append((site, mac))
        return next(answers)

    questions = Questions(board, (), lambda: 130.0, gzip=False, where=where)
    told = [asked(questions, "/where?site=msp&mac=A4-83-E7-00-00-2A")[2] for _ in range(3)]

    assert told == [b"null", b'[{"device": "sw-1", "port": "7"}]', b"[]"]
    assert set(sought) == {("msp", "a4:83:e7:00:00:2a")}
    for wrong in ("", "?site=msp", "?site=msp&mac=02", "?site=msp&mac=02:00:00:00:00:01&mac=02:00:00:00:00:02"):
        assert asked(questions, f"/where{wrong}")[0].startswith("400"), wrong
