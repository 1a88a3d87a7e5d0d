"""The captive portal API as RFC 8908 and RFC 8910 say, told from what the kernel does."""

import json
from typing import Any

import pytest
from house import ANNA, HOST, House, Visitor

from captive_portal.admission import Block
from captive_portal.probes import PROBES, speaker

URL = f"https://{HOST}/"
CAPTIVE = {"captive": True, "user-portal-url": URL, "venue-info-url": f"{URL}ici"}
ANDROID_CHARACTERS = 4096
"""Android reads no more of an answer."""


@pytest.fixture
def anna(house: House) -> Visitor:
    return house.visitor()


def told(visitor: Visitor, **headers: str) -> dict[str, Any]:
    answer = visitor.get("/api/captive", **headers)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/captive+json")
    said: dict[str, Any] = json.loads(answer.data.decode("utf-8"))
    return said


OURS = [
    None, "", "*/*", "application/*", "application/captive+json", "application/captive+json;q=0.5",
    "application/json", "application/capport+json", "Application/Captive+JSON",
    "application/captive+json; charset=utf-8; q=0.7, text/html; level=1; q=0.5",
    "application/captive+json, text/html;q=0.5", "text/html;q=0.2, */*;q=0.3", "image/png, application/json;q=0.1",
    "text/html, application/captive+json", "text/plain,*/*;q=0.001",
]  # fmt: skip
PAGES = [
    "text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "image/png", "text/plain",
    "application/captive+json;q=0", "application/captive+json;q=0.1, text/html;q=0.9", "text/*",
    "*/*;q=0", ";;;,,q=9/",
]  # fmt: skip


@pytest.mark.parametrize("accept", OURS)
def test_f09_the_accept_header_is_read_by_media_range_and_weight(anna: Visitor, accept: str | None) -> None:
    assert told(anna, **({} if accept is None else {"Accept": accept})) == CAPTIVE


@pytest.mark.parametrize("accept", PAGES)
def test_f09_who_wants_no_such_answer_is_led_to_the_page(anna: Visitor, accept: str) -> None:
    answer = anna.get("/api/captive", Accept=accept)

    assert (answer.status_code, answer.headers["Location"]) == (302, URL)
    assert "Accept" in answer.headers["Vary"].split(", ")
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_f03_both_states_in_the_form_rfc_8908_gives_them(anna: Visitor) -> None:
    captive = anna.get("/api/captive")
    anna.accepts()
    online = anna.get("/api/captive")

    for answer in (captive, online):
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "Set-Cookie" not in answer.headers
        assert len(answer.text) < ANDROID_CHARACTERS
        said = json.loads(answer.data.decode("utf-8"))
        assert isinstance(said["captive"], bool)
        assert all(said[key].startswith("https://") for key in ("user-portal-url", "venue-info-url"))
    assert json.loads(captive.data) == CAPTIVE
    assert json.loads(online.data) == CAPTIVE | {
        "captive": False,
        "seconds-remaining": 43200,
        "can-extend-session": True,
    }
    assert isinstance(json.loads(online.data)["seconds-remaining"], int)


def test_f03_head_is_get_without_the_body_and_other_methods_are_refused(anna: Visitor) -> None:
    head, get = anna._open("/api/captive", "HEAD", {}), anna.get("/api/captive")

    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Type"] == "application/captive+json"
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        refused = anna._open("/api/captive", method, {})
        assert refused.status_code == 405
        assert {"GET", "HEAD"} <= set(refused.headers["Allow"].split(", "))


def test_both_families_of_a_device_are_told_the_same(house: House, anna: Visitor) -> None:
    six = house.visitor("2001:db8:11::5")
    assert told(six) == told(anna) == CAPTIVE

    anna.accepts()

    assert told(six) == told(anna)
    assert told(six)["captive"] is False


def test_f07_the_page_about_the_place_is_open_in_both_states(anna: Visitor) -> None:
    path = told(anna)["venue-info-url"].removeprefix(URL[:-1])
    assert anna.get(path).status_code == 200

    anna.accepts()

    assert told(anna)["venue-info-url"].endswith(path)
    assert anna.get(path).status_code == 200


def test_f08_a_session_that_is_said_to_be_extendable_is_extended(house: House, anna: Visitor) -> None:
    anna.accepts()
    house.clock.passes(7200)
    assert told(anna)["can-extend-session"] is True

    anna.extends()

    assert told(anna)["seconds-remaining"] == 43200


def test_r06_r24_the_api_tells_what_the_kernel_does_not_what_the_store_hopes(house: House, anna: Visitor) -> None:
    anna.accepts()
    house.clock.passes(100)
    assert told(anna)["seconds-remaining"] == 43100

    house.gateway.sessions.clear()

    assert told(anna) == CAPTIVE


def test_while_staff_have_opened_the_door_nobody_is_captive_but_who_is_blocked(house: House, anna: Visitor) -> None:
    house.gateway.open(600)

    assert told(anna) == CAPTIVE | {"captive": False, "seconds-remaining": 600, "can-extend-session": False}

    house.gateway.apply([Block(ANNA, 900)])
    assert told(anna) == CAPTIVE


def test_without_gatewayd_the_api_says_that_it_does_not_know(house: House, anna: Visitor) -> None:
    """No guess: the client keeps the last answer it had (RFC 8908 section 5)."""
    house.gateway.away = True

    answer = anna.get("/api/captive", User_Agent="CaptiveNetworkSupport-481.140.2 wispr")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert house.value("portal_api_requests_total", captive="unknown", family="apple") == 1


def test_an_unknown_device_is_captive(house: House) -> None:
    assert told(house.visitor("10.11.0.99", None)) == CAPTIVE


ANDROID = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/60.0.3112.32 Safari/537.36"


@pytest.mark.parametrize(
    ("user_agent", "family"),
    [
        ("CaptiveNetworkSupport-481.140.2 wispr", "apple"),
        (ANDROID, "android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15", "apple"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0", "windows"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/126.0.0.0", "chrome"),
        ("curl/7.88.1", "other"),
        ("", "other"),
        ("\u00e9" * 3000, "other"),
    ],
)
def test_f53_calls_are_counted_by_family_of_system(house: House, anna: Visitor, user_agent: str, family: str) -> None:
    anna.get("/api/captive", User_Agent=user_agent)

    assert house.value("portal_api_requests_total", captive="true", family=family) == 1
    assert speaker(user_agent) in {probe.family for probe in PROBES} | {"other"}


def test_r62_the_portal_claims_nothing_for_its_subdomains_and_its_name_is_its_own(anna: Visitor) -> None:
    """An HSTS line would bind the town's other names, and a captive client that once failed TLS for good."""
    for path in ("/", "/api/captive", "/fr/status", "/nothing"):
        assert "Strict-Transport-Security" not in anna.get(path).headers
    assert anna.get("/", Host="cachan.example").headers["Location"] == f"{URL}?named=1"
