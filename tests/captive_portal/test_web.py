"""What residents see and do, and what they must never see."""

import re
from dataclasses import replace
from ipaddress import ip_address

import pytest
from house import ANNA, Forms, House, Page, Visitor
from prometheus_client import generate_latest

from captive_portal.web.application import create_app
from captive_portal.web.terms import CLAUSES


@pytest.fixture
def anna(house: House) -> Visitor:
    return house.visitor()


def test_f13_r14_a_resident_who_accepts_the_terms_is_let_through_and_nothing_else_is_asked(
    house: House, anna: Visitor
) -> None:
    answer = anna.accepts()

    assert (answer.status_code, answer.headers["Location"]) == (303, "/fr/status")
    assert set(house.gateway.admitted()) == {ANNA}
    status = anna.get("/fr/status").text
    assert "Vous êtes en ligne" in status
    assert "demain à 04:00" in status
    assert house.value("portal_acceptances_total", result="admitted") == 1


def test_who_is_online_is_not_asked_again(anna: Visitor) -> None:
    anna.accepts()

    assert anna.get("/fr/").headers["Location"] == "/fr/status"


def test_leaving_closes_the_door(house: House, anna: Visitor) -> None:
    anna.accepts()

    assert anna.leaves().headers["Location"] == "/fr/goodbye"
    assert house.gateway.admitted() == {}
    assert anna.get("/fr/status").headers["Location"] == "/fr/"


def test_extending_gives_the_full_time_under_the_same_number(house: House, anna: Visitor) -> None:
    anna.accepts()
    before = house.gateway.admitted()[ANNA]
    house.clock.passes(7200)

    assert anna.extends().headers["Location"] == "/fr/status?extended=1"

    after = house.gateway.admitted()[ANNA]
    assert (after.session, after.seconds) == (before.session, before.seconds)


def test_the_same_form_sent_twice_leads_to_the_same_session(house: House, anna: Visitor) -> None:
    form = {"token": anna.token()}

    first, second = anna.post("/fr/accept", form), anna.post("/fr/accept", form)

    assert first.headers["Location"] == second.headers["Location"] == "/fr/status"
    assert house.gateway.admitted()[ANNA].session == 1


def test_a_form_used_before_leaving_does_not_work_again(house: House, anna: Visitor) -> None:
    form = {"token": anna.token()}
    anna.post("/fr/accept", form)
    anna.leaves()

    assert anna.post("/fr/accept", form).headers["Location"] == "/fr/?again=1"
    assert house.gateway.admitted() == {}
    assert house.value("portal_acceptances_total", result="replayed") == 1


@pytest.mark.parametrize("token", ["", "x", "A" * 48, "é", "A" * 3000])
def test_a_forged_form_leads_back_with_an_explanation(house: House, anna: Visitor, token: str) -> None:
    answer = anna.post("/fr/accept", {"token": token})

    assert answer.headers["Location"] == "/fr/?again=1"
    page = anna.get("/fr/?again=1").text
    assert "n'est plus valable" in page
    assert "<title>Erreur" in page
    assert house.gateway.admitted() == {}


def test_another_devices_form_is_worth_nothing(house: House, anna: Visitor) -> None:
    ben = house.visitor("10.11.0.6", type(ANNA)("02:00:00:00:00:0b"))

    assert ben.post("/fr/accept", {"token": anna.token()}).headers["Location"] == "/fr/?again=1"
    assert house.gateway.admitted() == {}


def test_an_old_form_is_worth_nothing(house: House, anna: Visitor) -> None:
    form = {"token": anna.token()}
    house.clock.passes(1801)

    assert anna.post("/fr/accept", form).headers["Location"] == "/fr/?again=1"


def test_a_form_from_another_site_is_refused(anna: Visitor) -> None:
    form = {"token": anna.token()}

    assert anna.post("/fr/accept", form, Origin="https://elsewhere.example").status_code == 403
    assert anna.post("/fr/accept", form, Origin="https://wifi.cachan.example").status_code == 303


