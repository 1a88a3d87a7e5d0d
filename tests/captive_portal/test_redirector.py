"""Plain HTTP has one answer."""

import socket
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from captive_portal.redirector import MAX_HEAD, Redirector
from parvis.catalogue import Instruments

URL = "https://wifi.cachan.example/"


@pytest.fixture(scope="module")
def redirector() -> Iterator[Redirector]:
    with Redirector(("::", 0), URL, Instruments("portal", CollectorRegistry())) as running:
        yield running


def ask(redirector: Redirector, *parts: bytes, host: str = "127.0.0.1") -> tuple[int, str, bytes]:
    """Status, head and body of the answer; the server closes the connection."""
    with socket.create_connection((host, redirector.port), 5) as connection:
        for part in parts:
            connection.sendall(part)
        said = b""
        while chunk := connection.recv(65536):
            said += chunk
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode(), body


PROBES = [
    (b"captive.apple.com", b"/hotspot-detect.html"),
    (b"connectivitycheck.gstatic.com", b"/generate_204"),
    (b"www.msftconnecttest.com", b"/connecttest.txt"),
    (b"detectportal.firefox.com", b"/canonical.html"),
    (b"evil.example", b"/?next=https://evil.example/"),
]


@pytest.mark.parametrize(("host", "path"), PROBES)
def test_every_probe_is_answered_302_and_not_to_be_kept(redirector: Redirector, host: bytes, path: bytes) -> None:
    status, head, body = ask(redirector, b"GET " + path + b" HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")

    assert status == 302
    assert f"Location: {URL}\r\n" in head
    assert "Cache-Control: no-store" in head
    assert "Connection: close" in head
    assert f"Content-Length: {len(body)}" in head
    assert b"evil" not in body


def test_both_families_and_no_host_at_all(redirector: Redirector) -> None:
    assert ask(redirector, b"GET / HTTP/1.0\r\n\r\n", host="::1")[0] == 302


def test_head_has_no_body(redirector: Redirector) -> None:
    assert ask(redirector, b"HEAD / HTTP/1.1\r\n\r\n")[2] == b""


def test_a_request_in_pieces_and_one_of_8_kb_are_requests(redirector: Redirector) -> None:
    assert ask(redirector, b"GE", b"T /", b" HTTP/1.1\r\n", b"\r\n")[0] == 302
    assert ask(redirector, b"GET /?" + b"q" * 8192 + b" HTTP/1.1\r\n\r\n")[0] == 302


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (MAX_HEAD // 6 + 1), 431),
    ],
)
def test_what_is_no_such_request_gets_a_short_answer(redirector: Redirector, sent: bytes, status: int) -> None:
    found, head, body = ask(redirector, sent)

    assert found == status
    assert len(head) + len(body) < 1000
    assert "Location" not in head
