"""Plain HTTP has one answer."""

import errno
import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from captive_portal import portal, redirects, store
from captive_portal.probes import FAMILIES, PROBES, Probe
from captive_portal.redirector import HEAD_SECONDS, MAX_CONNECTIONS, MAX_CONNECTIONS_EACH, Redirector
from captive_portal.redirects import MAX_HEAD, Kind, answers, verdict
from parvis.catalogue import Instruments

OWN = "wifi.cachan.example"
URL = f"https://{OWN}/"


@dataclass
class Running:
    """A redirector, and what it has told."""

    port: int
    registry: CollectorRegistry
    probed: list[str] = field(default_factory=list)

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture(scope="module")
def redirector() -> Iterator[Running]:
    registry, probed = CollectorRegistry(), []
    with Redirector(("::", 0), URL, Instruments("portal", registry), probed.append) as running:
        yield Running(running.port, registry, probed)


@dataclass(frozen=True)
class Answer:
    status: int
    head: str
    body: bytes

    @property
    def location(self) -> str:
        return next((line[10:] for line in self.head.split("\r\n") if line.startswith("Location: ")), "")


def ask(redirector: Running, *parts: bytes, host: str = "127.0.0.1") -> Answer:
    """The answer; the server closes the connection."""
    with socket.create_connection((host, redirector.port), 5) as connection:
        for part in parts:
            connection.sendall(part)
        return read(connection)


def read(connection: socket.socket) -> Answer:
    said = b""
    while chunk := connection.recv(65536):
        said += chunk
    head, _, body = said.partition(b"\r\n\r\n")
    return Answer(int(head.split()[1]), head.decode(), body)


def request(probe: Probe, method: bytes = b"GET") -> bytes:
    return method + b" " + probe.path.encode() + b" HTTP/1.1\r\nHost: " + probe.host.encode() + b"\r\n\r\n"


def is_the_answer(answer: Answer, *, body: bool = True) -> bool:
    """302 to the portal, not to be kept, a short body of more than four bytes, and the end of the connection."""
    length = next(int(line[16:]) for line in answer.head.split("\r\n") if line.startswith("Content-Length: "))
    return (
        (answer.status, answer.location) == (302, URL)
        and "\r\nCache-Control: no-store" in answer.head
        and "\r\nConnection: close" in answer.head
        and 4 < length < 600
        and len(answer.body) == (length if body else 0)
    )


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.url)
def test_f01_r04_r44_every_probe_is_answered_302_and_not_to_be_kept(redirector: Running, probe: Probe) -> None:
    assert is_the_answer(ask(redirector, request(probe)))
    assert is_the_answer(ask(redirector, request(probe, b"HEAD")), body=False)
    assert not probe.online(302, ask(redirector, request(probe)).body.decode())


def test_no_answer_is_one_that_phones_take_for_the_internet_for_a_fault_or_for_ever() -> None:
    statuses = {int(whole.split()[1]) for whole in answers(URL).values()}

    assert not statuses & {204, 301, 307, 308, 511}
    assert all(b"no-store" in whole and b"Connection: close" in whole for whole in answers(URL).values())
    assert min(len(whole.partition(b"\r\n\r\n")[2]) for whole in answers(URL).values()) > 4


def test_f20_the_whole_answer_to_a_parked_phone_is_shorter_than_a_packet() -> None:
    assert len(answers(URL)[Kind.FOUND]) < 500


STRANGE = {
    "no host": b"GET / HTTP/1.0\r\n\r\n",
    "no user agent": b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "an IPv6 literal": b"GET / HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n",
    "8 kB of query": b"GET /?" + b"q" * 8192 + b" HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "absolute form": b"GET http://evil.example/a?next=https://evil.example/ HTTP/1.1\r\nHost: other.example\r\n\r\n",
    "a form": b"POST /login HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello",
    "half a form": b"POST /login HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5000\r\n\r\nhello",
    "other methods": b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a.example\r\nHost: evil.example\r\n\r\n",
    "empty lines first": b"\r\n\r\nGET / HTTP/1.1\r\nHost: a.example\r\n\r\n",
    "bare line feeds": b"GET / HTTP/1.0\nHost: a.example\n\n",
    "two at once": b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "an attempt at our header": b"GET /%0d%0aSet-Cookie:evil=1 HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "not UTF-8": b"GET /\xff\xfe HTTP/1.1\r\nHost: \xff\xfe\r\n\r\n",
}