def test_leaving_and_extending_need_their_own_form(house: House, anna: Visitor) -> None:
    token = anna.token()
    anna.accepts()

    for path in ("/fr/leave", "/fr/extend"):
        assert anna.post(path, {"token": token}).headers["Location"] == "/fr/status?again=1"
    assert set(house.gateway.admitted()) == {ANNA}


@pytest.mark.parametrize("form", ["extend", "leave"])
def test_a_status_page_that_was_open_for_hours_says_press_again_and_the_next_press_counts(
    house: House, anna: Visitor, form: str
) -> None:
    anna.accepts()
    stale = {"token": anna.token("/fr/status", form)}
    house.clock.passes(2 * 3600)

    shown = anna.get(anna.post(f"/fr/{form}", stale).headers["Location"]).text

    assert "n'est plus valable" in shown
    assert "<title>Erreur" in shown
    assert house.gateway.admitted()[ANNA].seconds == 10 * 3600, "nothing was done"
    anna.post(f"/fr/{form}", {"token": Forms(shown).tokens[form]})
    assert [one.seconds for one in house.gateway.admitted().values()] == {"extend": [12 * 3600], "leave": []}[form]


def test_the_way_back_to_the_goodbye_never_tells_who_is_online_that_it_is_not(anna: Visitor) -> None:
    anna.accepts()
    anna.leaves()
    assert "Vous êtes déconnecté" in anna.get("/fr/goodbye").text
    anna.accepts()

    assert anna.get("/fr/goodbye").headers["Location"] == "/fr/status"


@pytest.mark.parametrize("form", ["accept", "extend", "leave"])
def test_a_forms_address_that_is_opened_again_leads_to_the_first_page_and_does_nothing(
    house: House, anna: Visitor, form: str
) -> None:
    anna.accepts()

    assert anna.get(f"/fr/{form}").headers["Location"] == "/fr/"
    assert house.gateway.admitted()[ANNA].seconds == 12 * 3600


def test_a_slash_too_much_or_too_few_is_the_same_page(anna: Visitor) -> None:
    assert anna.get("/en").text.startswith('<!doctype html>\n<html lang="en"')
    assert [anna.get(path).status_code for path in ("/fr/aide/", "/cgu/", "/api/captive/")] == [200, 200, 200]


def test_cgu01_the_splash_has_the_terms_and_one_button_and_nothing_is_ticked_beforehand(anna: Visitor) -> None:
    page = anna.get("/fr/").text

    assert Page(page).all("button") == [{}], "a button of a form: pressing it is the act"
    assert [one for one in Page(page).all("input") if one.get("type") != "hidden"] == []
    assert [one.get("method") for one in Page(page).all("form")] == ["post"]
    assert "J&#39;accepte les conditions d&#39;utilisation et je me connecte" in page.replace("'", "&#39;")
    assert all(f'id="{clause}"' in page for clause in CLAUSES)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "fr"),
        ("en-GB,en;q=0.8", "en"),
        ("de,en;q=0.5,fr;q=0.2", "en"),
        ("de", "fr"),
        (";;", "fr"),
        ("ar-MA,ar", "ar"),
        ("zh-Hans-CN", "zh"),
        ("pt-BR,pt;q=0.9", "pt"),
        ("uk", "uk"),
        ("es-419,es;q=0.9", "es"),
    ],
)
def test_the_language_is_the_browsers_and_french_by_default(anna: Visitor, accept: str, expected: str) -> None:
    assert f'<html lang="{expected}"' in anna.get("/", Accept_Language=accept).text


def test_each_page_leads_to_itself_in_the_other_language(anna: Visitor) -> None:
    for path in ("/fr/", "/fr/cgu", "/fr/cgu/1.0.0"):
        other = [a["href"] for a in Page(anna.get(path).text).all("a") if a.get("hreflang") == "en"]
        assert other == [path.replace("/fr/", "/en/")]


def test_f14_cgu02_version_digest_and_language_of_the_accepted_text_are_stored(house: House, anna: Visitor) -> None:
    anna.accepts("en")

    with house.store.transaction() as book:
        row = book._connection.exec_driver_sql(
            "SELECT language, terms_version, terms_sha256, mac FROM acceptances"
        ).one()
    assert row[0:2] == ("en", "2.0.0")
    assert row[2] in anna.get("/en/cgu/2.0.0").text
    assert row[3] == ANNA.text


