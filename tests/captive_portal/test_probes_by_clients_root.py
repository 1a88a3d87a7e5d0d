"""Every client model, in a resident's place, against the whole door: portal, then online, then portal again."""

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from client_models import android
from client_models.asking import AAAA, A, Phone
from client_models.everybody import KNOW_THE_API, LOOKS
from client_models.seeing import Seen, State
from door_twin import WEB4, WEB6, Inside, Resident, Twin, connect, wait_for

from captive_portal.probes import PROBES

pytestmark = [pytest.mark.root, pytest.mark.slow]
PORTAL = "https://wifi.cachan.example/"


def phone_of(twin: Twin, resident: Resident, *families: int) -> Phone:
    trust = ssl.create_default_context(cafile=str(twin.certificate))
    trust.load_verify_locations(str(twin.internet_authority))
    return Phone(resident.namespace, "10.11.0.1", trust, families or (AAAA, A))


@pytest.fixture
def phone(twin: Twin, anna: Resident) -> Phone:
    """Captive, whatever a former test did."""
    found = phone_of(twin, anna)
    if not anna.api()["captive"]:
        found.leaves(PORTAL)
    return found


@pytest.fixture(scope="module")
def option_114(anna: Resident) -> str:
    return bytes.fromhex(anna.joins()["opt114"]).decode()


@pytest.mark.parametrize("name", LOOKS)
def test_r14_each_client_reaches_the_portal_then_the_internet_then_the_portal_again(
    phone: Phone, option_114: str, name: str
) -> None:
    look, api = LOOKS[name], option_114 if name in KNOW_THE_API else ""

    before = look(phone, api)
    page = phone.signs_in(before.page or "http://example.org/")
    online = look(phone, api)
    phone.leaves(PORTAL)
    after = look(phone, api)

    assert (before.state, online.state, after.state) == (State.PORTAL, State.ONLINE, State.PORTAL)
    assert "Vous êtes en ligne" in page.body
    if api:
        assert before.page == PORTAL


@pytest.mark.parametrize("name", KNOW_THE_API)
def test_r05_a_client_that_never_heard_of_option_114_reaches_the_portal_too(phone: Phone, name: str) -> None:
    assert LOOKS[name](phone, "").state is State.PORTAL

    phone.signs_in(PORTAL)

    assert LOOKS[name](phone, "").state is State.ONLINE


def test_r01_an_android_that_mistrusts_local_answers_still_sees_a_portal(phone: Phone) -> None:
    """Names are answered truthfully before acceptance: nothing is forged that could be mistrusted or kept."""
    options = android.Options(private_is_offline=True)

    assert android.look(phone, "", options).state is State.PORTAL


@pytest.mark.parametrize("family", [A, AAAA], ids=["IPv4", "IPv6"])
@pytest.mark.usefixtures("phone")
def test_f01_r44_every_probe_there_is_meets_the_same_302_over_each_family(
    twin: Twin, anna: Resident, family: int
) -> None:
    asking = phone_of(twin, anna, family)
    seen = {}
    for probe in (probe for probe in PROBES if probe.scheme == "http"):
        seen[probe.url] = asking.get(probe.url)

    assert {url: (one.status, one.location) for url, one in seen.items()} == dict.fromkeys(seen, (302, PORTAL))
    assert all(one.headers["cache-control"] == "no-store" for one in seen.values())


def test_f20_a_phone_that_only_probes_never_reaches_the_application(twin: Twin, phone: Phone) -> None:
    def served() -> list[float]:
        counters = [f'portal_http_responses_total{{code="{code}xx"}}' for code in (2, 3, 4, 5)]
        return [twin.metric(9201, name) for name in counters]

    before, redirects = served(), twin.metric(9201, 'portal_redirects_total{code="302"}')
    for probe in PROBES[:8]:
        phone.get(probe.url)

    assert served() == before
    assert twin.metric(9201, 'portal_redirects_total{code="302"}') == redirects + 8


def test_after_acceptance_every_probe_reaches_its_owner(phone: Phone) -> None:
    """The probes themselves are never cut: HTTP, HTTPS, and Windows' name."""
    phone.signs_in(PORTAL)
    wrong = []
    for probe in PROBES:
        seen = phone.get(probe.url)
        if not probe.online(seen.status, seen.body):
            wrong.append((probe.url, seen))

    assert wrong == []


def test_f02_r10_https_of_others_is_reset_not_answered_by_us(phone: Phone) -> None:
    https = next(probe for probe in PROBES if probe.scheme == "https")

    assert phone.get(https.url).fault == "refused"
    assert phone.get("https://example.org/").fault == "refused"


def test_r58_what_is_not_allowed_is_refused_at_once_on_any_port(phone: Phone) -> None:
    for port in (22, 853, 5228, 8080):
        assert phone.get(f"http://example.org:{port}/").fault == "refused"


def test_f04_r05_the_api_answers_over_tls_a_client_can_verify_and_refuses_a_wrong_name(
    phone: Phone, option_114: str
) -> None:
    good = phone.get(option_114, Accept="application/captive+json")
    phone.trust = ssl.create_default_context()
    unknown = phone.get(option_114, Accept="application/captive+json")

    assert (good.status, good.headers["content-type"]) == (200, "application/captive+json")
    assert unknown.fault == "tls", "the certificate is really checked"


