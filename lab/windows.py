"""Windows into the twin for the host's browser, on loopback listeners opened by whoever starts this process.

``python -m lab.windows FD=NAMESPACE/HOST:PORT … FD=proxy``: a window hands each connection on inside *NAMESPACE*; the
proxy is one for HTTP (absolute form and CONNECT, RFC 9112 section 3.2) whose requests leave from where this process
runs, so that a browser sees exactly what the resident of that namespace sees.
"""

import asyncio
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from lab.inside import inside

PROXY = "proxy"
BLOCK = 64 * 1024
MAX_HEAD = 64 * 1024
CONNECT_SECONDS = 10.0
HEAD_SECONDS = 30.0

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Page:
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

    async def connect(self) -> Streams:
        """A connection that starts inside the namespace; OSError when nobody listens."""
        channel = inside(self.namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        channel.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(channel, (self.host, self.port))
        except BaseException:
            channel.close()
            raise
        return await asyncio.open_connection(sock=channel)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(BLOCK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def _join(near: Streams, far: Streams) -> None:
    await asyncio.gather(_copy(near[0], far[1]), _copy(far[0], near[1]))
    for _, writer in (near, far):
        writer.close()


async def expose(near: Streams, page: Page) -> None:
    """Join a connection with the page behind the window; it is closed when nobody is there."""
    try:
        far = await asyncio.wait_for(page.connect(), CONNECT_SECONDS)
    except (OSError, TimeoutError):
        near[1].close()
        return
    await _join(near, far)


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


async def proxy(near: Streams) -> None:
    """Serve one proxy request: pass it on, or tunnel; 502 in words when the far side fails."""
    reader, writer = near
    try:
        host, port, onward = forwarded(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS))
        far = await asyncio.wait_for(asyncio.open_connection(host, port), CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        words = f"The resident's connection failed: {error or type(error).__name__}\n".encode()
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + words)
        writer.close()
        return
    if onward:
        far[1].write(onward)
    else:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await _join(near, far)


async def main(argv: list[str]) -> None:
    """Serve the windows named on the command line until the process is ended."""
    for window in argv:
        descriptor, _, leads_to = window.partition("=")
        await _listen(int(descriptor), None if leads_to == PROXY else Page.parse(leads_to))
    await asyncio.Event().wait()


async def _listen(descriptor: int, page: Page | None) -> None:
    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        near = (reader, writer)
        await (expose(near, page) if page else proxy(near))

    await asyncio.start_server(accepted, sock=socket.socket(fileno=descriptor), limit=MAX_HEAD)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
