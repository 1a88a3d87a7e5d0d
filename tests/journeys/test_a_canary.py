"""A resident who can be recognised by everything uses the whole running town; then all that it has written is searched.

tests/captive_portal/test_canary_root.py does the same with the door and the console, in every state of a session. Here
monitor, collectors, recorder, archive, Prometheus, Alertmanager, exports, backup and support bundle are there too.
"""

import gzip
import io
import json
import re
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlencode

import pytest
from test_canary_root import AGENT, REFERRER, VISITED, mac_traces, texts

from actors import MSP, Resident, eventually, promql
from lab.building import Options
from lab.plan import WEB
from lab.rooms import PARVIS, Pace
from lab.town import Lab
from parvis import processes
from parvis.namespaces import inside
from parvis.processes import Process
from upkeep import backup, doctor, places, support

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(300)]

GATEWAY = (processes.PORTAL, processes.GATEWAYD, processes.EVIDENCE)
CENTRE = (processes.COLLECTORS, processes.MONITOR, processes.CONSOLE, processes.ARCHIVE)
RESIDENTS_OWN = ("residents/*", "logs/gw-*-r[0-9]*", "agents.sock")
"""What the resident's phone writes on the phone."""
LABS_OWN = ("lab.json", "pids/*")
"""What the lab writes down of the twin: a town has no lab."""
ALLOWED = ("gw-msp/kea/leases.csv*", "gw-msp/portal/portal.sqlite3*")
"""Kea's leases and the living session; tests/captive_portal/test_canary_root.py says when they end."""


class Canary:
    """What gives the resident away."""

    def __init__(self, twin: Lab, name: str) -> None:
        self.resident = Resident(twin, name)
        (mac,) = (one.mac.text for one in twin.plan.residents if one.name == name)
        told = json.loads(twin.exec(name, ["ip", "-j", "addr", "show"]).stdout)
        found = [one["local"] for link in told for one in link["addr_info"] if one["scope"] != "host"]
        self.fixed = [*mac_traces(mac), *(trace for word in (*VISITED, AGENT, REFERRER) for trace in texts(word))]
        words = "|".join(re.escape(one) for one in found)
        self.addresses = re.compile(rf"(?<![0-9a-f.:])(?:{words})(?![0-9a-f:]|\.?[0-9])".encode())
        assert len(found) >= 2, "IPv4 and IPv6"

    def is_in(self, data: bytes) -> bool:
        return bool(self.found_in(data))

    def found_in(self, data: bytes) -> list[bytes]:
        """What of it *data* has, each with what stands around."""
        lower = data.lower()
        places = [match.start() for match in self.addresses.finditer(lower)]
        places += [lower.find(one.lower()) for one in self.fixed if one in data or one.lower() in lower]
        return [data[max(0, at - 60) : at + 60] for at in places]


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("twin") / "lab")
    pace = Pace(poll=2.0, probe=0.5, alerts=0.05)
    without = frozenset({"visitor"})
    lab.up(Options(sites=(MSP,), residents=2, prefix="pk-", windows=False, pace=pace, without=without, evidence=True))
    yield lab
    lab.down()


def whose_address_no_configuration_names(twin: Lab) -> str:
    """The resident who did not get the first address of the pool."""
    pool = (twin.folder / "gw-msp/kea/kea-dhcp4.json").read_text("utf-8")
    return next(one.name for one in twin.plan.residents if f"{twin.lease(one.name)['ip']} " not in pool)


