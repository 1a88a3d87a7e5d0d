"""Journey (a): from the lease to a page of the internet, in a real browser and by hand; and every way back."""

import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from actors import LIBRARY, MSP, PORTAL, SHORT_SESSION_SECONDS, SPORTS, Resident, eventually, scrape, value
from lab.town import Lab
from parvis.processes import GATEWAYD
from parvis.processes import PORTAL as PORTAL_PROCESS

pytestmark = [pytest.mark.root, pytest.mark.slow]
LOGS = ("gw-msp.portal", "gw-msp.gatewayd", "gw-msp.kea", "gw-msp.dnsmasq", "collectors", "monitor")
BROWSER = Path(__file__).with_name("browser.py")


def test_a_browser_goes_from_the_lease_to_the_internet(
    twin: Lab, resident: Callable[[str], Resident], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phone = resident(f"{MSP}/1")
    begun = time.monotonic()
    twin.restart("gw-msp-r1")
    eventually(lambda: twin.lease(phone.name).get("ip"), "a lease")
    lease_seconds = time.monotonic() - begun

    ca = twin.folder / "tls" / "ca.pem"
    done = twin.exec(phone.name, [sys.executable, str(BROWSER), str(ca), str(tmp_path)], timeout_seconds=90)

    assert done.returncode == 0, done.stderr
    steps = [{"step": "DHCP lease with option 114", "seconds": round(lease_seconds, 3)}, *json.loads(done.stdout)]
    with capsys.disabled():
        print("\nlease to internet, step by step:")
        for step in steps:
            print(f"  {step['seconds']:7.3f} s  {step['step']}")
    splash, accepted, http, https = steps[1:]
    assert (splash["url"], splash["language"]) == (PORTAL, "fr")
    assert "Vous êtes en ligne" in " ".join(accepted["text"].split())
    assert "example.org" in http["url"]
    assert "example.org" in https["url"]
    assert http["text"] == https["text"] != ""


@pytest.mark.parametrize("site", [MSP, LIBRARY])
def test_f55_r13_nothing_is_released_unless_a_program_walks_the_whole_way(
    twin: Lab, resident: Callable[[str], Resident], site: str
) -> None:
    """The release gate: portal, acceptance, internet over both families, leaving, portal."""
    phone = resident(f"{site}/1")
    visit = (sys.executable, str(Path(sys.executable).with_name("parvis")), "visit", twin.lease(phone.name)["url"])

    done = twin.exec(phone.name, [*visit, "--ca", str(twin.folder / "tls" / "ca.pem")], timeout_seconds=60)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith("captive-again")


def test_the_lease_says_where_the_captive_portal_api_is(twin: Lab) -> None:
    assert twin.lease(f"{MSP}/1")["url"] == f"{PORTAL}api/captive"


def test_before_acceptance_http_leads_to_the_portal_and_https_is_reset_at_once(
    resident: Callable[[str], Resident],
) -> None:
    phone = resident(f"{MSP}/1")

    assert phone.is_captive()
    for family in ("-4", "-6"):
        begun = time.monotonic()
        refused = phone.curl("https://example.org/", family)
        assert (refused.status, refused.error) == (0, 7), refused
        assert time.monotonic() - begun < 3


@pytest.mark.parametrize("family", ["-4", "-6"])
def test_one_acceptance_admits_both_families(resident: Callable[[str], Resident], family: str) -> None:
    phone = resident(f"{LIBRARY}/1")
    assert not phone.is_online(family)

    phone.accepts()

    assert "Vous êtes en ligne" in phone.page.body
    assert phone.is_online(family)
    assert phone.curl("https://example.org/", family).status == 200


def test_a_neighbours_acceptance_admits_nobody_else(resident: Callable[[str], Resident]) -> None:
    one, other = resident(f"{LIBRARY}/1"), resident(f"{LIBRARY}/2")

    one.accepts()

    assert one.is_online()
    assert other.is_captive()


def test_the_api_tells_the_truth_in_both_states(resident: Callable[[str], Resident]) -> None:
    phone = resident(f"{MSP}/2")
    before = phone.api()
    phone.accepts()
    after = phone.api()

    assert (before["captive"], before["user-portal-url"]) == (True, PORTAL)
    assert "seconds-remaining" not in before
    assert after["captive"] is False
    assert 43_000 < after["seconds-remaining"] <= 43_200
    phone.leaves()
    assert phone.api()["captive"] is True


def test_leaving_ends_the_session_at_once(resident: Callable[[str], Resident]) -> None:
    phone = resident(f"{MSP}/2").accepts()
    assert phone.is_online()

    phone.leaves()

    assert phone.is_captive()


def test_a_session_expires_by_the_kernel_even_when_our_processes_are_dead(
    twin: Lab, resident: Callable[[str], Resident]
) -> None:
    phone = resident(f"{SPORTS}/1").accepts()
    assert phone.is_online()
    twin.stop("gw-lagrange.portal")
    twin.stop("gw-lagrange.gatewayd")
    try:
        took = eventually(lambda: not phone.is_online(), "the session has ended", SHORT_SESSION_SECONDS + 10)
    finally:
        twin.start("gw-lagrange.gatewayd")
        twin.start("gw-lagrange.portal")

    assert took < SHORT_SESSION_SECONDS + 5
    eventually(phone.is_captive, "captive again")
    assert phone.api()["captive"] is True


@pytest.mark.parametrize("name", ["portal", "gatewayd", "kea", "dnsmasq"])
def test_a_process_that_is_killed_and_started_again_logs_nobody_out(
    twin: Lab, resident: Callable[[str], Resident], name: str
) -> None:
    phone = resident(f"{LIBRARY}/2").accepts()

    twin.restart(f"gw-biblio.{name}", signal.SIGKILL)

    eventually(phone.is_online, f"online after {name} was killed", 10)
    assert phone.api()["captive"] is False


@pytest.mark.parametrize("what", ["elements", "ruleset"])
def test_a_foreign_flush_and_an_emptied_set_are_repaired_within_seconds(
    twin: Lab, resident: Callable[[str], Resident], what: str
) -> None:
    inside, outside = resident(f"{MSP}/1").accepts(), resident(f"{MSP}/2")
    gateway = twin.town.site(MSP).gateway
    before = value(scrape(twin, str(gateway.address), PORTAL_PROCESS.port), "portal_repairs_total")
    if what == "ruleset":
        twin.flush_nft("gw-msp")
    else:
        for name in ("map inet portal auth", "set inet portal up", "set inet portal down"):
            twin.exec("gw-msp", ["nft", "flush", *name.split()])

    took = eventually(inside.is_online, "the accepted session is back", 10)
    eventually(outside.is_captive, "nobody else is in", 10)

    print(f"repaired after {took:.2f} s")
    after = value(scrape(twin, str(gateway.address), PORTAL_PROCESS.port), "portal_repairs_total")
    assert after > before
    assert "captive" in inside.api()
    loads = scrape(twin, str(gateway.address), GATEWAYD.port)
    assert value(loads, "gateway_ruleset_loads_total") >= 1


def test_the_splash_page_is_one_small_request_without_javascript(resident: Callable[[str], Resident]) -> None:
    phone = resident(f"{MSP}/2").opens(PORTAL)

    body = phone.page.body
    assert phone.page.status == 200
    assert len(body.encode()) < 14_000
    assert "<script" not in body
    assert not [word for word in ("src=", "url(http", "@import", '<link rel="stylesheet"') if word in body]
    assert "J’accepte" in body or "J'accepte" in body or "J&#39;accepte" in body


def test_strange_requests_get_short_correct_pages(resident: Callable[[str], Resident]) -> None:
    phone = resident(f"{MSP}/2")
    redirected = {
        "no User-Agent": phone.curl("http://example.org/", "-H", "User-Agent:"),
        "8 kB query": phone.curl("http://example.org/?" + "q" * 8000),
        "HEAD": phone.curl("http://example.org/", "-I"),
        "redirect asked for": phone.curl("http://example.org/?next=http://evil.example/&url=//evil.example"),
    }
    foreign = phone.curl(PORTAL, "-H", "Host: evil.example")
    refused = {
        "no Host": phone.curl("http://example.org/", "-H", "Host:"),
        "wrong method": phone.curl("http://example.org/", "-X", "DELETE"),
        "wrong method on the portal": phone.curl(f"{PORTAL}accept", "-X", "PUT"),
        "forged acceptance": phone.curl(f"{PORTAL}accept", "--data", "token=forged"),
        "no token at all": phone.curl(f"{PORTAL}accept", "--data", ""),
    }

    assert (foreign.status, foreign.location) == (302, f"{PORTAL}?named=1"), (
        "over TLS it is told so once, not in a circle"
    )
    for what, answer in redirected.items():
        assert (answer.status, answer.location) == (302, PORTAL), (what, answer)
    for what, answer in refused.items():
        assert answer.status in {302, 303, 400, 403, 405, 414}, (what, answer)
        assert answer.location in {"", PORTAL} or answer.location.startswith(("/", PORTAL)), (what, answer)
        assert len(answer.body) < 14_000, what
    assert phone.is_captive()


def test_an_acceptance_sent_twice_is_one_session(resident: Callable[[str], Resident]) -> None:
    phone = resident(f"{MSP}/2").opens(PORTAL)
    splash = phone.page
    phone.presses("accept")
    first = phone.api()["seconds-remaining"]
    phone.page = splash

    phone.presses("accept")

    assert phone.api()["seconds-remaining"] <= first


def test_residents_reach_neither_each_other_nor_the_equipment(twin: Lab, resident: Callable[[str], Resident]) -> None:
    phone = resident(f"{MSP}/1").accepts()
    town = twin.town
    site = town.site(MSP)
    forbidden = [
        twin.lease(f"{MSP}/2")["ip"],
        str(site.access_points[0].address),
        str(site.gateway.address),
        str(town.site(LIBRARY).gateway.address),
        str(next(iter(town.centre.ipv4.hosts()))),
    ]

    for address in forbidden:
        done = twin.exec(phone.name, ["ping", "-c", "1", "-W", "1", address])
        assert done.returncode != 0, f"{address} answers a resident"
    assert phone.is_online()


def test_no_address_of_a_resident_is_in_any_log_or_metric(twin: Lab, resident: Callable[[str], Resident]) -> None:
    phone = resident(f"{MSP}/1").accepts()
    secrets = [twin.resident(phone.name).mac.text, twin.lease(phone.name)["ip"]]
    gateway = twin.town.site(MSP).gateway
    texts = {name: twin.log(name) for name in LOGS}
    texts |= {str(p.port): scrape(twin, str(gateway.address), p.port) for p in (PORTAL_PROCESS, GATEWAYD)}

    assert [(name, secret) for name, text in texts.items() for secret in secrets if secret in text] == []
