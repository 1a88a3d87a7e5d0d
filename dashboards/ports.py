"""Where the processes of the centre are, all on the loopback: Prometheus and Alertmanager run beside the monitor."""

from dataclasses import dataclass

from parvis.processes import ALERTMANAGER_PORT, ARCHIVE, COLLECTORS, CONSOLE, MONITOR, PROMETHEUS_PORT


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports on 127.0.0.1; tests choose their own."""

    prometheus: int = PROMETHEUS_PORT
    alertmanager: int = ALERTMANAGER_PORT
    collectors: int = COLLECTORS.port
    monitor: int = MONITOR.port
    console: int = CONSOLE.port
    archive: int = ARCHIVE.port


PRODUCTION = Ports()
