"""HTTP for WSGI applications that may wait: waitress, four requests at once."""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Thread
from typing import Any

from waitress.server import create_server

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

STOP_SECONDS = 1.0
"""Kept connections are not waited for longer than this."""


class Server:
    """Listens at once, and answers by *app* from ``start`` to ``stop``; OSError: the port is taken."""

    def __init__(self, app: WsgiApp, host: str, port: int) -> None:
        how = {"threads": 4, "ident": "parvis", "asyncore_use_poll": True}
        self._server: Any = create_server(app, host=host, port=port, **how)
        self._thread = Thread(target=self._server.run, name="endpoint", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return self._server.effective_host, int(self._server.effective_port)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and the port; from any thread."""
        self._server.task_dispatcher.shutdown()  # first: who still answers a request needs the server's trigger
        self._close()
        self._thread.join(STOP_SECONDS)

    def _close(self) -> None:
        """Have the server closed by its own thread: closed by another, its select(2) would meet a dead descriptor.

        That thread may be awake and close at once; waking it by a descriptor of our own, the byte goes nowhere else.
        """
        trigger = self._server.trigger
        waker = os.dup(trigger.trigger)
        try:
            with trigger.lock:
                trigger.thunks.append(self._server.close)
            with suppress(BrokenPipeError):
                os.write(waker, b"x")
        finally:
            os.close(waker)
