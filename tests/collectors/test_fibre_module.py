"""What a device says of an optical module, and what is concluded: limits that can be true, margins, a state."""

from collections.abc import Mapping

import pytest

from collectors import decode
from collectors.profile import Profile
from collectors.snmp import ber
from collectors.written import parse
from parvis import catalogue

ENTRY = "1.3.6.1.4.1.99999.2.1"
MODULES = """
profile: example
title: An example
match: [{object_id: 1.3.6.1.4.1.99999}]
tables:
  optics:
    oid: 1.3.6.1.4.1.99999.2.1
    columns:
      kind: {arc: 1, read: text}
      rx: {arc: 2, scale: 0.01, absent: [0]}
      tx: {arc: 3, scale: 0.01, absent: [0]}
      temperature: {arc: 4, absent: [0]}
      rx_low_alarm: &limit {arc: 5, scale: 0.01}
      rx_low_warn: {<<: *limit, arc: 6}
      rx_high_warn: {<<: *limit, arc: 7}
      rx_high_alarm: {<<: *limit, arc: 8}
      loss: {arc: 9, names: {"1": fault}}
metrics:
  - {metric: optical_module_info, table: optics, labels: {port: {index: 0}, type: kind}, where: {kind: {matches: .}}}
  - {metric: optical_rx_power_dbm, table: optics, value: rx, labels: {port: {index: 0}}}
  - {metric: optical_tx_power_dbm, table: optics, value: tx, labels: {port: {index: 0}}}
  - {metric: optical_temperature_celsius, table: optics, value: temperature, labels: {port: {index: 0}}}
  - metric: optical_threshold_dbm
    table: optics
    value: [rx_low_alarm, rx_low_warn, rx_high_warn, rx_high_alarm]
    each: which
    labels: {port: {index: 0}}
  - {metric: optical_state, table: optics, labels: {port: {index: 0}, state: loss}, where: {loss: {matches: .}}}
"""
PROGRAMMED = {5: -2000, 6: -1800, 7: -100, 8: 0}


def profile() -> Profile:
    return parse(MODULES, "example.yml")


def told(row: Mapping[int, int | bytes]) -> dict[str, float]:
    """Series of the only module, without device and port."""
    cells = [
        (ber.oid(f"{ENTRY}.{arc}.7"), ber.OCTET_STRING if isinstance(value, bytes) else ber.INTEGER, value)
        for arc, value in row.items()
    ]
    found = decode.samples(profile(), decode.group(profile(), cells), {"device": "sw"}, at=0.0)
    return {
        " ".join([sample.metric, *(value for name, value in sample.labels if name not in {"device", "port"})]): value
        for sample in found
        for value in [sample.value]
    }


def states(found: dict[str, float]) -> set[str]:
    return {series.split()[1] for series in found if series.startswith("optical_state")}


def test_s22_the_margin_is_counted_from_the_limits_the_module_was_made_with() -> None:
    found = told({2: -1250, 3: -200, 4: 40} | PROGRAMMED)

    assert found["optical_threshold_dbm rx_low_warn module"] == -18
    assert found["optical_margin_db rx_low_warn"] == pytest.approx(5.5)
    assert found["optical_margin_db rx_high_warn"] == pytest.approx(11.5)
    assert states(found) == {"ok"}


@pytest.mark.parametrize(
    "nonsense",
    [{5: 0, 6: -3000}, {6: 0, 7: 0}, {6: -200, 7: -100}, {5: -32768, 6: -32768}, {7: -1800, 6: -100}],
    ids=["alarm above warning", "all zero", "too close", "not programmed", "upside down"],
)
def test_g24_limits_that_cannot_be_true_give_way_to_those_of_the_modules_kind(nonsense: dict[int, int]) -> None:
    found = told({1: b"1000BASE-LX SFP", 2: -1250, **PROGRAMMED, **nonsense})

    assert found["optical_threshold_dbm rx_low_warn class"] == -20
    assert found["optical_margin_db rx_low_warn"] == pytest.approx(7.5)
    assert not [series for series in found if series.endswith(" module")]


def test_a_module_with_one_limit_on_each_side_is_judged_by_those() -> None:
    found = told({2: -1250, 5: -2000, 8: 0})

    assert found["optical_margin_db rx_low_warn"] == pytest.approx(7.5)


def test_without_limits_and_without_a_known_kind_there_is_no_margin() -> None:
    found = told({1: b"mystery", 2: -1250, 3: -200})

    assert not [series for series in found if series.startswith(("optical_margin_db", "optical_threshold_dbm"))]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({2: -900, 3: -200, 4: 40}, {"ok"}),
        ({2: 0, 3: -200, 4: 40}, {"no_light"}),
        ({2: -4000, 3: -200, 4: 40}, {"no_light"}),
        ({2: -900, 3: 0, 4: 40}, {"laser_off"}),
        ({2: 0, 3: 0, 4: 40}, {"no_light", "laser_off"}),
        ({2: 0, 3: 0, 4: 0}, {"no_ddm"}),
        ({2: -900, 3: -200, 9: 1}, {"fault"}),
        ({2: 5000, 3: -200, 4: 40}, {"ok"}),
        ({4: 40}, set()),
    ],
)
def test_s23_g23_a_module_without_light_has_a_state_no_value(
    row: Mapping[int, int | bytes], expected: set[str]
) -> None:
    found = told(row)

    assert states(found) == expected
    assert ("optical_rx_power_dbm" in found) == (row.get(2) == -900)


def test_light_that_no_module_can_see_is_counted_and_no_light_is_not() -> None:
    def implausible(rx: int) -> dict[str, int]:
        cells = [(ber.oid(f"{ENTRY}.2.7"), ber.INTEGER, rx)]
        return dict(decode.decoded(profile(), decode.group(profile(), cells), {}, at=0.0).implausible)

    assert (implausible(5_000), implausible(-4000), implausible(-900)) == ({"optical_rx_power_dbm": 1}, {}, {})


def test_the_labels_of_what_is_concluded_are_the_catalogues() -> None:
    cells = [(ber.oid(f"{ENTRY}.{arc}.7"), ber.INTEGER, value) for arc, value in ({2: -900} | PROGRAMMED).items()]

    for sample in decode.samples(profile(), decode.group(profile(), cells), {"device": "sw"}, at=0.0):
        assert {name for name, _ in sample.labels} <= set(catalogue.metric(sample.metric).labels)
