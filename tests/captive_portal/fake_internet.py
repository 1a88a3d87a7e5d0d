"""What is beyond the uplink in our twin. Runs alone; with a certificate and its key as arguments, 443 is TLS.

On 80, 443 and 25 the true answers of the operating systems' probes, and one page for every other name; on 5000 an
endless stream.
"""

import asyncio
import contextlib
import ssl
import sys

from captive_portal.probes import PROBES, Probe

PAGE = "the internet\n"
_PROBES = {(probe.host, probe.path): probe for probe in PROBES}


def answer(host: str, path: str) -> bytes:
    probe = _PROBES.get((host.lower(), path), Probe("", "", host, path, 200, PAGE))
    length = [f"Content-Length: {len(probe.body.encode())}"] if probe.status != 204 else []
    lines = [f"HTTP/1.1 {probe.status} OK", *length, "Connection: close", "", probe.body]
    return "\r\n".join(lines).encode()


async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        host = next((line[5:].strip() for line in head.split("\r\n") if line.lower().startswith("host:")), "")
        writer.write(answer(host, head.split(" ", 2)[1].partition("?")[0]))
        await writer.drain()
    writer.close()


async def stream(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b"x" * 1000)
            await writer.drain()
            await asyncio.sleep(0.02)
    writer.close()


def tls(files: list[str]) -> ssl.SSLContext | None:
    if not files:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


async def main() -> None:
    for host in ("0.0.0.0", "::"):
        await asyncio.start_server(page, host, 80)
        await asyncio.start_server(page, host, 443, ssl=tls(sys.argv[1:]))
        await asyncio.start_server(page, host, 25)
        await asyncio.start_server(stream, host, 5000)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
