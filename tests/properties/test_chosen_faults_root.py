"""Faults one by one, each against the real gateway, with what a resident sees of them."""

import signal
import threading
import time

import pytest
from door_twin import wait_for
from storm import SESSION_SECONDS, Storm, Walker, forget_everybody

pytestmark = [pytest.mark.root, pytest.mark.slow]
DAY = 86400
KEA_RECLAIMS_EVERY = 10
"""Seconds; captive_portal/dhcp.py."""


@pytest.fixture
def resident(storm: Storm) -> Walker:
    """A resident who has just accepted."""
    storm.revive()
    forget_everybody(storm)
    found = Walker(storm, "c1")
    assert found.joins()
    assert found.posts("/fr/", "accept") == (303, "/fr/status")
    return found


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_f40_r36_a_wall_clock_stepped_by_a_day_changes_nothing(storm: Storm, resident: Walker, seconds: int) -> None:
    before = resident.seconds_left()
    try:
        storm.step_clock(seconds)

        assert 0 <= before - resident.seconds_left() <= 2
        assert resident.passes()
        assert resident.posts("/fr/status", "extend")[0] == 303
        time.sleep(KEA_RECLAIMS_EVERY + 2)
        assert resident.is_captive() is False, "Kea believes that the lease is over; the device does not"
        assert resident.passes()
        wait_for(lambda: resident.is_captive() is True, "the end", 12)
    finally:
        storm.step_clock(-storm.wall_offset)


def test_r50_who_roams_to_another_access_point_keeps_the_session(storm: Storm, resident: Walker) -> None:
    number = storm.stored()

    resident.roams()

    assert resident.passes()
    assert resident.is_captive() is False
    assert storm.stored() == number


def test_r56_r24_after_a_power_cut_the_first_answer_of_the_api_is_the_truth(storm: Storm, resident: Walker) -> None:
    storm.lengthen(60)
    storm.reboot()

    assert resident.is_captive() is False
    assert resident.passes()
    assert storm.stored() == storm.admitted()


def test_what_was_accepted_on_a_full_disk_is_not_admitted_and_the_resident_is_told(storm: Storm) -> None:
    storm.revive()
    forget_everybody(storm)
    late = Walker(storm, "c2")
    assert late.joins()

    with storm.disk_full():
        status, _ = late.posts("/fr/", "accept")
        assert status == 503
        assert late.is_captive() is True
        assert not late.passes()

    assert late.posts("/fr/", "accept") == (303, "/fr/status")
    assert late.passes()


def test_whoever_is_told_that_the_acceptance_failed_is_not_admitted_later(storm: Storm) -> None:
    """The lock is held for longer than anybody waits."""
    storm.revive()
    forget_everybody(storm)
    late = Walker(storm, "c2")
    assert late.joins()
    told: list[tuple[int, str]] = []
    asking = threading.Thread(target=lambda: told.append(late.posts("/fr/", "accept", timeout=20)))

    with storm.database_locked():
        asking.start()
        asking.join()

    assert told == [(503, "")]
    time.sleep(2)
    assert storm.stored() == {}
    assert late.is_captive() is True


@pytest.mark.parametrize("name", ["portal", "gatewayd", "kea", "dnsmasq"])
def test_f38_r48_any_process_may_be_killed_and_the_session_stays(storm: Storm, resident: Walker, name: str) -> None:
    storm.stop(name, signal.SIGKILL)
    assert resident.passes()

    storm.revive()

    assert resident.is_captive() is False
    assert resident.passes()
    assert storm.stored() == storm.admitted()


@pytest.mark.parametrize("what", ["set up", "set down", "set lease4", "map auth"])
def test_whatever_set_a_colleague_flushes_packets_pass_again(storm: Storm, resident: Walker, what: str) -> None:
    kind, name = what.split()

    storm.within("gw", "nft", "flush", kind, "inet", "portal", name)

    wait_for(resident.passes, "way out", 5)
    assert resident.is_captive() is False


def test_a_full_disk_does_not_keep_the_kernel_from_being_repaired(storm: Storm, resident: Walker) -> None:
    """One session ends meanwhile, which cannot be written; the other is flushed, and must come back all the same."""
    time.sleep(SESSION_SECONDS - 6)
    late = Walker(storm, "c2")
    assert late.joins()
    assert late.posts("/fr/", "accept") == (303, "/fr/status")

    with storm.disk_full():
        wait_for(lambda: resident.mac not in storm.admitted(), "end of the first", 10)
        time.sleep(1.5)
        storm.within("gw", "nft", "flush", "map", "inet", "portal", "auth")
        wait_for(late.passes, "way out", 5)
        assert not resident.passes()

    wait_for(lambda: list(storm.stored()) == [late.mac], "the first's end on disk", 8)
    assert late.is_captive() is False
