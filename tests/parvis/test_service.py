"""A process of ours: health and metrics over HTTP, logs as JSON, a graceful stop."""

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from parvis.processes import MONITOR
from parvis.service import Endpoint, new_registry, notify


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("is_quick", [False, True])
def test_healthz_names_what_is_wrong_and_recovers(*, is_quick: bool) -> None:
    state = {"disk": "disk full"}
    checks = {"disk": lambda: state["disk"], "clock": str}
    with Endpoint(("127.0.0.1", 0), CollectorRegistry(), checks, is_quick=is_quick) as endpoint:
        wrong = get(endpoint.port, "/healthz")
        state["disk"] = ""
        right = get(endpoint.port, "/healthz")

    assert wrong == (503, '{"ok": false, "wrong": {"disk": "disk full"}}')
    assert right == (200, '{"ok": true}')


def test_metrics_say_which_version_runs() -> None:
    with Endpoint(("127.0.0.1", 0), new_registry(MONITOR)) as endpoint:
        status, text = get(endpoint.port, "/metrics")

    assert status == 200
    assert 'process_info{process="monitor",version=' in text


@pytest.mark.parametrize("is_quick", [False, True])
def test_an_endpoint_that_is_left_closes_its_port_without_an_error(
    monkeypatch: pytest.MonkeyPatch, *, is_quick: bool
) -> None:
    failures: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failures.append)
    for _ in range(20):
        with Endpoint(("127.0.0.1", 0), CollectorRegistry(), is_quick=is_quick) as endpoint:
            assert get(endpoint.port, "/healthz")[0] == 200
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", endpoint.port), 1)

    assert failures == []


def test_an_unknown_path_says_which_there_are() -> None:
    with Endpoint(("127.0.0.1", 0), CollectorRegistry()) as endpoint:
        status, text = get(endpoint.port, "/metrix")

    assert status == 404
    assert "/metrics" in text


PROGRAM = """
    from contextlib import contextmanager
    from threading import Thread
    from parvis import service, settings
    from parvis.processes import MONITOR

    @contextmanager
    def part(name):
        thread = Thread(target=lambda: service.log.info("from a thread"))
        thread.start()
        thread.join()
        service.log.info("enter", part=name)
        yield
        service.log.info("leave", part=name)

    chosen = settings.load(settings.ProcessSettings)
    service.start_logging("monitor", chosen.log_level)
    service.town_or_exit(chosen)
    raise SystemExit(service.run(MONITOR, chosen, [part("one"), part("two")]))
"""


def start(tmp_path: Path, **environment: str) -> subprocess.Popen[str]:
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    return subprocess.Popen([sys.executable, program], stderr=subprocess.PIPE, text=True, env=os.environ | environment)


def test_a_process_starts_in_order_tells_systemd_and_stops_in_reverse(tmp_path: Path) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(20)
        process = start(tmp_path, NOTIFY_SOCKET=str(address))
        ready = systemd.recv(100)
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)

    lines = [json.loads(line) for line in errors.splitlines()]
    assert ready == b"READY=1"
    assert process.returncode == 0
    assert [(line["event"], line["part"]) for line in lines if "part" in line] == [
        ("enter", "one"),
        ("enter", "two"),
        ("leave", "two"),
        ("leave", "one"),
    ]
    assert all({"level", "timestamp", "process", "event"} <= line.keys() for line in lines)


def test_nothing_starts_on_a_broken_town(tmp_path: Path, town_folder: Path) -> None:
    (town_folder / "town.yml").write_text("town: [")
    process = start(tmp_path, PARVIS_TOWN=str(town_folder))

    _, errors = process.communicate(timeout=20)

    assert process.returncode == 1
    assert "town.yml:1: is not YAML" in errors
    assert "nothing was started" in errors


def test_notify_outside_systemd_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setattr(socket, "socket", lambda *words: opened.append(words))

    notify("READY=1")

    assert opened == []