def lives(twin: Lab, canary: Canary) -> None:
    """Joins, is led to the portal, accepts, browses; the fibre fails meanwhile and comes back."""
    who, dressed = canary.resident, ("-A", AGENT, "-e", REFERRER)
    who.curl(f"http://{VISITED[0]}/{VISITED[4]}?q={VISITED[3]}", *dressed, "--resolve", f"{VISITED[0]}:80:{WEB[0]}")
    who.accepts()
    assert who.is_online(*dressed)
    who.curl(f"http://{VISITED[0]}/{VISITED[4]}?q={VISITED[3]}", *dressed, "--resolve", f"{VISITED[0]}:80:{WEB[0]}")
    who.curl(f"https://{VISITED[1]}/", *dressed, "--resolve", f"{VISITED[1]}:443:{WEB[0]}")
    who.curl(f"http://{VISITED[2]}/")
    twin.cut_fibre(MSP)
    eventually(lambda: promql(twin, 'ALERTS{alertname="LienCoupe",alertstate="firing"}'), "the alarm", 60)
    twin.restore_fibre(MSP)
    eventually(who.is_online, "online again", 60)
    recorder = f"http://{twin.town.site(MSP).gateway.address}:{processes.EVIDENCE.port}/metrics"
    eventually(lambda: "evidence_sessions 1.0" in asked(twin, recorder), "it is recorded")
    archive = twin.folder / "centre" / "archive" / "sealed"
    eventually(lambda: list(archive.glob("A-*.sealed")), "the archive has it")


def asked(twin: Lab, url: str) -> str:
    done = twin.exec("centre", ["curl", "-sS", "--max-time", "20", url], timeout_seconds=40)
    assert done.returncode == 0, (url, done.stderr)
    return done.stdout


def shown(twin: Lab) -> Iterator[tuple[str, str]]:
    """What every process, page and program of the centre shows to whoever asks."""
    address = twin.town.site(MSP).gateway.address
    where = [(one, str(address)) for one in GATEWAY] + [(one, "127.0.0.1") for one in CENTRE]
    for process, host in where:
        for page in ("metrics", "healthz"):
            yield f"{process.name} {page}", asked(twin, f"http://{host}:{process.port}/{page}")
    monitor = f"http://127.0.0.1:{processes.MONITOR.port}"
    link = twin.town.site(MSP).uplink.name
    pages = (
        f"/sites/{MSP}",
        f"/uplinks/{link}",
        f"/explain/{MSP}",
        "/portal",
        "/collectors",
        "/oncall",
        "/oncall.json",
    )
    for path in ("/wall", "/wall.json", *pages, "/availability.json"):
        yield path, asked(twin, f"{monitor}{path}")
    yield "devices", asked(twin, f"http://127.0.0.1:{processes.COLLECTORS.port}/devices.json")
    query = urlencode({"match[]": '{__name__=~".+"}'})
    yield "Prometheus' series", asked(twin, f"http://127.0.0.1:9090/api/v1/series?{query}")
    yield "Alertmanager's alerts", asked(twin, "http://127.0.0.1:9093/api/v2/alerts")


def exported(twin: Lab, into: Path) -> Iterator[tuple[str, str]]:
    """What staff's commands print and write."""
    month = f"{datetime.now(UTC):%Y-%m}"
    settings = twin.folder / "settings"
    opendata = into / "opendata.toml"
    said = {"town": twin.folder / "town", "state": into / "opendata", "authority": twin.folder / "tls" / "ca.pem",
            "secrets": twin.folder / "secrets" / "console"}  # fmt: skip
    opendata.write_text("".join(f'{key} = "{value}"\n' for key, value in said.items()))
    for words, file in (
        (("sla", "report", month, "--into", str(into / "sla")), "monitor.toml"),
        (("sla", "outages"), "monitor.toml"),
        (("status", "export", str(into / "status")), "monitor.toml"),
        (("oncall", "incidents", "--all"), "monitor.toml"),
        (("opendata", "export", str(into / "out")), str(opendata)),
        (("dpo", "retention", str(twin.folder / "centre")), ""),
        (("dpo", "retention", str(twin.folder / "gw-msp")), ""),
    ):
        given = ["--settings", str(settings / file)] if file else []
        done = twin.exec("centre", [sys.executable, PARVIS, *words, *given], timeout_seconds=90)
        assert done.returncode in {0, 1}, (words, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, (words, done.stderr)
        yield " ".join(words), done.stdout + done.stderr
    legal = ["legal", "--settings", str(settings / "archive.toml"), "report"]
    yield "legal report", twin.exec("centre", [sys.executable, PARVIS, *legal], timeout_seconds=60).stdout


def backed_up(twin: Lab, folder: Path) -> bytes:
    """A backup of one machine that is gateway and centre in one, before it is encrypted."""
    root = folder / "machine"
    for place in ("gw-msp", "centre"):
        for state in (twin.folder / place).iterdir():
            if state.is_dir() and state.name not in {"run", "rules"}:
                shutil.copytree(state, root / "var/lib/parvis" / state.name, ignore=_sockets)
    shutil.copytree(twin.folder / "settings", root / "etc/parvis")
    leases = root / "var/lib/kea"
    leases.mkdir(parents=True)
    shutil.copy(twin.folder / "gw-msp/kea/leases.csv", leases / "kea-leases4.csv")
    shutil.rmtree(root / "var/lib/parvis/kea", ignore_errors=True)
    scratch = folder / "scratch"
    scratch.mkdir()
    return backup.collect(scratch, sessions=False, root=root, made_at="now").read_bytes()


def _sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if Path(folder, name).is_socket()]


