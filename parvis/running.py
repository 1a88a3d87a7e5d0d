"""Logs, systemd's ear, and the life of a process from READY to the signal that ends it. It imports little."""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from importlib import import_module
from types import FrameType, ModuleType
from typing import Any

from parvis import heap


def _structlog() -> ModuleType:
    """structlog, kept from loading rich: 5 MB a process for colours that nobody sees in a journal."""
    loaded = sys.modules.get("rich")
    sys.modules["rich"] = None  # type: ignore[assignment]  # importlib: the documented way to say "not here"
    try:
        return import_module("structlog")
    finally:
        if loaded is None:
            del sys.modules["rich"]
        else:
            sys.modules["rich"] = loaded


structlog = _structlog()
log = structlog.get_logger()
"""What every room writes its events with."""


def start_logging(process: str, level: str) -> None:
    """One JSON object a line on standard error: event, level, timestamp (UTC), process and the facts as fields."""

    def named(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["process"] = process  # bound here, not by contextvars: threads do not inherit those
        return event

    structlog.configure(
        processors=[
            named,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def notify(state: str) -> None:
    """Tell systemd *state* (sd_notify(3)), such as ``READY=1``; nothing happens outside systemd."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall(state.encode())


def thread_or_exit(name: str, work: Callable[[], None]) -> threading.Thread:
    """A thread, not started, without which the process is useless: when *work* fails, so does the process, with 1."""

    def guarded() -> None:
        try:
            work()
        except BaseException:
            log.exception("a thread failed; the process ends", thread=name)
            os._exit(1)

    return threading.Thread(target=guarded, name=name, daemon=True)


def hold(components: Sequence[AbstractContextManager[Any]], **facts: object) -> None:
    """Enter *components* in order, say READY and log *facts*, wait for SIGTERM or SIGINT, leave them in reverse."""
    stop = threading.Event()

    def ask_to_stop(number: int, _frame: FrameType | None) -> None:
        log.info("stopping", signal=signal.Signals(number).name)
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    heap.keep_small()
    with ExitStack() as stack:
        for component in components:
            stack.enter_context(component)
        heap.give_back()
        notify("READY=1")
        log.info("started", **facts)
        stop.wait()
        notify("STOPPING=1")
    log.info("stopped")
