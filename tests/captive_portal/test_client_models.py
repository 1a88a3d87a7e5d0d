"""The client models decide as the clients do; and what that means for our answer."""

import json
import re
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme
from client_models import android, apple, chrome, firefox, network_manager, windows
from client_models.asking import Scripted
from client_models.everybody import LOOKS
from client_models.seeing import Seen, State, Verdict

from captive_portal.probes import PROBES
from captive_portal.redirects import Kind, answers

LOGIN = "https://wifi.cachan.example/"
API = "https://wifi.cachan.example/api/captive"
VENUE = {"venue-info-url": f"{LOGIN}ici"}


@dataclass
class Server:
    """Answers by host, as scripted; a host without a script is hung up on. Names not on the certificate fail TLS."""

    web: Scripted
    script: dict[str, Seen] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


GOOD = ("www.google.com", "wifi.cachan.example")


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    authority = trustme.CA()
    server = Server(Scripted(0, 0, ssl.create_default_context()))
    authority.configure_trust(server.web.trust)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            host = self.headers["Host"]
            url = host + self.path
            server.asked.append(url)
            seen = server.script.get(url, server.script.get(host))
            if seen is None:
                self.close_connection = True
                return
            self.send_response_only(seen.status)
            for name, value in {"Content-Length": str(len(seen.body.encode())), **seen.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(seen.body.encode())
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    plain, secure = (ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*GOOD).configure_cert(context)
    secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    for one in (plain, secure):
        threading.Thread(target=one.serve_forever, daemon=True).start()
    server.web.port, server.web.secure_port = plain.server_port, secure.server_port
    yield server
    plain.shutdown()
    secure.shutdown()


@pytest.fixture
def server(running: Server) -> Server:
    running.script.clear()
    running.asked.clear()
    running.web.names.clear()
    return running


def status(code: int) -> Seen:
    return Seen(code)


def led(to: str = LOGIN) -> Seen:
    return Seen(302, {"Location": to}, "moved")


def api(**said: object) -> Seen:
    text = json.dumps({key.replace("_", "-"): value for key, value in said.items()} | VENUE)
    return Seen(200, {"Content-Type": "application/captive+json"}, text)


HTTP = "connectivitycheck.gstatic.com"
HTTPS = "www.google.com/generate_204"
FALL_BACK = "www.google.com/gen_204"
CAPPORT = "wifi.cachan.example"
PAGE = Seen(200, {}, "x" * 100)
REMAINING = {"bytes_remaining": 10_000, "seconds_remaining": 500}

# What Android's own tests of NetworkMonitor ask (their names after testIsCaptivePortal_), as: what each host answers,
# what option 114 said, and what must come of it. A host that is not in the script breaks off.
ANDROID_CASES: dict[str, tuple[dict[str, Seen], str, Verdict]] = {
    "HttpProbeIsPortal": ({HTTP: led()}, "", Verdict(State.PORTAL, LOGIN)),
    "Http200EmptyResponse": ({HTTP: status(200)}, "", Verdict(State.OFFLINE)),
    "HttpProbeIs200Portal": ({HTTP: PAGE}, "", Verdict(State.PORTAL, android.HTTP_PROBE)),
    "HttpsProbeIsNotPortal": ({HTTPS: status(204), HTTP: status(500)}, "", Verdict(State.ONLINE)),
    "HttpsProbeFailedHttpSuccessNotUsed": ({HTTP: status(204), FALL_BACK: status(500)}, "", Verdict(State.PARTIAL)),
    "FallbackProbeIsPortal": ({HTTP: status(500), FALL_BACK: led()}, "", Verdict(State.PORTAL, LOGIN)),
    "HttpSucceedFallbackProbeIsPortal": ({HTTP: status(204), FALL_BACK: led()}, "", Verdict(State.PORTAL, LOGIN)),
    "FallbackProbeIsNotPortal": ({HTTP: status(500), FALL_BACK: status(500)}, "", Verdict(State.OFFLINE)),
    "AllProbesFailed": ({HTTP: status(500), FALL_BACK: status(404)}, "", Verdict(State.OFFLINE)),
    "HttpProbeIs511": ({HTTP: Seen(511, {}, "sign in"), FALL_BACK: status(511)}, "", Verdict(State.OFFLINE)),
    "CapportApiIsPortalWithNullPortalUrl": (
        {HTTP: led(), CAPPORT: api(captive=True, **REMAINING)}, API, Verdict(State.PORTAL, LOGIN)),
    "CapportApiIsPortalWithValidPortalUrl": (
        {CAPPORT: api(captive=True, user_portal_url=f"{LOGIN}here", **REMAINING)}, API,
        Verdict(State.PORTAL, f"{LOGIN}here")),
    "CapportApiRevalidation": (
        {HTTPS: status(204), HTTP: status(204), CAPPORT: api(captive=True, user_portal_url=LOGIN)}, API,
        Verdict(State.PORTAL, LOGIN)),
    "CapportApiNotPortalNotValidated": (
        {HTTP: status(500), CAPPORT: api(captive=False)}, API, Verdict(State.OFFLINE)),
    "CapportApiNotPortalPartial": ({HTTP: status(204), CAPPORT: api(captive=False)}, API, Verdict(State.PARTIAL)),
    "CapportApiNotPortalValidated": (
        {HTTPS: status(204), HTTP: status(204), CAPPORT: api(captive=False)}, API, Verdict(State.ONLINE)),
    "CapportApiNotPortalButRedirected": (
        {HTTP: led(), CAPPORT: api(captive=False)}, API, Verdict(State.PORTAL, LOGIN)),
    "CapportApiInvalidContent": (
        {HTTP: led(), CAPPORT: Seen(200, {}, "{SomeInvalidText")}, API, Verdict(State.PORTAL, LOGIN)),
    "CapportApiNotFound": ({HTTP: led(), CAPPORT: status(404)}, API, Verdict(State.PORTAL, LOGIN)),
    "CapportApiWrongCharset": (
        {HTTP: led(), CAPPORT: Seen(200, {"Content-Type": "application/captive+json; charset=utf-16"},
         '{"captive": false}')}, API, Verdict(State.PORTAL, LOGIN)),
    "CapportApiTooLong": (
        {HTTP: led(), CAPPORT: Seen(200, {}, '{"captive": false, "x": "' + "x" * 5000 + '"}')}, API,
        Verdict(State.PORTAL, LOGIN)),
    "HttpIsInvalidCapportApiScheme": (
        {HTTP: led(), CAPPORT: api(captive=False)}, "http://wifi.cachan.example/api", Verdict(State.PORTAL, LOGIN)),
    "FileIsInvalidCapportApiScheme": (
        {HTTP: led(), CAPPORT: api(captive=False)}, "file://localhost/x", Verdict(State.PORTAL, LOGIN)),
    "InvalidUrlFormat": ({HTTP: led()}, "ThisIsNotAValidUrl", Verdict(State.PORTAL, LOGIN)),
}  # fmt: skip


@pytest.mark.parametrize("case", ANDROID_CASES)
def test_android_decides_as_its_own_tests_say(server: Server, case: str) -> None:
    script, option_114, expected = ANDROID_CASES[case]
    server.script.update(script)

    assert android.look(server.web, option_114) == expected


def test_android_asks_no_probe_when_the_api_says_captive(server: Server) -> None:
    server.script[CAPPORT] = api(captive=True, user_portal_url=LOGIN)

    android.look(server.web, API)

    assert server.asked == ["wifi.cachan.example/api/captive"]


@pytest.mark.parametrize(
    ("address", "option", "state"),
    [
        ("192.168.1.1", True, State.OFFLINE),
        ("fec0:1234::1", True, State.OFFLINE),
        ("192.168.1.1", False, State.PORTAL),
        ("203.0.113.80", True, State.PORTAL),
    ],
)
def test_some_androids_take_a_forged_name_for_no_internet(
    server: Server, address: str, option: bool, state: State
) -> None:
    """PrivateIpNotPortal_Enabled_IPv4, _IPv6, _Disabled: why names are answered truthfully before acceptance."""
    server.web.names[HTTP] = ["2001:db8::123", address]
    server.script[HTTP] = led()

    assert android.look(server.web, "", android.Options(private_is_offline=option)).state is state


@pytest.mark.parametrize(
    ("script", "options", "state"),
    [
        ({HTTPS: Seen(200, {}, "test"), HTTP: status(500)}, android.Options(fails="te.t"), State.OFFLINE),
        ({HTTPS: status(500), HTTP: Seen(200, {}, "test")}, android.Options(succeeds="te.t"), State.PARTIAL),
    ],
    ids=["HttpsProbeMatchesFailRegex", "HttpProbeMatchesSuccessRegex"],
)
def test_some_makers_read_the_page_too(
    server: Server, script: dict[str, Seen], options: android.Options, state: State
) -> None:
    server.script.update(script)

    assert android.look(server.web, "", options).state is state


def ours() -> Seen:
    """What the redirector answers."""
    head, _, body = answers(LOGIN)[Kind.FOUND].decode().partition("\r\n\r\n")
    fields = (line.split(": ", 1) for line in head.split("\r\n")[1:])
    return Seen(302, {name.lower(): value for name, value in fields}, body)


ANSWERS = {
    "302, short body": ours(),
    "200, a page": Seen(200, {}, "<html>Sign in</html>"),
    "200, empty": Seen(200, {"content-length": "0"}),
    "511": Seen(511, {}, "<html>Sign in</html>"),
    "503": Seen(503, {}, "<html>Later</html>"),
    "204": Seen(204),
    "reset": Seen(fault="reset"),
}
MATRIX = Path(__file__).parents[2] / "docs/12-detection.md"


def decisions(seen: Seen) -> dict[str, State]:
    """What each client makes of one and the same answer to its probe."""
    broken = Seen(fault="tls")
    return {
        "Android": android.decide(android.Sights(broken, seen, None, seen)).state,
        "iOS and macOS": apple.decide(seen).state,
        "Windows": windows.decide(seen, ["131.107.255.255"]).state,
        "Firefox": firefox.decide([seen] * (firefox.RETRIES + 1)).state,
        "Chrome": chrome.decide(seen).state,
        "ChromeOS": chrome.decide_chromeos(seen).state,
        "NetworkManager (Debian)": network_manager.decide(seen, network_manager.DEBIAN.body).state,
        "NetworkManager (Ubuntu)": network_manager.decide(seen, "").state,
    }


def test_our_answer_is_the_one_and_only_that_every_client_takes_for_a_portal() -> None:
    unanimous = [name for name, seen in ANSWERS.items() if set(decisions(seen).values()) == {State.PORTAL}]

    assert unanimous == ["302, short body", "200, a page"]
    assert set(decisions(ours())) == set(LOOKS)
    assert State.ONLINE in decisions(ANSWERS["204"]).values(), "204 would let phones think they are online"
    assert decisions(ANSWERS["511"])["Android"] is State.OFFLINE, "511 would show Android's owner nothing"


def test_the_decision_matrix_in_the_docs_is_what_the_models_decide() -> None:
    rows = re.findall(r"^\| (302, .*?|200, .*?|511|503|204|reset) \|(.*)\|$", MATRIX.read_text("utf-8"), re.MULTILINE)
    header = re.search(r"^\| our answer \|(.*)\|$", MATRIX.read_text("utf-8"), re.MULTILINE)
    assert header
    clients = [cell.strip() for cell in header[1].split("|")]

    written = {name: dict(zip(clients, (cell.strip() for cell in row.split("|")), strict=True)) for name, row in rows}

    assert written == {
        name: {client: str(state) for client, state in decisions(seen).items()} for name, seen in ANSWERS.items()
    }


def test_each_model_takes_its_owners_answer_for_the_internet(server: Server) -> None:
    for probe in PROBES:
        server.script[probe.host + probe.path] = Seen(probe.status, {}, probe.body)
    server.web.names["dns.msftncsi.com"] = ["131.107.255.255"]

    assert {name: look(server.web).state for name, look in LOOKS.items()} == dict.fromkeys(LOOKS, State.ONLINE)