def test_f14_who_read_other_terms_than_those_in_force_is_asked_again(house: House, anna: Visitor) -> None:
    """The portal was restarted with new terms, or another policy for them to tell, while the page was open."""
    form = {"token": anna.token()}
    hall = house.app.extensions["hall"]
    old = dict(hall.terms)
    hall.terms.update({language: replace(one, sha256="f" * 64) for language, one in old.items()})

    assert anna.post("/fr/accept", form).headers["Location"] == "/fr/?again=1"
    assert house.gateway.admitted() == {}
    anna.accepts()
    assert accepted(house) == [("fr", "f" * 64)]


@pytest.mark.parametrize(("shown", "after"), [("en", "fr"), ("fr", "en"), ("en", "ar")])
def test_f14_who_changes_the_browsers_language_before_the_tap_has_accepted_the_text_that_was_shown(
    house: House, anna: Visitor, shown: str, after: str
) -> None:
    page = anna.get("/", Accept_Language=shown).text

    anna.post("/accept", {"token": Forms(page).tokens["accept"]}, Accept_Language=after)

    assert accepted(house) == [(shown, house.app.extensions["hall"].terms[shown].sha256)]


def accepted(house: House) -> list[tuple[str, str]]:
    """Language and digest of what was accepted."""
    with house.store.connection() as connection:
        return [tuple(row) for row in connection.exec_driver_sql("SELECT language, terms_sha256 FROM acceptances")]


def test_cgu02_a_version_that_is_in_force_no_more_stays_readable_and_is_another_text(anna: Visitor) -> None:
    """A session of last year knows the version it accepted; whoever asks reads that one."""
    now, then = (Page(anna.get(f"/fr/cgu/{version}").text) for version in ("2.0.0", "1.0.0"))

    assert [one["id"] for one in now.all("h3") if one.get("id", "").startswith("cgu-")] == list(CLAUSES)
    assert len([one for one in then.all("h3") if one.get("id", "").startswith("cgu-")]) == 8
    assert anna.get("/cgu/1.0.0").status_code in {200, 302, 303}, "the address that stands in the session's record"


def test_a_version_of_the_terms_that_never_was_is_not_found(anna: Visitor) -> None:
    for version in ("9.9.9", "..%2f..%2fetc", "1.0.0.fr.html"):
        assert anna.get(f"/fr/cgu/{version}").status_code == 404


BAD = [
    ("GET", "/" + "a" * 8000, {}),
    ("GET", "/?" + "q" * 8192, {}),
    ("GET", "/%00%ff%fe", {}),
    ("GET", "/fr/../../etc/passwd", {}),
    ("GET", "//elsewhere.example/", {}),
    ("GET", "/accept", {}),
    ("POST", "/", {}),
    ("POST", "/api/captive", {}),
    ("DELETE", "/fr/status", {}),
    ("BREW", "/", {}),
    ("GET", "/de/", {}),
    ("GET", "/", {"Accept-Language": "\x01;q=x"}),
    ("GET", "/", {"User-Agent": ""}),
    ("GET", "/api/captive", {"Accept": ";;;,,q=9/"}),
]


