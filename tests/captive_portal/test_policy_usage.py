"""Idle time and quota: what the kernel counts decides, and nobody who moves a byte is cut."""

import pytest
from house import ANNA, House
from hypothesis import given
from hypothesis import strategies as st
from policed import Build, accepts, ended_by, passes, transfers

from captive_portal.protocol import Counted
from captive_portal.session import Event
from captive_portal.timeline import Step
from captive_portal.usage import Usage


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


def test_f36_who_asks_for_more_time_is_there(build: Build) -> None:
    house = build(idle=10 * 60.0)
    accepts(house)
    passes(house, 9 * 60)
    house.doorkeeper.extend(ANNA)
    passes(house, 9 * 60)
    assert ANNA in house.gateway.admitted()
    passes(house, 2 * 60)

    assert ended_by(house) == [Event.IDLE]


def test_how_long_a_session_lasted_is_counted_by_length_and_a_longer_grant_does_not_begin_it_anew(build: Build) -> None:
    house = build(idle=10 * 60.0)
    accepts(house)
    passes(house, 9 * 60)
    house.doorkeeper.extend(ANNA)
    passes(house, 11 * 60)

    assert ended_by(house) == [Event.IDLE]
    assert house.value("portal_session_seconds_bucket", le="900.0") == 0
    assert house.value("portal_session_seconds_bucket", le="1800.0") == 1


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


def test_f35_who_was_slowed_stays_slow_while_the_counters_of_a_new_start_are_still_read(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build(quota=1_000_000, slow_down=64_000)
    accepts(house)
    transfers(house, ANNA, 0, 2_000_000)
    passes(house, 60)
    monkeypatch.setattr(house.gateway, "counters_soon", lambda: None)
    house.gateway.sessions.clear()

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