def test_r06_the_api_is_reachable_and_true_in_both_states_over_both_families(
    twin: Twin, anna: Resident, phone: Phone, option_114: str
) -> None:
    four, six = phone_of(twin, anna, A), phone_of(twin, anna, AAAA)
    for captive in ("true", "false"):
        for one in (four, six):
            assert f'"captive": {captive}' in one.get(option_114, Accept="application/captive+json").body
        if captive == "true":
            phone.signs_in(PORTAL)


def test_r04_r43_revocation_leads_to_the_portal_again_at_once(phone: Phone, option_114: str) -> None:
    phone.signs_in(PORTAL)
    assert android.look(phone, option_114).state is State.ONLINE

    phone.leaves(PORTAL)

    assert android.look(phone, option_114).state is State.PORTAL
    assert android.look(phone, "").state is State.PORTAL


@pytest.mark.parametrize("address", [WEB4, WEB6])
def test_a_browsers_stale_preconnection_is_reset_and_its_next_one_reaches_the_internet(
    anna: Resident, phone: Phone, address: str
) -> None:
    """Chrome connects before it needs to; what was led to the portal before acceptance must not answer after."""
    with closing(connect(anna.namespace, (address, 80))) as early:
        phone.signs_in(PORTAL)
        early.sendall(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            early.recv(1)
    with closing(connect(anna.namespace, (address, 80))) as fresh:
        fresh.sendall(b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n")
        assert fresh.recv(12) == b"HTTP/1.1 200"


def test_f19_r47_a_flooding_device_is_capped_and_its_neighbour_is_served(twin: Twin, phone: Phone) -> None:
    """The ruleset counts new connections by device; the flood does not reach the redirector."""
    neighbour = twin.resident("c2")
    neighbour.joins()
    other = phone_of(twin, neighbour)
    attempts = 400
    answered = flood(phone.namespace, attempts)

    assert answered < attempts / 2, "burst 100, then 20 a second"
    assert android.look(other, "").state is State.PORTAL
    wait_for(lambda: phone.get("http://captive.apple.com/").status == 302, "the end of the penance", 10)


def test_f19_r47_a_device_that_keeps_connections_to_the_pages_takes_none_from_its_neighbour(
    twin: Twin, phone: Phone
) -> None:
    """A browser may keep a connection for ten seconds without a word; hundreds would be all that the portal takes."""
    neighbour = twin.resident("c2")
    neighbour.joins()
    kept, refused = [], 0
    with Inside(phone.namespace):
        for _ in range(45):
            try:
                kept.append(socket.create_connection(("10.11.0.1", 443), 5))
            except ConnectionRefusedError:
                refused += 1

    assert (len(kept), refused) == (32, 13)
    assert neighbour.api()["captive"] is True
    for one in kept:
        one.close()
    wait_for(lambda: phone.get(PORTAL).status == 200, "the pages are there again for the first", 15)


def flood(namespace: str, attempts: int) -> int:
    """How many of *attempts* connections to port 80, begun at once, are established."""
    opened = []
    with Inside(namespace):
        for _ in range(attempts):
            one = socket.socket(socket.AF_INET)
            one.setblocking(False)
            one.connect_ex((WEB4, 80))
            opened.append(one)
    time.sleep(0.5)
    answered = sum(not is_waiting(one) for one in opened)
    for one in opened:
        one.close()
    return answered


def is_waiting(connection: socket.socket) -> bool:
    """Whether the handshake has not been answered: TCP_INFO's first byte is TCP_SYN_SENT (2)."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 2


def test_r03_probes_meet_no_error_while_parts_of_ours_are_exchanged(twin: Twin, phone: Phone) -> None:
    """Without gatewayd the redirect goes on; without the portal nothing answers, which phones take as "later"."""
    twin.stop("gatewayd")
    try:
        assert {name: look(phone, "").state for name, look in LOOKS.items()} == dict.fromkeys(LOOKS, State.PORTAL)
    finally:
        twin.start_gatewayd()

    twin.stop("portal")
    try:
        assert phone.get("http://captive.apple.com/hotspot-detect.html").status == 0
    finally:
        twin.start_portal()
    wait_for(lambda: android.look(phone, "").state is State.PORTAL, "the portal")


def test_r03_with_a_socket_that_systemd_holds_no_probe_fails_while_the_portal_is_exchanged(
    twin: Twin, phone: Phone
) -> None:
    """Probes that come in between wait, and get their 302."""
    twin.stop("portal")
    with Inside(twin.name("gw")):
        held = socket.create_server(("::", 8080), family=socket.AF_INET6, dualstack_ipv6=True)
    with held:
        twin.start_portal(held.fileno())
        try:
            seen = ask_while(phone, lambda: (twin.stop("portal"), twin.start_portal(held.fileno())))
        finally:
            twin.stop("portal")
    twin.start_portal()

    assert len(seen) >= 2
    assert {(one.status, one.location) for one in seen} == {(302, PORTAL)}


def ask_while(phone: Phone, deed: Callable[[], object]) -> list[Seen]:
    """The answers to probes that are sent one after the other while *deed* is done."""
    seen = []
    worker = threading.Thread(target=deed)
    worker.start()
    while worker.is_alive():
        seen.append(phone.get("http://captive.apple.com/hotspot-detect.html"))
        time.sleep(0.1)
    worker.join()
    return seen
