"""Asking a device's tables again: by learned plan where a table was as expected so far, by a walk where it was not.

A table that is no longer what its plan says is walked in the same poll and learned anew; one that is different at
every poll, or whose walk ends in disorder, is walked each time. Whatever was learned is forgotten after about an hour,
so that columns and scalars a device has gained are found.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from collectors.profile import SCALARS, Profile
from collectors.snmp import ber, plan, walk
from collectors.snmp.ber import RawOid, Value
from collectors.snmp.fetch import Asked, Known, fetch, holds
from collectors.snmp.pdu import Version
from collectors.snmp.plan import NAMES_PER_GET, Cells, Plan, Way
from collectors.snmp.session import Session
from collectors.snmp.transport import Patience
from collectors.snmp.walk import Cell, Column, End, Limits, Pace
from collectors.streams import Held

FORGET_SECONDS = 3600
SETTLED_AFTER = 3
"""Polls by plan after which a column that has not moved is taken for one that hardly does."""
RESTLESS_AFTER = 3
"""Polls in a row that found a table changed, after which it is walked ..."""
RESTLESS_POLLS = 10
"""... for so many polls, before another plan is made."""


@dataclass(slots=True)
class Recall:
    """What was learned of one device's tables; times are of a monotonic clock, in seconds."""

    held: dict[str, Held] = field(default_factory=dict)
    empty: dict[str, float] = field(default_factory=dict)
    """Tables in which nothing was found, and when they were looked at."""
    loose: dict[str, tuple[float, list[Column]]] = field(default_factory=dict)
    """Tables that no plan fits, as last walked."""
    marks: dict[str, object] = field(default_factory=dict)
    """What each table's scalar *changed* said."""
    restless: dict[str, int] = field(default_factory=dict)
    """How many polls in a row found a table changed; who is calm is not in it, for devices are many."""
    learned_at: float = 0.0

    def forget(self) -> None:
        """Everything is to be walked again: the device was restarted, exchanged, or an hour has passed."""
        for known in (self.held, self.empty, self.loose, self.marks, self.restless):
            known.clear()

    def hold_scalars(self, found: dict[RawOid, Cell], pace: Pace) -> None:
        """Learn which scalars the device has."""
        columns = [Cells(name, (b"",), (tag,), moves=True) for name, (tag, _) in found.items()]
        made = plan.plan(columns, pace.budget, Way.SCALARS)
        values = [value for _, value in found.values()]
        self.held[SCALARS] = Held(made, made.laid(values), known=_known(made, values))

    async def scalars(self, session: Session, pace: Pace, patience: Patience | None) -> dict[RawOid, Cell] | None:
        """The scalars, asked by plan; None when there is none, or when they are not what they were."""
        held = self.held.get(SCALARS)
        if held is None:
            return None
        if not await fetch(session, [Asked(held.plan, held.values, pace, held.known)], patience):
            del self.held[SCALARS]
            return None
        values = held.plan.flat(held.values)
        return {column.root: (column.tags[0], value) for column, value in zip(held.plan.columns, values, strict=True)}


@dataclass(frozen=True, slots=True)
class Cluster:
    """Tables that are asked together, because they share columns, and the seconds each column is kept."""

    names: tuple[str, ...]
    keep: dict[RawOid, float]
    marks: tuple[RawOid, ...] = ()
    """The scalars that tell when one of them has changed."""
    unordered: bool = False
    """Rows come in any order, so that no plan holds."""
    tolerant: bool = False
    """Rows may do so, on some agents."""
    rows: int = Limits().rows
    """More than any device has."""

    @property
    def key(self) -> str:
        """Under which they are remembered."""
        return self.names[0]

    @property
    def first(self) -> RawOid:
        """The column by which the whole is known."""
        return next(iter(self.keep))

    @property
    def keep_seconds(self) -> float:
        """How long the whole may be remembered."""
        return min(self.keep.values(), default=0)


def clusters(profile: Profile, tables: Iterable[tuple[str, ...]]) -> tuple[Cluster, ...]:
    """The tables of *profile* as they are asked."""
    found = []
    for names in tables:
        keep: dict[RawOid, float] = {}
        for name in names:
            for root in profile.roots(name):
                seconds = profile.keep_seconds(name, root)
                keep[root] = min(keep.get(root, seconds), seconds)
        marks = [changed for name in names if (changed := profile.tables[name].changed)]
        roots = tuple(profile.root(SCALARS, changed) for changed in marks)
        tolerant = any(profile.tables[name].unordered for name in names)
        rows = max(profile.tables[name].rows for name in names)
        found.append(Cluster(names, keep, roots, profile.quirks.unordered, tolerant, rows))
    return tuple(found)


def by_table(recall: Recall, tables: Iterable[Cluster]) -> dict[str, Held]:
    """What is held, under the name of each table."""
    found = {name: recall.held[each.key] for each in tables if each.key in recall.held for name in each.names}
    return found | ({SCALARS: recall.held[SCALARS]} if SCALARS in recall.held else {})


async def ask_tables(
    recall: Recall, session: Session, tables: Sequence[Cluster], pace: Pace, clock: float
) -> list[Column]:
    """Ask every table that is due; the columns found outside plans, remembered ones among them."""
    for key in await _no_longer_empty(recall, session, tables, pace, clock):
        del recall.empty[key]
    loose: list[Column] = []
    left = deque(each for each in tables if each.key not in recall.empty)
    while left:
        row = list(takewhile(lambda each: each.key in recall.held, left))
        for _ in range(await _recalled(recall, row, session, pace, clock)):
            left.popleft()
        if not left:
            break
        each = left.popleft()
        asked_at, columns = recall.loose.get(each.key, (clock, []))
        if not columns or clock - asked_at >= each.keep_seconds:
            columns = await _walked(recall, each, session, pace, clock)
        if each.key not in recall.held:
            loose += columns
    return loose


