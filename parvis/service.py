"""Run a process of ours: structured logs, ``/metrics`` and ``/healthz``, ordered start, graceful stop.

A component is a context manager: entering starts it, leaving stops it. ``run`` enters them in order, says READY to
systemd, waits for SIGTERM or SIGINT, and leaves them in reverse. The parts are in running, endpoint and instruments,
which small processes import without the inventory.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from prometheus_client import CollectorRegistry

from parvis.catalogue import definitions
from parvis.endpoint import Check, Endpoint, Page, WsgiApp
from parvis.instruments import VERSION, registry_of
from parvis.inventory import InventoryError, Town
from parvis.inventory import load as load_town
from parvis.processes import Process
from parvis.running import hold, log, notify, start_logging
from parvis.settings import ProcessSettings, unknown_variables

__all__ = [
    "VERSION",
    "Check",
    "Endpoint",
    "Page",
    "WsgiApp",
    "log",
    "new_registry",
    "notify",
    "run",
    "start_logging",
    "town_or_exit",
]


def new_registry(process: Process) -> CollectorRegistry:
    """A registry with the usual process metrics and ``process_info``."""
    return registry_of(process.name, definitions(process.name, prefix="process_info"))[0]


def town_or_exit(settings: ProcessSettings) -> Town:
    """The town; on a broken one, every fault on standard error and exit code 1: nothing starts on a broken town."""
    try:
        return load_town(settings.town)
    except InventoryError as error:
        sys.stderr.write(f"{error}\n{len(error.faults)} fault(s) in {settings.town}; nothing was started\n")
        raise SystemExit(1) from error


def warn_of_strangers(settings: ProcessSettings) -> None:
    """Log the PARVIS_… variables *settings* does not read."""
    strangers = unknown_variables(type(settings), os.environ)
    if strangers:
        log.warning("environment variables this process does not read", names=strangers)


def run(process: Process, settings: ProcessSettings, components: Sequence[AbstractContextManager[Any]]) -> int:
    """Run *components* until SIGTERM or SIGINT; returns the exit code 0. Call ``start_logging`` before."""
    warn_of_strangers(settings)
    hold(components, version=VERSION, town=str(settings.town), port=settings.port or process.port)
    return 0
