"""Learned row plans: once a table has been walked, it is asked for exactly, and each answer is compared with it.

A walk finds out what a table holds; from then on the names of its cells are known, so a request asks for exactly as
many rows as there are, several columns side by side, and an answer is read by comparing octets: name and tag of each
cell must be those expected, at that place. A single difference (a row gone, come or moved, a type changed) makes the
answer a ``None``: the table has to be walked again, and no value ever lands in another row. The end of a table is
watched by one more name in its first request, behind which nothing of the table may follow.

A ``Plan`` is the same object for all agents whose tables look alike; the values belong to the caller.
"""

# ruff: noqa: PLR2004 the octets of X.690 are best read as they stand there

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from weakref import WeakValueDictionary

from collectors.snmp import ber, pdu
from collectors.snmp.ber import RawOid, Value
from collectors.snmp.pdu import Kind, Prepared

COLUMNS_AT_ONCE = 16
NAMES_PER_GET = 20

Filled = list[Value] | None
"""The values of a question's cells in order, fewer when the answer was cut short; None: not what was expected."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of a table as it was found: its rows in the order they came, the tag of each, how long it is kept.

    Columns that have not moved so far are asked together: an answer that is the same to the octet need not be read.
    """

    root: RawOid
    rows: tuple[bytes, ...]
    tags: tuple[int, ...]
    keep_seconds: float = 0
    moves: bool = True


@dataclass(frozen=True, slots=True)
class Question:
    """One request of a plan; its answer's values belong into *slots* of the values by turns, *count* of them in all."""

    request: Prepared
    slots: tuple[slice, ...]
    count: int
    order: tuple[int, ...]
    """The place of each value in the order of the answer."""
    is_still: bool = False


