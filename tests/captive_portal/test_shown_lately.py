"""Who posts the form it was just shown is not looked up again, and is nobody but the device it was shown to."""

from dataclasses import replace
from ipaddress import ip_address

import pytest
from house import ANNA, House, Visitor

from captive_portal.forms import VALID_SECONDS
from captive_portal.portal_parts import _tended
from captive_portal.web import guests
from captive_portal.web.guests import Guests
from parvis.addresses import MacAddress

BEN = MacAddress("02:00:00:00:00:0b")
ADDRESS = ip_address("10.11.0.5")


@pytest.fixture
def anna(house: House) -> Visitor:
    return house.visitor(str(ADDRESS))


def test_who_was_shown_the_page_is_admitted_without_another_question_who_it_is(house: House, anna: Visitor) -> None:
    form = {"token": anna.token()}
    del house.gateway.people[ADDRESS]

    assert anna.post("/fr/accept", form).headers["Location"] == "/fr/status"
    assert set(house.gateway.admitted()) == {ANNA}


def test_f43_who_accepts_while_gatewayd_is_away_has_accepted(house: House, anna: Visitor) -> None:
    form = {"token": anna.token()}
    house.gateway.away = True
    assert anna.post("/fr/accept", form).status_code == 303
    assert house.value("portal_acceptances_total", result="waiting") == 1

    house.gateway.away = False
    house.doorkeeper.compare()

    assert set(house.gateway.admitted()) == {ANNA}


def test_who_has_the_address_by_now_is_admitted_by_its_own_form_only(house: House, anna: Visitor) -> None:
    annas = anna.token()
    house.gateway.people[ADDRESS] = BEN
    bens = anna.token()

    assert anna.post("/fr/accept", {"token": annas}).headers["Location"] == "/fr/?again=1"
    assert house.gateway.admitted() == {}
    assert anna.post("/fr/accept", {"token": bens}).headers["Location"] == "/fr/status"
    assert set(house.gateway.admitted()) == {BEN}


def test_a_form_that_was_shown_before_the_portal_was_started_again_is_good(house: House, anna: Visitor) -> None:
    form = {"token": anna.token()}
    house.app.extensions["hall"] = house.hall()

    assert anna.post("/fr/accept", form).headers["Location"] == "/fr/status"
    assert set(house.gateway.admitted()) == {ANNA}


def test_no_more_is_remembered_than_there_is_room_for_and_nothing_longer_than_a_form_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guests, "MOST", 3)
    now = 0.0
    book = Guests(lambda: now)
    for number in range(5):
        book.saw(f"10.11.0.{number}", BEN)
    assert [book.at(f"10.11.0.{number}") for number in range(5)] == [None, None, BEN, BEN, BEN]

    book.saw("10.11.0.1", BEN)
    book.saw("10.11.0.2", BEN)
    now = VALID_SECONDS + 1
    assert book.at("10.11.0.1") is None
    book.saw("10.11.0.3", ANNA)
    book.forget()
    assert list(book._shown) == ["10.11.0.3"]


def test_a_device_whose_form_is_over_is_forgotten_although_nobody_comes_any_more(house: House, anna: Visitor) -> None:
    hall = replace(house.hall(), guests=Guests(lambda: house.clock.since_boot))
    house.app.extensions["hall"] = hall
    anna.token()
    assert list(hall.guests._shown) == [str(ADDRESS)]
    house.clock.since_boot += VALID_SECONDS + 1
    _tended(hall, [])

    assert hall.guests._shown == {}
