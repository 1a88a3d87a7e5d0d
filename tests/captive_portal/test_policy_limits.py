"""A building's hours, how many devices, known equipment: who is admitted, and what the others are told."""

import re
from datetime import datetime

from house import ANNA
from page_faults import ill_made
from policed import DAY, HOUR, PARIS, Build, accepts, device, ended_by

from captive_portal.directives import Kind, Order
from captive_portal.outcomes import Outcome
from captive_portal.session import Event
from captive_portal.standing import Refusal


def test_r57_outside_the_buildings_hours_nobody_is_admitted_and_told_when(build: Build) -> None:
    house = build(hours="Mo-Fr 08:30-17:30; PH off")
    house.clock.wall = datetime(2026, 7, 13, 18, 0, tzinfo=PARIS).timestamp()  # the 14th is a holiday
    anna = house.visitor()
    page = anna.get("/fr/")

    assert accepts(house) is Outcome.REFUSED
    stands = house.doorkeeper.standing(ANNA)
    assert stands.refusal is Refusal.CLOSED_HOURS
    assert stands.until == datetime(2026, 7, 15, 8, 30, tzinfo=PARIS).timestamp()
    assert house.gateway.admitted() == {}
    assert "/accept" not in page.text
    assert house.value("portal_refusals_total", reason="closed-hours") == 1


def test_f05_f37_a_session_ends_with_the_building(build: Build) -> None:
    house = build(hours="Mo-Fr 08:30-17:30", session=4 * HOUR)
    house.clock.wall = datetime(2026, 7, 15, 16, 30, tzinfo=PARIS).timestamp()
    anna = house.visitor()
    anna.accepts()
    answer = anna.get("/api/captive", Accept="application/captive+json").json
    house.clock.passes(HOUR + 1)
    house.doorkeeper.compare()

    assert answer["seconds-remaining"] == HOUR
    assert answer["can-extend-session"] is False
    assert house.gateway.admitted() == {}
    assert ended_by(house) == [Event.CLOSED]


def test_f08_r57_what_cannot_be_extended_is_not_offered(build: Build) -> None:
    house = build(hours="Mo-Fr 08:30-17:30", session=4 * HOUR)
    house.clock.wall = datetime(2026, 7, 15, 12, 0, tzinfo=PARIS).timestamp()
    anna = house.visitor()
    anna.accepts()
    house.clock.passes(HOUR)
    assert 'action="/fr/extend"' in anna.get("/fr/status").text
    anna.extends()
    assert house.gateway.admitted()[ANNA].seconds == 4 * HOUR

    house.clock.passes(HOUR)
    anna.extends()
    assert house.gateway.admitted()[ANNA].seconds == 3.5 * HOUR
    assert 'action="/fr/extend"' not in anna.get("/fr/status").text


def test_f08_nobody_who_is_about_to_be_put_out_is_told_that_more_time_can_be_had(build: Build) -> None:
    house = build(session=4 * HOUR)
    anna = house.visitor()
    anna.accepts()
    house.directives.give(Order(Kind.CLOSED, "agent", "travaux"), 600)

    assert anna.get("/api/captive").json["can-extend-session"] is False
    assert 'action="/fr/extend"' not in anna.get("/fr/status").text


def test_f40_r36_a_stepped_clock_closes_no_running_session(build: Build) -> None:
    house = build(hours="Mo-Fr 08:30-17:30", session=4 * HOUR)
    house.clock.wall = datetime(2026, 7, 15, 9, 0, tzinfo=PARIS).timestamp()
    accepts(house)
    for step in (-DAY, 2 * DAY, -2 * DAY):
        house.clock.wall += step
        house.doorkeeper.compare()

        assert house.gateway.admitted()[ANNA].seconds == 4 * HOUR


def test_r57_a_site_that_staff_close_until_after_hours_opens_with_the_building(build: Build) -> None:
    house = build(hours="Mo-Fr 08:30-17:30")
    house.clock.wall = datetime(2026, 7, 15, 16, 0, tzinfo=PARIS).timestamp()
    house.directives.give(Order(Kind.CLOSED, "agent", "travaux"), HOUR)
    within = house.doorkeeper.standing(ANNA).until
    house.ends_orders()
    house.directives.give(Order(Kind.CLOSED, "agent", "travaux"), 3 * HOUR)
    stands = house.doorkeeper.standing(ANNA)

    assert within == datetime(2026, 7, 15, 17, 0, tzinfo=PARIS).timestamp()
    assert stands.refusal is Refusal.CLOSED_BY_STAFF
    assert stands.until == datetime(2026, 7, 16, 8, 30, tzinfo=PARIS).timestamp()
    assert "demain à 08:30" in house.visitor().get("/fr/").text
    house.ends_orders()
    assert house.doorkeeper.standing(ANNA).refusal is None, "what was asked of a later hour is not taken for now"


