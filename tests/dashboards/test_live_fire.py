"""Cut a fibre before a real Prometheus, Alertmanager and monitor: one page for the uplink, none for what is behind.

The monitor's own instruments are the exporter: findings in, metrics out, as in production.
"""

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import yaml

from dashboards.outputs import outputs
from dashboards.ports import Ports
from monitor.duty import PAGES_FILE, Duty
from monitor.findings import Finding, Policy, judge
from monitor.instruments import MonitorMetrics
from monitor.observations import Outcome
from monitor.settings import MonitorSettings
from monitor.sites import views
from monitor.targets import Kind, targets
from monitor.watch import Picture, Watch
from monitor.web.app import create_app
from parvis.endpoint import Endpoint
from parvis.inventory import Town
from parvis.processes import ALL

PACE = 0.02
PATIENCE_SECONDS = 40
SITE = "maison-services-publics"
UPLINK = "fibre-msp"
AT_GATEWAYS = {process.name for process in ALL if process.place == "gateway"}
"""No gateway runs here, which an alert would rightly say."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def until(true: Callable[[], Any], what: str, patience: float = PATIENCE_SECONDS) -> Any:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.1)
    pytest.fail(f"not within {patience} s: {what}")


def asked(url: str) -> Any:
    try:
        with urlopen(url, timeout=5) as response:
            return json.loads(response.read())
    except OSError:
        return None


class Centre:
    """Prometheus, Alertmanager and the monitor on ports of their own; the network is what the test says."""

    def __init__(self, town: Town, folder: Path, stack: ExitStack) -> None:
        self.town = town
        self.ports = Ports(*free_ports(4))
        self.pages = folder / PAGES_FILE
        self.metrics = MonitorMetrics(town.town)
        self.findings: list[Finding] = []
        self._files(folder)
        stack.enter_context(self._monitor(folder))
        stack.enter_context(self.duty.running(lambda: self.watch.picture))
        stack.enter_context(self._collectors())
        self.hears()
        self.alertmanager = self._program(stack, folder, "prometheus-alertmanager", "alertmanager", "storage")
        self.prometheus = self._program(stack, folder, "prometheus", "prometheus", "storage.tsdb")
        until(self._connected, "Prometheus knows Alertmanager")
        until(lambda: self.duty.engine.beat, "the Watchdog beats")

    def hears(self, silent: set[str] = frozenset(), *, forced_down: set[str] = frozenset()) -> None:
        """Three rounds; *forced_down* are shown as down even behind something, as if they had fallen first."""
        for _ in range(3):
            outcomes = [Outcome(t.name, t.name not in silent, 0.0, 0.01) for t in targets(self.town)]
            policy = Policy(fail_after=3, recover_after=2)
            self.findings = judge(self.town, outcomes, [], self.findings, time.time(), policy)
        down = next((f.state for f in self.findings if f.target.name in silent), None)
        shown = [replace(f, state=down) if down and f.target.name in forced_down else f for f in self.findings]
        sites = views(self.town, shown, [])
        self.watch.picture = Picture(time.time(), shown, sites)
        self.metrics.show(shown, sites, 5.0)

    def told(self, kind: str = "call") -> list[dict[str, Any]]:
        lines = self.pages.read_text("utf-8").splitlines() if self.pages.exists() else []
        return [event for line in lines if (event := json.loads(line))["kind"] == kind]

    def incidents(self) -> list[dict[str, Any]]:
        with self.duty.engine.book.page() as entries:
            return sorted(entries.rows(), key=lambda row: row["number"])

    def at_alertmanager(self) -> dict[str, str]:
        """What Alertmanager holds: alert and subject, and whether it is active or suppressed."""
        held = asked(f"http://127.0.0.1:{self.ports.alertmanager}/api/v2/alerts") or []
        subject = ("uplink", "device")
        return {
            "/".join([a["labels"]["alertname"], *(a["labels"][k] for k in subject if k in a["labels"])]): a["status"][
                "state"
            ]
            for a in held
        }

    def _connected(self) -> bool:
        found = asked(f"http://127.0.0.1:{self.ports.prometheus}/api/v1/alertmanagers")
        return bool(found and found["data"]["activeAlertmanagers"])

    def _files(self, folder: Path) -> None:
        for name, text in outputs(self.town, PACE, self.ports).items():
            (folder / Path(name).name).write_text(text, "utf-8")
        config = yaml.safe_load((folder / "prometheus.yml").read_text("utf-8"))
        here = [one for one in config["scrape_configs"] if one["job_name"] not in AT_GATEWAYS]
        (folder / "prometheus.yml").write_text(yaml.safe_dump({**config, "scrape_configs": here}), "utf-8")

    def _monitor(self, folder: Path) -> Endpoint:
        url = f"http://127.0.0.1:{self.ports.alertmanager}"
        settings = MonitorSettings(
            state=folder, beat_max_age=4.0, alertmanager_url=url, alertmanager_poll=2.0, alert_pace=PACE
        )
        self.watch = Watch(self.town, settings, self.metrics)
        self.duty = Duty(self.town, settings, self.metrics)
        app = create_app(self.town, settings, self.watch, self.duty, self.metrics)
        return Endpoint(("127.0.0.1", self.ports.monitor), self.metrics.registry, app=app)

    def _collectors(self) -> Endpoint:
        return Endpoint(("127.0.0.1", self.ports.collectors), MonitorMetrics("elsewhere").registry)

    def _program(self, stack: ExitStack, folder: Path, program: str, name: str, store: str) -> subprocess.Popen[bytes]:
        flags = (folder / f"{name}.args").read_text().split()
        flags += [f"--config.file={folder / name}.yml", f"--{store}.path={folder / f'{name}-data'}"]
        log = stack.enter_context((folder / f"{name}.log").open("wb"))
        process = subprocess.Popen([program, *flags], stdout=log, stderr=log, cwd=folder)
        stack.callback(process.wait)
        stack.callback(process.kill)
        return process


@pytest.fixture
def centre(town: Town, tmp_path: Path) -> Iterator[Centre]:
    with ExitStack() as stack:
        yield Centre(town, tmp_path, stack)


def of_equipment(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Less what the monitoring says of itself: its waits are a fiftieth here, and a crowded machine is late."""
    return [one for one in told if one["layer"] != "monitoring"]


