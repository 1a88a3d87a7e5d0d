"""The Prometheus text format 0.0.4, written for what we have: many values of few metrics, the same series each time.

The labels of a table's rows are rendered once, for all its metrics and all devices that have the same, with holes for
metric, device and values; a scrape joins numbers into these templates.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from weakref import WeakKeyDictionary

from collectors.compiled import core
from collectors.known import known
from collectors.layout import Layout, Part, Readings, Rows
from collectors.sample import Labels, Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
EXACT = 2**53
"""Counters wrap here, where a float stops being exact, as snmp_exporter's do."""
NEXT = "\n"
NOTHING = "\0"
"""Stands where a value would while a template is filled; its line is taken out."""

Blocks = Mapping[str, str]
"""For each metric its lines, each ended by a newline."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """The lines of some samples, and how many samples were dropped because their series had been given already."""

    blocks: Blocks
    dropped: int


Templates = WeakKeyDictionary[Rows, str]
_bare: Templates = WeakKeyDictionary()
_owned: Templates = WeakKeyDictionary()
_bare_pieces: Templates = WeakKeyDictionary()
_owned_pieces: Templates = WeakKeyDictionary()


def template(rows: Rows, *, bare: bool) -> str:
    r"""The lines of *rows* with ``%s`` for the values, without their beginnings: metric and device's own labels.

    *bare*: there are no such labels. It is made once and kept as long as the rows are. No label has a line's end in it.

    >>> from collectors.layout import layout
    >>> template(layout("port_up", [(("port", "1"),), (("port", "2"),)]).rows, bare=False)
    ',port="1"} %s\n,port="2"} %s'
    """
    kept = _bare if bare else _owned
    found = kept.get(rows)
    if found is None:
        found = kept[rows] = "\n".join([f"{line.replace('%', '%%')} %s" for line in _behind(rows, bare=bare)])
    return found


def pieces(rows: Rows, *, bare: bool) -> str:
    """The same for the compiled core, which wants nothing but the lines up to their values."""
    kept = _bare_pieces if bare else _owned_pieces
    found = kept.get(rows)
    if found is None:
        found = kept[rows] = "\n".join([f"{line} " for line in _behind(rows, bare=bare)])
    return found


def _behind(rows: Rows, *, bare: bool) -> Iterator[str]:
    """What stands in each line behind the metric's name or, unless *bare*, the brace and the device's own labels."""
    for labels in rows.each():
        written = _written(labels)
        if bare:
            yield f"{{{written}}}" if labels else ""
        else:
            yield f",{written}}}" if labels else "}"


def _written(labels: Labels) -> str:
    return ",".join([f'{name}="{escaped(value)}"' for name, value in labels])


def filled(part: Part, own: str) -> str:
    """The lines of *part* of a device whose own labels are *own*; where there is no value, no line."""
    if core:
        rows = pieces(part.layout.rows, bare=not own)
        lines: str = core.render(rows, beginning(part.layout, own), part.values, number)
        return lines
    return in_python(part, own)


def beginning(layout: Layout, own: str) -> str:
    """How each line of *layout* begins."""
    return f"{layout.metric}{{{own}" if own else layout.metric


def in_python(part: Part, own: str) -> str:
    """The same without the compiled core: the template takes the values all at once."""
    texts = [
        value if value.__class__ is int and value < EXACT else NOTHING if value is None else number(value)
        for value in part.values
    ]
    if not texts:
        return ""
    begins = beginning(part.layout, own).replace("%", "%%")
    lines = template(part.layout.rows, bare=not own)
    text = f"{begins}{lines.replace(NEXT, NEXT + begins)}\n" % tuple(texts)
    if NOTHING not in texts:
        return text
    return "".join([f"{line}\n" for line in text.split("\n") if line and not line.endswith(NOTHING)])


def has_doubles(layouts: Iterable[Layout]) -> bool:
    """Whether two of the series are the same."""
    listed = [(layout.metric, labels) for layout in layouts for labels in layout.rows.each()]
    return len(set(listed)) < len(listed)


def readings(found: Readings) -> Blocks:
    """The lines of *found*, none of whose series may be given twice."""
    lines: dict[str, list[str]] = {}
    own = _written(found.base)
    for part in found.parts:
        lines.setdefault(part.layout.metric, []).append(filled(part, own))
    return {metric: "".join(texts) for metric, texts in lines.items()}


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
    return {name: place for place, name in enumerate(known().metrics) if name not in known().foreign}


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
    entry = known().metric(metric)
    help_text = entry.help.replace("\\", "\\\\").replace("\n", "\\n")
    return f"# HELP {metric} {help_text}\n# TYPE {metric} {entry.kind}\n"


def line(sample: Sample) -> str:
    """One sample as a line."""
    written = _written(sample.labels)
    series = f"{sample.metric}{{{written}}}" if written else sample.metric
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
