"""The site's management API: what staff may ask and order, over HTTPS with a token."""

import http.client
import json
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from house import ANNA, House
from staff import TOKEN, desk_of, issued

from captive_portal import tls
from captive_portal.admission import Allow
from captive_portal.directives import Kind
from captive_portal.management.api import MOST_SESSIONS, create_api
from captive_portal.timeline import Step
from captive_portal.tls import TlsServer
from parvis.addresses import MacAddress

pytestmark = pytest.mark.slow  # real servers, and time that has to pass

BY = {"by": "agent", "reason": "essai"}


class Console:
    """Asks the API as the console does."""

    def __init__(self, house: House) -> None:
        self.client: FlaskClient = create_api(desk_of(house), TOKEN, house.instruments).test_client()

    def get(self, path: str, token: str = TOKEN) -> Any:
        return self.client.get(path, headers={"Authorization": f"Bearer {token}"})

    def post(self, path: str, **body: Any) -> Any:
        return self.client.post(path, json=body, headers={"Authorization": f"Bearer {TOKEN}"})


@pytest.fixture
def console(house: House) -> Console:
    return Console(house)


def crowd(house: House, number: int) -> list[MacAddress]:
    """So many devices that the gateway admits."""
    macs = [MacAddress.parse(f"02{n:010x}") for n in range(1, number + 1)]
    for n, mac in enumerate(macs, 1):
        house.gateway.sessions[mac] = (Allow(mac, n, 3600, 1_000_000, 1_000_000), house.clock.since_boot + 3600)
        house.gateway.bytes[n] = (n, 2 * n)
    return macs


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "é"])
def test_f50_nothing_is_told_or_done_without_the_token(house: House, console: Console, token: str) -> None:
    house.visitor().accepts()
    code = house.timeline.code(ANNA)
    asked = [
        console.client.open(
            rule, method=method, headers={"Authorization": f"Bearer {token}".encode().decode("latin-1")}
        )
        for method, rule in (
            ("GET", "/v1/site"),
            ("GET", "/v1/sessions"),
            ("GET", f"/v1/devices/{code}"),
            ("POST", f"/v1/devices/{code}/disconnect"),
            ("POST", "/v1/disconnect-all"),
        )
    ]

    assert {answer.status_code for answer in asked} == {401}
    assert ANNA in house.gateway.admitted()
    assert house.value("portal_management_requests_total", result="refused") == 5


def test_r29_five_thousand_sessions_are_listed_page_by_page_each_once(house: House, console: Console) -> None:
    macs = crowd(house, 5200)
    seen: list[dict[str, Any]] = []
    after, pages = 0, 0
    while after is not None:
        page = console.get(f"/v1/sessions?after={after}&limit=10000").json
        assert len(page["sessions"]) <= MOST_SESSIONS
        seen, after, pages = seen + page["sessions"], page["next"], pages + 1

    assert pages == 11
    assert sorted(one["code"] for one in seen) == sorted(house.timeline.code(mac) for mac in macs)
    assert sum(one["down"] for one in seen) == sum(2 * n for n in range(1, 5201))


def test_r29_a_session_that_ends_between_two_pages_hides_no_other(house: House, console: Console) -> None:
    macs = crowd(house, 20)
    first = console.get("/v1/sessions?limit=10").json
    for mac in macs[3:12]:
        del house.gateway.sessions[mac]
    second = console.get(f"/v1/sessions?after={first['next']}&limit=10").json

    assert [one["code"] for one in second["sessions"]] == [house.timeline.code(mac) for mac in macs[12:]]


def test_no_answer_holds_an_address_of_a_device(house: House, console: Console) -> None:
    anna = house.visitor()
    anna.get("/api/captive")
    anna.accepts()
    code = house.timeline.code(ANNA)
    console.post(f"/v1/devices/{code}/block", **BY, seconds=600)
    answers = [console.get(path).text for path in ("/v1/site", "/v1/sessions", f"/v1/devices/{code}", "/v1/figures")]

    for text in answers:
        assert ANNA.text not in text
        assert "10.11.0.5" not in text


def test_f49_a_running_session_is_ended_by_the_code_its_resident_reads(house: House, console: Console) -> None:
    house.visitor().accepts()
    code = house.timeline.code(ANNA)
    done = console.post(f"/v1/devices/{code.lower().replace('-', '')}/disconnect")

    assert (done.status_code, done.json) == (200, {"outcome": "revoked"})
    assert house.gateway.admitted() == {}
    found = house.timeline.device(code)
    assert found is not None
    assert Step.REVOKED in found[1]


def test_a_resident_who_was_disconnected_may_accept_again(house: House, console: Console) -> None:
    anna = house.visitor()
    anna.accepts()
    console.post(f"/v1/devices/{house.timeline.code(ANNA)}/disconnect")
    anna.accepts()

    assert ANNA in house.gateway.admitted()


