"""The role influx tries a token before the collectors get it: against servers that know it, do not, or are away."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.request import urlopen

import pytest
from machines import until

from upkeep import samples

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
TOKEN = "tok-5ea1"
GOOD = {"influx_org": "Ville de Cachan", "influx_bucket": "wifi", "parvis_secrets": {"influx-token": TOKEN}}
pytestmark = pytest.mark.slow


class Influx(BaseHTTPRequestHandler):
    """Knows one token and one bucket, and takes no empty writing, in the order of InfluxDB 2's write handler."""

    def do_POST(self) -> None:
        if self.headers["Authorization"] != f"Token {TOKEN}":
            status = 401
        else:
            status = 400 if self.path == "/api/v2/write?org=Ville%20de%20Cachan&bucket=wifi&precision=s" else 404
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Influx)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with serving() as url:
        yield url


def play(folder: Path, **told: object) -> tuple[int, str]:
    """The role, run on this machine; its answer in one line."""
    book = folder / "play.yml"
    book.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "roles": ["influx"]}]))
    environment = {
        "ANSIBLE_ROLES_PATH": str(ROOT / "ansible/roles"),
        "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
        "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
        "ANSIBLE_NOCOLOR": "1",
        "PATH": f"{BIN}:{os.environ['PATH']}",
    }
    given = json.dumps({**GOOD, **told})
    words = [BIN / "ansible-playbook", "-v", "-i", "localhost,", "-c", "local", book, "-e", given]
    done = subprocess.run(
        [*words, "-e", f"ansible_python_interpreter={sys.executable}"],
        capture_output=True, text=True, timeout=110, check=False, env=os.environ | environment,
    )  # fmt: skip
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def test_a_server_that_knows_token_and_bucket_is_accepted_and_nothing_is_changed(tmp_path: Path, server: str) -> None:
    code, said = play(tmp_path, influx_url=server)

    assert code == 0, said
    assert "takes what the collectors write" in said
    assert "changed=0" in said
    assert TOKEN not in said


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"parvis_secrets": {"influx-token": "other"}}, "answers 401: it does not know the token"),
        ({"influx_bucket": "wiffi"}, "answers 404: it knows no such organisation or bucket"),
        ({"parvis_secrets": {}}, "parvis_secrets holds influx-token"),
        ({"influx_url": "http://influx.example:8086"}, "http:// on the centre itself alone"),
    ],
    ids=["token", "bucket", "no token", "in clear text"],
)
def test_what_would_not_work_stops_the_run_before_anything_is_changed(
    tmp_path: Path, server: str, wrong: dict[str, object], words: str
) -> None:
    code, said = play(tmp_path, **{"influx_url": server, **wrong})

    assert code != 0
    assert words in said


def test_a_server_that_is_away_does_not_stop_an_upgrade(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        code, said = play(tmp_path, influx_url=f"http://127.0.0.1:{nobody.getsockname()[1]}")

    assert code == 0, said
    assert "does not answer now" in said


def answers(url: str) -> bool:
    with suppress(OSError):
        return bool(urlopen(url, timeout=1))
    return False


def test_victoria_metrics_is_accepted_too(tmp_path: Path) -> None:
    binary = shutil.which("victoria-metrics")
    assert binary, "victoria-metrics is missing; script/setup.sh installs it"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    argv = [binary, f"-storageDataPath={tmp_path / 'vm'}", f"-httpListenAddr={address}"]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        until(lambda: answers(f"http://{address}/health"), "VictoriaMetrics does not answer")
        code, said = play(tmp_path, influx_url=f"http://{address}")
        child.terminate()

    assert code == 0, said
    assert "takes what the collectors write" in said


def test_the_doctor_says_how_much_waits_and_that_residents_notice_nothing() -> None:
    away = samples.judged({"influx_up": 0.0, "influx_spool_lines": 5e6, "influx_spool_bytes": 9e8})
    well = samples.judged({"influx_up": 1.0, "influx_spool_lines": 40.0})

    assert (away.level, well.level) == ("look", "ok")
    assert "5000000 lines (900 MB) wait" in away.words
    assert samples.judged({}).level == "look"
