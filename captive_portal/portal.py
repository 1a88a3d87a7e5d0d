"""The portal's process: pages and API over HTTPS, the redirector on plain HTTP, the doorkeeper, metrics.

An ordinary user runs it, and it can do nothing but ask gatewayd. ``parvis portal`` starts it; this module is what that
command becomes.
"""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server import MPServer

from captive_portal.portal_parts import start
from parvis.launch import handed

THREADS = 16
"""As many acceptances may share a commit; granian starts them when they are needed."""
CONNECTIONS = 384
"""Most at once, those that browsers keep for the next question included (26 kB each); the ruleset gives a device 32.

With the redirector's and our files they stay below 1,024 descriptors, what a process has unless it asks for more.
"""
HTTP = HTTP1Settings(header_read_timeout=10_000, keep_alive=True, max_buffer_size=32 * 1024)
"""Milliseconds and bytes: slow and fat requests are not waited for."""


class _Alone(MPServer):
    """granian without its first process, which holds 12 MB to start and restart the second: systemd does that."""

    def _serve(self, spawn_target: Callable[..., None], target_loader: Callable[..., Any]) -> None:
        self._init_shared_socket()  # type: ignore[no-untyped-call]
        self._spawn_worker(0, spawn_target, target_loader).inner.run()


def server(target: str, address: str, port: int, certificate: str, key: str) -> MPServer:
    """Granian as the portal runs it: one process, HTTPS; *target* is what logs would call it."""
    return _Alone(
        target=target,
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP,
        blocking_threads=THREADS,
        blocking_threads_idle_timeout=600,
        backlog=1024,
        backpressure=CONNECTIONS,
        ssl_cert=Path(certificate),
        ssl_key=Path(key),
        ssl_protocol_min=SSLProtocols.tls12,
        log_enabled=False,
    )


def serve(facts: dict[str, Any], stack: ExitStack) -> None:
    """Serve until a signal. *facts* are those of :func:`captive_portal.commands.portal_facts`."""
    made = server("captive_portal.portal", facts["bind"], facts["https_port"], facts["certificate"], facts["key"])
    made.serve(target_loader=partial(start, facts, stack), wrap_loader=False)


if __name__ == "__main__":
    with ExitStack() as parts:
        serve(handed("portal"), parts)
    sys.stderr.flush()
    os._exit(0)  # granian's own threads are not waited for
