"""Restarts, reboots and a store that fails change nothing for who is online."""

import pytest
from house import ANNA, House
from policed import DAY, HOUR, Build, accepts, device, ended_by
from sqlalchemy.exc import OperationalError

from captive_portal.doorkeeper import NotStored
from captive_portal.outcomes import Outcome
from captive_portal.returning import Returning
from captive_portal.rounds import READ_EVERY
from captive_portal.session import Event, Session, decide
from captive_portal.store import Acceptance, Book
from parvis.addresses import MacAddress


def test_f51_a_random_address_is_a_device_like_any_other(build: Build) -> None:
    house = build()
    private = MacAddress("da:a1:19:00:00:01")
    visitor = house.visitor("10.11.0.9", private)
    visitor.accepts()

    assert private.is_random
    assert private in house.gateway.admitted()


def test_f38_r48_a_restart_of_the_process_changes_nothing_in_the_kernel(build: Build) -> None:
    house = build()
    for n in range(300):
        accepts(house, device(n))
    house.clock.passes(HOUR)
    transactions, before = house.gateway.transactions, house.gateway.admitted()
    with house.new_doorkeeper() as fresh:
        assert fresh.restored

    assert (house.gateway.transactions, house.gateway.admitted()) == (transactions, before)


def test_r24_ready_is_not_said_before_the_kernel_has_everybody(build: Build) -> None:
    house = build()
    accepts(house)
    house.gateway.sessions.clear()
    house.gateway.away = True
    said: list[int] = []
    with house.new_doorkeeper() as fresh:
        fresh.when_restored(lambda: said.append(len(house.gateway.sessions)))
        assert said == []
        house.gateway.away = False
        fresh.compare()

    assert said == [1]


def test_r56_a_power_cut_leaves_no_session_that_keeps_its_device_out(build: Build) -> None:
    house = build(session=4 * HOUR)
    accepts(house)
    house.clock.boot, house.clock.since_boot = "boot-2", 12.0
    house.clock.wall += DAY
    house.gateway.sessions.clear()
    with house.new_doorkeeper() as fresh:
        given = Acceptance(ANNA, house.facts.site, "fr", house.facts.terms_version, "0" * 64, "after")
        assert fresh.accept(given) is Outcome.ADMITTED
        assert fresh.accept(given) is Outcome.AGAIN

    assert house.gateway.admitted()[ANNA].session == 2


def test_r56_a_session_that_was_over_a_moment_ago_keeps_nobody_out(build: Build) -> None:
    house = build(session=4 * HOUR)
    accepts(house)
    house.clock.passes(4 * HOUR + 0.5)

    assert accepts(house, word="again") is Outcome.ADMITTED
    assert house.gateway.admitted()[ANNA].session == 2
    assert ended_by(house) == [Event.EXPIRED, None]


def test_r56_ending_twice_is_ending_once(build: Build) -> None:
    house = build()
    accepts(house)

    assert [house.doorkeeper.leave(ANNA) for _ in range(2)] == [Outcome.LEFT, Outcome.NOTHING]
    assert ended_by(house) == [Event.LEFT]


def test_r63_several_thousand_sessions_end_in_one_commit(build: Build) -> None:
    house = build(remember=7 * DAY)
    many = 3000
    with house.store.transaction() as book:
        for n in range(many):
            insert_live(house, book, device(n))
    house.doorkeeper._rounds._next_reading = 0
    house.doorkeeper.compare()
    assert len(house.gateway.admitted()) == many
    before = house.gateway.transactions

    assert house.doorkeeper.revoke_all() is Outcome.REVOKED

    assert house.gateway.admitted() == {}
    assert house.gateway.transactions == before + 1
    assert set(ended_by(house)) == {Event.REVOKED}


def insert_live(house: House, book: Book, mac: MacAddress) -> None:
    now = house.clock()
    given = Acceptance(mac, house.facts.site, "fr", house.facts.terms_version, "0" * 64, f"{mac}")
    book.accept(given, decide(Session(), Event.ACCEPTED, now=now, policy=house.policy), now)


def test_what_could_not_be_written_has_not_happened(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    house = build(remember=7 * DAY)
    accepts(house)

    def full(*_: object) -> None:
        raise OperationalError("", {}, Exception("disk full"))

    monkeypatch.setattr(Returning, "forget", full)
    with pytest.raises(NotStored):
        house.doorkeeper.leave(ANNA)
    assert ANNA in house.gateway.admitted()
    monkeypatch.undo()

    assert house.doorkeeper.leave(ANNA) is Outcome.LEFT


def test_the_picture_in_memory_is_compared_with_the_disk_now_and_then(build: Build) -> None:
    house = build()
    accepts(house)
    with house.store.transaction() as book:
        book.end(1, Event.LEFT, house.clock())
    for _ in range(READ_EVERY + 1):
        house.doorkeeper.compare()

    assert house.gateway.admitted() == {}
