"""Where a radio can send: Wi-Fi in its bands; beyond them only a bridge with a licence."""

import pytest

from collectors import decode
from collectors.plausibility import FREQUENCY, doubt
from collectors.profile import Profile
from collectors.snmp import ber
from collectors.written import profiles

RADIO = "1.3.6.1.4.1.47307.1.4.2.1.4.1"
MEGAHERTZ = 1_000_000


def profile(name: str) -> Profile:
    return next(each for each in profiles() if each.profile == name)


@pytest.mark.parametrize(
    ("megahertz", "plausible"),
    [(2412, True), (5180, True), (6875, True), (58320, True), (3600, False), (7500, False), (18700, False)],
)
def test_a_wi_fi_radio_sends_in_the_bands_of_wi_fi_only(megahertz: int, plausible: bool) -> None:
    ignitenet = profile("ignitenet")
    answers = decode.group(ignitenet, [(ber.oid(RADIO), ber.INTEGER, megahertz)])
    found = decode.decoded(ignitenet, answers, {"device": "d"}, at=0.0)
    told = [each.value for each in found.samples if each.metric == FREQUENCY]

    assert told == ([megahertz * MEGAHERTZ] if plausible else [])
    assert found.implausible == ({} if plausible else {FREQUENCY: 1})


def test_a_bridge_with_a_licence_sends_beyond_them() -> None:
    rules = [rule for rule in profile("trango_apex").metrics if rule.metric == FREQUENCY]

    assert rules
    assert all(doubt(FREQUENCY, 18_700e6, wider=rule.wider) is None for rule in rules)
    assert doubt(FREQUENCY, 50_000e6, wider=True)