@pytest.mark.parametrize(("method", "path", "headers"), BAD)
def test_a_bad_request_gets_a_short_correct_page(
    anna: Visitor, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = anna._open(path, method, headers)

    assert answer.status_code < 500
    assert len(answer.data) < 14_000
    assert answer.headers.get("Location", "/").startswith(("/fr/", "/", "https://wifi.cachan.example/"))
    assert "elsewhere" not in answer.headers.get("Location", "")


def test_a_body_that_is_too_large_is_refused(anna: Visitor) -> None:
    assert anna.post("/fr/accept", {"token": "x" * 100_000}).status_code == 413


@pytest.mark.parametrize("host", ["elsewhere.example", "wifi.cachan.example.evil.example", "10.11.0.1", "a@b", "["])
def test_another_hosts_name_leads_to_ours_and_nowhere_else(anna: Visitor, host: str) -> None:
    answer = anna.get("/accept?next=https://evil.example", Host=host)

    assert (answer.status_code, answer.headers["Location"]) == (302, "https://wifi.cachan.example/?named=1")


def test_r54_who_says_another_name_even_after_it_was_led_here_gets_a_page_not_a_circle(anna: Visitor) -> None:
    """A proxy on the device that writes an address into Host."""
    first = anna.get("/", Host="10.11.0.1")
    second = anna.get(first.headers["Location"].removeprefix("https://wifi.cachan.example"), Host="10.11.0.1")

    assert second.status_code == 400
    assert "Reprenez depuis l" in second.text
    assert anna.get("/?named=1").status_code == 200


@pytest.mark.parametrize("host", ["", "wifi.cachan.example,wifi.cachan.example"])
def test_no_host_at_all_and_two_of_them_are_a_wrong_request(anna: Visitor, host: str) -> None:
    assert anna.get("/", Host=host).status_code == 400


def test_r53_an_unknown_device_gets_a_friendly_page(house: House) -> None:
    nobody = house.visitor("10.11.0.77", None)

    for answer in (nobody.get("/fr/"), nobody.get("/fr/status"), nobody.post("/fr/accept", {"token": "x"})):
        assert answer.status_code == 403
        assert "Nous ne voyons pas encore votre appareil" in answer.text
    assert nobody.get("/fr/cgu").status_code == 200


@pytest.mark.parametrize("path", ["/fr/", "/api/captive"])
def test_r53_a_device_whose_lease_is_younger_than_its_request_is_looked_for_again(house: House, path: str) -> None:
    newcomer, address = house.visitor("10.11.0.8", None), ip_address("10.11.0.8")
    here = house.app.extensions["hall"]
    known_soon = replace(here, pause=lambda _seconds: house.gateway.people.update({address: ANNA}))
    house.app.extensions["hall"] = known_soon

    assert newcomer.get(path).status_code == 200
    assert house.timeline.device(house.timeline.code(ANNA)) is not None


def test_without_gatewayd_the_page_says_so(house: House, anna: Visitor) -> None:
    house.gateway.away = True

    answer = anna.get("/fr/")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "ne répond pas" in answer.text
    assert anna.get("/fr/cgu").status_code == 200


def test_r02_a_cut_uplink_is_told_before_and_after_accepting(house: House, anna: Visitor) -> None:
    house.fibre = False

    splash = anna.get("/fr/").text
    assert "Internet est coupé ici, nous le savons" in splash
    assert "je me connecte" not in splash
    anna.accepts()
    assert "Internet est coupé ici, nous le savons" in anna.get("/fr/status").text


def test_a_full_disk_admits_nobody_and_says_so(house: House, anna: Visitor, capsys: pytest.CaptureFixture[str]) -> None:
    form = {"token": anna.token()}
    with house.store.transaction() as book:
        book._connection.exec_driver_sql("DROP TABLE acceptances")

    answer = anna.post("/fr/accept", form)

    logs = capsys.readouterr().err
    assert answer.status_code == 503
    assert "the store cannot be written" in logs
    assert ANNA.text not in logs
    assert house.gateway.admitted() == {}
    assert house.value("portal_acceptances_total", result="failed") == 1


def test_a_fault_of_ours_is_a_page_in_words(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_address: object) -> None:
        raise ZeroDivisionError

    anna = house.visitor()
    monkeypatch.setattr(house.gateway, "identify", broken)

    answer = anna.get("/fr/")

    assert answer.status_code == 503
    assert "Traceback" not in answer.text


def test_no_page_and_no_metric_names_a_device(house: House, anna: Visitor) -> None:
    anna.accepts()
    seen = anna.get("/fr/status").text + generate_latest(house.registry).decode()
    assert not re.search(r"([0-9a-f]{2}:){5}[0-9a-f]{2}|10\.11\.0\.5", seen)


def test_two_applications_do_not_share_a_blueprint(house: House) -> None:
    assert create_app(house.app.extensions["hall"]) is not house.app
