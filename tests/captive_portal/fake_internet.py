"""What is beyond the uplink in our twin: a page on port 80, silence on 443, an endless stream on 5000. Runs alone."""

import asyncio
import contextlib

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nConnection: close\r\n\r\nthe internet\n"


async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(PAGE)
        await writer.drain()
    writer.close()


async def stream(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            writer.write(b"x" * 1000)
            await writer.drain()
            await asyncio.sleep(0.02)
    writer.close()


async def main() -> None:
    for host in ("0.0.0.0", "::"):
        await asyncio.start_server(page, host, 80)
        await asyncio.start_server(page, host, 443)
        await asyncio.start_server(page, host, 25)
        await asyncio.start_server(stream, host, 5000)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
