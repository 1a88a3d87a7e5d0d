"""Store and kernel end in the same state, whatever happens to either."""

import threading

import pytest
from house import ANNA, House

from captive_portal.admission import Allow, Picture
from captive_portal.doorkeeper import Outcome
from captive_portal.store import Acceptance, Book, StoreFailed
from parvis.addresses import MacAddress


def acceptance(n: int = 0) -> Acceptance:
    mac = MacAddress(f"02:00:00:00:01:{n:02x}") if n else ANNA
    return Acceptance(mac, "mairie", "fr", "1.0.0", "0" * 64, f"token-{n}")


def test_f43_who_accepts_while_the_gateway_is_away_waits_and_is_let_in_when_it_is_back(house: House) -> None:
    house.gateway.away = True
    assert house.doorkeeper.accept(acceptance()) is Outcome.WAITING
    assert house.doorkeeper.wrong == "gatewayd does not answer"

    house.gateway.away = False
    house.doorkeeper.compare()

    assert set(house.gateway.admitted()) == {ANNA}
    assert house.doorkeeper.wrong == ""


def test_a_flushed_kernel_is_filled_again_and_counted(house: House) -> None:
    house.doorkeeper.accept(acceptance())
    house.gateway.sessions.clear()

    house.doorkeeper.compare()

    assert set(house.gateway.admitted()) == {ANNA}
    assert house.value("portal_sessions_drift", direction="missing") == 1
    house.doorkeeper.compare()
    assert house.value("portal_sessions_drift", direction="missing") == 0
    assert house.value("portal_repairs_total", direction="missing") == 1


def test_while_nobody_alters_the_kernel_it_is_read_only_once_a_minute_to_be_sure(house: House) -> None:
    asked: list[bool] = []
    pictures: list[Picture | None] = []

    def altered(*, surely: bool) -> None:
        asked.append(surely)

    def everybody_soon() -> Picture | None:
        ready = len(pictures) % 3 == 2  # it is being read for two seconds
        pictures.append(Picture(house.gateway.admitted(), house.clock.since_boot) if ready else None)
        return pictures[-1]

    house.gateway.altered = altered  # type: ignore[method-assign]
    house.gateway.everybody_soon = everybody_soon  # type: ignore[method-assign,assignment]
    for _ in range(130):
        house.clock.passes(1)
        house.doorkeeper.compare()

    assert sum(picture is not None for picture in pictures) == 2
    assert asked == [False] * 130


def test_who_accepts_while_the_picture_is_being_taken_is_no_drift(house: House) -> None:
    before = Picture(house.gateway.admitted(), house.clock.since_boot)
    house.gateway.altered = lambda **_: None  # type: ignore[method-assign]
    house.doorkeeper.accept(acceptance(1))
    house.clock.passes(61)
    house.gateway.everybody_soon = lambda: before._replace(unsure={acceptance(1).mac})  # type: ignore[method-assign]
    house.doorkeeper.compare()

    assert house.value("portal_repairs_total", direction="missing") == 0

    house.clock.passes(61)
    house.gateway.everybody_soon = lambda: before._replace(at=house.clock.since_boot)  # type: ignore[method-assign]
    house.doorkeeper.compare()

    assert house.value("portal_repairs_total", direction="missing") == 1


def test_somebody_the_store_does_not_know_is_put_out(house: House) -> None:
    house.gateway.apply([Allow(ANNA, 99, 1000, 10**6, 10**6)])

    house.doorkeeper.compare()

    assert house.gateway.admitted() == {}
    assert house.value("portal_repairs_total", direction="surplus") == 1


def test_f37_expiry_is_no_drift_and_forgets_the_device(house: House) -> None:
    house.doorkeeper.accept(acceptance())
    house.clock.passes(house.facts.session + 1)

    house.doorkeeper.compare()

    assert house.gateway.admitted() == {}
    assert sum(house.value("portal_repairs_total", direction=d) for d in ("missing", "surplus", "different")) == 0
    with house.store.transaction() as book:
        assert book.live() == {}


def test_f39_a_reboot_restores_the_sessions_with_the_time_they_have_left(house: House) -> None:
    house.doorkeeper.accept(acceptance())
    house.clock.passes(3600)
    house.gateway.sessions.clear()
    house.clock.boot, house.clock.since_boot = "boot-2", 12.0

    with house.new_doorkeeper():
        found = house.gateway.admitted()[ANNA]

    assert found.session == 1
    assert found.seconds == house.facts.session - 3600


