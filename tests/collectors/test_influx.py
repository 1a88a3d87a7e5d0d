"""InfluxDB: nothing is lost through outages, kills and full disks; what a server refuses is set aside, not repeated."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from influx_server import LINE, InfluxServer

from collectors.influx import spool as spool_module
from collectors.influx import writer as writer_module
from collectors.influx.lines import Lines
from collectors.influx.spool import Spool, SpoolFull
from collectors.influx.writer import Server, Writer
from collectors.sample import Sample
from parvis.values import Secret

pytestmark = pytest.mark.slow  # real servers, and time that has to pass

MEGABYTE = 1_000_000


def sample(number: int, metric: str = "device_load_1min") -> Sample:
    return Sample(metric, (("device", f"ap é {number}, =x"),), float(number), 1_790_000_000.0 + number)


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "FIRST_WAIT_SECONDS", 0.05)
    monkeypatch.setattr(writer_module, "LONGEST_WAIT_SECONDS", 0.2)
    monkeypatch.setattr(writer_module, "IDLE_SECONDS", 0.05)


@pytest.fixture
def server() -> Iterator[InfluxServer]:
    with InfluxServer() as running:
        yield running


def to(url: str, folder: Path, size: int = 10 * MEGABYTE) -> Writer:
    return Writer(Server(url, "ville", "wifi", Secret("s3cret"), timeout_seconds=1.0), folder, size)


def counted(writer: Writer) -> dict[str, float]:
    found = writer.own_samples(0)
    return {dict(one.labels)["outcome"]: one.value for one in found if one.metric == "influx_lines_total"}


def test_samples_arrive_as_lines_with_the_token(server: InfluxServer, tmp_path: Path) -> None:
    with to(server.url, tmp_path) as writer:
        writer.put(sample(n) for n in range(50))
        until(lambda: len(server.taken) == 50)

    path, headers, _ = server.posts[0]
    assert path.startswith("/api/v2/write?")
    assert {"org=ville", "bucket=wifi", "precision=ms"} <= {*path[14:].split("&")}
    assert headers["Authorization"] == "Token s3cret"
    assert server.taken[7] == "device_load_1min,device=ap\\ é\\ 7\\,\\ \\=x value=7.0 1790000007000"


def test_every_line_is_one_for_a_strict_reader() -> None:
    lines = Lines()
    kinds = [sample(3), sample(3, "port_receive_bytes_total"), Sample("influx_up", (), 1.0, 0.0)]

    assert [line for one in kinds if not LINE.match(line := lines.of(one))] == []


def test_s44_g15_g16_counters_are_exact_to_64_bits_and_never_change_their_type() -> None:
    lines = Lines()

    assert " value=18446744073709551615u " in lines.of(Sample("port_receive_bytes_total", (), 2**64 - 1, 0))
    assert " value=0u " in lines.of(Sample("port_receive_bytes_total", (), 0.0, 0))


def test_an_outage_loses_nothing_and_nothing_is_doubled_after_it(server: InfluxServer, tmp_path: Path) -> None:
    server.answer = lambda _lines: (503, {})
    with to(server.url, tmp_path) as writer:
        for n in range(300):
            writer.put([sample(n)])
        until(lambda: len(server.posts) >= 3)
        assert writer.trouble == "HTTP 503: Service Unavailable"
        server.answer = server.strict
        until(lambda: len(server.taken) == 300)
        until(lambda: not writer.trouble)

        assert sorted(server.taken) == sorted(Lines().of(sample(n)) for n in range(300))
        assert counted(writer) == {"written": 300, "refused": 0, "dropped": 0, "unspooled": 0}


def test_g07_a_server_that_is_not_there_or_hangs_costs_the_caller_nothing(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(1)
        with to(f"http://127.0.0.1:{deaf.getsockname()[1]}", tmp_path) as writer:
            writer.put([sample(1)])
            until(lambda: writer.trouble)
            writer.put([sample(2)])

    assert Spool(tmp_path, MEGABYTE).lines == 2


def test_a_refused_line_is_set_aside_and_the_others_arrive(server: InfluxServer, tmp_path: Path) -> None:
    bad = Lines().of(sample(13))
    server.answer = lambda lines: (422, {}) if bad in lines else (204, {})
    with to(server.url, tmp_path) as writer:
        writer.put(sample(n) for n in range(100))
        until(lambda: len(server.taken) == 99)
        until(lambda: not any(tmp_path.glob("*.lines")))

        assert counted(writer)["refused"] == 1
    assert (tmp_path / "refused.txt").read_text("utf-8") == bad + "\n"


@pytest.mark.parametrize("end", ["\x0b", "\x0c", "\x1e", "\x85", "\u2028", "\u2029", "\r"])
def test_a_name_with_what_python_takes_for_an_end_of_line_is_one_line(
    server: InfluxServer, tmp_path: Path, end: str
) -> None:
    named = Sample("device_load_1min", (("device", f"ap{end}hall"),), 1.0, 1_790_000_000.0)
    with to(server.url, tmp_path) as writer:
        writer.put([named, sample(2)])
        until(lambda: len(server.taken) == 2)

    assert server.taken == [Lines().of(named), Lines().of(sample(2))]
    assert not (tmp_path / "refused.txt").exists()


def test_a_refused_line_that_cannot_be_kept_holds_up_nobody(server: InfluxServer, tmp_path: Path) -> None:
    (tmp_path / "refused.txt").symlink_to("/dev/full")
    bad = Lines().of(sample(13))
    server.answer = lambda lines: (422, {}) if bad in lines else (204, {})
    with to(server.url, tmp_path) as writer:
        writer.put(sample(n) for n in range(20))
        until(lambda: len(server.taken) == 19)
        writer.put([sample(99)])
        until(lambda: len(server.taken) == 20)

        assert counted(writer)["refused"] == 1


def test_octets_a_failing_disk_made_up_cost_their_line_alone(server: InfluxServer, tmp_path: Path) -> None:
    good = [Lines().of(sample(n)) for n in (1, 2)]
    (tmp_path / "000000000001.lines").write_bytes(f"{good[0]}\n".encode() + b"\xff\xfe\0\n" + f"{good[1]}\n".encode())
    with to(server.url, tmp_path):
        until(lambda: len(server.taken) == 2)
        until(lambda: not any(tmp_path.glob("*.lines")))

    assert server.taken == good


def test_a_batch_too_large_is_sent_in_parts(server: InfluxServer, tmp_path: Path) -> None:
    server.answer = lambda lines: (413, {}) if len(lines) > 20 else (204, {})
    with to(server.url, tmp_path) as writer:
        writer.put(sample(n) for n in range(100))
        until(lambda: len(server.taken) == 100)

    assert not (tmp_path / "refused.txt").exists()


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_wrong_token_or_bucket_stops_the_sending_and_loses_nothing(
    status: int, server: InfluxServer, tmp_path: Path
) -> None:
    server.answer = lambda _lines: (status, {})
    with to(server.url, tmp_path) as writer:
        writer.put([sample(1)])
        until(lambda: writer.trouble)
        writer.put([sample(2)])
        time.sleep(0.5)

        assert len(server.posts) == 1
        assert next(one.value for one in writer.own_samples(0) if one.metric == "influx_up") == 0
    assert Spool(tmp_path, MEGABYTE).lines == 2


def test_retry_after_is_honoured(server: InfluxServer, tmp_path: Path) -> None:
    at: list[float] = []

    def busy(_lines: list[str]) -> tuple[int, dict[str, str]]:
        at.append(time.monotonic())
        return (429, {"Retry-After": "2"}) if len(at) == 1 else (204, {})

    server.answer = busy
    with to(server.url, tmp_path) as writer:
        writer.put([sample(1)])
        until(lambda: server.taken)

    assert at[1] - at[0] >= 2


def test_at_the_configured_size_the_oldest_go_and_are_counted(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 2 * MEGABYTE)
    for n in range(4):
        spool.add([f"line{n} " + "x" * 900 for _ in range(1000)], now=n * 20.0)
        spool.settle(now=n * 20.0 + 15)

    first = spool.oldest()
    assert first is not None
    assert first.path.read_text("utf-8").startswith("line2")
    assert spool.dropped == 2000
    assert spool.size <= 2 * MEGABYTE


def test_since_when_lines_wait_is_known_until_the_server_has_them(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MEGABYTE)
    assert spool.waiting_since() is None
    spool.add(["one value=1.0 1"], now=0.0)
    spool.settle(now=15.0)
    spool.add(["two value=2.0 2"], now=20.0)
    spool.settle(now=35.0)

    oldest = spool.oldest()
    assert oldest is not None
    os.utime(oldest.path, (1_790_000_000, 1_790_000_000))
    assert spool.waiting_since() == 1_790_000_000
    spool.done(oldest)
    assert (spool.waiting_since() or 0) > 1_790_000_000


def test_a_full_disk_is_told_and_a_later_line_is_written(tmp_path: Path) -> None:
    spool = Spool(tmp_path, MEGABYTE)
    (tmp_path / "000000000001.part").symlink_to("/dev/full")
    with pytest.raises(SpoolFull, match="No space left"):
        spool.add(["a"], now=0.0)

    assert spool.lines == 0
    spool.close()


@pytest.mark.parametrize("broken", ["rename", "sync"])
def test_a_batch_that_could_not_be_closed_is_closed_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    spool = Spool(tmp_path, MEGABYTE)
    spool.add(["one value=1.0 1"], now=0.0)

    def fails(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        if broken == "rename":
            patch.setattr(Path, "rename", fails)
        else:
            patch.setattr(spool_module, "sync_folder", fails)
        with pytest.raises(OSError, match="Input/output"):
            spool.settle(now=100.0)
    spool.settle(now=101.0)

    found = spool.oldest()
    assert found is not None
    assert (found.lines, found.path.read_text("utf-8")) == (1, "one value=1.0 1\n")
    assert [path.name for path in tmp_path.iterdir()] == ["000000000001.lines"]


def test_a_torn_last_line_is_left_out_after_a_power_cut(tmp_path: Path) -> None:
    (tmp_path / "000000000007.part").write_text("one value=1.0 1\ntwo value=2.0 2\nthr", "utf-8")

    spool = Spool(tmp_path, MEGABYTE)

    found = spool.oldest()
    assert found is not None
    assert found.path.read_text("utf-8") == "one value=1.0 1\ntwo value=2.0 2\n"
    spool.add(["four value=4.0 4"], now=0.0)
    spool.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000000007.lines", "000000000008.lines"]


KILLED = """
import sys, time
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from test_influx import sample, to
with to("http://127.0.0.1:9", Path(sys.argv[1])) as writer:
    for n in range(200):
        writer.put([sample(n)])
    time.sleep(1.5)
    print("written", flush=True)
    time.sleep(60)
