"""What a full disk did not take is done when it takes it again, and keeps nobody out until then."""

from collections.abc import Callable

import pytest
from house import ANNA, SECRET, House
from policed import Build, accepts, device, ended_by, passes, transfers
from sqlalchemy.exc import OperationalError

from captive_portal.admission import Deny
from captive_portal.devices import key
from captive_portal.directives import Kind, Order
from captive_portal.rounds import COUNT_SECONDS, READ_EVERY, SAVE_EVERY
from captive_portal.session import Event
from captive_portal.store import Book
from captive_portal.store_remembered import Memory

Full = Callable[[type, str], None]


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Full:
    """Have this method of this class meet a full disk until ``monkeypatch.undo()``."""

    def fails(*_args: object) -> None:
        raise OperationalError("…", {}, Exception("database or disk is full"))

    return lambda where, name: monkeypatch.setattr(where, name, fails)


def test_a_block_on_a_full_disk_ends_the_session_once_it_can_be_written(
    house: House, full: Full, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepts(house)
    house.directives.give(Order(Kind.BLOCK, "agent", "abus", device=key(ANNA, SECRET)), 600)
    full(Book, "end_all")
    house.doorkeeper.compare()
    assert house.doorkeeper.wrong == "the store cannot be written"

    monkeypatch.undo()
    house.doorkeeper.compare()

    assert house.gateway.admitted() == {}
    assert ANNA in house.gateway.blocked
    assert ended_by(house) == [Event.REVOKED]


def test_f39_a_reboot_on_a_full_disk_restores_the_sessions_although_something_is_to_be_erased(
    house: House, full: Full, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepts(house)
    house.gateway.sessions.clear()
    house.clock.boot, house.clock.since_boot = "boot-2", 12.0
    full(Memory, "purge")
    with house.new_doorkeeper() as fresh:
        assert ANNA in house.gateway.admitted()
        assert fresh.restored

        monkeypatch.undo()
        purged: list[object] = []
        monkeypatch.setattr(Memory, "purge", lambda *_: purged.append(1))
        for _ in range(READ_EVERY + 1):
            fresh.compare()
        assert purged, "it is tried again at the next reading, not in an hour"


def test_bytes_used_that_a_full_disk_did_not_take_are_written_down_later(
    build: Build, full: Full, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build(quota=10**9)
    accepts(house)
    transfers(house, ANNA, 1000, 2000)
    full(Book, "spent")
    passes(house, SAVE_EVERY * COUNT_SECONDS)
    monkeypatch.undo()
    passes(house, SAVE_EVERY * COUNT_SECONDS)

    with house.store.transaction() as book:
        assert book.live()[ANNA].used == 3000


def test_a_session_that_was_ended_elsewhere_leaves_nothing_behind(build: Build) -> None:
    house = build(quota=10**9)
    accepts(house)
    accepts(house, device(2))
    number = house.gateway.admitted()[ANNA].session

    def leaves(book: Book, now: object) -> list[Deny]:
        book.end(number, Event.LEFT, now)  # type: ignore[arg-type]
        return [Deny(ANNA)]

    house.doorkeeper.within(leaves)

    rounds = house.doorkeeper._rounds
    assert number not in rounds._begun
    assert rounds._usage.used(number) == 0
    assert number not in rounds._usage._meters
    assert house.value("portal_session_seconds_count") == 1
    assert set(house.gateway.admitted()) == {device(2)}
