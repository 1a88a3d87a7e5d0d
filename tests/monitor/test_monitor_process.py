"""The monitor as it runs: its metrics, its outputs, its settings, and the real process."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import yaml
from monitor_actors import Desk, Listener

from monitor.collectors import Heard
from monitor.observations import Outcome
from monitor.outputs import outputs
from monitor.settings import MonitorSettings
from monitor.sites import views
from monitor.targets import targets
from monitor.watch import Picture
from parvis.inventory import Town
from parvis.settings import SettingsError, load

SITE = {"town": "cachan", "site": "maison-services-publics"}
AP = {**SITE, "device": "ap-msp-accueil"}
UPLINK = {**SITE, "uplink": "fibre-msp"}
MAX_PSS_KB = 66_000
"""The on-call book, the history, the pages: SQLAlchemy and Flask are most of it."""


def shown(desk: Desk, listener: Listener) -> Desk:
    desk.metrics.show(listener.findings, views(listener.town, listener.findings, []), None)
    return desk


def test_what_is_up_is_one_and_what_is_down_is_zero(desk: Desk, listener: Listener) -> None:
    shown(desk, listener.hears(2).hears(3, silent=["fibre-msp"]))

    assert desk.registry.get_sample_value("uplink_up", UPLINK) == 0
    assert desk.registry.get_sample_value("ap_up", AP) == 1
    assert desk.registry.get_sample_value("site_up", SITE) == 0


def test_behind_a_cut_there_is_no_number_but_a_state(desk: Desk, listener: Listener) -> None:
    shown(desk, listener.hears(2))
    shown(desk, listener.hears(3, silent=["fibre-msp", "gw-msp", "sw-msp", "ap-msp-accueil"]))

    assert desk.registry.get_sample_value("ap_up", AP) is None
    labels = {**SITE, "subject": "ap-msp-accueil", "kind": "access-point"}
    states = {
        state: desk.registry.get_sample_value("reachability_state", {**labels, "state": state})
        for state in ("up", "degraded", "down", "unreachable", "unknown")
    }
    assert states == {"up": 0, "degraded": 0, "down": 0, "unreachable": 1, "unknown": 0}


def test_before_anything_is_known_no_number_is_shown(desk: Desk, listener: Listener) -> None:
    shown(desk, listener.hears(1))

    for name, labels in (("uplink_up", UPLINK), ("ap_up", AP), ("site_up", SITE), ("site_clients", SITE)):
        assert desk.registry.get_sample_value(name, labels) is None
    assert desk.registry.get_sample_value("monitor_isolated", {"town": "cachan"}) is None
    assert desk.registry.get_sample_value("snmp_data_age_seconds", {"town": "cachan"}) is None


def test_an_isolated_monitor_accuses_nobody_in_its_metrics(desk: Desk, listener: Listener) -> None:
    shown(desk, listener.hears(2).hears_nothing_at_all(3))

    assert desk.registry.get_sample_value("uplink_up", UPLINK) is None
    assert desk.registry.get_sample_value("monitor_isolated", {"town": "cachan"}) == 1


def test_no_metric_speaks_of_anything_but_the_inventory(desk: Desk, listener: Listener) -> None:
    shown(desk, listener.hears(3))
    named = {target.name for target in targets(listener.town)} | {""}
    for family in desk.registry.collect():
        for sample in family.samples:
            for key in ("device", "uplink", "target", "subject"):
                assert sample.labels.get(key, "") in named | {""}


def test_a_watch_whose_rounds_stop_is_not_healthy(desk: Desk) -> None:
    assert desk.watch.late() == "no round has ended yet"
    desk.watch.picture = Picture(time.time())
    assert desk.watch.late() == ""
    desk.watch.picture = Picture(time.time() - 60)
    assert desk.watch.late() == "no round has ended for 60 s"


def test_a_round_judges_what_prober_and_collectors_say(desk: Desk, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stub:
        def __init__(self) -> None:
            self.counts: dict[str, int] = {}

        def round(self) -> list[Outcome]:
            return [Outcome(target.name, True, 0.0, 0.01) for target in targets(town)]

    monkeypatch.setattr(desk.watch, "_prober", Stub())
    for _ in range(3):
        assert desk.watch._probe() is True

    assert {view.state for view in desk.watch.picture.sites} == {"up"}


def test_silent_collectors_are_a_failed_round_and_change_no_state(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk.settings, "collectors_url", "http://127.0.0.1:9")

    assert desk.watch._listen() is False
    assert desk.watch._heard.samples == Heard(0.0).samples


def test_every_target_of_the_town_is_an_output(town: Town) -> None:
    listed = yaml.safe_load(outputs(town)["centre/monitor-targets.yml"])

    assert len(listed) == len(town.internet_targets) + sum(
        2 + len(site.switches) + len(site.access_points) for site in town.sites
    )
    point = next(target for target in listed if target["name"] == "ap-msp-accueil")
    assert point["behind"] == ["sw-msp", "gw-msp", "fibre-msp"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("probe_timeout = '9s'", "shorter than probe_interval"),
        ("collectors_url = 'file:///etc/passwd'", "collectors_url"),
        ("fail_after = 0", "fail_after"),
        ("fail_aftr = 3", "did you mean fail_after"),
        ("webhook_networks = ['everyone']", "webhook_networks"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "monitor.toml"
    file.write_text(text)

    with pytest.raises(SettingsError, match=complaint):
        load(MonitorSettings, file)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_the_process_starts_serves_and_stops_within_its_memory(tmp_path: Path) -> None:
    port = free_port()
    file = tmp_path / "monitor.toml"
    file.write_text(f"port = {port}\nstate = '{tmp_path}/state'\nprobe_interval = '1s'\nprobe_timeout = '500ms'\n")
    words = [str(Path(sys.executable).with_name("parvis")), "monitor", "--settings", str(file)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 30
        while b"<title>" not in answer(f"http://127.0.0.1:{port}/wall") and time.monotonic() < deadline:
            time.sleep(0.2)
        assert b"uplink_up" in answer(f"http://127.0.0.1:{port}/metrics")
        assert json.loads(answer(f"http://127.0.0.1:{port}/wall.json"))["town"] == "Ville de Cachan"
        pss = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
        assert int(next(line for line in pss.splitlines() if line.startswith("Pss:")).split()[1]) < MAX_PSS_KB
    finally:
        os.kill(process.pid, signal.SIGTERM)
        _out, log = process.communicate(timeout=20)
    assert process.returncode == 0, log
    assert "stopped" in log


def answer(url: str) -> bytes:
    try:
        with urlopen(url, timeout=5) as response:
            return bytes(response.read())
    except HTTPError as error:
        return bytes(error.read())
    except OSError:
        return b""
