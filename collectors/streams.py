"""Decoding only what changed: series whose labels hold take their new values straight from a plan. No I/O, no clock.

The rules are those of decode.py, which is asked whenever anything but plain values has changed; what it says is then
remembered together with the cells each value came from.
"""

import marshal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from typing import Any

from collectors import decode
from collectors.column import Column
from collectors.decode import Answers
from collectors.fibre import module
from collectors.layout import Layout, Part, gather
from collectors.plausibility import BOUNDS, doubt
from collectors.profile import SCALARS, Profile
from collectors.reach import Reach, is_as_it_stands
from collectors.sample import Labels, Sample
from collectors.snmp import ber
from collectors.snmp.ber import RawOid, Value
from collectors.snmp.fetch import Known
from collectors.snmp.plan import Plan
from collectors.snmp.values import Pick, Values

NUMBERS = frozenset((ber.INTEGER, *ber.UNSIGNED))


@dataclass(slots=True)
class Held:
    """A table that is asked by plan, and its last values. Learned anew, it is another object."""

    plan: Plan
    values: Values
    """Each poll puts its values in place of the last ones."""
    kept_at: float = 0.0
    known: Known = field(default_factory=Known)
    """What is remembered of the last answers (fetch.py)."""
    first: tuple[Plan, Values] | None = None
    """The values first found, until it is known what moves."""
    polls: int = 0

    def ask_by(self, plan: Plan) -> None:
        """Ask by another plan of the same cells from now on."""
        self.values = plan.laid(self.plan.flat(self.values))
        self.plan = plan


@dataclass(slots=True)
class Stream:
    """The values of one rule and the *cells* they come from, by their numbers in the table's plan.

    *columns* is empty where a cell's integer is the value; it has one entry where all cells are of one column.
    """

    layout: Layout
    table: str
    cells: tuple[int, ...]
    columns: tuple[tuple[Column, int], ...]
    wider: bool = False
    raw: Any = None
    values: list[float | None] = field(default_factory=list)
    _plan: Plan | None = None
    _pick: Pick | None = None

    def pick(self, plan: Plan) -> Pick:
        """What takes the cells out of the values of *plan*."""
        if self._pick is None or self._plan is not plan:
            self._plan, self._pick = plan, plan.pick(self.cells)
        return self._pick


@dataclass(slots=True)
class Context:
    """What of a table decides about labels and about which series there are: its *columns*, and some *cells* more.

    Of what it said only a hash is kept, and which version of the values it is of; None: numbers are among it, which
    have no versions.
    """

    table: Held
    columns: tuple[RawOid, ...]
    cells: tuple[int, ...]
    values: Values | None = None
    version: int | None = None
    said: int = 0

    def look(self) -> bool:
        """Whether it says what it said when last looked at."""
        values = self.table.values
        if self.values is values and self.version == values.version:
            return True
        plan, before = self.table.plan, self.said
        where = [plan.places[root] for root in self.columns]
        found = [list(values.take(each)) for each in where]
        has_numbers = any(each.are_numbers for each in where)
        if self.cells:
            pick = plan.pick(self.cells)
            found.append(list(pick.take(pick.source(values))))
            has_numbers |= pick.are_numbers is not False
        self.said = hash(marshal.dumps(found, 2))  # version 2: equal values are the same octets
        self.values, self.version = values, None if has_numbers else values.version
        return self.said == before


