"""The Prometheus text format 0.0.4, written for what we have: many values of few metrics, the same series each time.

The labels of a layout are rendered once, for all devices that share it, with holes for the device's own labels and for
the values; a scrape joins numbers into these templates.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from weakref import WeakKeyDictionary

from collectors import foreign
from collectors.layout import Layout, Part, Readings
from collectors.sample import Labels, Sample
from parvis import catalogue

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
EXACT = 2**53
"""Counters wrap here, where a float stops being exact, as snmp_exporter's do."""
BEFORE_MORE = "{\n"
"""In a template: where the device's own labels and a comma go; no line ends so, nor has a label's value such an end."""
ALONE = "}\n"
"""In a template: where the device's own labels go, in braces, when there are no others."""

Blocks = Mapping[str, str]
"""For each metric its lines, each ended by a newline."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The lines of some samples, and how many samples were dropped because their series had been given already."""

    blocks: Blocks
    dropped: int


@dataclass(frozen=True, slots=True)
class Template:
    """The text of one layout: the beginning of each line, and all lines in one with ``%s`` for the values."""

    lines: tuple[str, ...]
    whole: str


_templates: WeakKeyDictionary[Layout, Template] = WeakKeyDictionary()


def template(layout: Layout) -> Template:
    """The one template of *layout*, kept as long as the layout is."""
    found = _templates.get(layout)
    if found is None:
        lines = tuple(_beginning(layout.metric, labels) for labels in layout.labels)
        found = _templates[layout] = Template(lines, "".join(f"{line.replace('%', '%%')}%s\n" for line in lines))
    return found


def _beginning(metric: str, labels: Labels) -> str:
    if not labels:
        return f"{metric}{ALONE} "
    return f"{metric}{BEFORE_MORE}{_written(labels)}}} "


def _written(labels: Labels) -> str:
    return ",".join(f'{name}="{escaped(value)}"' for name, value in labels)


def filled(part: Part) -> str:
    """The lines of *part*, its holes for the device's own labels still open; where there is no value, no line."""
    made = template(part.layout)
    if None in part.values:
        pairs = zip(made.lines, part.values, strict=True)
        return "".join([f"{line}{number(value)}\n" for line, value in pairs if value is not None])
    texts = [value if value.__class__ is int and value < EXACT else number(value) for value in part.values]  # type: ignore[arg-type]
    return made.whole % tuple(texts)


def named(text: str, base: Labels) -> str:
    """*text* with the device's own labels in its holes."""
    own = _written(base)
    return text.replace(BEFORE_MORE, f"{{{own}," if own else "{").replace(ALONE, f"{{{own}}}" if own else "")


def has_doubles(layouts: Iterable[Layout]) -> bool:
    """Whether two of the series are the same."""
    listed = [(layout.metric, labels) for layout in layouts for labels in layout.labels]
    return len(set(listed)) < len(listed)


def readings(found: Readings) -> Blocks:
    """The lines of *found*, none of whose series may be given twice."""
    lines: dict[str, list[str]] = {}
    for part in found.parts:
        lines.setdefault(part.layout.metric, []).append(filled(part))
    return {metric: named("".join(texts), found.base) for metric, texts in lines.items()}


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
    A metric neither the catalogue nor a module has is a KeyError: nothing else may leave the process.
    """
    gathered: dict[str, list[str]] = {name: [] for name in announced}
    for part in parts:
        for metric, text in part.items():
            gathered.setdefault(metric, []).append(text)
    places = _places()
    written = sorted(gathered, key=lambda name: places.get(name, len(places)))
    return "".join(header(name) + "".join(gathered[name]) for name in written)


@cache
def _places() -> Mapping[str, int]:
    return {name: place for place, name in enumerate(catalogue.metrics())}


def render(samples: Iterable[Sample]) -> str:
    """One page from *samples*.

    >>> print(render([Sample("snmp_up", (("device", "ap-1"),), 1, 0.0)]), end="")
    # HELP snmp_up 1 if the last poll of the device succeeded, else 0.
    # TYPE snmp_up gauge
    snmp_up{device="ap-1"} 1
    """
    return page([blocks(samples).blocks])


@cache
def header(metric: str) -> str:
    """The two comment lines of a metric."""
    entry = foreign.metric(metric)
    help_text = entry.help.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {metric} {help_text}\n# TYPE {metric} {entry.kind}\n"


def line(sample: Sample) -> str:
    """One sample as a line."""
    beginning = _beginning(sample.metric, sample.labels)
    return named(f"{beginning}{number(sample.value)}\n", ())


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
