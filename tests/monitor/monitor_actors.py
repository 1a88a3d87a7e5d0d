"""Actors for the monitor's tests: somebody who listens to the town, and somebody who tells of alerts."""

import atexit
import json
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from monitor.duty import BOOK_FILE, PAGES_FILE, Duty
from monitor.findings import Finding, Policy, Reason, State, judge
from monitor.history.recorder import HISTORY_FILE
from monitor.instruments import MonitorMetrics
from monitor.observations import Outcome, Sample
from monitor.settings import MonitorSettings
from monitor.store_migration import HISTORY_FOLDER, migrate
from monitor.targets import targets
from monitor.watch import Watch
from monitor.web.app import create_app
from parvis.inventory import Town

INTERVAL = 5.0


class Listener:
    """Plays rounds of ``judge``: everything answers but what is named."""

    def __init__(self, town: Town, policy: Policy) -> None:
        self.town = town
        self.policy = policy
        self.now = 1_000_000.0
        self.findings: list[Finding] = []
        self.planned: Mapping[str, str] = {}

    def hears(
        self,
        rounds: int = 1,
        *,
        silent: Iterable[str] = (),
        unasked: Iterable[str] = (),
        lossy: Iterable[str] = (),
        samples: Iterable[Sample] = (),
    ) -> "Listener":
        silent, unasked, lossy, samples = set(silent), set(unasked), set(lossy), list(samples)
        for _ in range(rounds):
            self.now += INTERVAL
            outcomes = [
                Outcome(t.name, t.name not in silent, 0.5 if t.name in lossy else 0.0, 0.01)
                for t in targets(self.town)
                if t.name not in unasked
            ]
            self.findings = judge(self.town, outcomes, samples, self.findings, self.now, self.policy, self.planned)
        return self

    def hears_nothing_at_all(self, rounds: int) -> "Listener":
        return self.hears(rounds, silent=[target.name for target in targets(self.town)])

    def state(self, name: str) -> State:
        return self._finding(name).state

    def reason(self, name: str) -> Reason:
        return self._finding(name).reason

    def since(self, name: str) -> float:
        return self._finding(name).since

    def cause(self, name: str) -> str:
        return self._finding(name).cause

    def _finding(self, name: str) -> Finding:
        return next(finding for finding in self.findings if finding.target.name == name)


class Messenger:
    """Plays Alertmanager: posts webhook messages to the monitor's application."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def tells(self, *alerts: dict[str, Any]) -> TestResponse:
        return self.client.post("/alertmanager", json={"version": "4", "status": "firing", "alerts": list(alerts)})

    def beats(self, at: float | None = None) -> TestResponse:
        second = time.time() if at is None else at
        return self.tells(alert("Watchdog", severity="none", fingerprint="beef", annotations={"beat": f"{second:.3f}"}))


def alert(name: str, **changes: Any) -> dict[str, Any]:
    """One alert as Alertmanager sends it; words that are no key of an alert become labels."""
    keys = {"status", "annotations", "startsAt", "fingerprint"}
    labels = {"alertname": name, "town": "cachan", "severity": "page", "layer": "uplink", "site": "leo-lagrange"}
    labels |= {key: value for key, value in changes.items() if key not in keys}
    return {
        "status": "firing",
        "annotations": {"summary": f"{name} !", "impact": "Plus de Wi-Fi.", "runbook_url": "docs/06-runbooks.md#x"},
        "startsAt": "2026-11-23T20:40:00.123Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://localhost/graph",
        "fingerprint": "0123456789abcdef",
        **{key: value for key, value in changes.items() if key in keys},
        "labels": labels,
    }


@cache
def empty_book() -> Path:
    """A file the migrations have made, once for all tests: they take a process and a second."""
    path = Path(tempfile.mkdtemp(prefix="parvis-book-")) / BOOK_FILE
    migrate(path)
    atexit.register(shutil.rmtree, path.parent, ignore_errors=True)
    return path


@cache
def empty_history() -> Path:
    """The same of the history's file."""
    path = empty_book().with_name(HISTORY_FILE)
    migrate(path, HISTORY_FOLDER)
    return path


class Desk:
    """The monitor's application and its parts, not started: no echo leaves, no loop runs, the clock is the test's."""

    def __init__(self, town: Town, state: Path, *, now: datetime | None = None, **settings: Any) -> None:
        self.town = town
        if not (state / BOOK_FILE).exists():
            shutil.copy(empty_book(), state / BOOK_FILE)
        self.settings = MonitorSettings(state=state, **settings)
        self.metrics = MonitorMetrics(town.town)
        self.registry = self.metrics.registry
        self.watch = Watch(town, self.settings, self.metrics)
        self.file = state / PAGES_FILE
        self.at: float | None = now.timestamp() if now else None
        self.duty = Duty(town, self.settings, self.metrics, self.clock)
        self.engine = self.duty.engine
        self.client = create_app(town, self.settings, self.watch, self.duty, self.metrics).test_client()
        self.messenger = Messenger(self.client)

    def clock(self) -> float:
        return time.time() if self.at is None else self.at

    def passes(self, seconds: float, *, step: float = 10.0) -> "Desk":
        """Let time pass; the engine and the outbox work at each step."""
        assert self.at is not None
        for _ in range(round(seconds / step)):
            self.at += step
            self.works()
        return self

    def works(self) -> "Desk":
        self.engine.watch_beat(self.clock())
        self.engine.tick(self.clock())
        self.duty.dispatcher.once()
        self.duty.show()
        return self

    def written(self) -> list[dict[str, Any]]:
        """The lines of pages.jsonl less the tests of channels."""
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        return [line for line in map(json.loads, lines) if line["kind"] != "test"]

    def incidents(self) -> list[dict[str, Any]]:
        with self.engine.book.look() as entries:
            return sorted(entries.rows(), key=lambda row: row["number"])

    def letters_links(self, page: int) -> dict[str, str]:
        return self.duty.letters.links(page, self.clock())

    def states(self) -> list[str]:
        return [row["state"] for row in self.incidents()]

    def timeline(self, number: int = 1) -> list[str]:
        with self.engine.book.look() as entries:
            return [line["what"] for line in entries.timeline_of(number)]

    def counted(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0