def test_f39_a_reboot_on_a_full_disk_restores_the_sessions_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite can read then, and not empty its write-ahead log."""
    house.doorkeeper.accept(acceptance())
    house.gateway.sessions.clear()
    house.clock.boot, house.clock.since_boot = "boot-2", 12.0

    def full() -> None:
        raise StoreFailed("database or disk is full")

    monkeypatch.setattr(house.store, "settle", full)
    with house.new_doorkeeper() as fresh:
        assert ANNA in house.gateway.admitted()
        assert fresh.restored


def test_f39_f40_after_a_reboot_a_step_of_the_wall_clock_changes_nothing_more(house: House) -> None:
    house.doorkeeper.accept(acceptance())
    house.clock.boot, house.clock.since_boot = "boot-2", 12.0
    with house.new_doorkeeper() as fresh:
        house.clock.wall += 10**8
        fresh.compare()

        assert house.gateway.admitted()[ANNA].seconds > house.facts.session - 5


def test_f39_after_a_reboot_who_is_back_in_the_kernel_is_written_down_on_the_new_clock(house: House) -> None:
    house.doorkeeper.accept(acceptance())
    house.clock.boot, house.clock.since_boot = "boot-2", 12.0
    house.gateway.away = True
    with house.new_doorkeeper() as fresh:
        with house.store.transaction() as book:
            before = book.live()[ANNA].session
        house.gateway.away = False
        house.clock.passes(60)
        fresh.extend(ANNA)
        fresh.compare()
        with house.store.transaction() as book:
            after = book.live()[ANNA].session

    assert before.boot == "boot-1"
    assert (after.boot, after.deadline) == ("boot-2", 72.0 + house.facts.session)


def test_f39_after_a_reboot_residents_are_back_before_anything_is_erased_or_written(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.doorkeeper.accept(acceptance())
    house.gateway.sessions.clear()
    house.clock.boot, house.clock.since_boot = "boot-2", 12.0
    online: list[int] = []
    for where, name in ((Book, "reschedule"), (Book, "purge"), (house.store, "settle")):
        monkeypatch.setattr(where, name, lambda *_: online.append(len(house.gateway.admitted())))

    with house.new_doorkeeper():
        assert online == [1, 1, 1]


def test_accepting_twice_at_once_makes_one_session(house: House) -> None:
    outcomes: list[Outcome] = []
    crowd = [threading.Thread(target=lambda: outcomes.append(house.doorkeeper.accept(acceptance()))) for _ in range(8)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()

    assert sorted(outcomes) == [Outcome.ADMITTED] + [Outcome.AGAIN] * 7
    assert house.gateway.admitted()[ANNA].session == 1


def crowd_behind_one(house: House, count: int) -> tuple[threading.Event, list[threading.Thread]]:
    """So many who accept, of whom the first keeps the doorkeeper busy until the event is set."""
    gate, inside = threading.Event(), threading.Event()
    apply = house.gateway.apply

    def slow(steps: list[Allow]) -> None:
        inside.set()
        gate.wait(5)
        apply(steps)

    house.gateway.apply = slow  # type: ignore[method-assign,assignment]
    crowd = [threading.Thread(target=house.doorkeeper.accept, args=(acceptance(n),)) for n in range(1, count + 1)]
    crowd[0].start()
    inside.wait(5)
    for one in crowd[1:]:
        one.start()
    while house.doorkeeper._jobs.qsize() < count - 1:
        pass
    return gate, crowd


def test_those_who_wait_together_share_one_commit_and_one_transaction(house: House) -> None:
    gate, crowd = crowd_behind_one(house, 20)
    gate.set()
    for one in crowd:
        one.join()

    assert len(house.gateway.admitted()) == 20
    assert house.gateway.transactions == 2


def test_who_does_not_come_alone_is_waited_with_for_others(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("captive_portal.doorkeeper.LINGER_SECONDS", 0.5)
    gate, crowd = crowd_behind_one(house, 3)
    gate.set()
    while house.doorkeeper._jobs.qsize():
        pass
    house.doorkeeper.accept(acceptance(9))
    for one in crowd:
        one.join()

    assert len(house.gateway.admitted()) == 4
    assert house.gateway.transactions == 2


def test_leaving_without_a_session_still_closes_the_kernels_door(house: House) -> None:
    house.gateway.apply([Allow(ANNA, 99, 1000, 10**6, 10**6)])

    assert house.doorkeeper.leave(ANNA) is Outcome.NOTHING
    assert house.gateway.admitted() == {}


def test_nobody_can_extend_what_is_not_there(house: House) -> None:
    assert house.doorkeeper.extend(ANNA) is Outcome.NOTHING


def test_sessions_in_memory_that_are_not_those_on_disk_are_replaced_when_it_is_read_again(house: House) -> None:
    house.doorkeeper.accept(acceptance())
    house.doorkeeper.accept(acceptance(1))
    rounds = house.doorkeeper._rounds
    rounds._next_reading = 0
    house.doorkeeper.compare()
    assert rounds.corrected == 0

    with house.store.transaction() as book:
        book.end(1, "left", house.clock())
    rounds._next_reading = 0
    house.doorkeeper.compare()

    assert rounds.corrected == 1
    assert set(house.gateway.admitted()) == {acceptance(1).mac}
