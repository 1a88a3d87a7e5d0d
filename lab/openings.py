"""Open the windows of lab.windows: listeners on the host's loopback, handed to processes inside the twin.

These listeners are all that the lab adds to the host.
"""

import socket
import sys
from collections.abc import Iterable
from pathlib import Path

from lab import processes
from lab.plan import Plan, Resident
from lab.processes import Program
from lab.rooms import LOOPBACK
from parvis.processes import ALERTMANAGER_PORT, MONITOR, PROMETHEUS_PORT

PROXY = "proxy"
PROXY_PORT = 8888
WINDOWS = {"monitor": MONITOR.port, "prometheus": PROMETHEUS_PORT, "alertmanager": ALERTMANAGER_PORT}
"""Programs of the centre whose pages the host's browser may open, and their ports there."""


def open_windows(wiring: Plan, without: frozenset[str], folder: Path) -> dict[str, int]:
    """Open the windows and the first resident's proxy; the ports on the host's loopback by name."""
    channels = {name: _listener(port) for name, port in WINDOWS.items() if name not in without}
    ports = {name: _port(channel) for name, channel in channels.items()}
    exposed = [f"{channel.fileno()}={LOOPBACK}:{WINDOWS[name]}" for name, channel in channels.items()]
    _start("windows", wiring.centre, ("expose", *exposed), channels.values(), folder)
    if wiring.residents:
        ports[PROXY] = open_proxy(wiring.residents[0], folder)
    return ports


def open_proxy(resident: Resident, folder: Path) -> int:
    """Open the HTTP proxy that leaves through *resident*; its port on the host's loopback."""
    channel = _listener(PROXY_PORT)
    port = _port(channel)
    _start(PROXY, resident.namespace, ("proxy", str(channel.fileno())), [channel], folder)
    return port


def _start(name: str, namespace: str, argv: tuple[str, ...], channels: Iterable[socket.socket], folder: Path) -> None:
    program = Program(name, namespace, (sys.executable, "-m", "lab.windows", *argv), "ours")
    processes.start(program, folder, tuple(channel.fileno() for channel in channels))
    for channel in channels:
        channel.close()


def _listener(port: int) -> socket.socket:
    """A listener on *port*, or on any free one when somebody has it."""
    try:
        return socket.create_server((LOOPBACK, port))
    except OSError:
        return socket.create_server((LOOPBACK, 0))


def _port(channel: socket.socket) -> int:
    return int(channel.getsockname()[1])
