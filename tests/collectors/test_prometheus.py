"""The text for Prometheus, read back by the reference parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from collectors import prometheus
from collectors.sample import Sample
from parvis import catalogue

LABELS = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=20)


def read_back(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@given(st.dictionaries(LABELS, st.one_of(st.integers(-(2**52), 2**52), st.floats(allow_nan=False)), max_size=8))
def test_the_reference_parser_reads_what_is_written(values: dict[str, float]) -> None:
    samples = [Sample("port_up", (("device", "sw"), ("port", port)), value, 0) for port, value in values.items()]

    found = read_back(prometheus.render(samples))

    assert found == {("port_up", frozenset({("device", "sw"), ("port", p)})): v for p, v in values.items()}


def test_help_and_type_come_from_the_catalogue_once() -> None:
    samples = [Sample("port_receive_bytes_total", (("port", port),), 1, 0) for port in ("1", "2")]

    lines = prometheus.render(samples).splitlines()

    assert lines[:2] == [
        f"# HELP port_receive_bytes_total {catalogue.metric('port_receive_bytes_total').help}",
        "# TYPE port_receive_bytes_total counter",
    ]
    assert len(lines) == 4


def test_the_same_series_twice_costs_one_sample_and_is_counted() -> None:
    twice = [Sample("port_up", (("port", "eth0"),), value, 0) for value in (1, 0)]

    rendered = prometheus.blocks([*twice, Sample("port_up", (("port", "eth1"),), 1, 0)])

    assert rendered.dropped == 1
    assert rendered.blocks == {"port_up": 'port_up{port="eth0"} 1\nport_up{port="eth1"} 1\n'}


def test_the_lines_of_several_devices_share_one_header() -> None:
    parts = [prometheus.blocks([Sample("snmp_up", (("device", name),), 1, 0)]).blocks for name in ("a", "b")]

    assert prometheus.page(parts).count("# TYPE") == 1
    assert len(read_back(prometheus.page(parts))) == 2


def test_a_counter_wraps_where_a_float_stops_being_exact() -> None:
    text = prometheus.render([Sample("port_receive_bytes_total", (), 2**64 - 1, 0)])

    assert read_back(text) == {("port_receive_bytes_total", frozenset()): 2**53 - 1}


def test_a_metric_that_is_not_in_the_catalogue_does_not_leave() -> None:
    with pytest.raises(KeyError, match="did you mean port_up"):
        prometheus.render([Sample("port_upp", (), 1, 0)])
