"""The quick server: what HTTP/1.1 promises is kept, and no stranger can make it hold much, wait long or fall over."""

import asyncio
import http.client
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from parvis import quick

LARGE = b"x" * 1_000_000


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Says which path and query it was asked for."""
    path = environ["PATH_INFO"]
    if path == "/broken":
        raise RuntimeError("a fault of ours")
    words = {"/large": LARGE, "/accepts": environ.get("HTTP_ACCEPT_ENCODING", "").encode()}
    body = words.get(path, f"{path}?{environ['QUERY_STRING']}".encode("latin-1"))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def server() -> Iterator[quick.Server]:
    made = quick.Server(application, "127.0.0.1", 0)
    made.start()
    yield made
    made.stop()


@contextmanager
def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[quick.Server]:
    """One that looks for late connections all the time."""
    monkeypatch.setattr(quick, "SWEEP_SECONDS", 0.01)
    made = quick.Server(application, "127.0.0.1", 0)
    made.start()
    yield made
    made.stop()


def connect(server: quick.Server) -> socket.socket:
    return socket.create_connection(server.address, 10)


def everything(connection: socket.socket) -> bytes:
    """All that comes until the connection ends, however it ends."""
    found = b""
    try:
        while more := connection.recv(65536):
            found += more
    except ConnectionError:
        pass
    return found


def told(server: quick.Server, octets: bytes) -> bytes:
    """What is said to *octets*; the connection ends with them."""
    with closing(connect(server)) as connection:
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
        return everything(connection)


def patiently(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def test_one_connection_serves_request_after_request(server: quick.Server) -> None:
    with closing(http.client.HTTPConnection(*server.address, timeout=10)) as client:
        found = []
        for path in ("/a?x=1", "/large", "/b%20c"):
            client.request("GET", path)
            answer = client.getresponse()
            found.append((answer.status, answer.read()))

        assert found == [(200, b"/a?x=1"), (200, LARGE), (200, b"/b c?")]
        assert {"Date", "Server"} <= set(answer.headers)
        assert len(server.connections) == 1


def test_head_has_the_headers_alone(server: quick.Server) -> None:
    head, _, body = told(server, b"HEAD /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").partition(b"\r\n\r\n")

    assert b"Content-Length: 1000000" in head
    assert body == b""


def test_requests_sent_at_once_are_answered_in_their_order(server: quick.Server) -> None:
    requests = b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % number for number in range(10))

    answers = told(server, requests)

    assert [answers.index(b"/%d?" % number) for number in range(10)] == sorted(
        answers.index(b"/%d?" % number) for number in range(10)
    )


@pytest.mark.parametrize(
    ("request_line", "status", "words"),
    [
        (b"GET http://h/a?x=1 HTTP/1.1", b"200", b"/a?x=1"),
        (b"POST /a HTTP/1.1", b"405", b"Allow: GET, HEAD"),
        (b"CONNECT h:443 HTTP/1.1", b"405", b"Allow: GET, HEAD"),
        (b"GET /broken HTTP/1.1", b"500", b"Content-Length: 0"),
        (b"GET / HTTP/9", b"400", b"no HTTP request"),
        (b"\x16\x03\x01\x02\x00", b"400", b"no HTTP request"),
        (b"GET /" + b"x" * 40_000, b"431", b"too long"),
        (b"GET / HTTP/1.0", b"200", b"Connection: close"),
    ],
)
def test_each_kind_of_request_has_its_answer(
    server: quick.Server, request_line: bytes, status: bytes, words: bytes
) -> None:
    answer = told(server, request_line + b"\r\nHost: h\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert words in answer
    assert told(server, b"GET /after HTTP/1.1\r\nHost: h\r\n\r\n").endswith(b"/after?")


def test_a_header_given_twice_is_one_list_and_one_with_an_underscore_is_nobody(server: quick.Server) -> None:
    lines = b"Accept-Encoding: br\r\naccept-encoding: gzip\r\nAccept_Encoding: evil\r\n"

    answer = told(server, b"GET /accepts HTTP/1.1\r\nHost: h\r\n" + lines + b"\r\n")

    assert answer.endswith(b"\r\n\r\nbr, gzip")


def test_who_asks_and_never_reads_cannot_ask_without_end(server: quick.Server) -> None:
    with closing(connect(server)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n" * 400)

        assert connection.recv(1) == b"H"
        assert patiently(lambda: not server.connections)


def test_an_answer_that_is_not_taken_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "SLOW_SECONDS", 0.05)
    with serving(monkeypatch) as server, closing(connect(server)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n" * 12)

        assert connection.recv(1) == b"H"
        assert patiently(lambda: not server.connections), "12 MB are more than any socket holds"


def test_a_slow_reader_gets_all_he_asked_for(server: quick.Server) -> None:
    with closing(connect(server)) as connection:
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n" * 7)
        connection.sendall(b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        found = everything(connection)

    assert found.count(LARGE) == 7
    assert found.endswith(b"/last?")


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost:"])
def test_a_connection_that_says_nothing_more_is_closed(monkeypatch: pytest.MonkeyPatch, begun: bytes) -> None:
    monkeypatch.setattr(quick, "SLOW_SECONDS" if begun else "IDLE_SECONDS", 0.05)
    with serving(monkeypatch) as server, closing(connect(server)) as connection:
        connection.sendall(begun)

        assert everything(connection) == b""


def test_one_connection_too_many_is_told_so(server: quick.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "MOST_CONNECTIONS", 1)
    with closing(connect(server)) as first:
        assert patiently(lambda: len(server.connections) == 1)
        with closing(connect(server)) as second:
            assert everything(second).startswith(b"HTTP/1.1 503")
        first.sendall(b"GET /still HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert everything(first).endswith(b"/still?")


def test_a_port_that_is_taken_is_told_at_once(server: quick.Server) -> None:
    with pytest.raises(OSError, match="in use"):
        quick.Server(application, *server.address)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    noise=st.lists(
        st.sampled_from([b"GET ", b"/a", b"http://", b" HTTP/1.1", b"\r\n", b"Host: h", b"\r\n\r\n", b"Upgrade: h2c"])
        | st.binary(max_size=40)
    ).map(b"".join)
)
@example(noise=b"GET http://[ HTTP/1.1\r\nHost: h\r\n\r\n")
@example(noise=b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
def test_no_octets_stop_it(server: quick.Server, noise: bytes) -> None:
    told(server, noise)

    assert told(server, b"GET /after HTTP/1.1\r\nHost: h\r\n\r\n").endswith(b"/after?")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, 60), max_size=4))
def test_a_request_in_pieces_is_the_same_request(server: quick.Server, cuts: list[int]) -> None:
    whole = b"GET /pieces?of=it HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    with closing(connect(server)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for begin, end in pairwise(places):
            connection.sendall(whole[begin:end])

        assert everything(connection).endswith(b"/pieces?of=it")


@pytest.fixture
def busy() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop with a thread of its own, as the poller's is."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)
    loop.close()


def test_in_anothers_loop_a_long_page_holds_nobody_up_and_the_order_is_kept(busy: asyncio.AbstractEventLoop) -> None:
    may_go = Event()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        assert environ["PATH_INFO"] != "/long" or may_go.wait(30)
        body = environ["PATH_INFO"].encode()
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    server = quick.Server(answer, "127.0.0.1", 0, busy, {"/long"})
    server.start()
    try:
        with connect(server) as patient, connect(server) as quick_one:
            patient.sendall(b"GET /long HTTP/1.1\r\n\r\nGET /behind HTTP/1.1\r\nConnection: close\r\n\r\n")
            quick_one.sendall(b"GET /short HTTP/1.1\r\nConnection: close\r\n\r\n")
            assert everything(quick_one).endswith(b"/short")
            may_go.set()
            said = everything(patient)
    finally:
        server.stop()

    assert said.index(b"/long") < said.index(b"/behind")
    assert busy.is_running(), "whose loop it is goes on"
    with pytest.raises(ConnectionRefusedError):
        connect(server)
