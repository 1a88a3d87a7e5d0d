"""Garbage of every kind at the real gateway: every process stays, serves the next resident, and mistakes nobody."""

import json
import random
import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from dhcp_client import DhcpClient
from door_twin import Inside, Resident, Twin
from found import found

pytestmark = [pytest.mark.root, pytest.mark.slow]
GATEWAY = "10.11.0.1"
PORTAL = "https://wifi.cachan.example"
CHANCE = random.Random(2026)


@pytest.fixture
def unharmed(twin: Twin, anna: Resident) -> Iterator[None]:
    """After the test the same processes run, are healthy, and a page comes."""
    before = {name: child.pid for name, child in twin.processes.items()}
    yield
    assert {name: child.pid for name, child in twin.processes.items() if child.poll() is None} == before
    assert twin.healthy(9201)
    assert twin.healthy(9202)
    assert anna.code(f"{PORTAL}/fr/") == "200"
    log = (twin.folder / "portal.log").read_text() + (twin.folder / "gatewayd.log").read_text()
    assert "Traceback" not in log


def says(namespace: str, port: int, sent: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """What comes back on a connection of its own."""
    with Inside(namespace):
        channel = socket.create_connection((GATEWAY, port), 5)
    with suppress(OSError), channel:
        if context is not None:
            channel = context.wrap_socket(channel, server_hostname="wifi.cachan.example")
        channel.settimeout(0.2)
        channel.sendall(sent)
        if context is None:
            channel.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(TimeoutError):
            while data := channel.recv(65536):
                answer += data
        return answer
    return b""


def bent(sent: bytes) -> bytes:
    """*sent* with some bytes lost, doubled or changed."""
    data = bytearray(sent)
    for _ in range(CHANCE.randint(1, 6)):
        at = CHANCE.randrange(len(data) + 1)
        data[at : at + CHANCE.randint(0, 3)] = CHANCE.randbytes(CHANCE.randint(0, 3))
    return bytes(data)


@pytest.mark.usefixtures("unharmed")
def test_r38_r52_raw_bytes_on_port_80_get_a_fixed_answer_or_none(anna: Resident) -> None:
    for sent in [*found("http"), *(bent(CHANCE.choice(found("http"))) for _ in range(80))]:
        answer = says(anna.namespace, 80, sent)
        code = answer[9:12].decode("latin-1")
        assert code in {"", "200", "302", "400", "431"}, sent[:200]
        assert (code == "200") <= (b"plain=1" in sent), "only who goes in circles is told 200"


@pytest.mark.usefixtures("unharmed")
def test_r38_r52_raw_bytes_over_tls_are_never_an_error_of_ours(anna: Resident) -> None:
    context = ssl.create_default_context(cafile=str(anna.certificate))
    for sent in [*found("http"), *(bent(CHANCE.choice(found("http"))) for _ in range(80))]:
        answer = says(anna.namespace, 443, sent, context)
        assert re.match(rb"HTTP/1\.[01] [234]", answer) or not answer, (sent[:99], answer[:99])
        assert b"Set-Cookie" not in answer
    assert says(anna.namespace, 443, CHANCE.randbytes(5000)) != b"no answer", "bytes that are not TLS"
    assert anna.api()["captive"] is True, "nothing of it was an acceptance"


@pytest.mark.usefixtures("unharmed")
def test_r52_a_request_too_long_for_the_pages_is_refused_the_connection_ends_and_nothing_else_does(
    anna: Resident, request: pytest.FixtureRequest
) -> None:
    """Docs 11: the server before the pages answers by itself, and says that it ends. Who is online stays so."""
    anna.accepts()
    online = anna.api()
    request.addfinalizer(anna.leaves)
    context = ssl.create_default_context(cafile=str(anna.certificate))
    long = b"x" * 100_000
    for sent in (
        b"GET /%s HTTP/1.1\r\nHost: wifi.cachan.example\r\n\r\n" % long,
        b"GET / HTTP/1.1\r\nHost: wifi.cachan.example\r\nCookie: %s\r\n\r\n" % long,
        b"GET / HTTP/1.1\r\nHost: wifi.cachan.example\r\n%s\r\n" % (b"X: y\r\n" * 2_000),
    ):
        answer = ended(anna.namespace, sent, context)
        assert re.match(rb"HTTP/1\.1 (431|414|400) ", answer), answer[:99]
        assert answer.partition(b"\r\n\r\n")[2] == b""
        assert b"Set-Cookie" not in answer
    assert anna.api()["captive"] is online["captive"] is False
    assert anna.code(f"{PORTAL}/fr/status") == "200"


def ended(namespace: str, sent: bytes, context: ssl.SSLContext) -> bytes:
    """What comes back over TLS until the other side has said that it ends: no reset, no silence.

    It may say so while we are still sending.
    """
    with Inside(namespace):
        channel = socket.create_connection((GATEWAY, 443), 30)
    with channel, context.wrap_socket(channel, server_hostname="wifi.cachan.example") as ours:
        with suppress(ssl.SSLEOFError):
            ours.sendall(sent)
        answer = b""
        while data := ours.recv(65536):
            answer += data
        return answer


@pytest.mark.usefixtures("unharmed")
def test_r37_many_probes_at_once_between_garbage_are_all_answered(twin: Twin, anna: Resident) -> None:
    """Probes of many phones come in through one resident here; the budget for new connections is the kernel's."""
    wrong: list[bytes] = []
    probe = b"GET /generate_204 HTTP/1.1\r\nHost: connectivitycheck.gstatic.com\r\n\r\n"

    def phone(number: int) -> None:
        for turn in range(120):
            with Inside(twin.name("gw")):
                channel = socket.create_connection(("127.0.0.1", 8080), 5)
            with channel:
                if (number + turn) % 5 == 0:
                    channel.sendall(CHANCE.randbytes(50))
                    continue
                channel.sendall(probe)
                answer = channel.recv(4096)
                if not answer.startswith(b"HTTP/1.1 302 Found\r\nLocation: " + PORTAL.encode()):
                    wrong.append(answer)

    phones = [threading.Thread(target=phone, args=(number,)) for number in range(10)]
    for one in phones:
        one.start()
    for one in phones:
        one.join()

    assert wrong == []
    assert anna.code(f"{PORTAL}/fr/") == "200"


@pytest.mark.usefixtures("unharmed")
def test_r52_gatewayd_refuses_garbage_and_goes_on(twin: Twin) -> None:
    lines = [line for line in found("gatewayd") if b"\0" not in line and b"\n" not in line]
    lines += [
        line for line in (bent(CHANCE.choice(lines)) for _ in range(150)) if b"\0" not in line and b"\n" not in line
    ]
    harmful = [line for line in lines if b'"open"' in line and b'"seconds": 9' in line]

    for line in lines:
        answers = twin.ask(line, b'{"op": "status"}')
        assert len(answers) == 2, line[:200]
        assert json.loads(answers[1])["ok"] is True, line[:200]
    assert json.loads(twin.ask(harmful[0])[0])["ok"] is False
    assert b"policy drop" in twin.within("gw", "nft", "list", "ruleset").encode()


@pytest.mark.usefixtures("unharmed")
def test_r52_whatever_a_device_calls_itself_gatewayd_knows_whose_the_address_is(twin: Twin) -> None:
    """DHCP options 12, 60, 61 and 81 with the corpus and random bytes, through the real Kea and its lease file."""
    client = DhcpClient(twin.name("c2"))
    names = [*found("names"), *(CHANCE.randbytes(CHANCE.randint(1, 60)) for _ in range(60))]
    leased: dict[str, str] = {}
    for number, name in enumerate(names):
        mac = f"02:00:5e:10:00:{number:02x}"
        options = [("hostname", name[:255]), ("client_id", b"\x00" + name[:250]), ("vendor_class_id", name[:255])]
        lease = client.lease(mac, *(option for option in options if option[1]))
        if lease is not None:
            leased[lease.address] = mac

    assert len(leased) > len(names) * 0.8, "Kea refuses some names, never most"
    lines = [f'{{"op": "identify", "address": "{address}"}}'.encode() for address in leased]
    known = [json.loads(answer)["mac"] for answer in twin.ask(*lines)]
    assert known == list(leased.values())
    called = {line.split(",")[8] for line in twin.leases.read_text("utf-8", "replace").splitlines()}
    print(f"\n{len(leased)} of {len(names)} names leased, {len(called)} names in Kea's file")
