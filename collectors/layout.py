"""What one poll found, as flat lists: the layout (which series, in which order) is learned once, the values each time.

A ``Layout`` is one metric of one table of one kind of device: the labels of its series without the device's own
(town, site, device). Its ``Rows`` are the same object from poll to poll as long as no label changes, and the same
for all devices, and all metrics of a table, whose labels agree: what is made of labels (a text template) may be kept
under their identity, with a hole where metric and device go. ``Part.values`` has one place for each series; None: no
value.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from collectors.sample import Labels, Sample


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Words:
    """What one label says in each of some rows, None where a row has no such label. The same object where all agree."""

    said: tuple[str | None, ...]


@dataclass(slots=True, eq=False, weakref_slot=True)
class Rows:
    """The labels of some series, in a fixed order; compared and hashed by identity. Made by ``layout``.

    *columns*: label by label, as most devices have most of them in common; empty where rows differ in their order.
    """

    columns: tuple[tuple[str, Words], ...]
    _listed: tuple[Labels, ...] | None = None

    @property
    def labels(self) -> tuple[Labels, ...]:
        """Row by row, and from now on in memory; ``each`` makes them for once."""
        if self._listed is None:
            self._listed = tuple(self.each())
        return self._listed

    def each(self) -> Iterator[Labels]:
        """Row by row."""
        if self._listed is not None:
            yield from self._listed
            return
        names = [name for name, _ in self.columns]
        for row in zip(*(words.said for _, words in self.columns), strict=True):
            yield tuple([(name, word) for name, word in zip(names, row, strict=True) if word is not None])


class Layout(NamedTuple):
    """The series of one metric: equal where metric and ``Rows`` are. Made by ``layout``."""

    metric: str
    rows: Rows

    @property
    def labels(self) -> tuple[Labels, ...]:
        """Of each series; see Rows."""
        return self.rows.labels


class Part(NamedTuple):
    """The values of one layout; as many as it has series. They are *source*, or what *pick* takes of it.

    A table's variables stand in one list as long as its rows are the same; the next poll puts newer ones there. Who
    never looks at a part never takes its values out of it.
    """

    layout: Layout
    source: Sequence[Any]
    pick: Callable[[Sequence[Any]], Sequence[float | None]] | None = None

    @property
    def values(self) -> Sequence[float | None]:
        """One value for each series, or None where there is none."""
        return self.source if self.pick is None else self.pick(self.source)


@dataclass(frozen=True, slots=True)
class Readings:
    """Everything one poll found: *base* are the device's own labels, *at* is Unix time in seconds.

    >>> parts = (Part(layout("port_up", [(("port", "1"),), (("port", "2"),)]), [1, None]),)
    >>> [sample.labels for sample in Readings((("device", "sw-1"),), 0.0, parts)]
    [(('device', 'sw-1'), ('port', '1'))]
    """

    base: Labels
    at: float
    parts: tuple[Part, ...]

    def __iter__(self) -> Iterator[Sample]:
        for part in self.parts:
            metric, values = part.layout.metric, part.values
            for labels, value in zip(part.layout.labels, values, strict=True):
                if value is not None:
                    yield Sample(metric, self.base + labels, value, self.at)

    def __len__(self) -> int:
        return sum(len(values) - values.count(None) for values in (part.values for part in self.parts))


_rows: WeakValueDictionary[object, Rows] = WeakValueDictionary()
_words: WeakValueDictionary[tuple[str | None, ...], Words] = WeakValueDictionary()


def layout(metric: str, labels: Iterable[Labels]) -> Layout:
    """The layout of *metric* with these *labels*.

    >>> layout("port_up", [(("port", "1"),)]).rows is layout("port_speed", [(("port", "1"),)]).rows
    True
    """
    listed = tuple(labels)
    columns = _columns(listed)
    key: object = columns or listed
    rows = _rows.get(key)
    if rows is None:
        rows = _rows[key] = Rows(columns, None if columns else listed)
    return Layout(metric, rows)


def _columns(listed: tuple[Labels, ...]) -> tuple[tuple[str, Words], ...]:
    """Rows label by label; nothing where there are none, or where two rows have them in another order."""
    longest = max(listed, key=len, default=())
    rows = [dict(row) for row in listed]
    columns = tuple([(name, _shared(tuple([row.get(name) for row in rows]))) for name, _ in longest])
    return columns if list(Rows(columns).each()) == list(listed) else ()


def _shared(said: tuple[str | None, ...]) -> Words:
    found = _words.get(said)
    if found is None:
        found = _words[said] = Words(said)
    return found


def gather(base: Labels, at: float, samples: Iterable[Sample]) -> Readings:
    """Samples in the shape of readings: each run of one metric becomes a part. All must begin with *base*."""
    runs: list[tuple[str, list[Labels], list[float | None]]] = []
    for sample in samples:
        if not runs or runs[-1][0] != sample.metric:
            runs.append((sample.metric, [], []))
        runs[-1][1].append(sample.labels[len(base) :])
        runs[-1][2].append(sample.value)
    return Readings(base, at, tuple(Part(layout(metric, labels), values) for metric, labels, values in runs))