def test_f52_everybody_is_disconnected_in_one_transaction(house: House, console: Console) -> None:
    for number in range(1, 40):
        house.visitor(f"10.11.0.{number}", MacAddress.parse(f"02{number:010x}")).accepts()
    before = house.gateway.transactions
    done = console.post("/v1/disconnect-all")

    assert done.json == {"outcome": "revoked"}
    assert house.gateway.admitted() == {}
    assert house.gateway.transactions == before + 1


def test_disconnecting_everybody_where_nobody_is_does_nothing(house: House, console: Console) -> None:
    assert console.post("/v1/disconnect-all").json == {"outcome": "nothing"}
    assert house.gateway.transactions == 0


def test_a_blocked_device_is_out_and_stays_out_until_the_end(house: House, console: Console) -> None:
    house.visitor().accepts()
    code = house.timeline.code(ANNA)
    done = console.post(f"/v1/devices/{code}/block", **BY, seconds=600)

    assert (done.status_code, done.json["kind"], done.json["left"]) == (200, "block", 600)
    assert house.gateway.admitted() == {}
    assert house.gateway.blocked[ANNA] == house.clock.since_boot + 600
    assert console.get(f"/v1/devices/{code}").json["blocked"]["reason"] == "essai"


def test_a_block_is_lifted_in_the_kernel_too(house: House, console: Console) -> None:
    house.visitor().accepts()
    code = house.timeline.code(ANNA)
    number = console.post(f"/v1/devices/{code}/block", **BY, seconds=600).json["number"]
    done = console.post(f"/v1/orders/{number}/end", by="agent", kind="block")

    assert done.json == {"ended": number}
    assert ANNA not in house.gateway.blocked
    assert console.get(f"/v1/devices/{code}").json["blocked"] is None


def test_the_door_opens_for_a_while_and_closes_by_order(console: Console) -> None:
    given = console.post("/v1/orders", kind="open-door", fr="", en="", **BY, seconds=120).json
    opened = console.get("/v1/site").json
    console.post(f"/v1/orders/{given['number']}/end", by="agent", kind="open-door")

    assert (opened["open"], [order["kind"] for order in opened["orders"]]) == (120, ["open-door"])
    assert console.get("/v1/site").json["open"] == 0


def test_r32_an_open_door_is_told_to_the_kernel_again_after_a_reboot(house: House, console: Console) -> None:
    console.post("/v1/orders", kind="open-door", fr="", en="", **BY, seconds=120)
    house.clock.passes(30)
    house.gateway.open_until = 0.0
    desk_of(house).reopen()
    told = house.gateway.status().open
    house.clock.passes(90)
    desk_of(house).reopen()

    assert (told, house.gateway.status().open) == (90, 0)


def test_a_door_that_could_not_be_opened_is_not_said_to_be(house: House, console: Console) -> None:
    house.gateway.away = True
    done = console.post("/v1/orders", kind="open-door", fr="", en="", **BY, seconds=120)

    assert done.status_code == 503
    assert house.directives.standing() == ()


def test_closing_the_site_ends_its_sessions(house: House, console: Console) -> None:
    house.visitor().accepts()
    console.post("/v1/orders", kind="closed", fr="", en="", **BY, seconds=600)

    assert house.gateway.admitted() == {}
    assert house.directives.latest(Kind.CLOSED) is not None


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/orders", {"kind": "open-door", "fr": "", "en": "", **BY, "seconds": 99999}, 409),
        ("/v1/orders", {"kind": "block", "fr": "", "en": "", **BY, "seconds": 600}, 409),
        ("/v1/orders", {"kind": "party", "fr": "", "en": "", **BY, "seconds": 600}, 400),
        ("/v1/orders", {"kind": "banner", **BY, "seconds": 600}, 400),
        ("/v1/orders", {"kind": "closed", "fr": "", "en": "", **BY, "seconds": "600"}, 400),
        ("/v1/orders", {"kind": "closed", "fr": "", "en": "", **BY, "seconds": True}, 400),
        ("/v1/orders", {"kind": "closed", "fr": "", "en": 5, **BY, "seconds": 600}, 400),
        ("/v1/orders/99/end", {"by": "agent", "kind": "block"}, 404),
        ("/v1/devices/K7F-2QD/disconnect", {}, 404),
        ("/v1/devices/K7F/disconnect", {}, 400),
        ("/v1/devices/02:00:00:00:00:0a/disconnect", {}, 400),
        ("/v1/nothing", {}, 404),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    house: House, console: Console, path: str, body: dict[str, Any], code: int
) -> None:
    done = console.post(path, **body)

    assert (done.status_code, bool(done.json["error"])) == (code, True)
    assert house.directives.standing() == ()
    assert house.value("portal_management_requests_total", result="wrong") == 1


@pytest.mark.parametrize("query", ["after=x", "limit=-1", "after=1e3", "after=" + "9" * 13, "limit=٣"])
def test_a_number_that_is_none_is_refused(console: Console, query: str) -> None:
    assert console.get(f"/v1/sessions?{query}").status_code == 400


