"""The day's figures: how many devices without knowing which, how many bytes, and what a month was."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from house import ANNA, Clock, MemoryGateway
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.admission import Allow
from captive_portal.session import Session, State
from captive_portal.store import TRIAL, Acceptance, Store
from captive_portal.store_migration import migrate
from captive_portal.store_usage import add, month_of
from captive_portal.tally import Tally
from captive_portal.timeline import Step
from captive_portal.uniques import LONGEST_SECONDS, DayUniques
from parvis.addresses import MacAddress

PARIS = ZoneInfo("Europe/Paris")
SITE = "mairie"
DEVICES = [MacAddress(f"02:00:00:00:01:{n:02x}") for n in range(40)]
PRINTER = MacAddress("02:00:5e:00:53:21")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gateway(clock: Clock) -> MemoryGateway:
    return MemoryGateway(clock)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    migrate(tmp_path / "portal.sqlite3")
    return Store(tmp_path / "portal.sqlite3")


@pytest.fixture
def tallies(store: Store, gateway: MemoryGateway, clock: Clock) -> Callable[[], Tally]:
    return lambda: Tally(store, gateway, SITE, PARIS, clock, {PRINTER})


def online(gateway: MemoryGateway, *macs: MacAddress) -> None:
    gateway.apply([Allow(mac, number, 86400.0 * 3, 1, 1) for number, mac in enumerate(macs, 1)])


def days(store: Store) -> dict[str, tuple[int, int, int]]:
    return {day: (devices, down, up) for day, devices, down, up in month_of(store, SITE, "2026-01", PARIS).days}


@given(st.lists(st.sampled_from(DEVICES), max_size=200))
def test_pri03_devices_of_a_day_are_counted_once_each(seen: list[MacAddress]) -> None:
    uniques = DayUniques()
    counted = 0
    for mac in seen:
        counted = uniques.saw("2026-01-09", 0.0, [mac.text])

    assert counted == len(set(seen))


def test_pri03_yesterdays_fingerprints_cannot_be_joined_with_todays() -> None:
    uniques = DayUniques()
    uniques.saw("2026-01-09", 0.0, [ANNA.text])
    yesterday, key = set(uniques._seen), bytes(uniques._key)
    old = uniques._key
    uniques.saw("2026-01-10", 60.0, [ANNA.text])

    assert not yesterday & set(uniques._seen)
    assert bytes(uniques._key) != key
    assert set(old) == {0}, "yesterday's key is overwritten, not only let go"


def test_pri03_a_key_lives_24_hours_even_when_the_day_has_25() -> None:
    uniques = DayUniques()
    uniques.saw("2026-10-25", 0.0, [mac.text for mac in DEVICES])
    key = bytes(uniques._key)

    assert uniques.saw("2026-10-25", LONGEST_SECONDS - 1, []) == len(DEVICES)
    assert uniques.saw("2026-10-25", LONGEST_SECONDS, []) == 0
    assert bytes(uniques._key) != key


def test_pri03_a_restart_loses_the_key_and_never_counts_a_device_twice(
    store: Store, gateway: MemoryGateway, tallies: Callable[[], Tally]
) -> None:
    online(gateway, *DEVICES[:20])
    tallies().turn()
    online(gateway, *DEVICES[:12])
    gateway.sessions = {mac: gateway.sessions[mac] for mac in DEVICES[:12]}
    tallies().turn()

    assert days(store)["2026-01-09"][0] == 20, "so many there were at least; not 32"


def test_pri03_nothing_of_a_device_is_in_what_is_kept(
    tmp_path: Path, store: Store, gateway: MemoryGateway, tallies: Callable[[], Tally]
) -> None:
    tally = tallies()
    online(gateway, *DEVICES)
    tally.turn()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert days(store)["2026-01-09"][0] == len(DEVICES)
    assert [mac for mac in DEVICES if mac.text.encode() in written] == []
    marks = [one.to_bytes(8, order) for one in tally._uniques._seen for order in ("big", "little")]
    assert [one for one in marks if one in written] == []
    assert bytes(tally._uniques._key) not in written


def test_a_device_that_stays_past_midnight_counts_on_both_days(
    store: Store, gateway: MemoryGateway, clock: Clock, tallies: Callable[[], Tally]
) -> None:
    tally = tallies()
    online(gateway, ANNA)
    gateway.bytes[1] = (10, 100)
    tally.turn()
    gateway.bytes[1] = (30, 300)
    tally.turn()
    clock.passes(9 * 3600)
    gateway.bytes[1] = (31, 310)
    tally.turn()

    assert days(store) == {"2026-01-09": (1, 200, 20), "2026-01-10": (1, 10, 1)}


def test_who_is_online_for_less_than_a_minute_is_counted(store: Store, tallies: Callable[[], Tally]) -> None:
    tally = tallies()
    tally.note(ANNA, Step.ADMITTED)
    tally.note(PRINTER, Step.ADMITTED)
    tally.note(DEVICES[0], Step.PAGE)
    tally.write()

    assert days(store)["2026-01-09"][0] == 1, "the town's own printer and who only looks are not"


def test_counters_that_begin_again_and_equipment_add_nothing_wrong(
    store: Store, gateway: MemoryGateway, tallies: Callable[[], Tally]
) -> None:
    tally = tallies()
    online(gateway, ANNA, PRINTER)
    for up, down in ((5, 50), (8, 80), (1, 10)):
        gateway.bytes = {1: (up, down), 2: (10**6, 10**9)}
        tally.turn()

    assert days(store)["2026-01-09"][1:] == (30 + 10, 3 + 1)


def test_a_gateway_that_is_away_costs_one_look(
    store: Store, gateway: MemoryGateway, tallies: Callable[[], Tally]
) -> None:
    tally = tallies()
    gateway.away = True
    assert tally.turn() == 60
    gateway.away = False
    online(gateway, ANNA)
    tally.turn()

    assert days(store)["2026-01-09"][0] == 1


def test_a_month_has_its_sessions_and_their_median_and_no_trial(store: Store, clock: Clock) -> None:
    begin = datetime(2026, 1, 31, 20, tzinfo=PARIS).timestamp()
    with store.transaction() as book:
        for number, minutes in enumerate((10, 20, 60, 600)):
            version = TRIAL if number == 0 else "2.0.0"
            clock.wall = begin + number * 3600 * 2  # the last one begins in February
            acceptance = Acceptance(DEVICES[number], SITE, "fr", version, "0" * 64, f"t{number}")
            given_ = book.accept(acceptance, Session(State.OPEN, "b", 0.0, 0.0), clock())
            clock.wall += minutes * 60
            book.end(given_, "left", clock())
    add(store, SITE, "2026-02-01", 3, 0, 0)

    month = month_of(store, SITE, "2026-01", PARIS)
    assert (month.sessions, month.median_seconds, month.days) == (1, 1200.0, [])
    assert month_of(store, SITE, "2026-02", PARIS).sessions == 2
    assert month_of(store, "park", "2026-01", PARIS).median_seconds is None
    with pytest.raises(ValueError, match="2026-1"):
        month_of(store, SITE, "2026-1", PARIS)