def behind(town: Town) -> set[str]:
    return {t.name for t in targets(town) if UPLINK in t.parents}


def access_points(town: Town) -> set[str]:
    return {t.name for t in targets(town) if t.site == SITE and t.kind is Kind.ACCESS_POINT}


def test_s28_g25_a_cut_uplink_calls_once_and_its_silent_access_points_call_nobody(centre: Centre, town: Town) -> None:
    assert centre.told() == [], "nothing is wrong yet"
    centre.hears(silent={UPLINK, *behind(town)}, forced_down=access_points(town))
    until(lambda: of_equipment(centre.told()), "the page arrives")
    until(lambda: sum(n.startswith("BorneMuette") for n in centre.at_alertmanager()) == 3, "the access points fire too")
    time.sleep(6)  # several group intervals: time enough for a second message

    told = of_equipment(centre.told())
    assert [(event["alert"], event["site"], event["severity"]) for event in told] == [("LienCoupe", SITE, "page")]
    assert told[0]["person"] in town.rota.order
    held = centre.at_alertmanager()
    assert {state for name, state in held.items() if name.startswith("BorneMuette")} == {"suppressed"}
    assert held[f"LienCoupe/{UPLINK}"] == "active"

    centre.hears()
    until(lambda: of_equipment(centre.told("all-clear")), "the all-clear arrives")
    assert [event["alert"] for event in of_equipment(centre.told("all-clear"))] == ["LienCoupe"]


def test_an_access_point_alone_is_a_ticket_that_calls_nobody(centre: Centre, town: Town) -> None:
    name = min(access_points(town))
    centre.hears(silent={name})
    (incident,) = until(lambda: of_equipment(centre.incidents()), "the ticket arrives")
    with centre.duty.engine.book.page() as entries:
        (alert,) = entries.alerts_of(incident["number"])

    assert (alert["name"], alert["subject"]) == ("BorneMuette", name)
    assert of_equipment(centre.told()) == []


def test_when_nothing_answers_one_page_stands_for_the_whole_town(centre: Centre, town: Town) -> None:
    centre.hears(silent={target.name for target in targets(town)})
    until(centre.told, "the page arrives")
    time.sleep(6)

    assert [event["alert"] for event in centre.told()] == ["SupervisionIsolee"]


def test_a_dead_prometheus_makes_no_all_clear(centre: Centre, town: Town) -> None:
    centre.hears(silent={UPLINK, *behind(town)})
    until(centre.told, "the page arrives")
    centre.prometheus.kill()
    until(
        lambda: centre.metrics.registry.get_sample_value("alert_refusals_total", {"reason": "unproven"}),
        "Alertmanager reports a resolution that nobody has seen",
    )

    until(lambda: len(centre.incidents()) > 1, "the silence of Prometheus is an incident of its own")
    assert centre.told("all-clear") == []
    assert [(row["key"], row["state"]) for row in centre.incidents()] == [
        (f"{SITE}/uplink", "open"),
        ("/SupervisionMuette", "open"),
    ]


def test_the_same_page_posted_again_is_written_once(centre: Centre, town: Town) -> None:
    centre.hears(silent={UPLINK, *behind(town)})
    until(centre.told, "the page arrives")
    held = asked(f"http://127.0.0.1:{centre.ports.alertmanager}/api/v2/alerts")
    page = next(a for a in held if a["labels"]["alertname"] == "LienCoupe")
    body = json.dumps({"version": "4", "alerts": [{**page, "status": "firing"}]}).encode()
    url = f"http://127.0.0.1:{centre.ports.monitor}/alertmanager"
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=5) as answer:
        assert answer.status == 200

    assert len(centre.told()) == 1
