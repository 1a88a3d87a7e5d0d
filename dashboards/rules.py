"""Prometheus's alert rules, from the alerts and the inventory: what is wrong, to whom it matters, what to do."""

from itertools import groupby
from typing import Any

import yaml

from dashboards.pace import PROMETHEUS_LEAST_SECONDS, paced
from parvis.alerts import Alert, alerts, filled
from parvis.inventory import Site, Town
from parvis.recordings import Recording, recordings
from parvis.runbooks import runbook

HEADER = "# Generated from the inventory and the catalogue (parvis rules); change those, not this.\n"


def rules(town: Town, pace: float = 1.0) -> str:
    """The rules file. *pace* scales every ``for``, ``keep_firing_for`` and ``interval``: 1 in production."""
    of_town = [_rule(alert, town, None, pace) for alert in alerts().values() if alert.scope == "town"]
    groups = [*recorded(pace), {"name": "town", "rules": [_watchdog(town), *of_town]}]
    for site in town.sites:
        of_site = [_rule(alert, town, site, pace) for alert in alerts().values() if alert.scope == "site"]
        groups.append({"name": f"site {site.site}", "rules": of_site})
    return HEADER + yaml.safe_dump({"groups": groups}, sort_keys=False, allow_unicode=True, width=120)


def recorded(pace: float = 1.0) -> list[dict[str, Any]]:
    """What is recorded: a group for each interval, which is its own and not that of all others."""
    groups = groupby(sorted(recordings().values(), key=_every), key=_every)
    return [
        {
            "name": f"recorded every {paced(every, 1)}",
            "interval": paced(every, pace, PROMETHEUS_LEAST_SECONDS),
            "rules": [{"record": one.name, "expr": one.expr} for one in these],
        }
        for every, these in groups
    ]


def _every(one: Recording) -> float:
    return one.every


def _watchdog(town: Town) -> dict[str, Any]:
    """Always firing. The annotation carries the second at which Prometheus made it: arrival proves nothing."""
    return {
        "alert": "Watchdog",
        "expr": "vector(time())",
        "labels": {"severity": "none", "layer": "monitoring", "town": town.town},
        "annotations": {
            "summary": "Prometheus évalue ses règles",
            "impact": "Aucun : ce signal doit toujours arriver.",
            "beat": '{{ printf "%.3f" $value }}',
            "runbook_url": runbook("Watchdog"),
            "dashboard_url": "/wall",
        },
    }


def _rule(alert: Alert, town: Town, site: Site | None, pace: float) -> dict[str, Any]:
    labels = {"severity": alert.severity_at(site.site_class if site else "A"), "layer": alert.layer, "town": town.town}
    return {
        "alert": alert.name,
        "expr": alert.promql(site),
        "for": paced(alert.for_, pace),
        "keep_firing_for": paced(alert.keep, pace),
        "labels": {**labels, "site": site.site} if site else labels,
        "annotations": {
            "summary": filled(alert.summary, town, site),
            "impact": filled(alert.impact, town, site),
            "runbook_url": runbook(alert.name),
            "dashboard_url": f"/wall#{site.site}" if site else "/wall",
        },
    }
