"""The gateways' journals reach the centre by systemd's and stunnel's programs: from those it knows, and end in time."""

import os
import shlex
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from parvis.inventory import Town
from upkeep import logs

NEEDED = (f"{logs.PROGRAMS}/systemd-journal-remote", f"{logs.PROGRAMS}/systemd-journal-upload", "stunnel4")
ENTRY = (
    "__REALTIME_TIMESTAMP={}000000\n__MONOTONIC_TIMESTAMP=1\n_BOOT_ID=4b1c2f7a0d5e4f6f8c9b0a1d2e3f4a5b\n"
    "_HOSTNAME={}\nMESSAGE={}\n\n"
)
DAY = 86400
pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, (*NEEDED, "systemd-socket-activate"))),
    reason="journal-remote or stunnel is not installed",
)


@dataclass
class Centre:
    """What the centre runs, on a port and in a folder of its own."""

    folder: Path
    port: int
    authority: trustme.CA

    def certified(self, name: str) -> None:
        made = self.authority.issue_cert("127.0.0.1", common_name=name)
        made.private_key_pem.write_to_path(str(self.folder / f"{name}.key"))
        made.cert_chain_pems[0].write_to_path(str(self.folder / f"{name}.crt"))

    def told(self, name: str, line: str) -> bool:
        """A gateway called *name* uploads a journal that holds *line*, then ends; whether the centre took it."""
        journal = Path(tempfile.mkdtemp(dir=self.folder))
        words = [NEEDED[0], f"--output={journal}/own.journal", "-"]
        said = ENTRY.format(int(time.time()), name, line)
        subprocess.run(words, input=said, text=True, check=True, capture_output=True, timeout=60)
        self.certified(name)
        shown = [f"--key={self.folder}/{name}.key", f"--cert={self.folder}/{name}.crt"]
        url, trust = f"--url=https://127.0.0.1:{self.port}", f"--trust={self.folder}/authority.pem"
        sent = [NEEDED[1], url, *shown, trust, f"--directory={journal}", "--follow=no"]
        return subprocess.run(sent, capture_output=True, check=False, timeout=60).returncode == 0

    def arrives(self, name: str, line: str) -> bool:
        """Whether what *name* uploads is there before we lose patience: the programs may still be starting."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.told(name, line) and line in self.read():
                return True
            time.sleep(0.2)
        return False

    def read(self) -> str:
        words = ["journalctl", f"--directory={self.folder / 'received'}", "--output=cat", "--no-pager"]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=60).stdout


def commands(text: str, key: str) -> list[list[str]]:
    """The words of each command called *key* in a unit's text."""
    return [shlex.split(line.partition("=")[2]) for line in text.splitlines() if line.startswith(f"{key}=")]


@pytest.fixture
def centre(tmp_path: Path, town: Town) -> Iterator[Centre]:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        made = Centre(tmp_path, one.getsockname()[1], trustme.CA())
    made.authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    made.certified("console")
    (tmp_path / "received").mkdir()
    ours = {
        f"{town.centre.address}:19532": f"127.0.0.1:{made.port}",
        str(logs.SOCKET): str(tmp_path / "socket"),
        "/etc/parvis/tls/console.crt": str(tmp_path / "console.crt"),
        f"/run/credentials/{logs.DOOR}/console.key": str(tmp_path / "console.key"),
        "/etc/parvis/tls/authority.pem": str(tmp_path / "authority.pem"),
    }
    settings = logs.door_settings(town)
    for place, here in ours.items():
        assert place in settings
        settings = settings.replace(place, here)
    (tmp_path / "logs.conf").write_text(settings)
    writing = commands(logs.remote("").replace(str(logs.FOLDER), str(tmp_path / "received")), "ExecStart")[-1]
    programs = (
        ["systemd-socket-activate", "--listen", str(tmp_path / "socket"), *writing],
        [shutil.which("stunnel4") or "", str(tmp_path / "logs.conf")],
    )
    with ExitStack() as stack:
        for words in programs:
            process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
        yield made


def test_sec11_a_gateways_journal_arrives_over_mutual_tls(centre: Centre) -> None:
    assert centre.arrives("gw-msp", "sessions reconciled")

    arrived = logs.received("gw-msp", time.time(), centre.folder / "received")
    assert arrived.age is not None
    assert logs.judged(arrived).level == "ok"
    assert logs.received("gw-lagrange", time.time(), centre.folder / "received").age is None


def test_sec11_whoever_has_no_certificate_of_the_towns_writes_nothing(centre: Centre) -> None:
    assert centre.arrives("gw-msp", "one of ours")
    centre.authority = trustme.CA()

    assert not centre.told("gw-stranger", "from outside")
    assert "from outside" not in centre.read()


def test_sec11_ret08_a_file_is_closed_at_each_start_and_gone_after_ninety_days(tmp_path: Path) -> None:
    now = time.time()
    ages = {"gateways.journal": 1, "gateways@20260901T013000.journal": logs.CLOSED_DAYS + 1.5,
            "gateways@20260914T013000.journal": logs.CLOSED_DAYS - 1}  # fmt: skip
    for name, days in ages.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (now, now - days * DAY))
    text = logs.remote("").replace(str(logs.FOLDER), str(tmp_path)).replace("$$", "$").replace("%%", "%")
    before = commands(text, "ExecStartPre")
    for words in before:
        subprocess.run(words, check=True, timeout=60)

    left = sorted(path.name for path in tmp_path.iterdir())
    assert len(before) == 2
    assert left[:1] == ["gateways@20260914T013000.journal"]
    assert [name[:10] for name in left[1:]] == ["gateways@2"]
    assert logs.CLOSED_DAYS + 1 + 2 * 7 <= 90


def test_sec11_a_gateway_that_is_silent_is_named() -> None:
    silent, never = (logs.judged(logs.Received("gw-msp", age)) for age in (logs.SILENT_SECONDS + 60.0, None))

    assert (silent.level, silent.words) == ("look", "last line 61 min ago")
    assert (never.level, never.words) == ("look", "nothing has arrived")
    assert "journalctl -u systemd-journal-upload.service" in never.fix


def test_sec11_each_gateway_sends_and_the_centre_listens_at_its_own_address_alone(town: Town) -> None:
    assert commands(logs.upload(town, ""), "ExecStart")[-1][1:3] == ["--save-state", "--url=https://10.90.0.1:19532"]
    assert "accept = 10.90.0.1:19532\n" in logs.door_settings(town)
    assert f"ListenStream=\nListenStream={logs.SOCKET}\nSocketMode=0660\n" in logs.socket()
