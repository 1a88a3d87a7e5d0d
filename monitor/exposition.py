"""What a page in Prometheus's text format says, as far as it is wanted. No I/O, no clock."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from math import isfinite

from prometheus_client.parser import text_string_to_metric_families


@dataclass(frozen=True, slots=True)
class Figure:
    """One sample: the metric's name, its labels, its value, always a finite number."""

    metric: str
    labels: Mapping[str, str]
    value: float


class NoMetrics(Exception):
    """What was read is no page of metrics; whoever serves it is at fault."""


def figures(text: str, wanted: Callable[[str], bool]) -> tuple[Figure, ...]:
    r"""The samples of the lines for which *wanted* says yes; NoMetrics.

    >>> figures('a{b="c"} 2\nd 3\n', named({"a"}))
    (Figure(metric='a', labels={'b': 'c'}, value=2.0),)
    """
    kept = "".join(f"{line}\n" for line in text.split("\n") if line and line[0] != "#" and wanted(line))
    try:
        return tuple(
            Figure(sample.name, sample.labels, float(sample.value))
            for family in text_string_to_metric_families(kept)
            for sample in family.samples
            if isfinite(sample.value)
        )
    except (ValueError, IndexError, KeyError) as error:
        raise NoMetrics(f"no metrics in Prometheus's text format: {type(error).__name__}") from error


def named(names: Collection[str]) -> Callable[[str], bool]:
    """Lines of the metrics called *names*."""
    starts = tuple(end for name in names for end in (f"{name}{{", f"{name} "))
    return lambda line: line.startswith(starts)


def of_device(device: str) -> Callable[[str], bool]:
    """Lines that carry the label device, or ap, with this value."""
    labels = f'device="{device}"', f'ap="{device}"'
    return lambda line: labels[0] in line or labels[1] in line