def helped(twin: Lab, machine: str, here: tuple[Process, ...], patch: pytest.MonkeyPatch) -> bytes:
    """The support bundle as *machine* would write it, unpacked."""
    prefix = f"{machine}." if machine != "centre" else ""
    logs = {places.unit(one.name): twin.folder / "logs" / f"{prefix}{one.name}.log" for one in here}
    patch.setattr(doctor, "installed", lambda: list(here))
    patch.setattr(doctor, "diagnoses", list)
    patch.setattr(places, "TOWN", twin.folder / "town")
    patch.setattr(places, "settings", lambda name: twin.folder / "settings" / f"{prefix}{name}.toml")
    patch.setattr(support, "journal", lambda unit: logs[unit].read_text("utf-8").splitlines())
    made: Callable[[], bytes] = support.bundle
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(inside(twin.namespace(machine), made)))) as opened:
        files = {one.name: opened.extractfile(one) for one in opened.getmembers()}
        texts_of = {name: file.read() for name, file in files.items() if file is not None}
    assert all(texts_of[f"parvis-support/{one.name}/log.jsonl"] for one in here), "something would have been found"
    assert b"_total" in texts_of[f"parvis-support/{here[0].name}/metrics.txt"]
    return b"\n".join(texts_of.values())


def written(twin: Lab) -> Iterator[tuple[str, bytes]]:
    for path in sorted(twin.folder.rglob("*")):
        name = str(path.relative_to(twin.folder))
        if path.is_file() and not any(fnmatch(name, own) for own in (*RESIDENTS_OWN, *LABS_OWN)):
            yield name, path.read_bytes()


def test_ret07_gdp01_pri02_nothing_the_running_town_writes_tells_who_was_there_or_where_they_went(
    twin: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = Canary(twin, whose_address_no_configuration_names(twin))
    lives(twin, canary)

    found = {name for name, text in (*shown(twin), *exported(twin, tmp_path)) if canary.is_in(text.encode())}
    assert found == set()
    files = {name: data for name, data in written(twin) if canary.is_in(data)}
    assert [name for name in files if not any(fnmatch(name, place) for place in ALLOWED)] == []
    assert any(fnmatch(name, ALLOWED[0]) for name in files), "the search would have found it"
    visited = [trace for word in (*VISITED, AGENT, REFERRER) for trace in texts(word)]
    assert [name for name, data in files.items() if any(one in data for one in visited)] == []
    assert [path.name for path in tmp_path.rglob("*") if path.is_file() and canary.is_in(path.read_bytes())] == []
    assert canary.found_in(backed_up(twin, tmp_path)) == []
    for machine, here in (("gw-msp", GATEWAY), ("centre", CENTRE)):
        assert canary.found_in(helped(twin, machine, here, monkeypatch)) == [], machine
