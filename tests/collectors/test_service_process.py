"""``parvis collectors`` as a process: it checks, becomes small, polls, and says what keeps it from starting."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from snmp_asking import RealAgent, free_port
from test_prometheus import read_back

from tests_support import Edit

HEAVY = ("pydantic", "yaml", "click", "ssl", "hashlib", "prometheus_client", "statistics", "email", "parvis.inventory")
HEAVY += ("pysnmp", "cryptography", "influxdb_client", "rich", "importlib.resources")
"""What only the first step needs, or who speaks SNMPv3, or a town with InfluxDB."""
COMMAND = [str(Path(sys.executable).with_name("parvis")), "collectors"]
LIBRARIES = ("pydantic_core", "_yaml", "_ssl", "libssl", "libcrypto", "_hashlib", "cryptography")


def test_the_running_service_imports_no_library_it_may_never_need() -> None:
    script = "import collectors.process, sys; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert "'collectors.service'" in loaded
    assert [name for name in HEAVY if f"'{name}'" in loaded] == []


Running = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def environment(tmp_path: Path, town_folder: Path) -> dict[str, str]:
    state = tmp_path / "state"
    state.mkdir()
    return {
        **os.environ,
        "PARVIS_TOWN": str(town_folder),
        "PARVIS_PORT": str(free_port()),
        "PARVIS_STATE": str(state),
        "PARVIS_SECRETS": str(tmp_path),
    }


@contextmanager
def service(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(COMMAND, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def page(environment: dict[str, str], path: str, wanted: str) -> str:
    """The page, once *wanted* is on it."""
    deadline, text = time.monotonic() + 60, ""
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://127.0.0.1:{environment['PARVIS_PORT']}{path}", timeout=5) as response:
                text = response.read().decode()
        except (URLError, ConnectionError):
            text = ""
        if wanted in text:
            return text
        time.sleep(0.1)
    raise AssertionError(f"{wanted} is not told: {text[-2000:]}")


def small_site(town_folder: Path, edit: Edit, snmpd: RealAgent) -> None:
    """One switch of the town is a real agent on the loopback, and nobody speaks SNMPv3."""
    site = "sites/leo-lagrange.yml"
    edit(site, "10.91.4.0/24", "127.0.0.0/24")
    for old, new in (
        ("10.91.4.1}", "127.0.0.254}"),
        ("10.91.4.2,", "127.0.0.1,"),
        ("10.91.4.11,", "127.0.0.11,"),
        ("10.91.4.12,", "127.0.0.12,"),
    ):
        edit(site, old, new)
    edit(site, "{credential: reseau-v3}", f"{{credential: essai-v2c, port: {snmpd.address[1]}}}")
    credential = "  - {name: essai-v2c, version: v2c, community_secret: essai-community}\n"
    edit("town.yml", "internet_targets:", f"{credential}\ninternet_targets:")
    for path in town_folder.glob("sites/*.yml"):
        path.write_text(re.sub(r"credential: (bornes|reseau)-v3", "credential: essai-v2c", path.read_text()))


@pytest.mark.slow
def test_it_checks_becomes_small_polls_and_stops(
    environment: dict[str, str], tmp_path: Path, town_folder: Path, edit: Edit, snmpd: RealAgent
) -> None:
    small_site(town_folder, edit, snmpd)
    (tmp_path / "essai-community").write_text("cachan\n")
    environment |= {"PARVIS_SNMP_TIMEOUT": "200ms", "PARVIS_MODULES": '["if_mib"]'}
    with service(environment) as process:
        found = read_back(
            page(environment, "/metrics", 'snmp_up{town="cachan",site="leo-lagrange",device="sw-lagrange"} 1')
        )
        theirs = page(environment, "/snmp?target=sw-lagrange&module=if_mib", "ifHCInOctets{")
        mapped = Path(f"/proc/{process.pid}/maps").read_text()
        name = Path(f"/proc/{process.pid}/comm").read_text()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=15)

    assert process.returncode == 0, errors
    assert '"event": "stopped"' in errors
    assert name == "collectors\n"
    assert [library for library in LIBRARIES if library in mapped] == []
    assert 'ifDescr="lo"' in theirs
    vitals = {metric for metric, _ in found}
    assert {
        "process_resident_memory_bytes",
        "process_info",
        "clock_timestamp_seconds",
        "state_disk_free_bytes",
    } <= vitals


def refused(environment: dict[str, str]) -> tuple[int, str]:
    """Exit code and words of a service that does not start."""
    done = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def test_s40_nothing_starts_on_a_broken_town(environment: dict[str, str], edit: Edit) -> None:
    edit("town.yml", "internet_targets:", "internet_targts:")

    code, words = refused(environment)

    assert code == 1
    assert "town.yml" in words
    assert "internet_targts: unknown" in words
    assert "nothing was started" in words
    assert "Traceback" not in words


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PARVIS_POLL_INTERVAL": "never"}, "poll_interval: 'never' is not a duration"),
        ({"PARVIS_MODULES": '["if_mob"]'}, "no module is called if_mob"),
        (
            {"PARVIS_INFLUX_URL": "http://127.0.0.1:1", "PARVIS_INFLUX_ORG": "o", "PARVIS_INFLUX_BUCKET": "b"},
            "secret influx-token is missing",
        ),
    ],
    ids=["setting", "module", "secret"],
)
def test_s40_a_wrong_setting_is_a_sentence(environment: dict[str, str], settings: dict[str, str], said: str) -> None:
    code, words = refused(environment | settings)

    assert code == 1
    assert said in words
    assert "Traceback" not in words


def test_a_port_for_traps_that_is_taken_is_a_sentence(environment: dict[str, str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        code, words = refused(environment | {"PARVIS_TRAP_PORT": str(taken.getsockname()[1])})

    assert code == 1
    assert re.search(r"traps: UDP port \d+ at 0\.0\.0\.0 cannot be opened: Address already in use", words)
    assert "Traceback" not in words
