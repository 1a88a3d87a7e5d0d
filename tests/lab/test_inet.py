"""The fake internet answers as the real one does, and the windows pass requests on unaltered."""

import asyncio

import pytest

from lab import inet, windows


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/generate_204", "204 No Content", b""),
        ("/hotspot-detect.html", "200 OK", inet.APPLE),
        ("/connecttest.txt", "200 OK", b"Microsoft Connect Test"),
        ("/success.txt", "200 OK", b"success\n"),
    ],
)
def test_the_systems_probes_get_what_they_expect(path: str, status: str, body: bytes) -> None:
    assert inet.answer(path, "example.org")[::2] == (status, body)


def test_a_name_from_outside_cannot_break_the_page() -> None:
    _, _, body = inet.answer("/", "<script>")

    assert b"<script>" not in body


async def _ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


async def _through_the_proxy() -> tuple[bytes, bytes, bytes]:
    async def proxied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await windows.proxy((reader, writer))

    web = await asyncio.start_server(inet.serve_one, "127.0.0.1", 0)
    proxy = await asyncio.start_server(proxied, "127.0.0.1", 0)
    web_port, port = (int(server.sockets[0].getsockname()[1]) for server in (web, proxy))
    host = f"127.0.0.1:{web_port}"
    absolute = await _ask(port, f"GET http://{host}/bytes/70000 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    tunnel = f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n" + f"GET /success.txt HTTP/1.1\r\nHost: {host}\r\n\r\n"
    connected = await _ask(port, tunnel.encode())
    refused = await _ask(port, b"GET http://127.0.0.1:1/ HTTP/1.1\r\nHost: x\r\n\r\n")
    for server in (web, proxy):
        server.close()
    return absolute, connected, refused


def test_the_proxy_serves_absolute_requests_and_tunnels() -> None:
    absolute, connected, refused = asyncio.run(_through_the_proxy())

    assert len(absolute.partition(b"\r\n\r\n")[2]) == 70_000
    assert connected.startswith(b"HTTP/1.1 200 ")
    assert connected.endswith(b"success\n")
    assert refused.startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize(
    "request_line", [b"GET / HTTP/1.1", b"nonsense", b"GET http:/// HTTP/1.1", b"CONNECT : HTTP/1.1"]
)
def test_what_is_no_proxy_request_is_refused(request_line: bytes) -> None:
    with pytest.raises(ValueError, match=r"host|unpack|Port"):
        windows.forwarded(request_line + b"\r\n\r\n")
