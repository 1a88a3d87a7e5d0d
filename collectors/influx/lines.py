"""Samples as InfluxDB line protocol: the metric is the measurement, labels are tags, the one field is ``value``.

One field has one type for ever (a server refuses a change): counters are unsigned integers, exact to 64 bits, the rest
are floats.
"""

from typing import Any

from influxdb_client.client.write.point import Point

from collectors.known import known
from collectors.sample import Labels, Sample

MOST_SERIES = 200_000
"""Beginnings of lines that are remembered; beyond, all are forgotten and learned anew."""
_PLACEHOLDER = " value=0"
UNSIGNED_64 = 2**64


class Lines:
    """Renders samples; the escaped beginning of each series is made once, by influxdb-client."""

    def __init__(self) -> None:
        self._beginnings: dict[tuple[str, Labels], str] = {}

    def of(self, sample: Sample) -> str:
        r"""One line, without its newline; the time in milliseconds.

        >>> Lines().of(Sample("port_receive_bytes_total", (("port", "eth 0"),), 2**64 - 1, 1_790_000_000.5))
        'port_receive_bytes_total,port=eth\\ 0 value=18446744073709551615u 1790000000500'
        >>> Lines().of(Sample("optical_rx_power_dbm", (), -2, 0))
        'optical_rx_power_dbm value=-2.0 0'
        """
        key = (sample.metric, sample.labels)
        beginning = self._beginnings.get(key)
        if beginning is None:
            if len(self._beginnings) >= MOST_SERIES:
                self._beginnings.clear()
            beginning = self._beginnings[key] = _beginning(sample)
        return f"{beginning} value={_value(sample)} {round(sample.at * 1000)}"


def _beginning(sample: Sample) -> str:
    make: Any = Point
    point = make(sample.metric)
    for name, value in sample.labels:
        point.tag(name, value)
    return str(point.field("value", 0).to_line_protocol()).rpartition(_PLACEHOLDER)[0]


def _value(sample: Sample) -> str:
    if known().metrics[sample.metric].kind == "counter":
        return f"{int(sample.value) % UNSIGNED_64}u"
    return repr(float(sample.value))
