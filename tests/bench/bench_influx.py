"""``script/bench influx``: what a sample costs on its way through our spool to a server, and what an outage costs.

The server is Debian's victoria-metrics. The same samples go through three writers by turns, in rounds: ours (rendered,
on disk, sent, taken off the disk); influxdb-client's own batching writer, with points made as its manual does; and, as
the floor, lines that were ready, sent in one piece. Processor time is this process', all threads, not the server's.
Then each writer meets a server that answers 503 for longer than a writer's patience, made short for the bench.
"""

import gzip
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from influx_server import InfluxServer
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.client.write_api import WriteOptions
from table import Row, middle, row

from collectors.influx import writer as ours_module
from collectors.influx.lines import Lines
from collectors.influx.writer import Server, Writer
from collectors.sample import Sample
from parvis.values import Secret

SIZES = (100, 1_000, 10_000, 100_000)
PART = 1_000
"""Samples handed over at once: about one device's."""
ROUNDS = 3
TOKEN = Secret("bench")
OUTAGE_SECONDS, PATIENCE_SECONDS = 6.0, 2.0
LOST = 2_000
BATCHED = "influxdb-client, its batching writer"
Deed = Callable[[str, list[Sample]], None]


def samples(count: int) -> list[Sample]:
    """*count* samples of as many series as a town has: a hundred devices of ten ports."""
    now = time.time()
    return [
        Sample(
            "port_receive_bytes_total",
            (("device", f"sw-{n % 100}"), ("port", f"eth{n // 100 % 10}")),
            float(n) * 1e6,
            now - n / 1e3,
        )
        for n in range(count)
    ]


def through_ours(url: str, given: list[Sample]) -> None:
    """Our writer, until the server has all."""
    with (
        tempfile.TemporaryDirectory(prefix="be-influx-") as folder,
        Writer(Server(url, "o", "b", TOKEN), Path(folder), 500_000_000) as writer,
    ):
        for start in range(0, len(given), PART):
            writer.put(given[start : start + PART])
        while writer.counts["written"] < len(given):
            time.sleep(0.01)


def through_batching(url: str, given: list[Sample]) -> None:
    """influxdb-client's batching writer, as its manual shows; it is closed, so all it has is sent."""
    options = WriteOptions(batch_size=PART, flush_interval=1_000, max_retry_time=int(PATIENCE_SECONDS * 1000))
    client: Any = InfluxDBClient(url, token=TOKEN.reveal(), org="o", enable_gzip=True, timeout=10_000)
    with client, client.write_api(write_options=options) as writing:
        for sample in given:
            point: Any = Point(sample.metric)  # type: ignore[no-untyped-call] # the library's
            for name, value in sample.labels:
                point.tag(name, value)
            writing.write("b", record=point.field("value", sample.value).time(int(sample.at * 1e9)))


def sent_ready(url: str, given: list[Sample]) -> None:
    """The floor: the lines are ready, one gzip and one request for each part."""
    lines = Lines()
    parts = [given[start : start + PART] for start in range(0, len(given), PART)]
    bodies = ["\n".join(map(lines.of, part)).encode() for part in parts]
    _spent.restart()
    for body in bodies:
        packed = gzip.compress(body)
        head = {"Content-Encoding": "gzip"}
        asked = urllib.request.Request(f"{url}/api/v2/write?bucket=b&org=o&precision=ms", packed, head)
        urllib.request.urlopen(asked, timeout=10).close()


class _Spent:
    """Processor time of this process since it was last restarted."""

    since = 0.0

    def restart(self) -> None:
        self.since = time.process_time()

    @property
    def seconds(self) -> float:
        return time.process_time() - self.since


_spent = _Spent()


def spent(deed: Deed, url: str, given: list[Sample]) -> float:
    """Microseconds of processor time for each sample."""
    _spent.restart()
    deed(url, given)
    return _spent.seconds / len(given) * 1e6


@contextmanager
def victoria() -> Iterator[str]:
    """Debian's victoria-metrics on a free port of the loopback."""
    binary = shutil.which("victoria-metrics")
    if binary is None:
        raise SystemExit("victoria-metrics is missing: apt-get install victoria-metrics")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="be-influx-") as folder:
        argv = [binary, f"-storageDataPath={folder}", f"-httpListenAddr={address}", "-retentionPeriod=100y"]
        with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as child:
            try:
                _answers(f"http://{address}/health")
                yield f"http://{address}"
            finally:
                child.terminate()


def _answers(url: str) -> None:
    for _ in range(200):
        with suppress(OSError):
            urllib.request.urlopen(url, timeout=1).close()
            return
        time.sleep(0.05)
    raise SystemExit(f"{url} does not answer")


def costs() -> list[Row]:
    """What a sample costs, by size."""
    found = []
    with victoria() as url:
        for size in SIZES:
            given = samples(size)
            rounds = [
                [spent(deed, url, given) for deed in (through_ours, through_batching, sent_ready)]
                for _ in range(ROUNDS)
            ]
            mine, batching, floor = (round(middle(side), 2) for side in zip(*rounds, strict=True))
            words = f"{size} samples, {ROUNDS} rounds"
            found.append(row("cpu_per_sample", "us", mine, batching, BATCHED, words))
            found.append(row("cpu_per_sample", "us", mine, floor, "ready lines, bare request", words))
    return found


def lost(deed: Deed) -> int:
    """Samples a server never got that refused for longer than the batching writer's patience, then took all."""
    given = samples(LOST)
    with InfluxServer() as server:
        began = time.monotonic()
        server.answer = lambda _: (
            (503, {"Retry-After": "1"}) if time.monotonic() < began + OUTAGE_SECONDS else (204, {})
        )
        deed(server.url, given)
        return LOST - len({line.split()[0] + line.split()[2] for line in server.taken})


def rows() -> list[Row]:
    """Everything."""
    found = costs()
    ours_module.LONGEST_WAIT_SECONDS = 2.0
    size = f"{LOST} samples, 503 for {OUTAGE_SECONDS:g} s, the peer's max_retry_time {PATIENCE_SECONDS:g} s"
    return [*found, row("samples_lost", "1", lost(through_ours), lost(through_batching), BATCHED, size)]
