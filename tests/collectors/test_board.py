"""The board: last samples with their age, stale ones gone, failures counted by reason."""

import json

import pytest
from test_prometheus import read_back

from collectors.board import Board
from collectors.clocks import Rebooted, Verdict
from collectors.device import Device, Failed, Polled
from collectors.layout import gather
from collectors.sample import Sample

AP = Device(
    name="ap-1", host="10.0.0.1", kind="access-point", site="msp", town="cachan", credential="bornes-v3", version="v3"
)
SWITCH = Device(name="sw-1", host="10.0.0.2", kind="switch", site="msp", town="cachan")
NAMED = (("town", "cachan"), ("site", "msp"), ("device", "ap-1"))
SILENT = Failed("silent", "no answer to 3 requests", "check power")


def polled(clients: int = 7, clock: Verdict | None = None, samples: tuple[Sample, ...] | None = None) -> Polled:
    found = samples or (Sample("wifi_radio_clients", (*NAMED, ("radio", "wifi0")), clients, 100.0),)
    return Polled(
        gather(NAMED, 100.0, found), "unifi", "UniFi", "it says so", "UAP", clients, clock, (("1.3.6", "unordered"),)
    )


@pytest.fixture
def board() -> Board:
    return Board([AP, SWITCH], stale_after_seconds=180)


def shown(board: Board, now: float) -> dict[str, float]:
    """The page, by metric and what is not the device's name."""
    rest = dict(NAMED)
    return {
        " ".join([metric, *sorted(f"{k}={v}" for k, v in labels if rest.get(k) != v)]): value
        for (metric, labels), value in read_back(board.metrics(now, {"stray": 2})).items()
    }


def listed(board: Board, now: float) -> dict[str, object]:
    [entry] = [each for each in json.loads(board.devices_json(now)) if each["device"] == "ap-1"]
    return entry  # type: ignore[no-any-return]


def test_a_device_not_yet_polled_is_neither_up_nor_down(board: Board) -> None:
    assert listed(board, 100) == {
        "device": "ap-1",
        "site": "msp",
        "kind": "access-point",
        "credential": "bornes-v3",
        "version": "v3",
        "up": None,
        "reason": "not polled yet",
        "last_success": None,
        "age_seconds": None,
        "profile": None,
        "clients": None,
    }
    assert "snmp_up" not in shown(board, 100)


def test_s46_g33_a_successful_poll_is_shown_with_its_age(board: Board) -> None:
    board.put(AP, polled(), now=100.0, duration_seconds=0.25, budget=40)

    page = shown(board, now=130.0)

    assert page["wifi_radio_clients radio=wifi0"] == 7
    assert page["snmp_up"] == 1
    assert page["snmp_poll_age_seconds"] == 30
    assert page["snmp_poll_last_success_timestamp_seconds"] == 100
    assert page["snmp_poll_duration_seconds"] == 0.25
    assert page["snmp_poll_max_repetitions"] == 40
    assert page["snmp_profile_info profile=unifi"] == 1
    assert page["snmp_walk_faults_total fault=unordered"] == 1
    assert page["snmp_datagrams_total event=stray"] == 2
    assert (listed(board, 130.0)["up"], listed(board, 130.0)["clients"]) == (True, 7)


def test_a_silent_device_keeps_its_last_samples_until_they_are_stale(board: Board) -> None:
    board.put(AP, polled(), now=100.0, duration_seconds=0.2, budget=40)
    board.put(AP, SILENT, now=160.0, duration_seconds=5, budget=40)

    fresh, stale = shown(board, now=279.0), shown(board, now=281.0)

    assert (fresh["snmp_up"], fresh["wifi_radio_clients radio=wifi0"]) == (0, 7)
    assert "wifi_radio_clients radio=wifi0" not in stale
    assert stale["snmp_poll_failures_total reason=silent"] == 1
    entry = listed(board, 281.0)
    assert (entry["up"], entry["reason"], entry["age_seconds"], entry["clients"]) == (False, "silent", 181, None)


def test_counters_only_grow(board: Board) -> None:
    for outcome in (SILENT, SILENT, polled(), SILENT, polled(clock=Rebooted)):
        board.put(AP, outcome, now=100.0, duration_seconds=1, budget=40)

    page = shown(board, now=100.0)

    assert page["snmp_polls_total"] == 5
    assert page["snmp_poll_failures_total reason=silent"] == 3
    assert page["device_clock_events_total kind=rebooted"] == 1
    assert page["snmp_walk_faults_total fault=unordered"] == 2


def test_a_series_given_twice_is_dropped_and_counted(board: Board) -> None:
    twice = (Sample("port_up", (*NAMED, ("port", "eth0")), 1, 0), Sample("port_up", (*NAMED, ("port", "eth0")), 0, 0))
    board.put(AP, polled(samples=twice), now=100.0, duration_seconds=1, budget=40)

    page = shown(board, now=100.0)

    assert (page["port_up port=eth0"], page["snmp_samples_dropped_total reason=duplicate"]) == (1, 1)


def test_a_clock_that_steps_back_gives_no_negative_age(board: Board) -> None:
    board.put(AP, polled(), now=100.0, duration_seconds=1, budget=40)

    assert listed(board, 90.0)["age_seconds"] == 0
    assert shown(board, 90.0)["snmp_poll_age_seconds"] == 0
