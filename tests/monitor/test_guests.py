"""What must not be on the residents' network: found when it is there, silent when it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.guests import Hazard, Kind, Known, Sighting, judge

GATEWAY, ROGUE, PHONE = "02:00:00:00:00:01", "02:00:00:00:00:66", "02:00:00:00:00:07"
OWN = frozenset({"10.13.0.1", "2001:db8:13::1"})
PROVEN, UNPROVEN = Known(GATEWAY, OWN), Known("", OWN)
RIGHT = [
    Sighting(Kind.DHCP_SERVER, GATEWAY, "10.13.0.1"),
    Sighting(Kind.ROUTER, GATEWAY, "fe80::1"),
    Sighting(Kind.CLAIM, GATEWAY, "10.13.0.1"),
    Sighting(Kind.CLAIM, PHONE, "10.13.0.7"),
    Sighting(Kind.CLAIM, PHONE, "10.13.0.7"),
]


def counted(seen: list[Sighting], known: Known) -> dict[Hazard, int]:
    return {hazard: len(who) for hazard, who in judge(seen, known).items()}


def test_a_right_network_has_no_hazard() -> None:
    assert judge(RIGHT, PROVEN) == {}


@pytest.mark.parametrize(
    ("seen", "hazard"),
    [
        (Sighting(Kind.DHCP_SERVER, ROGUE, "10.13.0.66"), Hazard.ROGUE_DHCP),
        (Sighting(Kind.DHCP_SERVER, ROGUE, "10.13.0.1"), Hazard.ROGUE_DHCP),
        (Sighting(Kind.ROUTER, ROGUE, "fe80::66"), Hazard.ROGUE_ROUTER),
        (Sighting(Kind.CLAIM, ROGUE, "10.13.0.1"), Hazard.GATEWAY_SPOOFED),
        (Sighting(Kind.CLAIM, ROGUE, "2001:db8:13::1"), Hazard.GATEWAY_SPOOFED),
        (Sighting(Kind.CLAIM, ROGUE, "10.13.0.7"), Hazard.ADDRESS_CONFLICT),
        (Sighting(Kind.DECLINE, PHONE, "10.13.0.9"), Hazard.ADDRESS_CONFLICT),
    ],
)
def test_each_hazard_is_told_by_one_frame(seen: Sighting, hazard: Hazard) -> None:
    assert counted([*RIGHT, seen, seen], PROVEN) == {hazard: 1}


def test_before_the_gateway_is_proven_two_who_claim_its_address_are_both_suspected() -> None:
    claims = [Sighting(Kind.CLAIM, GATEWAY, "10.13.0.1"), Sighting(Kind.CLAIM, ROGUE, "10.13.0.1")]

    assert judge(claims[:1], UNPROVEN) == {}
    assert counted(claims, UNPROVEN) == {Hazard.GATEWAY_SPOOFED: 2}
    assert counted([Sighting(Kind.DHCP_SERVER, ROGUE, "10.13.0.66")], UNPROVEN) == {Hazard.ROGUE_DHCP: 1}


@given(st.lists(st.builds(Sighting, st.sampled_from(Kind), st.sampled_from([ROGUE, PHONE]), st.just("10.13.0.8"))))
def test_the_count_never_exceeds_the_devices_there_are(seen: list[Sighting]) -> None:
    assert all(1 <= count <= 2 for count in counted([*RIGHT, *seen], PROVEN).values())