@dataclass(slots=True)
class Streams:
    """What was decoded of one device, kept up to date; by the places of its rules, those that tell nothing left out."""

    profile: Profile
    reach: Reach
    _parts: dict[int, tuple[Part, ...]] = field(default_factory=dict)
    _implausible: dict[int, int] = field(default_factory=dict)
    _streams: dict[int, Stream] = field(default_factory=dict)
    _contexts: dict[str, Context] = field(default_factory=dict)
    _watched: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def update(self, held: Mapping[str, Held], loose: Answers) -> tuple[Part, ...]:
        """The parts after a poll: *held* are the tables asked by plan, *loose* the columns of all others."""
        stale = {name for name in (SCALARS, *self.profile.tables) if name not in held}
        stale.update(name for name, table in held.items() if not self._is_same(name, table))
        wrong = set()
        if stale:
            wrong = {place for place, tables in enumerate(self.reach.tables) if not tables.isdisjoint(stale)}
        parts = self._parts
        for place, stream in self._streams.items():
            if place in wrong:
                continue
            table = held[stream.table]
            pick = stream.pick(table.plan)
            if not stream.columns and not table.known.void:
                source, before = pick.source(table.values), parts[place][0]
                if before.source is not source or before.pick is not pick.take:
                    parts[place] = (Part(stream.layout, source, pick.take),)
                continue
            values = _values(stream, pick.take(pick.source(table.values)))
            if values is None:
                wrong.add(place)
            elif values is not parts[place][0].source:
                parts[place] = (Part(stream.layout, values),)
        if wrong:
            metrics = {self.profile.metrics[place].metric for place in wrong}
            self._decode(wrong.union(*(self.reach.after[metric] for metric in metrics)), held, loose)
            self._parts = parts = dict(sorted(parts.items()))
        return tuple(chain.from_iterable(parts.values()))

    @property
    def implausible(self) -> int:
        """How many values of the last update no such thing can have."""
        return sum(self._implausible.values())

    def _is_same(self, name: str, table: Held) -> bool:
        known = self._contexts.get(name)
        return known is not None and known.table is table and known.look()

    def _decode(self, wrong: set[int], held: Mapping[str, Held], loose: Answers) -> None:
        needed = set().union(*(self.reach.tables[place] for place in wrong))
        own = {self.profile.metrics[place].table for place in wrong}
        answers = dict(loose)
        for name in needed.intersection(held):
            cells = held[name].plan.cells(held[name].values)
            wanted = cells if name in own else self._context_roots(name)
            answers |= {root: cells[root] for root in wanted if root in cells}
        asked = replace(
            self.profile,
            tables={name: table for name, table in self.profile.tables.items() if name in needed},
            scalars=self.profile.scalars if SCALARS in needed else {},
        )
        tables = decode.derived(asked, answers)
        for place in sorted(wrong - self.reach.joint):
            self._learn(place, tables, held)
        if wrong & self.reach.joint:
            self._conclude(tables)
        for name in needed.intersection(held):
            self._note_context(name, held[name])

    def _learn(self, place: int, tables: decode.Rows, held: Mapping[str, Held]) -> None:
        rule = self.profile.metrics[place]
        sifted = decode.sift(rule, tables, (), self._told(place) if rule.unless_told else frozenset())
        self._doubted(place, sifted.implausible)
        self._streams.pop(place, None)
        self._watched.pop(place, None)
        self._keep(place, [Sample(rule.metric, own, value, 0) for own, value, _ in sifted.values])
        table = held.get(rule.table)
        if table and self.reach.is_plain[place]:
            self._trace(place, [row for _, _, row in sifted.values if row is not None], tables, table)

    def _told(self, place: int) -> set[Labels]:
        """The series that earlier rules tell of the same metric."""
        metric = self.profile.metrics[place].metric
        parts = [part for earlier, parts in self._parts.items() if earlier < place for part in parts]
        return {labels for part in parts if part.layout.metric == metric for labels in part.layout.rows.each()}

    def _conclude(self, tables: decode.Rows) -> None:
        """What all rules about optical modules say together."""
        found: list[Sample] = []
        dark: list[tuple[str, Labels]] = []
        for place in self.reach.joint:
            rule = self.profile.metrics[place]
            sifted = decode.sift(rule, tables, ())
            self._doubted(place, sifted.implausible)
            found += [Sample(rule.metric, own, value, 0) for own, value, _ in sifted.values]
            dark += [(rule.metric, own) for own in sifted.dark]
        self._keep(min(self.reach.joint), module.complete(found, dark, 0))

    def _keep(self, place: int, samples: list[Sample]) -> None:
        """The new parts of a rule, made before the old ones go, so that a layout that holds stays the same object."""
        found = gather((), 0, samples).parts
        if found:
            self._parts[place] = found
        else:
            self._parts.pop(place, None)

    def _doubted(self, place: int, many: int) -> None:
        if many:
            self._implausible[place] = many
        else:
            self._implausible.pop(place, None)

    def _trace(self, place: int, rows: list[bytes], tables: decode.Rows, table: Held) -> None:
        """Note from which cell each value came, and which cells, if they changed, would be preferred to it."""
        rule = self.profile.metrics[place]
        at = {name: _places(table.plan, self.profile.root(rule.table, name)) for name in rule.value}
        cells: list[int] = []
        columns: list[tuple[Column, int]] = []
        known: dict[tuple[str, int], tuple[Column, int]] = {}  # one for all rows: each device keeps its own
        watched: set[int] = set()
        left = {row for here in at.values() for row in here}.difference(rows)
        for row in rows:
            for name in rule.value:
                if row not in at[name]:
                    continue
                cell, tag = at[name][row]
                if tables[rule.table][row].get(name) is not None:
                    cells.append(cell)
                    columns.append(known.setdefault((name, tag), (self.profile.columns(rule.table)[name], tag)))
                    break
                watched.add(cell)
        watched.update(here[row][0] for here in at.values() for row in left if row in here)
        if watched:
            self._watched[place] = shared(tuple(sorted(watched)))
        if cells:
            is_plain = rule.metric not in BOUNDS and all(t in NUMBERS and is_as_it_stands(c) for c, t in columns)
            layout = self._parts[place][0].layout
            of = () if is_plain else tuple(known.values()) if len(known) == 1 else tuple(columns)
            self._streams[place] = Stream(layout, rule.table, shared(tuple(cells)), of, rule.wider)

    def _context_roots(self, name: str) -> set[RawOid]:
        columns = self.profile.columns(name)
        return {self.profile.root(name, column) for column in self.reach.context[name] if column in columns}

    def _note_context(self, name: str, table: Held) -> None:
        roots = self._context_roots(name)
        watched = {
            cell
            for place, cells in self._watched.items()
            if self.profile.metrics[place].table == name
            for cell in cells
        }
        columns = tuple(column.root for column in table.plan.columns if column.root in roots)
        self._contexts[name] = context = Context(table, columns, shared(tuple(sorted(watched))))
        context.look()


