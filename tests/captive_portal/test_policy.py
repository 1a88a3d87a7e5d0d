"""What a site's policy grants and limits, and what the resident and the phone are told of it."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from house import ANNA, SECRET, House
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import OperationalError

from captive_portal.devices import key
from captive_portal.directives import Kind, Order
from captive_portal.doorkeeper import NotStored
from captive_portal.hours import building
from captive_portal.outcomes import Outcome
from captive_portal.protocol import Counted
from captive_portal.returning import Returning
from captive_portal.rounds import COUNT_SECONDS, READ_EVERY
from captive_portal.session import Event, Session, decide
from captive_portal.standing import Refusal
from captive_portal.store import Acceptance, Book
from captive_portal.timeline import Step
from captive_portal.usage import Usage
from parvis.addresses import MacAddress
from parvis.inventory import Town

HOUR = 3600.0
DAY = 24 * HOUR
PARIS = ZoneInfo("Europe/Paris")
Build = Callable[..., House]


@pytest.fixture
def build(town: Town, tmp_path: Path) -> Iterator[Build]:
    """A portal with a policy of the test's own; *known* equipment, *hours* of the building."""
    opened: list[House] = []

    def made(**limits: object) -> House:
        known, hours = limits.pop("known", {}), limits.pop("hours", None)
        house = House(town, tmp_path, **limits)
        if hours:
            house.hours = building(str(hours), "Europe/Paris")
        house.known.update(known)  # type: ignore[call-overload]
        house.doorkeeper = house.new_doorkeeper(house.instruments)
        house.app.extensions["hall"] = house.hall()
        house.doorkeeper.__enter__()
        opened.append(house)
        return house

    yield made
    for house in opened:
        house.doorkeeper.__exit__(None, None, None)


def device(n: int) -> MacAddress:
    return MacAddress(f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}")


def accepts(house: House, mac: MacAddress = ANNA, word: str = "") -> Outcome:
    given = Acceptance(mac, house.facts.site, "fr", house.facts.terms_version, "0" * 64, f"{mac}{word}")
    return house.doorkeeper.accept(given)


def transfers(house: House, mac: MacAddress, up: int, down: int) -> None:
    """Bytes move, as the kernel counts them."""
    session = house.gateway.admitted()[mac].session
    before = house.gateway.bytes.get(session, (0, 0))
    house.gateway.bytes[session] = (before[0] + up, before[1] + down)


