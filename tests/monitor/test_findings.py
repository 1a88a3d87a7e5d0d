"""The monitor's judgement: hysteresis, unknown, behind, isolated."""

from hypothesis import given
from hypothesis import strategies as st
from monitor_actors import INTERVAL, Listener

from monitor.findings import Latch, Policy, Reason, State, isolated
from monitor.observations import Sample
from monitor.targets import targets
from parvis.inventory import DEMO_TOWN, Town, load

UPLINK, GATEWAY, SWITCH, AP = "fibre-msp", "gw-msp", "sw-msp", "ap-msp-accueil"
SITE = (UPLINK, GATEWAY, SWITCH, AP, "ap-msp-salle-a", "ap-msp-etage")


def test_before_it_has_heard_enough_the_monitor_says_that_it_does_not_know(listener: Listener) -> None:
    listener.hears(1)

    assert {finding.state for finding in listener.findings} == {State.UNKNOWN}


def test_what_answers_twice_is_up(listener: Listener) -> None:
    listener.hears(2)

    assert {finding.state for finding in listener.findings} == {State.UP}


def test_two_missing_echoes_change_nothing_and_the_third_does(listener: Listener) -> None:
    listener.hears(2).hears(2, silent=[UPLINK])
    assert listener.state(UPLINK) is State.UP

    listener.hears(1, silent=[UPLINK])
    assert listener.state(UPLINK) is State.DOWN
    assert listener.since(UPLINK) == listener.now


def test_since_is_the_last_change_not_the_last_round(listener: Listener) -> None:
    listener.hears(2).hears(3, silent=[UPLINK])
    fell = listener.now

    listener.hears(4, silent=[UPLINK])
    assert listener.since(UPLINK) == fell < listener.now


def test_an_echo_in_between_starts_the_count_again(listener: Listener) -> None:
    listener.hears(2)
    for _ in range(5):
        listener.hears(2, silent=[UPLINK]).hears(1)

    assert listener.state(UPLINK) is State.UP


def test_one_answer_does_not_bring_it_back_two_do(listener: Listener) -> None:
    listener.hears(2).hears(3, silent=[UPLINK]).hears(1)
    assert listener.state(UPLINK) is State.DEGRADED, "what answers is not cut, and not yet well"

    listener.hears(1)
    assert listener.state(UPLINK) is State.UP


def test_what_answers_once_and_falls_silent_again_is_down_anew(listener: Listener) -> None:
    listener.hears(2).hears(3, silent=[UPLINK])
    cut = listener.since(UPLINK)
    listener.hears(1).hears(1, silent=[UPLINK])

    assert listener.state(UPLINK) is State.DOWN
    assert listener.since(UPLINK) > cut


def test_s28_behind_a_cut_uplink_devices_are_unreachable_not_down(listener: Listener) -> None:
    listener.hears(2).hears(3, silent=SITE)

    assert listener.state(UPLINK) is State.DOWN
    assert {listener.state(name) for name in SITE[1:]} == {State.UNREACHABLE}
    assert {listener.cause(name) for name in SITE[1:]} == {UPLINK}


def test_behind_a_silent_switch_its_access_points_are_unreachable(listener: Listener) -> None:
    listener.hears(2).hears(3, silent=[SWITCH, AP])

    assert listener.state(SWITCH) is State.DOWN
    assert (listener.state(AP), listener.cause(AP)) == (State.UNREACHABLE, SWITCH)
    assert listener.state("ap-msp-salle-a") is State.UP


def test_a_device_that_answers_is_up_whatever_it_stands_behind(listener: Listener) -> None:
    listener.hears(2).hears(3, silent=[UPLINK])

    assert listener.state(AP) is State.UP


def test_what_could_not_be_asked_becomes_unknown_never_down(listener: Listener) -> None:
    listener.hears(2).hears(10, unasked=[UPLINK])

    assert listener.state(UPLINK) is State.UNKNOWN


def test_when_nothing_at_all_answers_no_uplink_is_accused(listener: Listener) -> None:
    listener.hears(2).hears_nothing_at_all(3)

    assert {finding.state for finding in listener.findings} == {State.UNKNOWN}
    assert listener.reason(UPLINK) is Reason.ISOLATED
    assert isolated(listener.findings) is True


def test_one_answer_from_the_internet_is_enough_to_accuse_every_uplink(listener: Listener) -> None:
    listener.hears(2).hears(3, silent=[t.name for t in targets(listener.town) if t.name != "internet-1"])

    assert listener.state(UPLINK) is State.DOWN
    assert isolated(listener.findings) is False


