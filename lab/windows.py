"""Windows into the twin for the host's browser, on loopback listeners opened by whoever starts this process.

``python -m lab.windows FD=NAMESPACE/HOST:PORT … FD=proxy``: a window hands each connection on inside *NAMESPACE*; the
proxy is one for HTTP (absolute form and CONNECT, RFC 9112 section 3.2) whose requests leave from where this process
runs, so that a browser sees exactly what the resident of that namespace sees. Threads suffice for one browser, and
take half the memory of an asyncio loop.
"""

import selectors
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from threading import Thread
from typing import NamedTuple
from urllib.parse import urlsplit

from lab import inside

PROXY = "proxy"
BLOCK = 64 * 1024
MAX_HEAD = 64 * 1024
CONNECT_SECONDS = 10.0
HEAD_SECONDS = 30.0
PAUSE_SECONDS = 0.1
END_OF_HEAD = b"\r\n\r\n"

Serve = Callable[[socket.socket], None]
"""What is done with a browser's connection."""


class Page(NamedTuple):
    """Where a window leads: a listener on an IPv4 address inside a namespace.

    >>> Page.parse(Page("pv-centre", "127.0.0.1", 9090).text)
    Page(namespace='pv-centre', host='127.0.0.1', port=9090)
    """

    namespace: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Page":
        """A page from its form on the command line."""
        namespace, _, address = text.partition("/")
        host, _, port = address.rpartition(":")
        return cls(namespace, host, int(port))

    @property
    def text(self) -> str:
        """``NAMESPACE/HOST:PORT``."""
        return f"{self.namespace}/{self.host}:{self.port}"

    def show(self, near: socket.socket) -> None:
        """Join a browser's connection with the page; it is closed when nobody is there."""
        with near, suppress(OSError):
            _join(near, inside.connect(self.namespace, self.host, self.port, CONNECT_SECONDS))


def proxy(near: socket.socket) -> None:
    """Serve one proxy request: pass it on, or tunnel; 502 in words when the far side fails."""
    with near, suppress(OSError):
        try:
            head, begun = _request(near)
            host, port, onward = forwarded(head)
            far = socket.create_connection((host, port), CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            words = f"The resident's connection failed: {error or type(error).__name__}\n".encode()
            near.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + words)
            return
        if not onward:
            near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        _join(near, far, onward + begun)


def _request(near: socket.socket) -> tuple[bytes, bytes]:
    """A request's head, and what came of its body with it; ValueError when it is none, OSError when none comes."""
    near.settimeout(HEAD_SECONDS)
    read = b""
    while END_OF_HEAD not in read:
        more = near.recv(BLOCK) if len(read) <= MAX_HEAD else b""
        if not more:
            raise ValueError("a proxy request has a head")
        read += more
    head, end, begun = read.partition(END_OF_HEAD)
    return head + end, begun


def forwarded(head: bytes) -> tuple[str, int, bytes]:
    r"""(host, port, head to send on) of a proxy request; the head is empty for CONNECT. ValueError for anything else.

    >>> forwarded(b"GET http://example.org/a HTTP/1.1\r\nHost: example.org\r\nKeep-Alive: 5\r\n\r\n")
    ('example.org', 80, b'GET /a HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n')
    """
    first, *fields = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, version = first.split(" ", 2)
    where = urlsplit(f"//{target}" if method == "CONNECT" else target)
    if not where.hostname:
        raise ValueError("a proxy request names its host")
    if method == "CONNECT":
        return where.hostname, where.port or 443, b""
    path = (where.path or "/") + (f"?{where.query}" if where.query else "")
    hop = ("connection:", "proxy-connection:", "proxy-authorization:", "keep-alive:")
    kept = [line for line in fields if not line.lower().startswith(hop)]
    lines = [f"{method} {path} {version}", *kept, "Connection: close"]
    return where.hostname, where.port or 80, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _join(near: socket.socket, far: socket.socket, onward: bytes = b"") -> None:
    """Send *onward* to the far side, then copy both ways until both have ended."""
    with far:
        for one in (near, far):
            one.settimeout(None)
        far.sendall(onward)
        back = Thread(target=_copy, args=(far, near), daemon=True)
        back.start()
        _copy(near, far)
        back.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(BLOCK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def serve(windows: Mapping[socket.socket, Serve]) -> None:
    """Serve each listener's connections until the process is ended."""
    with selectors.DefaultSelector() as listening:
        for listener, shown in windows.items():
            listening.register(listener, selectors.EVENT_READ, (listener, shown))
        while True:
            for key, _ in listening.select():
                listener, shown = key.data
                try:
                    Thread(target=shown, args=(listener.accept()[0],), daemon=True).start()
                except (OSError, RuntimeError):  # no descriptor or thread to be had: until some are given back
                    time.sleep(PAUSE_SECONDS)


def _windows(argv: list[str]) -> dict[socket.socket, Serve]:
    named = [window.partition("=")[::2] for window in argv]
    return {
        socket.socket(fileno=int(descriptor)): proxy if leads_to == PROXY else Page.parse(leads_to).show
        for descriptor, leads_to in named
    }


if __name__ == "__main__":
    serve(_windows(sys.argv[1:]))
