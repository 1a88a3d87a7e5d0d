"""Learned row plans: once a table has been walked, it is asked for exactly, and each answer is compared with it.

A walk finds out what a table holds; from then on the names of its cells are known, so a request asks for exactly as
many rows as there are, several columns side by side, and an answer is read by comparing octets: name and tag of each
cell must be those expected, at that place. A single difference (a row gone, come or moved, a type changed) makes the
answer a ``None``: the table has to be walked again, and no value ever lands in another row. The end of a table is
watched by one more name in its first request, behind which nothing of the table may follow.

A ``Plan`` is the same object for all agents whose tables look alike; the values (values.py) belong to the caller.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache, partial
from weakref import WeakValueDictionary

from collectors.snmp import ber, pdu
from collectors.snmp.ber import RawOid, Value
from collectors.snmp.expected import Awaited, awaited, expected
from collectors.snmp.pdu import Kind, Prepared
from collectors.snmp.values import Pick, Values, Where, picked

COLUMNS_AT_ONCE = 16
NAMES_PER_GET = 20


@dataclass(frozen=True, slots=True)
class Cells:
    """One column of a table as it was found: its rows in the order they came, the tag of each, how long it is kept.

    Columns that have not moved so far are asked together: an answer that is the same to the octet need not be read.
    Until that is known (*moves* None), numbers are asked together, and so are all others.
    """

    root: RawOid
    rows: tuple[bytes, ...]
    tags: tuple[int, ...]
    keep_seconds: float = 0
    moves: bool | None = None
    _awaited: tuple[Awaited, ...] = field(default=(), init=False, repr=False, compare=False)

    def awaited(self) -> tuple[Awaited, ...]:
        """What is expected of each row in an answer; the same objects in every plan, however it puts rows together."""
        if not self._awaited:
            made = tuple(awaited(self.root + row, tag) for row, tag in zip(self.rows, self.tags, strict=True))
            object.__setattr__(self, "_awaited", made)
        return self._awaited


@dataclass(frozen=True, slots=True)
class Question:
    """One request of a plan; the *count* values of its answer go, in its order, to where *begin* is.

    *are_numbers*: into the numbers, else into the others (``Values``). *is_still*: of columns that have not moved.
    """

    request: Prepared
    begin: int
    count: int
    are_numbers: bool = False
    is_still: bool = False


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Plan:
    """How a table is asked: what *often*, at each poll, and what once in *keep_seconds*.

    *places* says of each column where its values stand, row by row. ``picks`` remembers what was asked of ``pick``,
    ``model`` the others (``Values``) of the first device it was made for.
    """

    columns: tuple[Cells, ...]
    often: tuple[Question, ...]
    kept: tuple[Question, ...]
    keep_seconds: float
    size: int
    budget: int
    way: "Way"
    places: dict[RawOid, Where]
    picks: dict[Sequence[int], Pick] = field(default_factory=dict)
    model: list[Value] = field(default_factory=list)

    def starts(self) -> dict[RawOid, slice]:
        """The numbers of each column's cells, counted through all columns: the same for all plans of a table."""
        found, at = {}, 0
        for column in self.columns:
            found[column.root] = slice(at, at := at + len(column.rows))
        return found

    def pick(self, cells: Sequence[int]) -> Pick:
        """What takes the values of *cells*, by their numbers, out of a plan's values."""
        found = self.picks.get(cells)
        if found is None:
            found = self.picks[cells] = picked(self._whereabouts(), cells)
        return found

    def _whereabouts(self) -> list[tuple[bool, int]]:
        found = []
        for column in self.columns:
            are_numbers, place = self.places[column.root]
            found += [(are_numbers, at) for at in range(place.start, place.stop, place.step)]
        return found

    def laid(self, flat: Sequence[Value]) -> Values:
        """Values in the order of the cells' numbers, put where this plan has them."""
        numbers = sum(len(c.rows) for c in self.columns if self.places[c.root].are_numbers)
        values = Values(numbers, self.size - numbers)
        for root, cells in self.starts().items():
            values.put(self.places[root], flat[cells])
        if not self.model:
            self.model.extend(values.others)
        values.others = self.in_common(0, values.others)
        return values

    def in_common(self, begin: int, others: Sequence[Value]) -> list[Value]:
        """*others* from *begin* on; what the first device says as well, such as a port's name, is the same object."""
        model = self.model[begin : begin + len(others)]
        return [known if known == value else value for known, value in zip(model, others, strict=True)]

    def flat(self, values: Values) -> list[Value]:
        """The contrary."""
        found: list[Value] = []
        for column in self.columns:
            found += values.take(self.places[column.root])
        return found

    def cells(self, values: Values) -> dict[RawOid, dict[bytes, tuple[int, Value]]]:
        """The values as a walk would have found them: for each column its cells by row."""
        return {
            column.root: dict(
                zip(column.rows, zip(column.tags, values.take(self.places[column.root]), strict=True), strict=True)
            )
            for column in self.columns
        }


class Way(Enum):
    """How a table is asked: by GETBULK, by GETNEXT where the agent has no usable GETBULK, or (scalars) by GET."""

    ROWS = "rows"
    NAMES = "names"
    SCALARS = "scalars"


_known: WeakValueDictionary[tuple[object, ...], Plan] = WeakValueDictionary()
Begin = tuple[bool, int]
"""Whether among the numbers, and from which place on."""


def plan(columns: Sequence[Cells], budget: int, way: Way = Way.ROWS) -> Plan:
    """The plan that asks for *columns*, all of which have rows, at most *budget* variables at a time."""
    key = (tuple(columns), budget, way)
    found = _known.get(key)
    if found is None:
        found = _known[key] = _made(tuple(columns), max(budget, 1), way)
    return found


