"""Open the windows of lab.windows: listeners on the host's loopback, handed to a process inside the twin.

These listeners are all that the lab adds to the host.
"""

import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from lab import processes
from lab.plan import Plan, Resident
from lab.processes import Program
from lab.rooms import LOOPBACK
from lab.windows import PROXY, Page
from parvis.processes import ALERTMANAGER_PORT, CONSOLE_HTTPS_PORT, MONITOR, PROMETHEUS_PORT

PROGRAM = "windows"
PROXY_PORT = 8888
PAGES = {
    "monitor": MONITOR.port,
    "console": CONSOLE_HTTPS_PORT,
    "prometheus": PROMETHEUS_PORT,
    "alertmanager": ALERTMANAGER_PORT,
}
"""Programs of the centre whose pages the host's browser may open, and their ports there."""


def usual(wiring: Plan, without: frozenset[str]) -> dict[str, int]:
    """The windows a twin has, and the ports on the host's loopback they would like."""
    return {name: port for name, port in PAGES.items() if name not in without} | (
        {PROXY: PROXY_PORT} if wiring.residents else {}
    )


def open_windows(wiring: Plan, wanted: Mapping[str, int], resident: Resident | None, folder: Path) -> dict[str, int]:
    """Open *wanted* (name -> port on the host's loopback), the proxy leaving through *resident*; the ports they got."""
    channels = {name: _listener(port) for name, port in wanted.items()}
    ports = {name: int(channel.getsockname()[1]) for name, channel in channels.items()}
    argv = [f"{channel.fileno()}={_leads_to(name, wiring)}" for name, channel in channels.items()]
    place = resident.namespace if resident else wiring.centre
    program = Program(PROGRAM, place, (sys.executable, "-m", "lab.windows", *argv), "ours")
    processes.start(program, folder, tuple(channel.fileno() for channel in channels.values()))
    for channel in channels.values():
        channel.close()
    return ports


def _leads_to(name: str, wiring: Plan) -> str:
    return PROXY if name == PROXY else Page(wiring.centre, LOOPBACK, PAGES[name]).text


def _listener(port: int) -> socket.socket:
    """A listener on *port*, or on any free one when somebody has it."""
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError:
        return socket.create_server((LOOPBACK, 0))
