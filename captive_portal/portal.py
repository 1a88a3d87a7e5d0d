"""The portal's process: pages and API over HTTPS, the redirector on plain HTTP, the doorkeeper, metrics.

An ordinary user runs it, and it can do nothing but ask gatewayd. granian's first process only holds the socket and
starts the second, which does everything; when that one ends, so does the first, and systemd starts both again.
``parvis portal`` starts it; this module is what that command becomes.
"""

import ctypes
import gc
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings

from captive_portal.launch import handed

THREADS = 8
PR_SET_PDEATHSIG = 1
HTTP = HTTP1Settings(header_read_timeout=10_000, keep_alive=True, max_buffer_size=32 * 1024)
"""Milliseconds and bytes: slow and fat requests are not waited for."""


def serve(facts: dict[str, Any]) -> None:
    """Serve until a signal. *facts* are those of :func:`captive_portal.commands.portal_facts`."""
    gc.collect()
    gc.freeze()  # so that the second process' collector does not touch, and so copy, the pages both share
    Granian(
        target="captive_portal.portal",
        address=facts["bind"],
        port=facts["https_port"],
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        http1_settings=HTTP,
        blocking_threads=THREADS,
        blocking_threads_idle_timeout=600,
        backlog=1024,
        backpressure=256,
        ssl_cert=Path(facts["certificate"]),
        ssl_key=Path(facts["key"]),
        ssl_protocol_min=SSLProtocols.tls12,
        log_enabled=False,
        workers_kill_timeout=10,
    ).serve(target_loader=partial(_worker, facts), wrap_loader=False)


def _worker(facts: dict[str, Any]) -> Callable[..., Any]:
    """In the second process: start all parts, hand granian the application."""
    from captive_portal.portal_parts import start  # noqa: PLC0415 the first process stays small

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # never outlive the first process, however it ends
    stack = ExitStack()
    application = start(facts, stack)
    Finalize(None, stack.close, exitpriority=100)  # multiprocessing runs no atexit
    return application


if __name__ == "__main__":
    serve(handed("portal"))
    sys.exit(0)
