"""The text for Prometheus, read back by the reference parser."""

import gc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from collectors import prometheus
from collectors.layout import Part, Readings, layout
from collectors.sample import Labels, Sample
from parvis import catalogue

LABELS = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=20)


def read_back(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@given(st.dictionaries(LABELS, st.one_of(st.integers(-(2**52), 2**52), st.floats(allow_nan=False)), max_size=8))
def test_s42_the_reference_parser_reads_what_is_written(values: dict[str, float]) -> None:
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


def test_g08_the_same_series_twice_costs_one_sample_and_is_counted() -> None:
    twice = [Sample("port_up", (("port", "eth0"),), value, 0) for value in (1, 0)]

    rendered = prometheus.blocks([*twice, Sample("port_up", (("port", "eth1"),), 1, 0)])

    assert rendered.dropped == 1
    assert rendered.blocks == {"port_up": 'port_up{port="eth0"} 1\nport_up{port="eth1"} 1\n'}


def test_the_lines_of_several_devices_share_one_header() -> None:
    parts = [prometheus.blocks([Sample("snmp_up", (("device", name),), 1, 0)]).blocks for name in ("a", "b")]

    assert prometheus.page(parts).count("# TYPE") == 1
    assert len(read_back(prometheus.page(parts))) == 2


def test_g35_a_counter_wraps_where_a_float_stops_being_exact() -> None:
    text = prometheus.render([Sample("port_receive_bytes_total", (), 2**64 - 1, 0)])

    assert read_back(text) == {("port_receive_bytes_total", frozenset()): 2**53 - 1}


def test_a_metric_that_is_not_in_the_catalogue_does_not_leave() -> None:
    with pytest.raises(KeyError, match="did you mean port_up"):
        prometheus.render([Sample("port_upp", (), 1, 0)])


TEXT = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=8)
VALUE = st.one_of(st.none(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False, allow_infinity=False))


@given(
    st.dictionaries(TEXT, st.tuples(VALUE, VALUE), min_size=1, max_size=6),
    st.sampled_from([(), (("device", "sw"),), (("site", '100 %s "}\n'), ("device", "sw\\\n"))]),
    st.booleans(),
)
def test_templates_say_what_single_lines_say(
    values: dict[str, tuple[float | None, float | None]], base: Labels, alone: bool
) -> None:
    """Percent signs, quotes, line ends in labels; missing values; a series without further labels."""
    labels = [(("port", port),) for port in values] + ([()] if alone else [])
    layouts = (layout("port_up", labels), layout("port_receive_bytes_total", labels))
    columns = [[pair[at] for pair in values.values()] + ([3] if alone else []) for at in (0, 1)]
    found = Readings(base, 0.0, tuple(Part(*each) for each in zip(layouts, columns, strict=True)))

    assert prometheus.readings(found) == {
        **{each.metric: "" for each in layouts},
        **prometheus.blocks(found).blocks,
    }


def test_a_template_is_made_once_for_all_devices_and_forgotten_with_its_layout() -> None:
    one, other = (layout("port_up", [(("port", "only here"),)]) for _ in range(2))

    assert prometheus.template(one.rows, bare=False) is prometheus.template(other.rows, bare=False)
    assert prometheus.template(one.rows, bare=False) is not prometheus.template(one.rows, bare=True)

    kept = len(prometheus._owned)
    del one, other
    gc.collect()
    assert len(prometheus._owned) < kept


def test_doubles_within_a_layout_and_across_layouts_are_seen() -> None:
    port = (("port", "1"),)

    assert prometheus.has_doubles([layout("port_up", [port, port])])
    assert prometheus.has_doubles([layout("port_up", [port]), layout("port_up", [port, ()])])
    assert not prometheus.has_doubles([layout("port_up", [port]), layout("port_admin_up", [port])])
