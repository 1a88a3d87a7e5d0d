"""A remembered acceptance admits without a tap as long as it is valid."""

import pytest
from house import ANNA, SECRET
from policed import DAY, HOUR, Build, accepts, ended_by

from captive_portal.devices import key
from captive_portal.directives import Kind, Order
from captive_portal.outcomes import Outcome
from captive_portal.returning import Returning
from captive_portal.session import Event


def test_who_comes_back_is_admitted_before_asking_until_the_time_is_over(build: Build) -> None:
    house = build(remember=7 * DAY, session=4 * HOUR)
    accepts(house)
    house.clock.passes(5 * HOUR)
    house.doorkeeper.compare()
    assert house.gateway.admitted() == {}

    assert house.doorkeeper.arrived(ANNA, house.facts.site) is Outcome.ADMITTED
    house.clock.passes(8 * DAY)
    house.doorkeeper.compare()
    assert house.doorkeeper.arrived(ANNA, house.facts.site) is Outcome.NOTHING


def test_r31_whose_session_expired_is_online_again_at_the_first_question(build: Build) -> None:
    """Without joining again: the phone asks its API, or the resident opens the page."""
    house = build(remember=7 * DAY, session=4 * HOUR)
    anna = house.visitor()
    anna.accepts()
    house.clock.passes(5 * HOUR)
    house.doorkeeper.compare()
    answer = anna.get("/api/captive", Accept="application/captive+json").json

    assert answer["captive"] is False
    assert ANNA in house.gateway.admitted()


def test_r31_an_expired_device_taps_once_and_is_online(build: Build) -> None:
    house = build(session=4 * HOUR)
    anna = house.visitor()
    anna.accepts()
    house.clock.passes(5 * HOUR)
    house.doorkeeper.compare()
    assert anna.get("/fr/status").status_code == 303
    anna.accepts()

    assert ANNA in house.gateway.admitted()


@pytest.mark.parametrize("way", ["leave", "revoke"])
def test_who_left_or_was_put_out_taps_again(build: Build, way: str) -> None:
    house = build(remember=7 * DAY)
    accepts(house)
    getattr(house.doorkeeper, way)(ANNA)

    assert house.doorkeeper.arrived(ANNA, house.facts.site) is Outcome.NOTHING
    assert house.gateway.admitted() == {}


def test_a_longer_memory_from_now_on_prolongs_no_promise_that_was_made_before(build: Build) -> None:
    house = build(remember=DAY)
    accepts(house)
    now_longer = Returning(SECRET, 30 * DAY, house.facts.terms_version)
    known = []
    for _ in range(2):
        with house.store.transaction() as book:
            known.append(now_longer.recall(book, ANNA, house.facts.site, house.clock()) is not None)
        house.clock.passes(2 * DAY)

    assert known == [True, False]


def test_other_terms_forget_every_acceptance(build: Build) -> None:
    house = build(remember=7 * DAY)
    accepts(house)
    house.doorkeeper.close()
    object.__setattr__(house.facts, "terms_version", "9.9.9")
    with house.new_doorkeeper() as fresh:
        assert fresh.arrived(ANNA, house.facts.site) is Outcome.NOTHING


def test_after_a_closing_the_remembered_come_in_without_a_tap(build: Build) -> None:
    house = build(remember=7 * DAY)
    accepts(house)
    house.directives.give(Order(Kind.CLOSED, "agent", "alarme"), 600)
    house.doorkeeper.compare()
    assert house.gateway.admitted() == {}
    assert house.doorkeeper.arrived(ANNA, house.facts.site) is Outcome.NOTHING
    house.clock.passes(600)

    assert house.doorkeeper.arrived(ANNA, house.facts.site) is Outcome.ADMITTED
    assert ended_by(house)[0] == Event.CLOSED


def test_a_blocked_device_that_is_online_is_put_out_and_kept_out_by_the_kernel(build: Build) -> None:
    house = build(remember=7 * DAY)
    accepts(house)
    house.directives.give(Order(Kind.BLOCK, "agent", "abus", device=key(ANNA, SECRET)), 600)
    house.doorkeeper.compare()

    assert house.gateway.admitted() == {}
    assert house.gateway.device(ANNA).blocked == 600
    house.gateway.blocked.clear()  # a reboot
    assert house.doorkeeper.arrived(ANNA, house.facts.site) is Outcome.NOTHING
    assert house.gateway.device(ANNA).blocked == 600
