"""Every client model, in a resident's place, against the whole door: portal, then online, then portal again."""

import ssl

import pytest
from client_models import android
from client_models.asking import AAAA, A, Phone
from client_models.everybody import KNOW_THE_API, LOOKS
from client_models.seeing import State
from door_twin import Resident, Twin, wait_for

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