@pytest.mark.parametrize("sent", STRANGE.values(), ids=STRANGE.keys())
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_r38_a_request_of_any_shape_gets_the_same_answer_and_nothing_of_it_back(
    redirector: Running, sent: bytes, host: str
) -> None:
    answer = ask(redirector, sent, host=host)

    assert is_the_answer(answer)
    assert b"evil" not in answer.body
    assert "evil" not in answer.head


def test_a_request_in_pieces_is_a_request(redirector: Running) -> None:
    assert is_the_answer(ask(redirector, b"\r\n", b"\r\nGET", b" / HTTP/1.1\r\n", b"\r\n"))
    assert is_the_answer(ask(redirector, b"GE", b"T /", b" HTTP/1.1\r\n", b"\r\n"))


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * (MAX_HEAD // 6 + 1), 431),
    ],
)
def test_r38_what_is_no_request_gets_a_short_refusal(redirector: Running, sent: bytes, status: int) -> None:
    answer = ask(redirector, sent)

    assert answer.status == status
    assert len(answer.head) + len(answer.body) < 600
    assert not answer.location


def test_r11_a_tls_greeting_is_no_request_and_never_gets_tls_back(redirector: Running) -> None:
    answer = ask(redirector, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")

    assert answer.status == 400


@given(st.binary(max_size=400) | st.builds(lambda a, b: b"GET " + a + b" HTTP/1.1\r\nHost: " + b, *2 * [st.binary()]))
def test_r38_no_bytes_of_any_kind_crash_the_reading(sent: bytes) -> None:
    found = verdict(sent + b"\r\n\r\n", OWN)

    assert found is not None
    assert found.family in FAMILIES
    assert verdict(sent + b"\r\n\r\n", OWN) == found


def test_r54_whoever_is_sent_back_to_plain_http_gets_a_page_that_explains(redirector: Running) -> None:
    """A proxy on the device that undoes https: one redirect, then a page; no circle."""
    first = ask(redirector, b"GET / HTTP/1.1\r\nHost: Wifi.Cachan.Example:80\r\n\r\n")
    downgraded = first.location.removeprefix(URL[:-1]).encode()
    second = ask(redirector, b"GET " + downgraded + b" HTTP/1.1\r\nHost: wifi.cachan.example\r\n\r\n")

    assert (first.status, first.location) == (302, f"{URL}?{redirects.LOOP}")
    assert (second.status, second.location) == (200, "")
    assert f'href="{URL}"' in second.body.decode()
    assert "Votre appareil revient toujours ici" in second.body.decode()
    assert "no-store" in second.head


def test_the_address_is_short_enough_for_every_client() -> None:
    with pytest.raises(ValueError, match="255"):
        answers("https://" + "a" * 250 + ".example/")


def test_a_probe_is_counted_by_family_and_a_visited_name_never(redirector: Running) -> None:
    before = {name: redirector.value("portal_probes_total", family=name) for name in FAMILIES}
    del redirector.probed[:]

    ask(redirector, b"GET /hotspot-detect.html HTTP/1.0\r\nHost: captive.apple.com\r\n\r\n")
    ask(redirector, b"GET /diary HTTP/1.1\r\nHost: private.example\r\n\r\n")

    after = {name: redirector.value("portal_probes_total", family=name) for name in FAMILIES}
    assert {name: after[name] - before[name] for name in FAMILIES if after[name] != before[name]} == {
        "apple": 1,
        "other": 1,
    }
    assert redirector.probed == ["::ffff:127.0.0.1"] * 2
    assert "private" not in str(list(redirector.registry.collect()))


def test_f19_r47_a_device_that_holds_many_connections_takes_none_from_the_others(redirector: Running) -> None:
    """Its own oldest go; whoever comes from elsewhere is answered, and so is the device's own newest."""
    with ExitStack() as stack:
        held = [
            stack.enter_context(socket.create_connection(("127.0.0.1", redirector.port), 5))
            for _ in range(MAX_CONNECTIONS_EACH + 5)
        ]
        for connection in held:
            connection.sendall(b"GET / HTTP/1.1\r\n")
        ended = sum(is_ended(connection) for connection in held[:5])

        assert is_the_answer(ask(redirector, b"GET / HTTP/1.1\r\n\r\n", host="::1"))
        assert ended == 5
        held[-1].sendall(b"\r\n")
        assert is_the_answer(read(held[-1]))


def is_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_r47_when_every_place_is_taken_the_oldest_gives_way(redirector: Running) -> None:
    with ExitStack() as stack:
        for number in range(MAX_CONNECTIONS):
            here = f"127.0.{1 + number // 8}.{1 + number % 8}"
            visit = socket.create_connection(("127.0.0.1", redirector.port), 5, source_address=(here, 0))
            stack.enter_context(visit)
        assert is_the_answer(ask(redirector, b"GET / HTTP/1.1\r\n\r\n", host="::1"))


def test_a_slow_sender_is_hung_up_on(redirector: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("captive_portal.redirector.HEAD_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", redirector.port), 5) as connection:
        connection.sendall(b"GET / HT")
        assert is_ended(connection)


def test_a_process_without_file_handles_left_gives_the_oldest_visit_up(
    redirector: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_connection(("127.0.0.1", redirector.port), 5) as early:
        early.sendall(b"GET / HT")
        time.sleep(0.05)
        accept, refusals = socket.socket.accept, iter([errno.EMFILE])

        def exhausted(listening: socket.socket) -> tuple[socket.socket, object]:
            for code in refusals:
                raise OSError(code, "Too many open files")
            return accept(listening)

        monkeypatch.setattr(socket.socket, "accept", exhausted)

        assert is_the_answer(ask(redirector, b"GET / HTTP/1.1\r\n\r\n", host="::1"))
        early.settimeout(HEAD_SECONDS / 2)
        assert is_ended(early), "before its own time"


def test_an_upload_that_nobody_wants_is_let_finish_so_that_its_sender_reads_the_answer(redirector: Running) -> None:
    """Closed at once, the connection would be reset, and the answer lost with it (RFC 9112 section 9.6)."""
    with socket.create_connection(("127.0.0.1", redirector.port), 5) as connection:
        connection.sendall(b"POST /upload HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4000000\r\n\r\n")
        time.sleep(0.05)
        for _ in range(40):
            connection.sendall(b"x" * 100_000)

        assert is_the_answer(read(connection))


def test_r03_a_handed_socket_keeps_probes_waiting_while_the_process_is_exchanged() -> None:
    """systemd holds the socket: a probe that comes in between waits for the next process, and gets its 302."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        with Redirector(held.dup().detach(), URL, Instruments("portal", CollectorRegistry())):
            pass
        port = held.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), 5) as probe:
            probe.sendall(request(PROBES[0]))
            with Redirector(held.dup().detach(), URL, Instruments("portal", CollectorRegistry())):
                assert is_the_answer(read(probe))


def test_r37_many_probes_at_once_are_all_answered_and_nothing_is_left_behind(redirector: Running) -> None:
    """2,000 probes of 100 phones, 50 at a time, some of them cut off in the middle."""
    chance = random.Random(7)
    answered = 0
    handles = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(40):
        with ExitStack() as stack:
            phones = []
            for _ in range(50):
                here = f"127.1.0.{chance.randrange(1, 101)}"
                phone = socket.create_connection(("127.0.0.1", redirector.port), 5, source_address=(here, 0))
                stack.enter_context(phone)
                phones.append(phone)
            for phone in phones:
                phone.sendall(request(chance.choice(PROBES)))
            for number, phone in enumerate(phones):
                if number % 10:
                    answered += is_the_answer(read(phone))
    until = time.monotonic() + 5
    while len(list(Path("/proc/self/fd").iterdir())) > handles and time.monotonic() < until:
        time.sleep(0.01)

    assert answered == 40 * 45
    assert len(list(Path("/proc/self/fd").iterdir())) <= handles


def test_all_that_may_be_open_at_once_fits_into_a_processs_descriptors() -> None:
    """1,024 is what a process has unless it asks for more: what came beyond would find no descriptor."""
    database = 3 * (store.CONNECTIONS + store.MORE_CONNECTIONS)
    to_gatewayd = portal.THREADS + 8
    own_files = 32

    assert portal.CONNECTIONS + MAX_CONNECTIONS + database + to_gatewayd + own_files < 1024