def passes(house: House, seconds: float) -> None:
    """Time passes, and the doorkeeper walks its rounds."""
    for _ in range(int(seconds // COUNT_SECONDS)):
        house.clock.passes(COUNT_SECONDS)
        house.doorkeeper.compare()


def ended_by(house: House) -> list[str | None]:
    with house.store.connection() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT ended_by FROM acceptances ORDER BY id")]


# idle


def test_f36_who_moves_no_byte_for_the_idle_time_is_captive_again(build: Build) -> None:
    house = build(idle=10 * 60.0)
    accepts(house)
    transfers(house, ANNA, 100, 100)
    passes(house, 9 * 60)
    assert ANNA in house.gateway.admitted()
    passes(house, 2 * 60)

    assert house.gateway.admitted() == {}
    assert ended_by(house) == [Event.IDLE]
    assert house.value("portal_sessions_ended_total", by="idle") == 1
    found = house.timeline.device(house.timeline.code(ANNA))
    assert found is not None
    assert Step.IDLE in found[1]


@pytest.mark.parametrize(("up", "down"), [(1, 0), (0, 1)])
def test_f36_r23_who_moves_a_single_byte_either_way_is_never_cut(build: Build, up: int, down: int) -> None:
    house = build(idle=10 * 60.0)
    accepts(house)
    for _ in range(6):
        passes(house, 9 * 60)
        transfers(house, ANNA, up, down)

    assert ANNA in house.gateway.admitted()


def test_r23_counters_that_begin_at_zero_again_are_no_silence(build: Build) -> None:
    house = build(idle=10 * 60.0)
    accepts(house)
    transfers(house, ANNA, 5000, 5000)
    passes(house, 60)
    house.gateway.sessions.clear()
    house.gateway.bytes.clear()
    house.doorkeeper.compare()
    passes(house, 9 * 60)
    transfers(house, ANNA, 10, 10)
    passes(house, 9 * 60)

    assert ANNA in house.gateway.admitted()


def test_r23_an_away_gateway_makes_nobody_idle(build: Build) -> None:
    house = build(idle=10 * 60.0)
    accepts(house)
    house.gateway.away = True
    passes(house, 60 * 60)
    house.gateway.away = False

    with house.store.transaction() as book:
        assert list(book.live()) == [ANNA]


# quota


def test_f34_f35_beyond_the_quota_a_device_is_slower_and_never_cut(build: Build) -> None:
    house = build(quota=1_000_000, slow_down=1_000_000, slow_up=500_000)
    accepts(house)
    transfers(house, ANNA, 400_000, 599_999)
    passes(house, 60)
    assert house.gateway.sessions[ANNA][0].down == house.facts.rate_down
    transfers(house, ANNA, 1, 0)
    passes(house, 60)

    step = house.gateway.sessions[ANNA][0]
    assert (step.down, step.up) == (1_000_000, 500_000)
    assert house.doorkeeper.standing(ANNA).slowed
    assert house.value("portal_sessions_slowed") == 1


def test_f34_what_was_used_survives_reboot_and_restart_and_is_not_counted_twice(build: Build) -> None:
    house = build(quota=1_000_000)
    accepts(house)
    transfers(house, ANNA, 0, 600_000)
    passes(house, 20 * 60)
    assert bytes_left_after_restart(house) == 400_000

    house.clock.boot, house.clock.since_boot = "boot-2", 12.0
    house.gateway.sessions.clear()
    house.gateway.bytes.clear()
    assert bytes_left_after_restart(house) == 400_000


def bytes_left_after_restart(house: House) -> int | None:
    with house.new_doorkeeper() as fresh:
        return fresh.standing(ANNA).bytes_left


def test_f35_who_was_slowed_is_slowed_after_a_reboot(build: Build) -> None:
    house = build(quota=1_000_000, slow_down=64_000)
    accepts(house)
    transfers(house, ANNA, 0, 2_000_000)
    passes(house, 60)
    house.clock.boot, house.clock.since_boot = "boot-2", 12.0
    house.gateway.sessions.clear()
    house.gateway.bytes.clear()

    with house.new_doorkeeper():
        assert house.gateway.sessions[ANNA][0].down == 64_000


def test_f06_bytes_remaining_is_what_the_kernel_has_not_counted_yet(build: Build) -> None:
    house = build(quota=1_000_000)
    anna = house.visitor()
    anna.accepts()
    transfers(house, ANNA, 100_000, 150_000)
    answer = anna.get("/api/captive", Accept="application/captive+json").json
    transfers(house, ANNA, 0, 5_000_000)
    passes(house, 60)
    slowed = anna.get("/api/captive", Accept="application/captive+json").json

    assert answer["bytes-remaining"] == 750_000
    assert slowed["captive"] is False
    assert "bytes-remaining" not in slowed


@given(st.lists(st.one_of(st.integers(0, 10**9), st.none()), max_size=40), st.integers(0, 10**9))
def test_r22_counters_never_go_back_whatever_the_kernel_forgets(steps: list[int | None], before: int) -> None:
    """None: the kernel's sets are emptied. A reading in between each time, as in real life."""
    usage, kernel, moved = Usage(), 0, 0
    usage.begin(7, 0.0, before)
    usage.saw([Counted(7, 0, 0, 1.0)], 0.0)
    for at, step in enumerate(steps):
        if step is None:
            kernel = 0
        else:
            kernel, moved = kernel + step, moved + step
        usage.saw([Counted(7, kernel, 0, 1.0)], float(at))

        assert usage.used(7) == before + moved


# opening hours


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


def test_f40_r36_a_stepped_clock_closes_no_running_session(build: Build) -> None:
    house = build(hours="Mo-Fr 08:30-17:30", session=4 * HOUR)
    house.clock.wall = datetime(2026, 7, 15, 9, 0, tzinfo=PARIS).timestamp()
    accepts(house)
    for step in (-DAY, 2 * DAY, -2 * DAY):
        house.clock.wall += step
        house.doorkeeper.compare()

        assert house.gateway.admitted()[ANNA].seconds == 4 * HOUR


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


# equipment


def test_f31_equipment_is_admitted_as_long_as_it_is_listed(build: Build) -> None:
    printer = device(900)
    house = build(known={printer: "Imprimante"}, max_devices=1)
    assert printer in house.gateway.admitted()
    assert house.doorkeeper.standing(printer).known
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


# coming back


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


# devices, restarts


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

    monkeypatch.setattr(Returning, "forget_all", full)
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
