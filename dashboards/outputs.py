"""What this room draws from the town: Prometheus's and Alertmanager's files."""

from dashboards.alertmanager import alertmanager, alertmanager_arguments
from dashboards.ports import PRODUCTION, Ports
from dashboards.prometheus import RULES_FILE, prometheus, prometheus_arguments
from dashboards.rules import rules
from parvis.inventory import Town


def outputs(town: Town, pace: float = 1.0, ports: Ports = PRODUCTION) -> dict[str, str]:
    """Configuration and flags of Prometheus and Alertmanager, by name.

    *pace* below 1 makes waits shorter, for a demo; thresholds stay.
    """
    return {
        "centre/prometheus.yml": prometheus(town, pace, ports),
        "centre/prometheus.args": prometheus_arguments(pace, ports),
        f"centre/{RULES_FILE}": rules(town, pace),
        "centre/alertmanager.yml": alertmanager(town, pace, ports),
        "centre/alertmanager.args": alertmanager_arguments(ports),
    }
