"""Run a process of ours: structured logs, ``/metrics`` and ``/healthz``, ordered start, graceful stop.

A component is a context manager: entering starts it, leaving stops it. ``run`` enters them in order, says READY to
systemd, waits for SIGTERM or SIGINT, and leaves them in reverse.
"""

import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import FrameType, TracebackType
from typing import Any, Self

import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from waitress.server import create_server

from parvis.catalogue import Instruments
from parvis.inventory import InventoryError, Town
from parvis.inventory import load as load_town
from parvis.processes import Process
from parvis.settings import ProcessSettings, unknown_variables

VERSION = "0.1.0"

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Check = Callable[[], str]
"""Empty when all is well, else what is wrong, in words."""
Page = Callable[[], tuple[str, bytes]]
"""(content type, body)."""

log = structlog.get_logger()


def start_logging(process: str, level: str) -> None:
    """One JSON object a line on standard error: event, level, timestamp (UTC), process and the facts as fields."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)


def new_registry(process: Process) -> CollectorRegistry:
    """A registry with the usual process metrics and ``process_info``."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    Instruments("all", registry).gauge("process_info").labels(process.name, VERSION).set(1)
    return registry


class Endpoint(AbstractContextManager["Endpoint"]):
    """The HTTP server of a process: ``/metrics``, ``/healthz``, *pages*, and *app* for every other path.

    ``/healthz`` answers 200 with ``{"ok": true}``, or 503 naming each check that fails. *metrics* replaces the
    registry's text where a room renders its own (it must then include the registry's).
    """

    def __init__(
        self,
        address: tuple[str, int],
        registry: CollectorRegistry,
        checks: dict[str, Check] | None = None,
        pages: dict[str, Page] | None = None,
        app: WsgiApp | None = None,
    ) -> None:
        self._address = address
        self._registry = registry
        self._checks = checks or {}
        self._pages = {"/metrics": self._metrics, **(pages or {})}
        self._app = app
        self._server: Any = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port in use, once started."""
        return int(self._server.effective_port)

    def __enter__(self) -> Self:
        host, port = self._address
        self._server = create_server(self._answer, host=host, port=port, threads=4, ident="parvis")
        self._thread = threading.Thread(target=self._server.run, name="endpoint", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self._server.task_dispatcher.shutdown()

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        if path == "/healthz":
            return self._health(start_response)
        if path in self._pages:
            content_type, body = self._pages[path]()
            start_response("200 OK", [("Content-Type", content_type), ("Content-Length", str(len(body)))])
            return [body]
        if self._app is not None:
            return self._app(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
        return [f"No page here; there are {', '.join(['/healthz', *self._pages])}\n".encode()]

    def _metrics(self) -> tuple[str, bytes]:
        return CONTENT_TYPE_PLAIN_0_0_4, generate_latest(self._registry)

    def _health(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        found = {name: check() for name, check in self._checks.items()}
        wrong = {name: text for name, text in found.items() if text}
        body = json.dumps({"ok": not wrong, **({"wrong": wrong} if wrong else {})}, ensure_ascii=False).encode()
        status = "503 Service Unavailable" if wrong else "200 OK"
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


def town_or_exit(settings: ProcessSettings) -> Town:
    """The town; on a broken one, every fault on standard error and exit code 1: nothing starts on a broken town."""
    try:
        return load_town(settings.town)
    except InventoryError as error:
        sys.stderr.write(f"{error}\n{len(error.faults)} fault(s) in {settings.town}; nothing was started\n")
        raise SystemExit(1) from error


def notify(state: str) -> None:
    """Tell systemd *state* (sd_notify(3)), such as ``READY=1``; nothing happens outside systemd."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall(state.encode())


def run(process: Process, settings: ProcessSettings, components: Sequence[AbstractContextManager[Any]]) -> int:
    """Run *components* until SIGTERM or SIGINT; returns the exit code 0. Call ``start_logging`` before."""
    stop = threading.Event()

    def ask_to_stop(number: int, _frame: FrameType | None) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    strangers = unknown_variables(type(settings), os.environ)
    if strangers:
        log.warning("environment variables this process does not read", names=strangers)
    with ExitStack() as stack:
        for component in components:
            stack.enter_context(component)
        notify("READY=1")
        log.info("started", version=VERSION, town=str(settings.town))
        stop.wait()
        notify("STOPPING=1")
    log.info("stopped", process=process.name)
    return 0
