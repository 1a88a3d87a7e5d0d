"""Logs, systemd's ear, and the life of a process from READY to the signal that ends it. It imports little."""

import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import FrameType, TracebackType
from typing import Any, Self

from parvis import heap
from parvis.journal import log

__all__ = ["Turns", "hold", "log", "notify", "start_logging", "thread_or_exit"]


def start_logging(process: str, level: str) -> None:
    """One JSON object a line on standard error: the facts as fields, event, process, level and timestamp (UTC)."""
    log.begin(process, level)


def notify(state: str) -> None:
    """Tell systemd *state* (sd_notify(3)), such as ``READY=1``; nothing happens outside systemd.

    Where it cannot be told the log says so: systemd draws its own conclusions, and the work goes on until then.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
            channel.sendall(state.encode())
    except OSError as error:
        log.warning("systemd cannot be told", state=state, reason=str(error))


def thread_or_exit(name: str, work: Callable[[], None]) -> threading.Thread:
    """A thread, not started, without which the process is useless: when *work* fails, so does the process, with 1."""

    def guarded() -> None:
        try:
            work()
        except BaseException:  # noqa: BLE001 logged, and the process ends
            log.exception("a thread failed; the process ends", thread=name)
            os._exit(1)

    return threading.Thread(target=guarded, name=name, daemon=True)


def _nothing() -> None:
    """What most threads need on leaving."""


class Turns(AbstractContextManager["Turns"]):
    """Runs *turn* again and again in a thread of its own from entering to leaving; a turn that fails ends the process.

    *turn* returns for how many seconds to rest after it. Leaving cuts a rest short, calls *hurry* to do the same to a
    turn under way, and waits for its end, at most *patience* seconds. *last* is the thread's last act.
    """

    def __init__(
        self,
        name: str,
        turn: Callable[[], float],
        *,
        hurry: Callable[[], object] = _nothing,
        last: Callable[[], object] = _nothing,
        patience: float | None = None,
    ) -> None:
        self._turn, self._hurry, self._last, self._patience = turn, hurry, last, patience
        self._leaving = threading.Event()
        self._thread = thread_or_exit(name, self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._hurry()
        self._thread.join(self._patience)

    def _run(self) -> None:
        rest = 0.0
        while not self._leaving.wait(rest):
            rest = self._turn()
        self._last()


def feed_watchdog(components: Sequence[object]) -> None:
    """Tell systemd's watchdog that we live, unless a component that can say so (``alive()``) says it does not work.

    A process that hangs is then killed and started again (WatchdogSec=, systemd.service); sessions stay in the kernel.
    """
    silent = [type(one).__name__ for one in components if not getattr(one, "alive", lambda: True)()]
    if silent:
        log.error("a part does not work any more; systemd will start the process again", parts=silent)
    else:
        notify("WATCHDOG=1")


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
        heap.settle()
        notify("READY=1")
        log.info("started", **facts)
        while not stop.wait(heap.TIDY_SECONDS):
            heap.tidy()
            feed_watchdog(components)
        notify("STOPPING=1")
    log.info("stopped")
