"""The plan makes the kernel admit exactly whom the store wants."""

from hypothesis import given
from hypothesis import strategies as st

from captive_portal.admission import (
    SHORTEST_SECONDS,
    TOLERANCE_SECONDS,
    Admitted,
    Allow,
    Deny,
    Picture,
    Step,
    Wanted,
    plan,
)
from parvis.addresses import MacAddress

macs = st.integers(0, 12).map(lambda n: MacAddress(f"02:00:00:00:00:{n:02x}"))
wants = st.dictionaries(macs, st.builds(Wanted, st.integers(1, 30), st.floats(0, 200), st.just(10), st.just(5)))
haves = st.dictionaries(macs, st.builds(Admitted, st.integers(1, 30), st.floats(0, 200)))
A = MacAddress("02:00:00:00:00:0a")


def applied(steps: list[Step], actual: dict[MacAddress, Admitted]) -> dict[MacAddress, Admitted]:
    after = dict(actual)
    for step in steps:
        if isinstance(step, Deny):
            del after[step.mac]
        else:
            after[step.mac] = Admitted(step.session, step.seconds)
    return after


@given(wants, haves, st.floats(0, 100))
def test_after_the_plan_the_kernel_admits_exactly_the_wanted(
    wanted: dict[MacAddress, Wanted], actual: dict[MacAddress, Admitted], now: float
) -> None:
    after = applied(plan(wanted, Picture(actual, now)), actual)

    certain = {mac: want for mac, want in wanted.items() if want.deadline - now >= SHORTEST_SECONDS}
    assert certain.keys() <= after.keys()
    assert all(wanted[mac].deadline > now for mac in after)
    for mac, want in certain.items():
        assert after[mac].session == want.session
        assert abs(after[mac].seconds - (want.deadline - now)) <= TOLERANCE_SECONDS


@given(wants, haves, st.floats(0, 100))
def test_the_plan_for_a_right_kernel_is_empty(
    wanted: dict[MacAddress, Wanted], actual: dict[MacAddress, Admitted], now: float
) -> None:
    after = applied(plan(wanted, Picture(actual, now)), actual)

    assert plan({mac: w for mac, w in wanted.items() if mac in after}, Picture(after, now)) in (
        [],
        _too_short(wanted, after, now),
    )


def _too_short(wanted: dict[MacAddress, Wanted], after: dict[MacAddress, Admitted], now: float) -> list[Step]:
    return [Deny(mac) for mac in sorted(after) if wanted[mac].deadline <= now]


def test_a_new_number_replaces_the_old_session() -> None:
    assert plan({A: Wanted(8, 60.0, 10, 5)}, Picture({A: Admitted(7, 60.0)}, 0.0)) == [Allow(A, 8, 60.0, 10, 5)]


def test_a_session_in_its_last_second_is_left_to_the_kernel() -> None:
    assert plan({A: Wanted(8, 60.0, 10, 5)}, Picture({}, 59.5)) == []


def test_whoever_is_over_goes_even_when_still_listed() -> None:
    assert plan({A: Wanted(8, 60.0, 10, 5)}, Picture({A: Admitted(8, 1.0)}, 60.5)) == [Deny(A)]


@given(wants, haves, st.floats(0, 100), st.sets(macs))
def test_of_those_who_were_changed_since_the_picture_was_taken_the_plan_says_nothing(
    wanted: dict[MacAddress, Wanted], actual: dict[MacAddress, Admitted], now: float, unsure: set[MacAddress]
) -> None:
    steps = plan(wanted, Picture(actual, now, unsure))

    assert not unsure & {step.mac for step in steps}
    assert steps == [step for step in plan(wanted, Picture(actual, now)) if step.mac not in unsure]
