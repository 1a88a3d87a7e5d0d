"""``script/soak incidents``: two hundred incidents while every process of the town is killed again and again (kill -9).

A real twin: Prometheus, Alertmanager, monitor with its on-call engine, collectors, each gatewayd and each portal. The
incidents come the whole way, from a metric Prometheus scrapes to the message. Whoever is called takes a third of them
at once, the others after a minute. At the end: each incident has called somebody, none that was taken called again, no
message was lost or doubled but where the knife fell in between. Everything is drawn from ``--seed``; the exit code is 1
when a promise was broken.
"""

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import yaml
from soak_checks import page_faults
from soak_town import Soak
from stopping import stoppable
from table import machine

from lab.building import Options
from lab.rooms import Pace
from lab.town import Lab
from monitor.duty import PAGES_FILE, Duty
from monitor.incidents import Event, NotPossible
from monitor.instruments import MonitorMetrics
from monitor.settings import MonitorSettings
from parvis.namespaces import inside

PACE = Pace(poll=5.0, probe=1.0, visit=60.0, alerts=0.05)
PORT = 9399
LEFT_ALONE = {"simulated", "windows", "inet"}
"""The world around the town."""
A_KILL_SECONDS = 4.0
PATIENCE_SECONDS = 150.0
TAKEN_SECONDS = 60.0
RACE_SECONDS = 1.0
"""A message that was being sent when its incident was taken."""
RULE = {
    "alert": "EpreuveIncident",
    "expr": "incident_of_the_soak == 1",
    "labels": {"severity": "page", "layer": "service", "town": "cachan"},
    "annotations": {"summary": "Incident d'épreuve", "impact": "Aucun.", "runbook_url": "", "dashboard_url": ""},
}


