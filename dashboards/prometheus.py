"""Prometheus's configuration and command line: whom to scrape follows from the inventory."""

from typing import Any

import yaml

from dashboards.pace import PROMETHEUS_LEAST_SECONDS, paced
from dashboards.ports import PRODUCTION, Ports
from dashboards.rules import HEADER
from parvis.inventory import Town
from parvis.processes import ALL, ARCHIVE, COLLECTORS, CONSOLE, MONITOR, Process

INTERVAL_SECONDS = 15.0
HASTE_SECONDS = 5.0
"""Between two looks at the monitor, and between two evaluations: what is up is decided there, and somebody waits."""
RESEND_SECONDS = 60.0
"""How often a firing alert is told to Alertmanager again; the Watchdog's beat is never older than two of these."""
RULES_FILE = "rules.yml"
MOST_OF_A_SCRAPE = "64MB"
"""A page that never ends fails as a scrape; without a limit it would take the memory, and every alert with it."""


def prometheus(town: Town, pace: float = 1.0, ports: Ports = PRODUCTION) -> str:
    """prometheus.yml, which names the rules file relatively. *pace* scales the intervals."""
    interval = paced(INTERVAL_SECONDS, pace, PROMETHEUS_LEAST_SECONDS)
    config = {
        "global": {
            "scrape_interval": interval,
            "scrape_timeout": paced(INTERVAL_SECONDS * 2 / 3, pace, PROMETHEUS_LEAST_SECONDS),
            "evaluation_interval": paced(HASTE_SECONDS, pace, PROMETHEUS_LEAST_SECONDS),
            "external_labels": {"town": town.town},
        },
        "rule_files": [RULES_FILE],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [_local(ports.alertmanager)]}]}]},
        "scrape_configs": [
            *(_at_gateways(town, process) for process in ALL if process.place == "gateway"),
            _at_centre(town, COLLECTORS.name, ports.collectors),
            {**_at_centre(town, MONITOR.name, ports.monitor), **_hasty(pace)},
            _at_centre(town, CONSOLE.name, ports.console),
            _at_centre(town, ARCHIVE.name, ports.archive),
            _at_centre(town, "prometheus", ports.prometheus),
            _at_centre(town, "alertmanager", ports.alertmanager),
        ],
    }
    return HEADER + yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=120)


def prometheus_arguments(pace: float = 1.0, ports: Ports = PRODUCTION) -> str:
    """Command-line flags, one a line; the caller adds --config.file and --storage.tsdb.path."""
    flags = (
        f"--web.listen-address={_local(ports.prometheus)}",
        f"--rules.alert.resend-delay={paced(RESEND_SECONDS, pace, 1.0)}",
        "--storage.tsdb.retention.time=90d",
    )
    return "".join(f"{flag}\n" for flag in flags)


def _at_gateways(town: Town, process: Process) -> dict[str, Any]:
    """One target a site, named by what the inventory knows: the process itself need not know where it runs."""
    return {
        "job_name": process.name,
        "body_size_limit": MOST_OF_A_SCRAPE,
        "static_configs": [
            {
                "targets": [f"{site.gateway.address}:{process.port}"],
                "labels": {"town": town.town, "site": site.site, "device": site.gateway.name},
            }
            for site in town.sites
        ],
    }


def _hasty(pace: float) -> dict[str, str]:
    haste = paced(HASTE_SECONDS, pace, PROMETHEUS_LEAST_SECONDS)
    return {"scrape_interval": haste, "scrape_timeout": haste}


def _at_centre(town: Town, job: str, port: int) -> dict[str, Any]:
    """One target; the labels it writes itself stay as they are, for they say which site a sample is about."""
    return {
        "job_name": job,
        "body_size_limit": MOST_OF_A_SCRAPE,
        "honor_labels": True,
        "static_configs": [{"targets": [_local(port)], "labels": {"town": town.town}}],
    }


def _local(port: int) -> str:
    return f"127.0.0.1:{port}"
