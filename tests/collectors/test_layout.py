"""The flat form of a poll: series learned once, values each time."""

from collectors.layout import Part, Readings, gather, layout
from collectors.sample import Sample

BASE = (("town", "cachan"), ("device", "sw-1"))
SAMPLES = [
    Sample("port_up", (*BASE, ("port", "1")), 1, 5.0),
    Sample("port_up", (*BASE, ("port", "2")), 0, 5.0),
    Sample("device_uptime_seconds", BASE, 7.5, 5.0),
]


def test_what_is_gathered_is_given_back() -> None:
    assert list(gather(BASE, 5.0, SAMPLES)) == SAMPLES


def test_devices_whose_ports_are_called_the_same_share_their_layouts() -> None:
    first, second = gather(BASE, 5.0, SAMPLES), gather((("device", "sw-2"),), 6.0, ())
    again = gather(BASE, 6.0, SAMPLES)

    assert [part.layout for part in again.parts] == [part.layout for part in first.parts]
    assert second.parts == ()


def test_a_series_without_a_value_is_no_sample() -> None:
    ports = layout("port_up", [(("port", "1"),), (("port", "2"),)])
    readings = Readings(BASE, 5.0, (Part(ports, [None, 0]),))

    assert list(readings) == [SAMPLES[1]]
    assert len(readings) == 1
