"""A real Prometheus that knows nothing but our /sd, with the configuration of docs/04."""

import json
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import yaml
from prometheus_client import CollectorRegistry
from test_board import SILENT
from test_snmp_pages import PORTS

from collectors.board import Board
from collectors.device import Device, Polled
from collectors.layout import gather
from collectors.sample import Sample
from collectors.web import Questions
from parvis.endpoint import Endpoint

PAGE = Path(__file__).parents[2] / "docs/04-the-ears.md"
DEVICES = [
    Device(f"ap-{number}", f"10.0.0.{number}", kind="access-point", site="msp", town="t") for number in range(12)
]
DEAD = DEVICES[3].name
PATIENCE_SECONDS = 60


def documented() -> dict[str, Any]:
    """The scrape configuration the page tells a town to use."""
    found = re.search(r"```yaml\n(scrape_configs:.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    read: dict[str, Any] = yaml.safe_load(found[1])
    return read


@contextmanager
def ears() -> Iterator[str]:
    """The collectors' HTTP side with twelve devices just polled, one of which is silent; its address."""
    board = Board(DEVICES, stale_after_seconds=3600)
    for device in DEVICES:
        base = tuple(device.labels.items())
        own = gather(base, 0.0, [Sample("wifi_radio_clients", (*base, ("radio", "wifi0")), 7, 0.0)])
        theirs = gather((), 0.0, [Sample("ifHCInOctets", PORTS, 1000, 0.0)])
        good = Polled(own, "unifi", "UniFi", "", "", 7, None, (), foreign=theirs, variables=2)
        board.put(device, good if device.name != DEAD else SILENT, time.time(), 0.1, 40)
    questions = Questions(board, ("if_mib",), time.time, gzip=True)
    with Endpoint(("127.0.0.1", 0), CollectorRegistry(), app=questions, compress=True) as endpoint:
        yield f"127.0.0.1:{endpoint.port}"


def configured(address: str, half: int | str) -> str:
    told = documented()
    for job in told["scrape_configs"]:
        job["http_sd_configs"][0]["url"] = job["http_sd_configs"][0]["url"].replace("127.0.0.1:9203", address)
    told["scrape_configs"][0]["relabel_configs"][1]["regex"] = str(half)
    return yaml.safe_dump({"global": {"scrape_interval": "1s"}, **told})


@contextmanager
def prometheus(folder: Path, configuration: str) -> Iterator[str]:
    """A Prometheus with *configuration*; its address."""
    folder.mkdir()
    (folder / "prometheus.yml").write_text(configuration)
    program = shutil.which("prometheus")
    assert program, "this test runs Prometheus: install it with apt-get install prometheus"
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{opened.getsockname()[1]}"
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            yield address
        finally:
            process.terminate()


def asked(address: str, query: str) -> list[dict[str, Any]]:
    try:
        with urlopen(f"http://{address}/api/v1/query?query={quote(query)}", timeout=5) as response:
            found: list[dict[str, Any]] = json.loads(response.read())["data"]["result"]
            return found
    except (URLError, ConnectionError):
        return []


def until(address: str, query: str, count: int) -> list[dict[str, Any]]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    found: list[dict[str, Any]] = []
    while time.monotonic() < deadline and len(found) != count:
        found = asked(address, query)
        time.sleep(0.2)
    assert len(found) == count, (query, found)
    return found


def test_promtool_takes_the_documented_configuration(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(documented()))

    done = subprocess.run(
        ["promtool", "check", "config", str(tmp_path / "prometheus.yml")],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, "SUCCESS" in done.stdout) == (0, True), done.stdout + done.stderr


@pytest.mark.slow
def test_s43_two_servers_share_the_town_and_each_device_is_scraped_by_one(tmp_path: Path) -> None:
    with ExitStack() as stack:
        address = stack.enter_context(ears())
        halves = [stack.enter_context(prometheus(tmp_path / str(half), configured(address, half))) for half in (0, 1)]
        until(halves[0], 'up{job="snmp"}', len(DEVICES))
        until(halves[0], 'ifHCInOctets{job="snmp"}', len(DEVICES) - 1)
        first = {row["metric"]["device"] for row in asked(halves[0], 'up{job="parvis"} == 1')}
        until(halves[1], 'up{job="parvis"} == 1', len(DEVICES) - len(first))
        second = {row["metric"]["device"] for row in asked(halves[1], 'up{job="parvis"} == 1')}
        down = until(halves[0], 'up{job="snmp"} == 0', 1)
        [clients] = asked(halves[0], f'wifi_radio_clients{{device="{min(first - {DEAD})}"}}')
        [octets] = asked(halves[0], 'ifHCInOctets{device="ap-0"}')
        renamed = [asked(half, '{__name__=~".+",exported_device!=""}') for half in halves]

    assert (first & second, first | second) == (set(), {device.name for device in DEVICES})
    assert [row["metric"]["instance"] for row in down] == [DEAD]
    assert clients["metric"] == {
        "__name__": "wifi_radio_clients",
        "instance": clients["metric"]["device"],
        "job": "parvis",
        "device": clients["metric"]["device"],
        "site": "msp",
        "town": "t",
        "kind": "access-point",
        "radio": "wifi0",
    }
    assert (octets["metric"]["site"], octets["metric"]["ifName"], octets["value"][1]) == ("msp", "eth0", "1000")
    assert renamed == [[], []]
