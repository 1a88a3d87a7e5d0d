"""Codes of the day, and what is remembered under them."""

from datetime import date
from ipaddress import ip_address
from zoneinfo import ZoneInfo

import pytest
from house import ANNA, Clock, House
from hypothesis import given
from hypothesis import strategies as st

from captive_portal import timeline as module
from captive_portal.pseudonym import LETTERS, Pseudonyms, heard
from captive_portal.timeline import Step, Timeline
from parvis.addresses import MacAddress

BEN = MacAddress.parse("02:00:00:00:00:0b")
macs = st.binary(min_size=6, max_size=6).map(lambda raw: MacAddress.parse(raw.hex()))


def timeline(clock: Clock) -> Timeline:
    return Timeline(Pseudonyms(b"k" * 32), ZoneInfo("Europe/Paris"), clock)


@given(macs, st.dates())
def test_a_code_is_what_somebody_can_read_out(mac: MacAddress, day: date) -> None:
    code = Pseudonyms(b"k" * 32).of(mac, day)

    assert heard(code.lower().replace("-", " ")) == code
    assert set(code) <= {*LETTERS, "-"}


def test_a_code_changes_with_the_day_the_key_and_the_device() -> None:
    here, day = Pseudonyms(b"k" * 32), date(2026, 5, 1)
    codes = {
        here.of(ANNA, day),
        here.of(ANNA, date(2026, 5, 2)),
        here.of(BEN, day),
        Pseudonyms(b"l" * 32).of(ANNA, day),
    }

    assert len(codes) == 4


def test_five_thousand_devices_have_codes_of_their_own_but_for_a_few() -> None:
    here = Pseudonyms(b"k" * 32)
    codes = {here.of(MacAddress.parse(f"02{number:010x}"), date(2026, 5, 1)) for number in range(5000)}

    assert len(codes) > 4990


def test_each_step_is_counted_with_its_first_and_last_time() -> None:
    clock = Clock()
    here = timeline(clock)
    for _ in range(3):
        here.note(ANNA, Step.API)
        clock.passes(10)
    found = here.device(here.code(ANNA))

    assert found is not None
    assert found[0] == ANNA
    assert found[1][Step.API] == module.Seen(1000.0, 1020.0, 3)


def test_a_probe_is_given_to_its_device_when_somebody_asks() -> None:
    here = timeline(Clock())
    here.heard("10.11.0.5")
    here.heard("::ffff:10.11.0.5")
    here.heard("10.11.0.9")
    asked = []

    def identify(address: object) -> MacAddress | None:
        asked.append(address)
        return ANNA if address == ip_address("10.11.0.5") else None

    here.settle(identify)
    found = here.device(here.code(ANNA))

    assert found is not None
    assert found[1][Step.PROBE].count == 2
    assert len(asked) == 3


def test_at_midnight_in_the_town_everything_is_forgotten() -> None:
    clock = Clock()
    here = timeline(clock)
    here.note(ANNA, Step.PAGE)
    yesterday = here.code(ANNA)
    clock.passes(8 * 3600)  # it was 16:00 in Paris

    assert here.device(yesterday) is None
    assert here.code(ANNA) != yesterday
    assert here.device(here.code(ANNA)) is None


def test_the_device_nothing_was_heard_of_longest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_DEVICES", 2)
    here = timeline(Clock())
    cleo = MacAddress.parse("02:00:00:00:00:0c")
    for mac in (ANNA, BEN, ANNA, cleo):
        here.note(mac, Step.PAGE)

    assert [here.device(here.code(mac)) is not None for mac in (ANNA, BEN, cleo)] == [True, False, True]


def test_addresses_that_nobody_asks_for_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ADDRESSES", 10)
    here = timeline(Clock())
    for number in range(100):
        here.heard(f"10.11.0.{number}")
    asked = []
    here.settle(lambda address: asked.append(str(address)))

    assert asked == [f"10.11.0.{number}" for number in range(99, 89, -1)]


def test_the_portal_notes_page_acceptance_admission_and_leaving(house: House) -> None:
    anna = house.visitor()
    anna.get("/api/captive")
    anna.accepts()
    anna.leaves()
    found = house.timeline.device(house.timeline.code(ANNA))

    assert found is not None
    assert list(found[1]) == [Step.API, Step.PAGE, Step.ACCEPTED, Step.ADMITTED, Step.LEFT]


def test_an_expired_session_is_noted(house: House) -> None:
    anna = house.visitor()
    anna.accepts()
    house.clock.since_boot += house.facts.session + 1
    house.doorkeeper.compare()
    found = house.timeline.device(house.timeline.code(ANNA))

    assert found is not None
    assert found[1][Step.EXPIRED].count == 1
