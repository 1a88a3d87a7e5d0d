"""Echoes: the bytes, and the real kernel's answers in a network namespace."""

import json
import subprocess
import sys
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.probes.icmp import Prober, _Awaited, _elapsed
from monitor.targets import Kind, Target
from parvis.echo import TOKEN_BYTES, Window, reply, request

TARGET = Target("gw", Kind.GATEWAY, "site", ip_address("192.0.2.1"))
TOKEN = bytes(range(TOKEN_BYTES))

ALLOW = 'echo "0 2147483647" > /proc/sys/net/ipv4/ping_group_range; exec "$@"'
FORBID = 'echo "1 0" > /proc/sys/net/ipv4/ping_group_range; exec "$@"'
PROGRAM = Path(__file__).with_name("echo_in_namespace.py")


def in_a_namespace(setting: str, rounds: int) -> subprocess.CompletedProcess[str]:
    words = ["unshare", "--net", "sh", "-c", setting, "sh", sys.executable, str(PROGRAM), str(rounds)]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def lines() -> list[Any]:
    done = in_a_namespace(ALLOW, rounds=5)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.root
@pytest.mark.parametrize("name", ["near", "six", "far"])
def test_s17_what_is_there_answers_in_both_families(lines: list[Any], name: str) -> None:
    for line in lines[:-2]:
        answered, loss, rtt = line["outcomes"][name]
        assert (answered, loss) == (True, 0.0)
        assert 0 < rtt < 0.1


@pytest.mark.root
@pytest.mark.parametrize("name", ["silent", "nowhere"])
def test_s17_what_is_not_there_is_lost_with_no_round_trip_time(lines: list[Any], name: str) -> None:
    assert {tuple(line["outcomes"][name]) for line in lines[:-2]} == {(False, 1.0, None)}


@pytest.mark.root
def test_a_silent_target_costs_one_timeout_however_many_answer(lines: list[Any]) -> None:
    assert all(0.4 < line["seconds"] < 0.9 for line in lines[:-2])


@pytest.mark.root
def test_every_echo_is_counted_by_its_result(lines: list[Any]) -> None:
    assert lines[-2] == {"answered": 15, "lost": 5, "refused": 5}


@pytest.mark.root
def test_a_reply_is_dated_when_it_arrives_not_when_it_is_read(lines: list[Any]) -> None:
    assert 0 < lines[-1]["stamped_after"] < 0.05


@pytest.mark.root
def test_where_the_kernel_forbids_ping_the_error_names_the_setting() -> None:
    done = in_a_namespace(FORBID, rounds=1)

    assert done.returncode == 1
    assert "set net.ipv4.ping_group_range" in done.stderr


@given(st.sampled_from([4, 6]), st.binary(max_size=64))
def test_no_bytes_from_the_network_raise(version: int, packet: bytes) -> None:
    found = reply(version, packet)
    assert found is None or packet.endswith(found[1])


@pytest.mark.parametrize(("version", "kind"), [(4, 0), (6, 129)])
def test_a_reply_gives_back_sequence_and_token(version: int, kind: int) -> None:
    asked = request(version, 65535, b"token")

    assert reply(version, bytes([kind]) + asked[1:]) == (65535, b"token")
    assert reply(version, asked) is None, "our own request, looped back, is no reply"


def test_an_empty_window_has_neither_loss_nor_time() -> None:
    window = Window(3)

    assert (window.loss_ratio, window.rtt_seconds, window.jitter_seconds) == (None, None, None)


def test_a_lost_echo_is_no_jitter() -> None:
    window = Window(5)
    for rtt in (0.010, None, 0.010, 0.040):
        window.add(rtt)

    assert window.jitter_seconds == pytest.approx(0.015)


@pytest.mark.parametrize(
    ("source", "sequence", "token", "answered"),
    [
        ("192.0.2.1", 7, TOKEN, True),
        ("192.0.2.2", 7, TOKEN, False),
        ("192.0.2.1", 8, TOKEN, False),
        ("192.0.2.1", 7, b"guess", False),
    ],
)
def test_only_the_one_asked_can_answer_and_only_with_our_token(
    source: str, sequence: int, token: bytes, answered: bool
) -> None:
    echo = _Awaited(TARGET, TOKEN, time.time_ns(), time.monotonic())
    prober = Prober([TARGET])
    packet = b"\0" + request(4, sequence, token)[1:]
    prober._match({(4, 7): echo}, 4, packet, source, None)

    assert echo.answered == answered
    assert prober.counts["stray"] == (0 if answered else 1)


@pytest.mark.parametrize("step_seconds", [-3600, -1, 3600])
def test_a_stepped_wall_clock_does_not_make_a_round_trip_time(step_seconds: int) -> None:
    echo = _Awaited(TARGET, TOKEN, time.time_ns(), time.monotonic() - 0.02)
    arrived = time.time_ns() + step_seconds * 10**9

    assert 0.02 <= _elapsed(echo, arrived) < 1
