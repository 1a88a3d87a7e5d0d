"""A small HTTPS server for staff: a few threads, TLS 1.2 or later, in a thread of its own (cheroot)."""

import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter

from parvis.endpoint import WsgiApp
from parvis.running import log, thread_or_exit

THREADS = 4
"""Of the console, and of a site's API."""
WAITING = 32
"""Connections that wait for a thread; more are refused at once."""
SILENT_SECONDS = 5
"""A peer that says nothing for so long is hung up on."""
STOP_SECONDS = 2
HANDED = "LISTEN_PID"


class _Adapter(BuiltinSSLAdapter):
    """Shakes hands in the connection's own thread; cheroot would in the accepting one, where a mute peer stops all."""

    def wrap(self, sock: Any) -> tuple[Any, dict[str, str]]:
        wrapped = self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        return wrapped, {"wsgi.url_scheme": "https", "HTTPS": "on"}


class TlsServer(AbstractContextManager["TlsServer"]):
    """Serves *app* at *address* (host, port; port 0 picks one) with the certificate chain and key of two PEM files."""

    def __init__(
        self, address: tuple[str, int], app: WsgiApp, certificate: Path, key: Path, threads: int = THREADS
    ) -> None:
        self._server = wsgi.Server(
            address, app, numthreads=threads, max=threads, request_queue_size=WAITING, timeout=SILENT_SECONDS
        )
        self._server.shutdown_timeout = STOP_SECONDS
        self._server.max_request_header_size = 16 * 1024
        self._server.max_request_body_size = 64 * 1024
        self._server.error_log = _logged  # type: ignore[method-assign]  # cheroot: the documented way
        adapter = _Adapter(str(certificate), str(key))
        adapter.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._server.ssl_adapter = adapter
        self._thread: threading.Thread = thread_or_exit("tls", self._server.serve)

    @property
    def port(self) -> int:
        """The port in use, once started."""
        return int(self._server.bind_addr[1])

    def __enter__(self) -> Self:
        with _own_socket():
            self._server.prepare()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()
        self._thread.join(STOP_SECONDS)


@contextmanager
def _own_socket() -> Iterator[None]:
    """While this lasts systemd has handed over nothing (sd_listen_fds(3)).

    cheroot takes whatever is handed over for its own socket: the one on which phones' probes wait, or a recorder's.
    """
    held = os.environ.pop(HANDED, None)
    try:
        yield
    finally:
        if held is not None:
            os.environ[HANDED] = held


def _logged(msg: str = "", level: int = 20, traceback: bool = False) -> None:  # noqa: ARG001 cheroot's signature
    """What cheroot has to say, without the traceback, which may quote a request."""
    log.debug("https server", words=msg.splitlines()[0] if msg else "")