def mark(recall: Recall, tables: Iterable[Cluster], scalars: Mapping[RawOid, Cell]) -> None:
    """Note what the scalars *changed* say; a table whose mark moved has its names read again in this poll."""
    for each in tables:
        if not each.marks:
            continue
        marks = tuple([scalars.get(root) for root in each.marks])
        if recall.marks.get(each.key, marks) != marks:
            recall.empty.pop(each.key, None)
            if each.key in recall.held:
                recall.held[each.key].kept_at = float("-inf")
        recall.marks[each.key] = marks


async def _no_longer_empty(
    recall: Recall, session: Session, tables: Sequence[Cluster], pace: Pace, clock: float
) -> Iterable[str]:
    """The tables that may have rows now: those due that are slow, and those of a question that found something."""
    empty = [each for each in tables if each.key in recall.empty]
    found = {each.key for each in empty if each.keep_seconds and clock - recall.empty[each.key] >= each.keep_seconds}
    often = [each for each in empty if not each.keep_seconds]
    for start in range(0, len(often), many := min(NAMES_PER_GET, pace.least)):
        some = often[start : start + many]
        roots = tuple([each.first for each in some])
        if not await holds(session, plan.behind(roots, roots), pace):
            found.update(each.key for each in some)
    return found


async def _recalled(recall: Recall, row: Sequence[Cluster], session: Session, pace: Pace, clock: float) -> int:
    """Ask the held tables of *row*; how many of them were as their plans expect. The next one is held no longer."""
    asked = [_asked(recall.held[each.key], each, session, pace, clock) for each in row]
    good = await fetch(session, asked) if asked else 0
    for each, table in zip(row[:good], asked, strict=False):
        held = recall.held[each.key]
        held.polls += 1
        recall.restless.pop(each.key, None)
        if table.with_kept:
            held.kept_at = clock
    for each in row[good : good + 1]:
        del recall.held[each.key]
        recall.restless[each.key] = recall.restless.get(each.key, 0) + 1
    return good


def _asked(held: Held, each: Cluster, session: Session, pace: Pace, clock: float) -> Asked:
    """How a held table is asked now; a changed pace gives it another plan first."""
    own = pace.of(each.first)
    columns, way = _settled(held), _way(own, session)
    if columns is not held.plan.columns or (own.budget, way) != (held.plan.budget, held.plan.way):
        made = plan.plan(columns, own.budget, way)
        if made is not held.plan:
            held.ask_by(made)
            held.known = _known(made, made.flat(held.values))
    is_due = bool(held.plan.kept) and clock - held.kept_at >= held.plan.keep_seconds
    return Asked(held.plan, held.values, own, held.known, with_kept=is_due)


async def _walked(recall: Recall, each: Cluster, session: Session, pace: Pace, clock: float) -> list[Column]:
    """Walk a table and learn what can be learned of it."""
    limits = Limits(each.rows, unordered=each.unordered or each.tolerant)
    columns = await walk.walk(session, list(each.keep), pace, limits)
    recall.loose.pop(each.key, None)
    is_mixed = each.unordered or (each.tolerant and any(_is_mixed(column) for column in columns))
    is_orderly = all(column.end is End.COMPLETE for column in columns) and not is_mixed
    with_rows = [column for column in columns if column.cells]
    restless = recall.restless.get(each.key, 0)
    if is_orderly and not with_rows:
        recall.empty[each.key] = clock
    elif is_orderly and restless < RESTLESS_AFTER:
        own = pace.of(each.first)
        made = plan.plan([_cells(each, column) for column in with_rows], own.budget, _way(own, session))
        values = [value for column in with_rows for _, value in column.cells.values()]
        recall.held[each.key] = Held(made, made.laid(values), clock, _known(made, values), (made, made.laid(values)))
    else:
        recall.restless[each.key] = restless + 1 if restless < RESTLESS_AFTER + RESTLESS_POLLS else 0
        recall.loose[each.key] = (clock, columns)
    return columns


def _is_mixed(column: Column) -> bool:
    """Whether the rows of a column came in another order than that of their index."""
    found = [ber.index(suffix) for suffix in column.cells]
    return found != sorted(found)


def _known(made: Plan, values: Sequence[Value]) -> Known:
    """What is known of a new plan's answers: where any variable has no value, any answer may be without one."""
    return Known(void=frozenset(range(len(made.often) + len(made.kept)) if None in values else ()))


def _settled(held: Held) -> tuple[Cells, ...]:
    """The columns; after some polls those that have not moved are told from the others, so that they go together."""
    if held.first is None or held.polls < SETTLED_AFTER:
        return held.plan.columns
    (plan, was), held.first = held.first, None
    return tuple(
        replace(c, moves=list(was.take(plan.places[c.root])) != list(held.values.take(held.plan.places[c.root])))
        for c in held.plan.columns
    )


def _cells(each: Cluster, column: Column) -> Cells:
    tags = tuple(tag for tag, _ in column.cells.values())
    return Cells(column.root, tuple(column.cells), tags, each.keep[column.root])


def _way(pace: Pace, session: Session) -> Way:
    return Way.ROWS if pace.has_bulk and session.version is not Version.V1 else Way.NAMES