"""


def test_a_kill_loses_nothing_that_is_older_than_a_second(tmp_path: Path) -> None:
    here = Path(__file__).parent
    argv = [sys.executable, "-c", KILLED, str(tmp_path), str(here), str(here.parents[1])]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "written\n"
        os.kill(child.pid, signal.SIGKILL)

    assert Spool(tmp_path, MEGABYTE).lines == 200


@pytest.fixture
def victoria(tmp_path: Path) -> Iterator[str]:
    binary = shutil.which("victoria-metrics")
    assert binary, "victoria-metrics is missing; script/setup.sh installs it"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    argv = [binary, f"-storageDataPath={tmp_path / 'vm'}", f"-httpListenAddr={address}", "-retentionPeriod=100y"]
    with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as child:

        def answers() -> bool:
            with suppress(OSError):
                return bool(urllib.request.urlopen(f"http://{address}/health", timeout=1))
            return False

        until(answers)
        yield f"http://{address}"
        child.terminate()


def test_s44_a_real_server_has_every_value(victoria: str, tmp_path: Path) -> None:
    now = time.time()
    labels = (("device", "borne “accueil”, salle=1"),)
    given = [Sample("device_load_1min", labels, 0.25 * n, now - n) for n in range(40)]
    with to(victoria, tmp_path / "spool") as writer:
        writer.put(given)
        until(lambda: counted(writer)["written"] == 40)

    urllib.request.urlopen(f"{victoria}/internal/force_flush", timeout=10)
    query = urllib.parse.quote('{__name__="device_load_1min_value"}')
    with urllib.request.urlopen(f"{victoria}/api/v1/export?match[]={query}", timeout=10) as answer:
        found = json.loads(answer.read())
    assert found["metric"]["device"] == "borne “accueil”, salle=1"
    assert sorted(found["values"]) == [0.25 * n for n in range(40)]