def test_lost_packets_disturb_an_uplink_that_still_answers(listener: Listener) -> None:
    listener.hears(2).hears(3, lossy=[UPLINK])

    assert (listener.state(UPLINK), listener.reason(UPLINK)) == (State.DEGRADED, Reason.LOSS)


def test_a_device_that_answers_ping_but_not_snmp_is_disturbed(listener: Listener) -> None:
    listener.hears(2).hears(3, samples=[Sample(AP, up=False, reason="timeout")])

    assert (listener.state(AP), listener.reason(AP)) == (State.DEGRADED, Reason.NO_SNMP)


def test_snmp_that_answers_now_saves_a_device_that_ignores_ping(listener: Listener) -> None:
    listener.hears(2)
    for _ in range(4):
        listener.hears(1, silent=[AP], samples=[Sample(AP, up=True, succeeded_at=listener.now + INTERVAL)])

    assert (listener.state(AP), listener.reason(AP)) == (State.DEGRADED, Reason.NO_PING)


def test_an_snmp_answer_from_before_the_silence_saves_nobody(listener: Listener) -> None:
    listener.hears(2)
    before = Sample(AP, up=True, succeeded_at=listener.now)

    listener.hears(3, silent=[AP], samples=[before])
    assert listener.state(AP) is State.DOWN


def test_a_failed_poll_alone_is_no_silence_when_ping_cannot_be_asked(listener: Listener) -> None:
    everyone = [target.name for target in targets(listener.town)]
    listener.hears(2).hears(9, unasked=everyone, samples=[Sample(AP, up=None)])

    assert listener.state(AP) is State.UNKNOWN


def flaps(listener: Listener, times: int) -> Listener:
    for _ in range(times):
        listener.hears(3, silent=[UPLINK]).hears(2)
    return listener


def test_what_falls_three_times_in_a_row_flaps_and_is_disturbed_not_down(listener: Listener) -> None:
    flaps(listener.hears(2), 3)
    assert (listener.state(UPLINK), listener.reason(UPLINK)) == (State.DEGRADED, Reason.FLAPPING)

    listener.hears(3, silent=SITE)
    assert listener.state(UPLINK) is State.DEGRADED
    assert {listener.state(name) for name in SITE[1:]} == {State.UNREACHABLE}


def test_what_flaps_is_down_once_it_is_silent_for_four_minutes(listener: Listener) -> None:
    flaps(listener.hears(2), 3).hears(3, silent=[UPLINK])
    listener.hears(round(240 / INTERVAL) - 1, silent=[UPLINK])
    assert listener.state(UPLINK) is State.DEGRADED

    listener.hears(1, silent=[UPLINK])
    assert listener.state(UPLINK) is State.DOWN


def test_what_flapped_is_well_again_after_it_has_been_calm(listener: Listener) -> None:
    flaps(listener.hears(2), 3).hears(300)

    assert (listener.state(UPLINK), listener.reason(UPLINK)) == (State.UP, Reason.FINE)


@given(st.lists(st.sampled_from([True, False, None]), max_size=60), st.integers(1, 5), st.integers(1, 5))
def test_a_latch_changes_only_after_the_same_answer_often_enough(
    heard: list[bool | None], fail_after: int, recover_after: int
) -> None:
    policy = Policy(fail_after=fail_after, recover_after=recover_after)
    latch = Latch()
    for number, seen in enumerate(heard, 1):
        before, latch = latch, latch.after(seen, policy)
        if latch.value != before.value:
            needed = recover_after if latch.value else fail_after
            assert heard[max(0, number - needed) : number] == [latch.value] * needed


TARGETS = [target.name for target in targets(load(DEMO_TOWN))]


@given(rounds=st.lists(st.sets(st.sampled_from(TARGETS)), min_size=1, max_size=12))
def test_every_round_has_one_finding_for_each_target_and_nothing_silent_is_up_for_long(
    town: Town, rounds: list[set[str]]
) -> None:
    listener = Listener(town, Policy(fail_after=2, recover_after=2))
    for silent in rounds:
        listener.hears(1, silent=silent)
        assert [finding.target for finding in listener.findings] == list(targets(town))
    always_silent = set.intersection(*rounds) if len(rounds) > 1 else set()
    assert all(listener.state(name) not in (State.UP, State.DEGRADED) for name in always_silent)