def test_the_device_tells_its_steps_and_the_gateways_word(house: House, console: Console) -> None:
    anna = house.visitor()
    anna.get("/api/captive")
    house.clock.passes(30)
    house.timeline.heard("10.11.0.5")
    anna.accepts()
    said = console.get(f"/v1/devices/{house.timeline.code(ANNA)}").json

    assert {"api", "probe", "page", "accepted", "admitted"} <= said["steps"].keys()
    assert said["steps"]["api"] == {"first": 30.0, "last": 30.0, "count": 1}
    assert said["gateway"]["session"] == 1
    assert said["uplink"] is True


def test_figures_count_acceptances_by_the_towns_day(house: House, console: Console) -> None:
    for number in range(1, 4):
        house.visitor(f"10.11.0.{number}", MacAddress.parse(f"02{number:010x}")).accepts("fr" if number < 3 else "en")
    house.clock.passes(7.5 * 3600)  # 23:30 in Paris
    house.visitor("10.11.0.8", MacAddress.parse("02000000aaaa")).accepts()
    house.clock.passes(3600)
    house.visitor("10.11.0.9", MacAddress.parse("02000000aaab")).accepts()
    said = console.get("/v1/figures?days=30").json["figures"]

    version = house.facts.terms_version
    assert [(line["day"], line["language"], line["terms"], line["acceptances"]) for line in said] == [
        ("2026-01-10", "fr", version, 1),
        ("2026-01-09", "en", version, 1),
        ("2026-01-09", "fr", version, 3),
    ]


def test_the_resident_that_is_a_program_is_in_no_figure(house: House, console: Console) -> None:
    house.visitor("10.11.0.1", MacAddress.parse("020000000001")).accepts()
    trying = house.visitor("10.11.0.2", MacAddress.parse(house.facts.visitor))
    trying.accepts()
    assert trying.get("/status").status_code == 200

    said = console.get("/v1/figures?days=30").json["figures"]

    assert [line["acceptances"] for line in said] == [1]


def test_a_gateway_that_is_away_is_said_so_and_the_rest_is_told(house: House, console: Console) -> None:
    house.gateway.away = True
    said = console.get("/v1/site").json

    assert (said["gateway"], said["sessions"]) == ("gatewayd does not answer", None)
    assert console.get("/v1/sessions").status_code == 503


@pytest.fixture
def served(house: House, tmp_path: Path) -> Iterator[tuple[TlsServer, ssl.SSLContext]]:
    ca, certificate, private = issued(tmp_path)
    api = create_api(desk_of(house), TOKEN, house.instruments)
    with ExitStack() as stack:
        server = stack.enter_context(TlsServer(("127.0.0.1", 0), api, certificate, private, threads=2))
        yield server, ssl.create_default_context(cafile=str(ca))


def ask(port: int, context: ssl.SSLContext, path: str = "/v1/site") -> tuple[int, dict[str, Any]]:
    channel = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
    try:
        channel.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
        answer = channel.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        channel.close()


def test_it_is_served_over_tls_only(served: tuple[TlsServer, ssl.SSLContext]) -> None:
    server, context = served
    with socket.create_connection(("127.0.0.1", server.port), 5) as plain:
        plain.sendall(b"GET /v1/site HTTP/1.1\r\nHost: a\r\n\r\n")
        said = plain.recv(1000)

    assert b"200" not in said.split(b"\r\n")[0]
    assert ask(server.port, context)[0] == 200
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(server.port, ssl.create_default_context())


def test_r28_a_peer_that_never_shakes_hands_blocks_nobody(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "SILENT_SECONDS", 60)  # longer than those who ask wait
    ca, certificate, private = issued(tmp_path)
    api = create_api(desk_of(house), TOKEN, house.instruments)
    context = ssl.create_default_context(cafile=str(ca))
    with (
        TlsServer(("127.0.0.1", 0), api, certificate, private, threads=2) as server,
        socket.create_connection(("127.0.0.1", server.port), 5),
    ):
        answers = [ask(server.port, context)[0] for _ in range(3)]

    assert answers == [200, 200, 200]


def test_r28_a_peer_that_says_nothing_is_hung_up_on(served: tuple[TlsServer, ssl.SSLContext]) -> None:
    with socket.create_connection(("127.0.0.1", served[0].port), 30) as mute:
        assert mute.recv(1) == b""


def test_sec05_nothing_older_than_tls_1_2_is_spoken(served: tuple[TlsServer, ssl.SSLContext]) -> None:
    server, context = served
    with (
        socket.create_connection(("127.0.0.1", server.port), 5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as spoken,
    ):
        newest = spoken.version()
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    assert newest == "TLSv1.3"
    with (
        pytest.raises(OSError, match=r"(?i)protocol"),
        socket.create_connection(("127.0.0.1", server.port), 5) as plain,
    ):
        context.wrap_socket(plain, server_hostname="127.0.0.1")