def _made(columns: tuple[Cells, ...], budget: int, way: Way) -> Plan:
    groups: dict[tuple[float, bool | None, bool, tuple[bytes, ...]], list[Cells]] = {}
    for column in columns:
        apart = column.moves is None and _are_numbers(column)
        groups.setdefault((column.keep_seconds, column.moves, apart, column.rows), []).append(column)
    asked: dict[bool, list[Question]] = {False: [], True: []}
    places: dict[RawOid, Where] = {}
    sizes = {False: 0, True: 0}
    for (keep, *_), group in groups.items():
        are_numbers = all(_are_numbers(column) for column in group)
        ask = _by_rows if way is Way.ROWS else partial(_by_name, way=way)
        asked[keep > 0].extend(ask(group, budget, (are_numbers, sizes[are_numbers]), places))
        sizes[are_numbers] += sum(len(column.rows) for column in group)
    shortest = min((column.keep_seconds for column in columns if column.keep_seconds), default=0.0)
    size = sizes[False] + sizes[True]
    return Plan(columns, tuple(asked[False]), tuple(asked[True]), shortest, size, budget, way, places)


def _are_numbers(column: Cells) -> bool:
    return all(tag in ber.WIDTH for tag in column.tags)


def _by_rows(group: Sequence[Cells], budget: int, first: Begin, places: dict[RawOid, Where]) -> Iterator[Question]:
    """GETBULK: some columns side by side, some rows at a time; the first request also looks behind the last row.

    The values stand as the answers bring them, from *first* on: a column's each so far from the next as there are
    columns side by side.
    """
    rows, (are_numbers, begin) = group[0].rows, first
    side = _side_by_side(len(group), len(rows), budget)
    deep = max(budget // side, 1)
    for left in range(0, len(group), side):
        together = group[left : left + side]
        stop = begin + len(rows) * len(together)
        for place, column in enumerate(together):
            places[column.root] = Where(are_numbers, slice(begin + place, stop, len(together)))
        for top in range(0, len(rows), deep):
            chunk = range(top, min(top + deep, len(rows)))
            guards = (group[0].root,) if top == 0 and left == 0 else ()
            names = [root + rows[-1] for root in guards]
            names += [column.root + (rows[top - 1] if top else b"") for column in together]
            request = pdu.Pdu(Kind.GET_BULK, 0, len(guards), len(chunk), [(name, ber.NULL, None) for name in names])
            cells = expected(guards, [column.awaited()[row] for row in chunk for column in together])
            many = len(chunk) * len(together)
            is_still = group[0].moves is False
            yield Question(pdu.prepare(request, cells), begin, many, are_numbers, is_still)
            begin += many


def _by_name(
    group: Sequence[Cells], budget: int, first: Begin, places: dict[RawOid, Where], way: Way
) -> Iterator[Question]:
    """Scalars by GET; else by GETNEXT, each cell from the one before it, so that a row between them would be seen."""
    are_numbers, begin = first
    for column in group:
        places[column.root] = Where(are_numbers, slice(begin, begin + len(column.rows), 1))
        begin += len(column.rows)
    if way is Way.NAMES:
        yield behind((group[0].root + group[0].rows[-1],), (group[0].root,))
    wanted = [(column, row) for column in group for row in range(len(column.rows))]
    many, kind = min(budget, NAMES_PER_GET), Kind.GET if way is Way.SCALARS else Kind.GET_NEXT
    for start in range(0, len(wanted), many):
        yield by_name(wanted[start : start + many], (are_numbers, first[1] + start), kind)


def by_name(cells: Sequence[tuple[Cells, int]], first: Begin, kind: Kind) -> Question:
    """A question for some cells (column, number of the row), whose values stand from *first* on."""
    before = [column.rows[row - 1] if row else b"" for column, row in cells]
    names = [
        column.root + (column.rows[row] if kind is Kind.GET else earlier)
        for (column, row), earlier in zip(cells, before, strict=True)
    ]
    found = expected((), [column.awaited()[row] for column, row in cells])
    are_numbers, begin = first
    return Question(pdu.prepare(pdu.ask(kind, names), found), begin, len(cells), are_numbers)


@lru_cache(maxsize=1024)
def behind(names: tuple[RawOid, ...], roots: tuple[RawOid, ...]) -> Question:
    """GETNEXT behind *names* that must find nothing below *roots*: a table has no more rows, an empty one none yet."""
    return Question(pdu.prepare(pdu.ask(Kind.GET_NEXT, names), expected(roots, ())), 0, 0)


def rest(cut: Question, got: int, plan: Plan) -> Question:
    """What comes first of what is missing from an answer that was cut short after *got* values."""
    there: dict[int, tuple[Cells, int]] = {}
    for column in plan.columns:
        are_numbers, place = plan.places[column.root]
        if are_numbers is cut.are_numbers:
            there |= {at: (column, row) for row, at in enumerate(range(place.start, place.stop, place.step))}
    first = cut.begin + got
    missing = [there[at] for at in range(first, min(cut.begin + cut.count, first + NAMES_PER_GET))]
    kind = Kind.GET_NEXT if cut.request.kind is not Kind.GET else Kind.GET
    return by_name(missing, (cut.are_numbers, first), kind)


def _side_by_side(columns: int, rows: int, budget: int) -> int:
    """How many columns at once take the fewest requests; the fewer columns where it does not matter."""

    def requests(side: int) -> int:
        return -(-columns // side) * -(-rows // (budget // side))

    return min(range(1, min(columns, budget, COLUMNS_AT_ONCE) + 1), key=requests)
