"""Alertmanager's configuration and command line: groups, the inhibition ladder, and one webhook, the monitor's."""

from typing import Any

import yaml

from dashboards.pace import paced
from dashboards.ports import PRODUCTION, Ports
from dashboards.rules import HEADER
from parvis.alerts import BESIDE, LADDER, WIDE, muted_by
from parvis.inventory import Town


def alertmanager(town: Town, pace: float = 1.0, ports: Ports = PRODUCTION) -> str:
    """alertmanager.yml. *pace* scales the waits; who is called is the monitor's to decide, it knows the rota.

    Notes go nowhere: dashboards show them, and Alertmanager's own page.
    """
    config = {
        "global": {"resolve_timeout": paced(300, pace, 1)},
        "route": {
            "receiver": "tickets",
            "group_by": ["town", "site"],
            **_waits(pace, wait=60, interval=300, repeat=86400),
            "routes": [
                *_outside(town, pace),
                {
                    "matchers": ['alertname="Watchdog"'],
                    "receiver": "beat",
                    "group_by": ["alertname", "town"],
                    **_waits(pace, wait=0, interval=15, repeat=20),
                },
                {
                    "matchers": ['severity=~"page|page-jour"'],
                    "receiver": "on-call",
                    **_waits(pace, wait=5, interval=60, repeat=14400),
                },
                {"matchers": ['severity="info"'], "receiver": "notes"},
            ],
        },
        "inhibit_rules": _ladder(),
        "receivers": [
            *(_receiver(name, ports) for name in ("tickets", "on-call", "beat")),
            {"name": "notes"},
            *_watcher(town),
        ],
    }
    return HEADER + yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=120)


def alertmanager_arguments(ports: Ports = PRODUCTION) -> str:
    """Command-line flags, one a line; the caller adds --config.file and --storage.path. One instance, no gossip."""
    return f"--web.listen-address=127.0.0.1:{ports.alertmanager}\n--cluster.listen-address=\n"


def _outside(town: Town, pace: float) -> list[dict[str, Any]]:
    """A silent monitor cannot tell of itself: the watch outside is told as well, with the beat that lets it believe."""
    if town.outside_watch is None:
        return []
    waits = _waits(pace, wait=0, interval=15, repeat=60)
    told = ['alertname=~"MoniteurMuet|Watchdog"']
    return [{"matchers": told, "receiver": "outside", "group_by": ["alertname"], "continue": True, **waits}]


def _watcher(town: Town) -> list[dict[str, Any]]:
    if town.outside_watch is None:
        return []
    hook = {"url": f"{town.outside_watch}/alertmanager", "send_resolved": True}
    return [{"name": "outside", "webhook_configs": [hook]}]


def _waits(pace: float, *, wait: float, interval: float, repeat: float) -> dict[str, str]:
    """Seconds: before the first message of a group, between two of its messages, before the same one again."""
    return {
        "group_wait": paced(wait, pace),
        "group_interval": paced(interval, pace, 0.5),
        "repeat_interval": paced(repeat, pace, 0.5),
    }


def _ladder() -> list[dict[str, Any]]:
    """Each layer makes the lower ones silent: in the whole town below ``town``, at the same site below that."""
    found = []
    for layer in (*LADDER[:-1], *(layer for layer in BESIDE if layer not in LADDER)):
        lower = muted_by(layer)
        found.append(
            {
                "source_matchers": [f'layer="{layer}"', 'severity=~"page|page-jour"'],
                "target_matchers": [f'layer=~"{"|".join(lower)}"', 'alertname!="Watchdog"'],
                "equal": ["town"] if layer in WIDE else ["town", "site"],
            }
        )
    return found


def _receiver(name: str, ports: Ports) -> dict[str, Any]:
    url = f"http://127.0.0.1:{ports.monitor}/alertmanager"
    return {"name": name, "webhook_configs": [{"url": url, "send_resolved": name != "beat"}]}