def test_r57_who_is_online_by_the_open_door_after_hours_is_told_so_and_until_when(build: Build) -> None:
    """The page says what the API says, and the kernel does."""
    house = build(hours="Mo-Fr 08:30-17:30")
    house.clock.wall = datetime(2026, 7, 15, 18, 0, tzinfo=PARIS).timestamp()
    anna = house.visitor()
    before = anna.get("/fr/").text
    house.gateway.open(int(HOUR))
    page, told = anna.get("/fr/"), anna.get("/api/captive").json
    house.gateway.blocked[ANNA] = house.clock.since_boot + HOUR
    blocked = anna.get("/fr/").text

    assert "Vous êtes en ligne" not in before
    assert (told["captive"], told["seconds-remaining"]) == (False, HOUR)
    assert "Vous êtes en ligne" in page.text
    assert "19:00" in page.text
    assert ill_made(page, "fr") == []
    assert "Vous êtes en ligne" not in blocked


# how many


def test_r57_when_the_site_is_full_the_next_is_told_and_comes_in_when_one_leaves(build: Build) -> None:
    house = build(max_devices=2)
    outcomes = [accepts(house, device(n)) for n in range(3)]
    refused = house.doorkeeper.standing(device(2))
    house.doorkeeper.leave(device(0))

    assert outcomes == [Outcome.ADMITTED, Outcome.ADMITTED, Outcome.REFUSED]
    assert (refused.refusal, refused.until) == (Refusal.FULL, None)
    assert accepts(house, device(1), "again") is Outcome.AGAIN
    assert accepts(house, device(2)) is Outcome.ADMITTED


def test_f08_who_is_in_when_the_site_is_full_is_given_more_time(build: Build) -> None:
    house = build(max_devices=1, session=4 * HOUR)
    anna = house.visitor()
    anna.accepts()
    house.clock.passes(HOUR)
    assert anna.get("/api/captive").json["can-extend-session"] is True

    anna.extends()

    assert house.gateway.admitted()[ANNA].seconds == 4 * HOUR


# equipment


def test_f31_equipment_is_admitted_as_long_as_it_is_listed(build: Build) -> None:
    printer = device(900)
    house = build(known={printer: "Imprimante"}, max_devices=1)
    assert printer in house.gateway.admitted()
    assert house.doorkeeper.standing(printer).known
    told = house.visitor("10.11.0.90", printer).get("/api/captive").json
    assert (told["captive"], told["can-extend-session"]) == (False, False)
    assert "seconds-remaining" not in told, "it is never over (RFC 8908 section 5)"
    page = house.visitor("10.11.0.90", printer).get("/fr/status")
    assert "Vous êtes en ligne" in page.text
    assert not re.search(r'class="until"|Il reste|/leave|/extend', page.text), "the page says no end either"
    assert ill_made(page, "fr") == []
    house.directives.give(Order(Kind.CLOSED, "agent", "travaux"), 600)
    for _ in range(20):
        house.clock.passes(DAY)
        house.doorkeeper.compare()
        assert house.gateway.admitted()[printer].seconds > DAY

    house.known.clear()
    with house.new_doorkeeper():
        assert house.gateway.admitted() == {}


def test_f31_equipment_takes_no_residents_place_and_needs_no_acceptance(build: Build) -> None:
    printer = device(900)
    house = build(known={printer: "Imprimante"}, max_devices=1)

    assert accepts(house, printer) is Outcome.AGAIN
    assert accepts(house) is Outcome.ADMITTED
    house.doorkeeper.compare()
    assert set(house.gateway.admitted()) == {ANNA, printer}
    assert house.doorkeeper.leave(printer) is Outcome.NOTHING
    assert house.doorkeeper.revoke_all() is Outcome.REVOKED
    assert set(house.gateway.admitted()) == {printer}


def test_f31_a_restart_is_no_drift_for_equipment(build: Build) -> None:
    house = build(known={device(900): "Imprimante", device(901): "Borne"})
    transactions = house.gateway.transactions
    house.clock.passes(HOUR)
    with house.new_doorkeeper():
        assert house.gateway.transactions == transactions
