"""Whatever octets an agent sends, a reading is a value of its kind or nothing, and no row takes another's place."""

from math import isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import decode, reading
from collectors.column import Column
from collectors.plausibility import BOUNDS, WIDER, doubt
from collectors.profile import Profile, combine
from collectors.reading import READ
from collectors.snmp import ber
from collectors.snmp.walk import Cell
from collectors.written import parse, profiles

TAGS = (ber.INTEGER, ber.OCTET_STRING, ber.OBJECT_IDENTIFIER, ber.COUNTER32, ber.GAUGE32, ber.TIME_TICKS, ber.COUNTER64)
NUMBERS = st.integers(-(2**63), 2**64 - 1)
OCTETS = st.binary(max_size=200) | st.text(alphabet="0123456789-+.eE,() dBmW%xnaNinf\x00é", max_size=30).map(str.encode)
CELLS: st.SearchStrategy[Cell] = st.tuples(st.sampled_from(TAGS), NUMBERS | OCTETS | st.none())
COLUMNS = st.builds(
    Column,
    arc=st.just(1),
    item=st.none() | st.integers(0, 5),
    extract=st.none() | st.sampled_from([r"\((-?[0-9.]+) *dBm\)", r"^([0-9]+)", r"(.*)"]),
    read=st.sampled_from(sorted(READ)),
    offset=st.sampled_from([0, -10000]),
    scale=st.sampled_from([1, 0.01, 1e-7, 1e6]),
    absent=st.sampled_from([(), (0, -1, 2147483647), ("", "-----")]),
    names=st.sampled_from([{}, {"1": "on", "(?i)true|yes": "on"}]),
    range=st.none() | st.just((-39.9, 20.0)),
    cap=st.none() | st.just(1.0),
)


@settings(max_examples=300, deadline=None)
@given(COLUMNS, CELLS)
def test_a_cell_is_a_finite_number_a_clean_text_or_nothing_with_its_reason(column: Column, cell: Cell) -> None:
    found, why = reading.judged(column, cell)

    assert (found is None) == bool(why)
    assert found is None or isinstance(found, str) or isfinite(found)
    if isinstance(found, str) and not column.names:
        assert found.isprintable()
        assert len(found) <= reading.MAX_TEXT
    if isinstance(found, float) and column.range:
        assert column.range[0] <= found <= column.range[1]


@pytest.mark.parametrize(
    ("metric", "ones", "other"),
    [
        ("optical_temperature_celsius", 0x7FFF / 256, 90),
        ("device_temperature_celsius", 0x7F, 105),
        ("optical_voltage_volts", 0xFFFF * 1e-4, 5.2),
        ("optical_bias_amperes", 0xFFFF * 1e-5, 0.262),
        ("wifi_link_rate_bits_per_second", 0x7FFFFFFF, 2_147_000_000),
        ("wifi_client_rate_bits_per_second", 0xFFFFFFFF, 4_804_000_000),
        ("wifi_clients", 0xFFFF, 40_000),
        ("wifi_controller_aps", 0xFFFF, 10_000),
        ("wifi_link_signal_dbm", -1, -12),
    ],
)
def test_a_field_of_ones_is_no_measurement(metric: str, ones: float, other: float) -> None:
    assert doubt(metric, ones)
    assert not doubt(metric, other)


TABLE = """
profile: example
title: An example
match: [{object_id: 1.3.6.1.4.1.99999}]
tables:
  radio:
    oid: 1.3.6.1.4.1.99999.1.1
    index: {name: {at: 0, read: text}, last: -1, rest: {at: 1, read: rest}, word: {at: 0, read: text, extract: "^(a+)"}}
    columns: {clients: 2, channel: {arc: 3, read: channel}}
metrics:
  - {metric: wifi_radio_clients, table: radio, value: clients, labels: {radio: {dotted: true}}}
  - {metric: wifi_radio_channel, table: radio, value: channel, labels: {radio: {dotted: true}}}
"""
INDEXES = st.lists(st.integers(0, 2**32 - 1), max_size=12).map(tuple)


def example() -> Profile:
    return parse(TABLE, "example.yml")


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(INDEXES, st.tuples(st.integers(0, 1000), st.none() | st.integers(1, 233)), max_size=8))
def test_whatever_the_index_each_row_keeps_its_own_values(rows: dict[tuple[int, ...], tuple[int, int | None]]) -> None:
    profile = example()
    answers: dict[bytes, dict[bytes, Cell]] = {
        profile.root("radio", "clients"): {},
        profile.root("radio", "channel"): {},
    }
    for index, (clients, channel) in rows.items():
        answers[profile.root("radio", "clients")][ber.encode_index(index)] = (ber.GAUGE32, clients)
        if channel is not None:
            answers[profile.root("radio", "channel")][ber.encode_index(index)] = (ber.INTEGER, channel)

    told = {(s.metric, dict(s.labels).get("radio")): s.value for s in decode.samples(profile, answers, {}, 0.0)}

    expected: dict[tuple[str, str | None], float] = {}
    for index, (clients, channel) in rows.items():
        name = ".".join(map(str, index)) or None
        expected["wifi_radio_clients", name] = clients
        if channel is not None:
            expected["wifi_radio_channel", name] = channel
    assert told == expected


VENDORS = [each.placed("1.3.6.1.4.1.99999.1") for each in profiles() if each.layer == "device"]
"""Those with a branch for each model, in that of one."""
BASE = [each for each in profiles() if each.layer == "base"]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_profile_tells_what_cannot_be_whatever_the_device_answers(data: st.DataObject) -> None:
    profile = combine([*BASE, data.draw(st.sampled_from(VENDORS))])
    names = [(table, column) for table in ("scalars", *profile.tables) for column in profile.columns(table)]
    suffixes = data.draw(st.lists(INDEXES, min_size=1, max_size=3, unique=True))
    answers: dict[bytes, dict[bytes, Cell]] = {}
    for table, column in data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=12, unique=True)):
        rows = [()] if table == "scalars" else suffixes
        answers[profile.root(table, column)] = {ber.encode_index(index): data.draw(CELLS) for index in rows}

    wider = {rule.metric for rule in profile.metrics if rule.wider}
    for sample in decode.samples(profile, answers, {"device": "d"}, 0.0):
        bounds = (WIDER if sample.metric in wider else BOUNDS).get(sample.metric)
        assert isfinite(sample.value)
        assert bounds is None or any(each.hold(sample.value) for each in bounds), sample
        assert all(value.isprintable() for _, value in sample.labels), sample
