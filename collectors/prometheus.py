"""The Prometheus text format 0.0.4, written for what we have: many samples of few metrics, all in the catalogue.

Each device's lines are made once, when it is polled; a scrape only joins them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from collectors.sample import Labels, Sample
from parvis import catalogue

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
EXACT = 2**53
"""Counters wrap here, where a float stops being exact, as snmp_exporter's do."""

Blocks = Mapping[str, str]
"""For each metric its lines, each ended by a newline."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The lines of some samples, and how many samples were dropped because their series had been given already."""

    blocks: Blocks
    dropped: int


def blocks(samples: Iterable[Sample]) -> Rendered:
    """Render *samples*; a second sample of one series is dropped and counted, never the whole page."""
    lines: dict[str, list[str]] = {}
    seen: set[tuple[str, Labels]] = set()
    dropped = 0
    for sample in samples:
        series = (sample.metric, sample.labels)
        if series in seen:
            dropped += 1
            continue
        seen.add(series)
        lines.setdefault(sample.metric, []).append(line(sample))
    return Rendered({metric: "".join(found) for metric, found in lines.items()}, dropped)


def page(parts: Iterable[Blocks], announced: Iterable[str] = ()) -> str:
    """One page from the lines of several devices; HELP and TYPE come from the catalogue, in its order.

    *announced* metrics have their HELP and TYPE even without a sample, so that a reader knows what could be there.
    A metric the catalogue lacks is a KeyError: nothing else may leave the process.
    """
    gathered: dict[str, list[str]] = {name: [] for name in announced}
    for part in parts:
        for metric, text in part.items():
            gathered.setdefault(metric, []).append(text)
    for metric in gathered:
        catalogue.metric(metric)
    written = [name for name in catalogue.metrics() if name in gathered]
    return "".join(header(name) + "".join(gathered[name]) for name in written)


def render(samples: Iterable[Sample]) -> str:
    """One page from *samples*.

    >>> print(render([Sample("snmp_up", (("device", "ap-1"),), 1, 0.0)]), end="")
    # HELP snmp_up 1 if the last poll of the device succeeded, else 0.
    # TYPE snmp_up gauge
    snmp_up{device="ap-1"} 1
    """
    return page([blocks(samples).blocks])


def header(metric: str) -> str:
    """The two comment lines of a metric."""
    entry = catalogue.metric(metric)
    help_text = entry.help.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {metric} {help_text}\n# TYPE {metric} {entry.kind}\n"


def line(sample: Sample) -> str:
    """One sample as a line."""
    labels = ",".join(f'{name}="{escaped(value)}"' for name, value in sample.labels)
    series = f"{sample.metric}{{{labels}}}" if labels else sample.metric
    return f"{series} {number(sample.value)}\n"


def escaped(text: str) -> str:
    r"""A label value.

    >>> print(escaped('a"b\\c'))
    a\"b\\c
    """
    if '"' not in text and "\\" not in text and "\n" not in text:
        return text
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def number(value: float) -> str:
    """A value; whole numbers without a fraction, and modulo 2^53.

    >>> number(2**53 + 7), number(0.25), number(-61.0), number(float("nan"))
    ('7', '0.25', '-61', 'NaN')
    """
    if isinstance(value, int):
        return str(value % EXACT if value >= EXACT else value)
    if value != value:  # noqa: PLR0124 the definition of NaN
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
