"""Prometheus and Alertmanager, as far as the on-call engine can tell: what they would post, and how they die."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any

from monitor.alertmanager import WATCHDOG, Message
from monitor.checks import Verdict
from monitor.engine import OnCall
from monitor.incidents import Alert, unexplained
from parvis.alerts import alerts

BEAT_SECONDS = 20.0
GROUP_SECONDS = 10.0
"""A scrape, an evaluation and a group's wait."""
RESOLVES_SECONDS = 240.0
"""After so long Alertmanager says of a dead Prometheus's alerts that they are over (measured)."""


Well = Collection[tuple[str, str]]
"""(metric, site) of what is 1."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule that fires; *until*: when its condition last was true."""

    alert: Alert
    until: float


class Chain:
    """Posts to *engine* what firing verdicts become.

    A condition of which nobody can tell is not true to Prometheus: what fires then ends after its ``keep_firing_for``,
    unless the rule holds it until the site is known to be well. What a graver alert inhibits is not told, nor over.
    """

    def __init__(self, engine: OnCall) -> None:
        self.alive = True
        self._engine = engine
        self._beat = 0.0
        self._died = 0.0
        self._waiting: dict[str, tuple[float, Alert]] = {}
        self._told: dict[str, Alert] = {}
        self._standing: dict[str, Standing] = {}

    def kill(self, now: float) -> None:
        """Prometheus dies; Alertmanager goes on with what it has."""
        self.alive, self._died = False, now

    def step(self, verdicts: Mapping[str, Verdict], well: Well, now: float) -> None:
        """One round."""
        self._standing = self._evaluated(verdicts, well, now)
        if not self.alive:
            if self._told and now - self._died >= RESOLVES_SECONDS:
                self._post([_json(alert, "resolved") for alert in self._told.values()], now)
                self._died = now
            return
        standing = {identity: one.alert for identity, one in self._standing.items()}
        firing = {alert.identity: alert for alert in unexplained(list(standing.values()))}
        for identity, alert in firing.items():
            self._waiting.setdefault(identity, (now, alert))
        self._waiting = {name: one for name, one in self._waiting.items() if name in firing}
        fresh = [
            a for at, a in self._waiting.values() if _over(at, GROUP_SECONDS, now) and a.identity not in self._told
        ]
        over = [alert for identity, alert in self._told.items() if identity not in standing]
        posted = [_json(alert, "firing") for alert in fresh] + [_json(alert, "resolved") for alert in over]
        self._told = {i: a for i, a in self._told.items() if i in standing} | {a.identity: a for a in fresh}
        if _over(self._beat, BEAT_SECONDS, now):
            self._beat = now
            posted.append(_watchdog(now))
        self._post(posted, now)

    def _evaluated(self, verdicts: Mapping[str, Verdict], well: Well, now: float) -> dict[str, Standing]:
        found = {i: Standing(v.alert, v.until or now) for i, v in verdicts.items() if v.firing and v.wrong is not None}
        for identity, one in self._standing.items():
            verdict, rule = verdicts.get(identity), alerts()[one.alert.name]
            if verdict is not None and verdict.wrong is not None:
                continue
            if rule.until and (rule.until, one.alert.site) not in well:
                found[identity] = Standing(one.alert, now)
            elif now - one.until < rule.keep:
                found[identity] = one
        return found

    def _post(self, posted: list[dict[str, Any]], now: float) -> None:
        if posted:
            message = Message.model_validate({"version": "4", "alerts": posted})
            self._engine.take(message, datetime.fromtimestamp(now, UTC))


def _over(since: float, seconds: float, now: float) -> bool:
    """Whether *seconds* are over; a clock set back is no reason to wait: rounds are timed by one that cannot be set.

    >>> _over(100.0, 30.0, 120.0), _over(100.0, 30.0, 130.0), _over(100.0, 30.0, 40.0)
    (False, True, True)
    """
    return not 0 <= now - since < seconds


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