class Trouble(ThreadingHTTPServer):
    """What Prometheus scrapes: one line for each incident that has begun."""

    begun: ClassVar[set[int]] = set()

    def serve(self) -> "Trouble":
        Thread(target=self.serve_forever, daemon=True).start()
        return self


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        lines = "".join(f'incident_of_the_soak{{site="s{number}"}} 1\n' for number in sorted(Trouble.begun))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(lines.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Storm:
    """The twin, what was begun, who was called, what was taken."""

    def __init__(self, lab: Lab, seed: int, incidents: int) -> None:
        self.lab, self.incidents, self.dice = lab, incidents, random.Random(seed)
        self.killed: Counter[str] = Counter()
        self.monitor_kills: list[float] = []
        self.taken: dict[int, float] = {}
        self.seen: dict[int, float] = {}
        self.broken: list[str] = []
        self.folder = lab.folder / "centre" / "monitor"
        self._prepare()
        settings = MonitorSettings(state=self.folder, alertmanager_url="")
        self.duty = Duty(lab.town, settings, MonitorMetrics(lab.town.town))

    def _prepare(self) -> None:
        """Let Prometheus scrape the trouble, and let the monitor send as many messages as it likes."""
        config = next(self.lab.folder.rglob("prometheus.yml"))
        rules = config.with_name("rules.yml")
        told = yaml.safe_load(config.read_text("utf-8"))
        told["scrape_configs"].append(
            {
                "job_name": "trouble",
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "honor_labels": True,
                "static_configs": [{"targets": [f"127.0.0.1:{PORT}"]}],
            }
        )
        config.write_text(yaml.safe_dump(told), "utf-8")
        groups = yaml.safe_load(rules.read_text("utf-8"))
        groups["groups"].append({"name": "soak", "rules": [RULE]})
        rules.write_text(yaml.safe_dump(groups), "utf-8")
        settings = self.lab.folder / "settings" / "monitor.toml"
        settings.write_text(settings.read_text("utf-8") + "message_window = 1.0\n", "utf-8")
        for name in ("prometheus", "monitor"):
            self.lab.restart(name)

    def rages(self, seconds: float) -> None:
        """Begin incidents and kill processes, each at a random instant, and take every third incident as it calls."""
        begins = sorted((self.dice.uniform(0, seconds), number) for number in range(1, self.incidents + 1))
        kills = sorted(self.dice.uniform(0, seconds) for _ in range(round(seconds / A_KILL_SECONDS)))
        victims = self._victims()
        order = [*self.dice.sample(victims, len(victims)), *self.dice.choices(victims, k=len(kills))]
        started = time.monotonic()
        while begins or kills:
            now = time.monotonic() - started
            while begins and begins[0][0] <= now:
                Trouble.begun.add(begins.pop(0)[1])
            if kills and kills[0] <= now:
                kills.pop(0)
                self._kill(order.pop(0))
            self._take()
            time.sleep(0.1)

    def _victims(self) -> list[str]:
        running = [run.program for run in self.lab.processes()]
        names = [one.name for one in running if one.kind == "ours"] + ["prometheus", "alertmanager"]
        return sorted(name for name in names if name.partition(".")[0] not in LEFT_ALONE)

    def _kill(self, name: str) -> None:
        self.lab.stop(name, signal.SIGKILL)
        self.killed[name.rpartition(".")[2]] += 1
        if name == "monitor":
            self.monitor_kills.append(time.time())
        time.sleep(self.dice.uniform(0.0, 1.5))
        self.lab.start(name)

    def _take(self) -> None:
        """Every third at once, the others after a minute: before they would be repeated."""
        for number in self.called():
            begun = self.seen.setdefault(number, time.time())
            ripe = number % 3 == 0 or time.time() - begun > TAKEN_SECONDS
            if ripe and number not in self.taken:
                with self.duty.engine.book.look() as entries:
                    rows = [row for row in entries.rows(10_000) if row["site"] == f"s{number}"]
                try:
                    for row in rows:
                        self.duty.engine.act(row["number"], Event.ACKNOWLEDGE, "agent-1", time.time())
                except NotPossible as error:
                    self.broken.append(f"s{number}: {error}")
                self.taken[number] = time.time()

    def lines(self) -> list[dict[str, str]]:
        """Every call for an incident of the soak, in order."""
        file = self.folder / PAGES_FILE
        found = file.read_text("utf-8").splitlines() if file.exists() else []
        told = [json.loads(line) for line in found if line.endswith("}")]
        return [
            one for one in told if one["kind"] == "call" and one["site"].startswith("s") and one["site"][1:].isdigit()
        ]

    def called(self) -> Counter[int]:
        """Incident -> how many calls."""
        return Counter(int(line["site"][1:]) for line in self.lines())

    def ends(self) -> None:
        """Wait until each has called, and look at everything."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.called()) < self.incidents and time.monotonic() < deadline:
            self._take()
            time.sleep(0.5)
        time.sleep(5)
        never = sorted(set(range(1, self.incidents + 1)) - set(self.called()))
        self.broken += [f"nobody was called for s{number}" for number in never]
        for line in self.lines():
            taken = self.taken.get(int(line["site"][1:]))
            if taken is not None and time_of(line) > taken + RACE_SECONDS:
                self.broken.append(f"{line['site']} called again after it was taken: {line['time']}")
        self.broken += page_faults(Soak.pages(self), self.monitor_kills)  # type: ignore[arg-type]

    def report(self, seed: int, seconds: float) -> str:
        calls = self.called()
        twice = sum(count - 1 for count in calls.values())
        kills = ", ".join(f"{name} {count}" for name, count in sorted(self.killed.items()))
        verdict = f"{len(self.broken)} promises broken" if self.broken else "No promise was broken."
        return "\n".join(
            [
                f"# {self.incidents} incidents in {seconds:.0f} s, seed {seed}",
                "",
                machine(),
                "",
                f"kill -9: {sum(self.killed.values())} ({kills})",
                f"called: {len(calls)} of {self.incidents}, {twice} calls more; taken meanwhile: {len(self.taken)}",
                "",
                verdict,
                *self.broken[:40],
            ]
        )


def time_of(line: dict[str, str]) -> float:
    return datetime.fromisoformat(line["time"]).timestamp()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--incidents", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=240.0, help="within which they begin")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--prefix", default="si-", help="of the namespaces")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parvis-soak-") as folder:
        Path(folder).chmod(0o755)
        lab = Lab(Path(folder) / "lab")
        lab.up(Options(prefix=words.prefix, residents=1, windows=False, pace=PACE))
        try:
            trouble = inside(lab.namespace("centre"), lambda: Trouble(("127.0.0.1", PORT), Page)).serve()
            storm = Storm(lab, words.seed, words.incidents)
            storm.rages(words.seconds)
            storm.ends()
            trouble.shutdown()
            print(storm.report(words.seed, words.seconds))
            return 1 if storm.broken else 0
        finally:
            lab.down()


if __name__ == "__main__":
    with stoppable():
        sys.exit(main())
