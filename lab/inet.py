"""The fake internet: HTTP and HTTPS for any name, the answers that phones' probes expect, echo, downloads.

On 80, 443 (TCP) and 7 (TCP, UDP; RFC 862), IPv4 and IPv6.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import cast

CHUNK = bytes(16 * 1024)
MAX_HEAD = 16 * 1024
STREAM_PAUSE_SECONDS = 0.1
IDLE_SECONDS = 30.0

APPLE = b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
FIREFOX = b'<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>'
PROBES: dict[str, tuple[str, str, bytes]] = {
    "/generate_204": ("204 No Content", "", b""),
    "/gen_204": ("204 No Content", "", b""),
    "/hotspot-detect.html": ("200 OK", "text/html", APPLE),
    "/library/test/success.html": ("200 OK", "text/html", APPLE),
    "/connecttest.txt": ("200 OK", "text/plain", b"Microsoft Connect Test"),
    "/ncsi.txt": ("200 OK", "text/plain", b"Microsoft NCSI"),
    "/canonical.html": ("200 OK", "text/html", FIREFOX),
    "/success.txt": ("200 OK", "text/plain", b"success\n"),
    "/static/hotspot.txt": ("200 OK", "text/plain", b"OK"),
    "/nm": ("200 OK", "text/plain", b"NetworkManager is online\n"),
    "/check_network_status.txt": ("200 OK", "text/plain", b"NetworkManager is online\n"),
}
"""path: (status, content type, body), as the probes' owners serve them."""

NAMES = (
    "example.org",
    "www.example.org",
    "example.com",
    "www.example.com",
    "captive.apple.com",
    "connectivitycheck.gstatic.com",
    "detectportal.firefox.com",
    "www.msftconnecttest.com",
    "*.example.org",
    "*.example",
)
"""The names on the HTTPS certificate; another name answers too, with a certificate that is not its own."""


def answer(path: str, host: str) -> tuple[str, str, bytes]:
    """(status, content type, body) of any page of the fake internet.

    >>> answer("/generate_204", "connectivitycheck.gstatic.com")[0]
    '204 No Content'
    """
    if path in PROBES:
        return PROBES[path]
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>The internet</title>'
        f"<h1>You are online</h1><p>This is {escape(host)}{escape(path)} on the lab's internet.</p></html>"
    )
    return "200 OK", "text/html; charset=utf-8", page.encode()


async def _download(path: str) -> AsyncIterator[bytes]:
    """``/bytes/N``: N bytes; ``/stream``: some kilobytes ten times a second, without end."""
    if path == "/stream":
        while True:
            yield CHUNK
            await asyncio.sleep(STREAM_PAUSE_SECONDS)
    left = int(path.removeprefix("/bytes/"))
    while left > 0:
        yield CHUNK[:left]
        left -= len(CHUNK)


def _is_download(path: str) -> bool:
    return path == "/stream" or (path.startswith("/bytes/") and path[7:].isdigit())


async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request and close."""
    with suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), IDLE_SECONDS)
        method, path, host = request(head)
        if _is_download(path):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n\r\n")
            async for chunk in _download(path):
                writer.write(chunk)
                await writer.drain()
        else:
            status, kind, body = answer(path, host)
            fields = ("Content-Type: " + kind, f"Content-Length: {len(body)}", "Connection: close")
            lines = "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""])
            writer.write(lines.encode() + (b"" if method == "HEAD" else body))
        await writer.drain()
    await _close(writer)


def request(head: bytes) -> tuple[str, str, str]:
    r"""(method, path without query, host) of a request's head; ValueError when it is none.

    >>> request(b"GET /a?b=c HTTP/1.1\r\nHost: example.org\r\n\r\n")
    ('GET', '/a', 'example.org')
    """
    first, *fields = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ", 2)
    host = next((line.partition(":")[2].strip() for line in fields if line.lower().startswith("host:")), "")
    return method, target.partition("?")[0], host


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(len(CHUNK)):
            writer.write(data)
            await writer.drain()
    await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        writer.close()
        await writer.wait_closed()


class _EchoDatagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._transport.sendto(data, addr)


async def serve(certificate: Path, key: Path) -> None:
    """Serve until cancelled."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    await asyncio.start_server(serve_one, port=80, limit=MAX_HEAD)
    await asyncio.start_server(serve_one, port=443, limit=MAX_HEAD, ssl=tls)
    await asyncio.start_server(_echo, port=7)
    await asyncio.get_running_loop().create_datagram_endpoint(_EchoDatagrams, ("::", 7))  # IPv4 too
    await asyncio.Event().wait()