def _values(stream: Stream, raw: Sequence[Value]) -> list[float | None] | None:
    """What the cells of *stream* say now; None when one lost its value, so that the rule has to be asked again."""
    if not stream.columns:
        return None if None in raw else list(raw)  # type: ignore[arg-type] # plain columns have numbers
    if raw == stream.raw:
        return stream.values
    found = _read(stream.columns, raw)
    if any(value is None or doubt(stream.layout.metric, value, wider=stream.wider) for value in found):
        return None
    stream.raw, stream.values = raw, found
    return found


def _read(columns: tuple[tuple[Column, int], ...], raw: Sequence[Value]) -> list[float | None]:
    """Cells as their columns say; ports that say the same have the same object."""
    if len(columns) > 1:
        return [decode.plain(column, (tag, cell)) for (column, tag), cell in zip(columns, raw, strict=True)]
    [(column, tag)] = columns
    known: dict[Value, float | None] = {}
    for cell in raw:
        if cell not in known:
            known[cell] = decode.plain(column, (tag, cell))
    return [known[cell] for cell in raw]


def _places(plan: Plan, root: RawOid) -> dict[bytes, tuple[int, int]]:
    """The number of each row's cell of a column, and its tag."""
    where = plan.starts().get(root)
    if where is None:
        return {}
    column = next(each for each in plan.columns if each.root == root)
    return {row: (where.start + place, column.tags[place]) for place, row in enumerate(column.rows)}


@lru_cache(maxsize=4096)
def shared(cells: tuple[int, ...]) -> tuple[int, ...]:
    """The same object for all devices whose rows are the same."""
    return cells
