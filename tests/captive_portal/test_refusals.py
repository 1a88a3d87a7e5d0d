"""Whom staff's orders keep out, until when, and what the page says."""

import pytest
from house import ANNA, House

from captive_portal.devices import key
from captive_portal.directives import Kind, Order
from captive_portal.outcomes import Outcome
from captive_portal.standing import Refusal
from captive_portal.timeline import Step
from parvis.addresses import MacAddress
from parvis.inventory import Town

BEN = MacAddress.parse("02:00:00:00:00:0b")
CLOSED = Order(Kind.CLOSED, "agent", "inondation")
BLOCK = Order(Kind.BLOCK, "agent", "abus", device=key(ANNA, b"s" * 32))


@pytest.mark.parametrize(("order", "refusal"), [(CLOSED, Refusal.CLOSED_BY_STAFF), (BLOCK, Refusal.BLOCKED)])
def test_who_opened_the_page_before_the_order_is_refused_after_it(house: House, order: Order, refusal: Refusal) -> None:
    anna = house.visitor()
    token = anna.token()
    house.directives.give(order, 600)
    answer = anna.post("/fr/accept", {"token": token})
    page = anna.get("/fr/")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/fr/")
    assert house.gateway.admitted() == {}
    assert house.standing(ANNA).refusal is refusal
    assert house.standing(ANNA).until == house.clock.wall + 600
    assert "/accept" not in page.text
    assert house.value("portal_acceptances_total", result="refused") == 1


@pytest.mark.parametrize("order", [CLOSED, BLOCK])
def test_the_order_ends_by_itself_and_the_resident_comes_in(house: House, order: Order) -> None:
    anna = house.visitor()
    house.directives.give(order, 600)
    anna.get("/fr/")
    house.clock.passes(600)
    anna.accepts()

    assert ANNA in house.gateway.admitted()


def test_a_blocked_device_keeps_nobody_else_out(house: House) -> None:
    house.directives.give(BLOCK, 600)
    house.visitor("10.11.0.6", BEN).accepts()

    assert set(house.gateway.admitted()) == {BEN}


def test_who_is_kept_out_cannot_extend_or_return_by_itself(house: House) -> None:
    house.visitor().accepts()
    house.directives.give(BLOCK, 600)

    assert house.doorkeeper.extend(ANNA) is Outcome.REFUSED
    assert house.doorkeeper.arrived(ANNA, house.facts.site) is Outcome.NOTHING
    assert house.gateway.admitted() == {}


def test_the_refusal_is_in_the_devices_timeline(house: House) -> None:
    anna = house.visitor()
    token = anna.token()
    house.directives.give(CLOSED, 600)
    anna.post("/fr/accept", {"token": token})
    found = house.timeline.device(house.timeline.code(ANNA))

    assert found is not None
    assert Step.REFUSED in found[1]
    assert Step.ACCEPTED not in found[1]


def test_r32_an_order_still_keeps_out_after_the_portal_was_restarted(house: House, town: Town) -> None:
    house.directives.give(CLOSED, 600)
    again = House(town, house.database.parent)
    again.clock = house.clock
    with again.doorkeeper:
        anna = again.visitor()
        page = anna.get("/fr/").text

    assert again.standing(ANNA).refusal is Refusal.CLOSED_BY_STAFF
    assert "/accept" not in page
