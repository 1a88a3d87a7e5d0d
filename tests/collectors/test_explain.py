"""The explanation of a poll: each value with its variable and rule, each dropped one with its reason."""

from collections.abc import Mapping

import pytest

from collectors import explain
from collectors.decode import group, samples
from collectors.explain import Line
from collectors.profile import Profile, combine
from collectors.snmp import ber
from collectors.written import parse, profiles

ENTRY = "1.3.6.1.4.1.99999.1.1"
RADIOS = """
profile: example
title: An example
match: [{object_id: 1.3.6.1.4.1.99999}]
tables:
  radio:
    oid: 1.3.6.1.4.1.99999.1.1
    columns:
      channel: {arc: 1, read: channel}
      band: {arc: 1, read: band_of_channel}
      power: {arc: 2, absent: [127], range: [-10, 40]}
      state: 3
      kind: {arc: 4, names: {"1": big}}
      noise: {arc: 5, extract: '(-[0-9]+) dBm'}
metrics:
  - metric: wifi_radio_frequency_hertz
    table: radio
    value: channel
    convert: hertz
    labels: {radio: {index: 0}, band: band}
  - metric: wifi_radio_tx_power_dbm
    table: radio
    value: power
    labels: {radio: {index: 0}}
    where: {state: {not_matches: "^2$"}}
  - {metric: wifi_radio_noise_floor_dbm, table: radio, value: noise, labels: {radio: {index: 0}}}
"""


def lines(cells: Mapping[str, int | bytes]) -> list[Line]:
    profile = parse(RADIOS, "example.yml")
    variables = [
        (ber.oid(f"{ENTRY}.{name}"), ber.OCTET_STRING if isinstance(value, bytes) else ber.INTEGER, value)
        for name, value in cells.items()
    ]
    return explain.explain(profile, group(profile, variables))


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"2.7": 127}, "sentinel 127: it means none"),
        ({"2.7": 99}, "99 is out of the column's range -10 to 40"),
        ({"2.7": 20, "3.7": 2}, "state: the row does not count, state = 2 must not match '^2$'"),
        ({"2.7": b"many"}, "not readable as number"),
        ({"5.7": b"-200 dBm"}, "implausible: not within -120 to -20"),
        ({"5.7": b"unknown"}, "the text has no (-[0-9]+) dBm"),
        ({"1.7": 20}, "no hertz can be made of it, no band is known"),
        ({"1.7": b"auto"}, "not readable as channel"),
    ],
)
def test_what_is_dropped_has_its_reason(cells: Mapping[str, int | bytes], reason: str) -> None:
    assert [(line.value, line.why) for line in lines(cells)] == [(None, reason)]


def test_s41_a_value_is_led_back_to_its_variable() -> None:
    assert lines({"1.7": 36}) == [
        Line(
            "wifi_radio_frequency_hertz",
            (("radio", "7"), ("band", "5GHz")),
            5180000000,
            "",
            f"{ENTRY}.1.7",
            "36",
            "example.yml",
            "radio.channel",
            "read channel, convert hertz",
        )
    ]


def shipped(*names: str) -> Profile:
    return combine(next(each for each in profiles() if each.profile == name) for name in names)


def test_a_residents_address_is_not_shown_not_even_as_an_index() -> None:
    chosen = shipped("grandstream_gwn")
    answers = group(chosen, [(ber.oid(f"1.3.6.1.4.1.42397.1.1.3.3.1.4.2.0.94.16.{n}.9"), 4, b"Ville") for n in (1, 2)])

    found = explain.explain(chosen, answers)

    assert [line.value for line in found if line.metric == "wifi_ssid_clients"] == [1, 1, 2]
    assert "94.16" not in explain.text(found)
    assert "94.16" not in str(explain.records(found))


def test_what_is_explained_is_what_is_told() -> None:
    chosen = shipped("if_mib", "juniper")
    dom = "1.3.6.1.4.1.2636.3.60.1.1.1.1"
    cells = {5: -230, 7: -188, 8: 42, 9: 100, 10: -1309, 11: 0, 12: -1209}
    answers = group(chosen, [(ber.oid(f"{dom}.{arc}.513"), ber.INTEGER, value) for arc, value in cells.items()])

    told = {(each.metric, each.labels, each.value) for each in samples(chosen, answers, {}, at=0.0)}
    explained = [line for line in explain.explain(chosen, answers) if line.value is not None]

    assert told <= {(line.metric, line.labels, line.value) for line in explained}
    assert {line.profile for line in explained} == {"juniper.yml", ""}
