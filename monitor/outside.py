"""The watch outside the town: asks the monitor for a sign of life, and calls who is on duty when none comes."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from math import isfinite
from typing import Any

from monitor.asking import asked
from monitor.duty import Duty
from monitor.incidents import Alert
from monitor.rounds import Rounds
from monitor.watch import Picture
from parvis.alerts import alerts
from parvis.endpoint import Endpoint
from parvis.inventory import Town
from parvis.processes import MONITOR
from parvis.runbooks import runbook as runbook_of
from parvis.running import log

TIMEOUT_SECONDS = 15
SILENT = "MoniteurMuet"


class Outside:
    """Asks *url* (the monitor's) and raises :data:`SILENT` after *patience* seconds without a sign of life.

    A sign of life carries the second of the engine's last round: a server that answers for a dead engine gives none.
    """

    def __init__(self, duty: Duty, url: str, patience: float, fetch: Callable[[str], bytes] | None = None) -> None:
        self._duty = duty
        self._url = url.rstrip("/") + "/beat.json"
        self._patience = patience
        self._fetch = fetch or _got
        self._alive_at = duty.clock()

    def ask(self) -> bool:
        """Ask once; False when there was no sign of life."""
        now = self._duty.clock()
        worked_at = self._worked_at()
        self._alive_at = min(self._alive_at, now)  # later, where the clock was set back
        if worked_at is not None:
            self._alive_at = max(self._alive_at, min(worked_at, now))
        silent = now - self._alive_at >= self._patience
        rule = alerts()[SILENT]
        runbook = runbook_of(SILENT)
        alert = Alert(SILENT, "", "outside", "page", rule.layer, rule.summary, rule.impact, runbook, now)
        if silent or worked_at is not None:
            self._duty.engine.raise_alert(replace(alert), firing=silent, now=now)
        return worked_at is not None

    def _worked_at(self) -> float | None:
        try:
            worked_at = float(json.loads(self._fetch(self._url))["worked_at"])
        except Exception as error:  # noqa: BLE001 whatever a host answers instead, it is no sign of life
            log.warning("no sign of life", error=type(error).__name__)
            return None
        return worked_at if isfinite(worked_at) else None


def outside_watch(town: Town, duty: Duty, url: str, every: float, patience: float) -> list[AbstractContextManager[Any]]:
    """The components of ``parvis oncall watch``: the question, the engine, its pages."""
    from monitor.web.app import duty_app  # noqa: PLC0415 the pages import the engine's parts, not this

    outside = Outside(duty, url, patience)
    metrics, settings = duty.metrics, duty.settings
    app = duty_app(town, duty, metrics)
    address = (settings.listen, settings.port or MONITOR.port)
    endpoint = Endpoint(address, metrics.registry, checks={"oncall": duty.late}, app=app)
    return [duty.running(lambda: Picture(0.0)), Rounds("heartbeat", every, outside.ask, metrics.made).turns, endpoint]


def _got(url: str) -> bytes:
    return asked(url, TIMEOUT_SECONDS)