def question(request: Prepared, slots: tuple[slice, ...], count: int, *, is_still: bool = False) -> Question:
    """A question whose order follows from its slots."""
    rows = range(count // len(slots)) if slots else ()
    return Question(request, slots, count, tuple(slot.start + row for row in rows for slot in slots), is_still)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Plan:
    """How a table is asked: what *often*, at each poll, and what once in *keep_seconds*. Values stand by columns."""

    columns: tuple[Cells, ...]
    often: tuple[Question, ...]
    kept: tuple[Question, ...]
    keep_seconds: float
    size: int
    budget: int
    way: "Way"

    def slices(self) -> dict[RawOid, slice]:
        """Where each column's values stand."""
        found, at = {}, 0
        for column in self.columns:
            found[column.root] = slice(at, at := at + len(column.rows))
        return found

    def cells(self, values: Sequence[Value]) -> dict[RawOid, dict[bytes, tuple[int, Value]]]:
        """The values as a walk would have found them: for each column its cells by row."""
        return {
            column.root: dict(zip(column.rows, zip(column.tags, values[where], strict=True), strict=True))
            for column, where in zip(self.columns, self.slices().values(), strict=True)
        }


class Way(Enum):
    """How a table is asked: by GETBULK, by GETNEXT where the agent has no usable GETBULK, or (scalars) by GET."""

    ROWS = "rows"
    NAMES = "names"
    SCALARS = "scalars"


@dataclass(frozen=True, slots=True)
class Expected:
    """Reads an answer that must consist of these cells; *guards* are the columns that must have ended.

    *cells*: for each, the encoded name together with the tag of its value; how many octets they are; and how many
    octets an unsigned number may have to be read at once (-1: a signed one; 0: whatever else).
    """

    guards: tuple[RawOid, ...]
    cells: tuple[tuple[bytes, int, int], ...]
    are_unsigned: bool

    def __call__(self, data: bytes, at: int, end: int) -> Filled:
        """The values between *at* and *end*, or None; Malformed when it is no list of variable bindings."""
        behind = self.behind_guards(data, at, end)
        return None if behind is None else self.fill(data, behind, end)

    def fill(self, data: bytes, at: int, end: int) -> Filled:
        """The values of the cells alone."""
        found = unsigned(data, at, end, self.cells) if self.are_unsigned else None
        return fill(data, at, end, self.cells) if found is None else found

    def behind_guards(self, data: bytes, at: int, end: int) -> int | None:
        """Where the cells begin; None when a column goes on where it should have ended."""
        for root in self.guards:
            if at < end:
                (name, tag, _), at = _varbind(data, at, end)
                if tag != ber.END_OF_MIB_VIEW and name.startswith(root):
                    return None
        return at


def unsigned(data: bytes, at: int, end: int, cells: Sequence[tuple[bytes, int, int]]) -> list[Value] | None:
    """Read the values of *cells*, all unsigned numbers, as they are usually spelled; None: they are not.

    This loop is where a poll spends its time. A name that compares equal ends inside *data*, each binding is filled by
    its value and as long as it says, and what was found counts only if the last one ends at *end*.
    """
    found: list[bytes] = []
    put = found.append
    try:
        for name, length, width in cells:
            size_at = at + 2 + length
            first = size_at + 1
            stop = at + 2 + data[at + 1]
            if data[at + 2 : size_at] != name or first + data[size_at] != stop or not first < stop <= first + width:
                return None
            if data[at] != 0x30:
                return None
            put(data[first:stop])
            at = stop
    except IndexError:
        return None
    return list(map(int.from_bytes, found)) if at == end else None


def fill(data: bytes, at: int, end: int, cells: Sequence[tuple[bytes, int, int]]) -> Filled:
    """Read the values of *cells* where each must stand, however they are spelled.

    Each index lies below *end* before it is used: a name that compares equal ends inside *data*, the binding's stop is
    checked against *end* and the value's length against that stop. Whatever is spelled unusually is read step by step.
    """
    found: list[Value] = []
    put = found.append
    begins = data.startswith
    from_bytes = int.from_bytes
    for name, length, width in cells:
        if begins(name, at + 2):
            size_at = at + 2 + length
            stop = at + 2 + data[at + 1]
            if size_at < stop <= end and data[at] == 0x30 and data[at + 1] < 0x80:
                size = data[size_at]
                if size_at + 1 + size == stop and size < 0x80:
                    if 0 < size <= width:
                        put(from_bytes(data[size_at + 1 : stop], "big"))
                    elif width < 0 < size <= 4:
                        put(from_bytes(data[size_at + 1 : stop], "big", signed=True))
                    else:
                        put(ber.value(name[-1], data[size_at + 1 : stop]))
                    at = stop
                    continue
        if at >= end:
            break
        (other, tag, value), at = _varbind(data, at, end)
        if ber.tlv(ber.OBJECT_IDENTIFIER, other) != name[:-1] or tag != name[-1]:
            return None
        put(value)
    return found


def _varbind(data: bytes, at: int, end: int) -> tuple[ber.VarBind, int]:
    _, stop = ber.expect(data, at, end, ber.SEQUENCE)
    [found] = ber.read_varbinds(data, at, stop)
    return found, stop


_known: WeakValueDictionary[tuple[object, ...], Plan] = WeakValueDictionary()
Place = tuple[RawOid, bytes, int]
"""Column, row and tag of a cell."""


def plan(columns: Sequence[Cells], budget: int, way: Way = Way.ROWS) -> Plan:
    """The plan that asks for *columns*, all of which have rows, at most *budget* variables at a time."""
    key = (tuple(columns), budget, way)
    found = _known.get(key)
    if found is None:
        found = _known[key] = _made(tuple(columns), max(budget, 1), way)
    return found


def _made(columns: tuple[Cells, ...], budget: int, way: Way) -> Plan:
    starts, size = {}, 0
    groups: dict[tuple[float, bool, tuple[bytes, ...]], list[Cells]] = {}
    for column in columns:
        starts[column.root], size = size, size + len(column.rows)
        groups.setdefault((column.keep_seconds, column.moves, column.rows), []).append(column)
    asked: dict[bool, list[Question]] = {False: [], True: []}
    for (keep, _, _), group in groups.items():
        ask = _by_rows(group, budget, starts) if way is Way.ROWS else _by_name(group, budget, starts, way)
        asked[keep > 0].extend(ask)
    shortest = min((column.keep_seconds for column in columns if column.keep_seconds), default=0.0)
    return Plan(columns, tuple(asked[False]), tuple(asked[True]), shortest, size, budget, way)


def _by_rows(group: Sequence[Cells], budget: int, starts: dict[RawOid, int]) -> Iterator[Question]:
    """GETBULK: some columns side by side, some rows at a time; the first request also looks behind the last row."""
    rows = group[0].rows
    side = _side_by_side(len(group), len(rows), budget)
    deep = max(budget // side, 1)
    for left in range(0, len(group), side):
        together = group[left : left + side]
        for top in range(0, len(rows), deep):
            chunk = range(top, min(top + deep, len(rows)))
            guards = (group[0].root,) if top == 0 and left == 0 else ()
            names = [root + rows[-1] for root in guards]
            names += [column.root + (rows[top - 1] if top else b"") for column in together]
            request = pdu.Pdu(Kind.GET_BULK, 0, len(guards), len(chunk), [(name, ber.NULL, None) for name in names])
            expected = _expected(guards, [(c.root, rows[row], c.tags[row]) for row in chunk for c in together])
            slots = tuple(slice(starts[c.root] + chunk.start, starts[c.root] + chunk.stop) for c in together)
            many = len(chunk) * len(together)
            yield question(pdu.prepare(request, expected), slots, many, is_still=not group[0].moves)


def _by_name(group: Sequence[Cells], budget: int, starts: dict[RawOid, int], way: Way) -> Iterator[Question]:
    """Scalars by GET; else by GETNEXT, each cell from the one before it, so that a row between them would be seen."""
    if way is Way.NAMES:
        yield behind((group[0].root + group[0].rows[-1],), (group[0].root,))
    wanted = [(column, row) for column in group for row in range(len(column.rows))]
    many = min(budget, NAMES_PER_GET)
    for start in range(0, len(wanted), many):
        yield by_name(wanted[start : start + many], starts, Kind.GET if way is Way.SCALARS else Kind.GET_NEXT)


def by_name(cells: Sequence[tuple[Cells, int]], starts: Mapping[RawOid, int], kind: Kind) -> Question:
    """A question for some cells (column, number of the row), where *starts* says at which place each column begins."""
    before = [column.rows[row - 1] if row else b"" for column, row in cells]
    names = [
        column.root + (column.rows[row] if kind is Kind.GET else earlier)
        for (column, row), earlier in zip(cells, before, strict=True)
    ]
    expected = _expected((), [(column.root, column.rows[row], column.tags[row]) for column, row in cells])
    places = [starts[column.root] + row for column, row in cells]
    slots = tuple(slice(place, place + 1) for place in places)
    return question(pdu.prepare(pdu.ask(kind, names), expected), slots, len(cells))


@lru_cache(maxsize=1024)
def behind(names: tuple[RawOid, ...], roots: tuple[RawOid, ...]) -> Question:
    """GETNEXT behind *names* that must find nothing below *roots*: a table has no more rows, an empty one none yet."""
    return question(pdu.prepare(pdu.ask(Kind.GET_NEXT, names), _expected(roots, ())), (), 0)


def rest(cut: Question, got: int, plan: Plan) -> Question:
    """What comes first of what is missing from an answer that was cut short after *got* values."""
    every = [(column, row) for column in plan.columns for row in range(len(column.rows))]
    starts = {root: where.start for root, where in plan.slices().items()}
    missing = [every[place] for place in cut.order[got : got + NAMES_PER_GET]]
    return by_name(missing, starts, Kind.GET_NEXT if cut.request.kind is not Kind.GET else Kind.GET)


def _expected(guards: tuple[RawOid, ...], places: Sequence[Place]) -> Expected:
    cells = []
    for root, row, tag in places:
        name = ber.tlv(ber.OBJECT_IDENTIFIER, root + row) + bytes((tag,))
        cells.append((name, len(name), -1 if tag == ber.INTEGER else ber.WIDTH.get(tag, 0)))
    are_unsigned = all(width > 0 and length + 1 + width < 0x80 for _, length, width in cells)
    return Expected(guards, tuple(cells), are_unsigned)


def _side_by_side(columns: int, rows: int, budget: int) -> int:
    """How many columns at once take the fewest requests; the fewer columns where it does not matter."""

    def requests(side: int) -> int:
        return -(-columns // side) * -(-rows // (budget // side))

    return min(range(1, min(columns, budget, COLUMNS_AT_ONCE) + 1), key=requests)
