"""Prometheus and Alertmanager, as far as the on-call engine can tell: what they would post, and how they die."""

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any

from monitor.alertmanager import WATCHDOG, Message
from monitor.checks import Verdict
from monitor.engine import OnCall
from monitor.incidents import Alert, unexplained

BEAT_SECONDS = 20.0
GROUP_SECONDS = 10.0
"""A scrape, an evaluation and a group's wait."""
RESOLVES_SECONDS = 240.0
"""After so long Alertmanager says of a dead Prometheus's alerts that they are over (measured)."""


class Chain:
    """Posts to *engine* what firing verdicts become."""

    def __init__(self, engine: OnCall) -> None:
        self.alive = True
        self._engine = engine
        self._beat = 0.0
        self._died = 0.0
        self._waiting: dict[str, tuple[float, Alert]] = {}
        self._told: dict[str, Alert] = {}

    def kill(self, now: float) -> None:
        """Prometheus dies; Alertmanager goes on with what it has."""
        self.alive, self._died = False, now

    def step(self, verdicts: Mapping[str, Verdict], now: float) -> None:
        """One round."""
        if not self.alive:
            if self._told and now - self._died >= RESOLVES_SECONDS:
                self._post([_json(alert, "resolved") for alert in self._told.values()], now)
                self._died = now
            return
        firing = {a.identity: a for a in unexplained([v.alert for v in verdicts.values() if v.firing])}
        for identity, alert in firing.items():
            self._waiting.setdefault(identity, (now, alert))
        self._waiting = {name: one for name, one in self._waiting.items() if name in firing}
        fresh = [a for at, a in self._waiting.values() if now - at >= GROUP_SECONDS and a.identity not in self._told]
        over = [alert for identity, alert in self._told.items() if identity not in firing]
        posted = [_json(alert, "firing") for alert in fresh] + [_json(alert, "resolved") for alert in over]
        self._told = {i: a for i, a in self._told.items() if i in firing} | {a.identity: a for a in fresh}
        if now - self._beat >= BEAT_SECONDS:
            self._beat = now
            posted.append(_watchdog(now))
        self._post(posted, now)

    def _post(self, posted: list[dict[str, Any]], now: float) -> None:
        if posted:
            message = Message.model_validate({"version": "4", "alerts": posted})
            self._engine.take(message, datetime.fromtimestamp(now, UTC))


def _json(alert: Alert, status: str) -> dict[str, Any]:
    labels = {"alertname": alert.name, "site": alert.site, "device": alert.subject}
    labels |= {"severity": alert.severity, "layer": alert.layer}
    texts = {"summary": alert.summary, "impact": alert.impact, "runbook_url": alert.runbook}
    return {
        "status": status,
        "labels": {name: text for name, text in labels.items() if text},
        "annotations": texts,
        "startsAt": datetime.fromtimestamp(alert.starts_at, UTC).isoformat(),
        "fingerprint": sha1(alert.identity.encode(), usedforsecurity=False).hexdigest()[:16],
    }


def _watchdog(now: float) -> dict[str, Any]:
    made = Alert(WATCHDOG, "", "", "none", "monitoring", "bat", "", "", now)
    return {**_json(made, "firing"), "annotations": {"beat": f"{now:.3f}"}}
