"""Reading scalars and tables page by page, guarded against agents that loop, lie, choke or fall silent.

A ``Pace`` is what was learned about one agent: how many variables it can put into a reply, whether it knows GETBULK,
how many rows its tables have. Keep it between polls.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache

from collectors.snmp import ber, pdu
from collectors.snmp.ber import RawOid, Value, VarBind
from collectors.snmp.errors import NO_SUCH_NAME, TOO_BIG, AgentError, Malformed, NotAuthorized, Silent
from collectors.snmp.pdu import Kind, Version
from collectors.snmp.session import Session
from collectors.snmp.transport import Patience

Cell = tuple[int, Value]
"""Tag and value of one variable."""

COLUMNS_PER_REQUEST = 8
NAMES_PER_GET = 20


class End(StrEnum):
    """Why a column's walk ended; everything but COMPLETE is a fault of the agent, worth counting."""

    COMPLETE = "complete"
    UNORDERED = "unordered"
    CAPPED = "capped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard caps of one walk, against agents without end."""

    rows: int = 4096
    requests: int = 2000
    unordered: bool = False
    """Rows may come in any order, as long as each comes once."""


@dataclass(slots=True)
class Pace:
    """What one agent can take, learned and kept: variables per reply, GETBULK or not, rows per table.

    Each group of columns has a pace of its own (``of``): what one table cannot do does not slow the others.
    """

    budget: int = 40
    ceiling: int = 80
    has_bulk: bool = True
    rows: dict[RawOid, int] = field(default_factory=dict)
    groups: dict[RawOid, "Pace"] = field(default_factory=dict)
    _in_a_row: int = 0

    def of(self, root: RawOid) -> "Pace":
        """The pace of the group of columns that begins with *root*; a new one starts with the least learned so far."""
        found = self.groups.get(root)
        if found is None:
            has_bulk = self.has_bulk and (not self.groups or any(group.has_bulk for group in self.groups.values()))
            found = self.groups[root] = Pace(self.least, self.ceiling, has_bulk, self.rows)
        return found

    @property
    def least(self) -> int:
        """The fewest variables any group takes in a reply."""
        return min((group.budget for group in self.groups.values()), default=self.budget)

    def fits(self, variables: int) -> None:
        """Note that the agent cut an answer short after that many."""
        self._in_a_row = 0
        self.budget = self.ceiling = max(variables, 1)

    def halve(self) -> bool:
        """Ask for half as much from now on; False when there is nothing left to halve."""
        self._in_a_row = 0
        if self.budget == 1:
            return False
        self.ceiling = max(self.budget - 1, 1)
        self.budget //= 2
        return True

    def succeeded(self) -> None:
        """Raise the budget by a tenth after 20 full answers, and forget an old ceiling even more slowly."""
        self._in_a_row += 1
        if self._in_a_row % 20 == 0:
            self.budget = min(self.budget + max(self.budget // 10, 1), self.ceiling)
        if self._in_a_row % 2000 == 0:
            self.ceiling = min(self.ceiling * 2, 80)


@dataclass(slots=True)
class Column:
    """One column while and after it is walked; the cells are keyed by the encoded suffix that names the row."""

    root: RawOid
    cells: dict[bytes, Cell] = field(default_factory=dict)
    end: End | None = None
    last: RawOid = b""
    _key: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        self.last = self.last or self.root

    def is_before(self, group: "Sequence[Column]") -> bool:
        """Whether it has rows, but ended before another column of its table did."""
        table = self.root[:-1]
        return bool(self.cells) and any(each.root[:-1] == table and each.reached > self.reached for each in group)

    @property
    def reached(self) -> tuple[int, ...]:
        """The index of its last row."""
        return self._key

    def take(self, varbind: VarBind, limits: Limits) -> None:
        """Judge the next variable: another row, the end of the column, or a fault of the agent."""
        name, tag, value = varbind
        if tag == ber.END_OF_MIB_VIEW or not name.startswith(self.root):
            self.end = End.COMPLETE
            return
        suffix = name[len(self.root) :]
        try:
            key = ber.index(suffix)
        except Malformed:
            self.end = End.UNORDERED
            return
        if suffix in self.cells or (key <= self._key and not limits.unordered):
            self.end = End.UNORDERED
        elif len(self.cells) >= limits.rows:
            self.end = End.CAPPED
        else:
            self.cells[suffix] = (tag, value)
            self.last, self._key = name, key


async def walk(session: Session, roots: Sequence[RawOid], pace: Pace, limits: Limits | None = None) -> list[Column]:
    """Read the columns *roots*, several side by side; raises SnmpError when the agent falls silent for good."""
    limits = limits or Limits()
    columns = [Column(root) for root in roots]
    for start in range(0, len(columns), COLUMNS_PER_REQUEST):
        group = columns[start : start + COLUMNS_PER_REQUEST]
        await _walk_group(session, group, pace.of(group[0].root), limits)
        await _fill_holes(session, group, pace.of(group[0].root), limits)
        if all(column.end is End.COMPLETE for column in group):
            pace.rows[group[0].root] = max(len(column.cells) for column in group)
    return columns


async def _fill_holes(session: Session, group: list[Column], pace: Pace, limits: Limits) -> None:
    """Ask again, by GETNEXT, for columns that ended before their neighbours: some agents lose rows in a GETBULK."""
    if session.version is Version.V1 or not pace.has_bulk:
        return
    early = [column for column in group if column.end is End.COMPLETE and column.is_before(group)]
    for column in early:
        column.end = None
    if early:
        await _walk_group(session, early, pace, limits, may_bulk=False)


async def _walk_group(
    session: Session, group: list[Column], pace: Pace, limits: Limits, *, may_bulk: bool = True
) -> None:
    use_bulk = may_bulk and session.version is not Version.V1
    for _ in range(limits.requests):
        waiting = [column for column in group if column.end is None]
        if not waiting:
            return
        asked = waiting[: max(pace.budget, 1)]
        is_bulk = use_bulk and pace.has_bulk
        try:
            found = await _page(session, asked, pace, _repetitions(asked, group[0], pace) if is_bulk else 0)
        except AgentError as error:
            use_bulk = _after_error(asked, pace, error, is_bulk=is_bulk) and use_bulk
            continue
        if not found:
            use_bulk = _after_nothing(asked, pace, is_bulk=is_bulk) and use_bulk
            continue
        for position, varbind in enumerate(found):
            column = asked[position % len(asked)]
            if column.end is None:
                column.take(varbind, limits)
    for column in group:
        column.end = column.end or End.CAPPED


def _repetitions(asked: list[Column], first: Column, pace: Pace) -> int:
    """As many rows as the budget allows, and no more than are known to be left, plus one that shows the end."""
    fitting = max(pace.budget // len(asked), 1)
    known = pace.rows.get(first.root)
    left = fitting if known is None else known - min(len(column.cells) for column in asked) + 1
    return max(1, min(fitting, left))


async def _page(session: Session, asked: list[Column], pace: Pace, repetitions: int) -> "Sequence[VarBind]":
    """One GETBULK or (repetitions 0) GETNEXT; a timeout halves the budget and, at its end, gives GETBULK up."""
    names = [column.last for column in asked]
    request = pdu.ask(Kind.GET_BULK if repetitions else Kind.GET_NEXT, names, repetitions)
    try:
        answer = await session.ask(request, bulk_patience(session) if repetitions > 1 else None)
    except Silent:
        if repetitions > 1 and pace.halve():
            return ()
        if not repetitions:
            raise
        pace.has_bulk = False
        return ()
    pace.succeeded()
    if not repetitions:
        return answer.varbinds[: len(names)]
    return answer.varbinds[: len(names) * repetitions]


def bulk_patience(session: Session) -> Patience:
    """Asking the same large reply three times of an agent that cannot build it is a waste: two tries, then less."""
    return _of_two_tries(session.patience)


@lru_cache(maxsize=256)
def _of_two_tries(patience: Patience) -> Patience:
    return replace(patience, tries=min(patience.tries, 2))


def _after_nothing(asked: list[Column], pace: Pace, *, is_bulk: bool) -> bool:
    """An empty answer is a tooBig that does not say so; whether GETBULK is still worth trying."""
    if not is_bulk:
        for column in asked:
            column.end = End.REFUSED
        return False
    return pace.halve()


def _after_error(asked: list[Column], pace: Pace, error: AgentError, *, is_bulk: bool) -> bool:
    """Ask for less when the reply was too big, else by GETNEXT; whether GETBULK is still worth trying."""
    if isinstance(error, NotAuthorized):
        raise error
    if error.status == TOO_BIG and pace.halve():
        return True
    if not is_bulk:
        _end_refused(asked, error)
    return False


def _end_refused(asked: list[Column], error: AgentError) -> None:
    """An error to a GETNEXT: in v1 noSuchName is the end of the MIB; anything else is the column's own trouble."""
    end = End.COMPLETE if error.status == NO_SUCH_NAME else End.REFUSED
    guilty = asked[error.index - 1 : error.index] if 0 < error.index <= len(asked) else asked
    for column in guilty:
        column.end = end


async def get(
    session: Session, names: Sequence[RawOid], pace: Pace, patience: Patience | None = None
) -> dict[RawOid, Cell]:
    """The variables that exist among *names*; what the agent lacks, or answers under another name, is left out."""
    found: dict[RawOid, Cell] = {}
    many = max(1, min(NAMES_PER_GET, pace.budget))
    left = [list(names[start : start + many]) for start in range(0, len(names), many)]
    while left:
        asked = left.pop(0)
        try:
            answer = await session.ask(pdu.ask(Kind.GET, asked), patience)
        except NotAuthorized:
            raise
        except AgentError as error:
            left[:0] = _smaller(asked, error)
            continue
        pace.succeeded()
        left[:0] = _unanswered(asked, len(answer.varbinds))
        wanted = set(asked)
        found |= {n: (tag, value) for n, tag, value in answer.varbinds if n in wanted and tag not in ber.VALUELESS}
    return found


def _smaller(asked: list[RawOid], error: AgentError) -> list[list[RawOid]]:
    """What to ask instead: without the offending name, or in two halves; nothing when a single name is refused."""
    if 0 < error.index <= len(asked) and error.status != TOO_BIG:
        rest = [name for position, name in enumerate(asked, 1) if position != error.index]
        return [rest] if rest else []
    half = len(asked) // 2
    return [asked[:half], asked[half:]] if half else []


def _unanswered(asked: list[RawOid], answered: int) -> list[list[RawOid]]:
    """What to ask again of an agent that answers only the first names, or none where they are too many for it."""
    if answered:
        return [asked[answered:]] if answered < len(asked) else []
    half = len(asked) // 2
    return [asked[:half], asked[half:]] if half else []


async def exists_below(session: Session, root: RawOid) -> bool:
    """Whether the agent has anything in the subtree *root*; one GETNEXT."""
    try:
        answer = await session.ask(pdu.ask(Kind.GET_NEXT, [root]))
    except AgentError:
        return False
    return any(name.startswith(root) and tag != ber.END_OF_MIB_VIEW for name, tag, _ in answer.varbinds)
