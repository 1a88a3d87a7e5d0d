"""Asking the questions of plans of an agent: the values land in their places, or a table is not what it was."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from collectors.compiled import core
from collectors.snmp.ber import Value
from collectors.snmp.errors import TOO_BIG, AgentError, NotAuthorized, Silent
from collectors.snmp.expected import Expected, Filled
from collectors.snmp.pdu import Kind, Prepared
from collectors.snmp.plan import Plan, Question, rest
from collectors.snmp.session import Session
from collectors.snmp.transport import Patience
from collectors.snmp.values import Values, Where
from collectors.snmp.walk import Pace, bulk_patience


@dataclass(slots=True)
class Known:
    """What is remembered of the last answers to a plan's questions, by their places in it."""

    octets: dict[int, int] = field(default_factory=dict)
    """Of answers about what hardly moves, the hash of their octets: the same octets are the same values."""
    void: frozenset[int] = frozenset()
    """The answers in which a variable has no value."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A plan that is asked: where its answers go, and what is learned from them; *with_kept*: all of it."""

    plan: Plan
    values: Values
    pace: Pace
    known: Known
    with_kept: bool = False

    @property
    def questions(self) -> tuple[Question, ...]:
        """What is asked this time; ``Known`` counts the answers by their places in it."""
        return (*self.plan.often, *self.plan.kept) if self.with_kept else self.plan.often


async def fetch(session: Session, tables: Sequence[Asked], patience: Patience | None = None) -> int:
    """Put the answers to the plans' questions into their values, all in one row.

    How many of *tables* were as expected; the next of them is to be walked again, by what its pace has learned, and
    those behind it have not been asked to the end.
    """
    filling = _Filling([(table, place, asked) for table in tables for place, asked in enumerate(table.questions)])
    while filling.is_left:
        filling.is_odd = False
        requests = filling.alike()
        is_bulk = requests[0].kind is Kind.GET_BULK
        try:
            await session.ask_in_turn(requests, filling.take, bulk_patience(session) if is_bulk else patience)
        except (AgentError, Silent) as error:
            table, _, question = filling.step
            if not _may_go_on(error, question, table.pace):
                raise
            return _place_of(table, tables)
        if filling.is_odd:
            table, _, question = filling.step
            found = await _completed(session, question, table.plan, table.pace, filling.odd)
            if found is None:
                return _place_of(table, tables)
            filling.put(found)
    return len(tables)


def _place_of(table: Asked, tables: Sequence[Asked]) -> int:
    return next(place for place, each in enumerate(tables) if each is table)


Step = tuple[Asked, int, Question]
"""A question, the plan it is of, and its place in it."""


@dataclass(slots=True)
class _Filling:
    """Takes the answers to the questions of *steps*, one after the other, and puts what they say into the values."""

    steps: Sequence[Step]
    at: int = 0
    is_odd: bool = False
    odd: Filled = None
    """The beginning of an answer that was cut short; None: it is not what was expected."""

    @property
    def is_left(self) -> bool:
        """Whether there is something to ask."""
        return self.at < len(self.steps)

    @property
    def step(self) -> Step:
        """Whose turn it is."""
        return self.steps[self.at]

    def alike(self) -> list[Prepared]:
        """What is to be asked from here on, as long as it is all by GETBULK or all otherwise."""
        left = [question.request for _, _, question in self.steps[self.at :]]
        is_bulk = left[0].kind is Kind.GET_BULK
        return list(takewhile(lambda request: (request.kind is Kind.GET_BULK) is is_bulk, left))

    def take(self, data: bytes, at: int, end: int) -> bool:
        """See turns.Take; an answer about what hardly moves is remembered once it has been read whole."""
        table, place, question = self.steps[self.at]
        expected: Expected = question.request.read  # type: ignore[assignment] # what plan.py makes
        begin = expected.behind_guards(data, at, end) if expected.guards else at
        octets = hash(data[begin:end]) if question.is_still and begin is not None else None
        if octets is not None:
            if table.known.octets.get(place) == octets:
                self.at += 1
                return True
            table.known.octets.pop(place, None)
        numbers = table.values.numbers
        may_be_quick = core and begin is not None and question.are_numbers and numbers.__class__ is array
        if may_be_quick and core.fill(data, begin, end, expected.cells, question.begin, numbers):
            self._noted(octets, is_void=False)
            return True
        found = None if begin is None else expected.fill(data, begin, end)
        if found is None or len(found) != question.count:
            self.is_odd, self.odd = True, found
            return False
        self.put(found, octets)
        return True

    def put(self, found: list[Value], octets: int | None = None) -> None:
        """Note the values of the question whose turn it is, and go on to the next."""
        table, _, question = self.steps[self.at]
        place = slice(question.begin, question.begin + question.count)
        values = found if question.are_numbers else table.plan.in_common(question.begin, found)
        table.values.put(Where(question.are_numbers, place), values)
        self._noted(octets, is_void=None in found)

    def _noted(self, octets: int | None, *, is_void: bool) -> None:
        table, place, question = self.steps[self.at]
        known, pace = table.known, table.pace
        if octets is not None:
            known.octets[place] = octets
        if is_void:
            known.void |= {place}
        elif known.void:
            known.void -= {place}
        if question.count * 2 > pace.budget:
            pace.succeeded()
        self.at += 1


async def holds(session: Session, question: Question, pace: Pace) -> bool:
    """Whether a question that only looks behind ends finds nothing there."""
    return await _answer(session, question, pace) is not None


async def _completed(session: Session, question: Question, plan: Plan, pace: Pace, found: Filled) -> Filled:
    """All values of a question, after asking for what is missing from an answer that was cut short."""
    if not found:
        if found is not None:
            pace.halve()
        return None
    # Cut short by the agent (RFC 3416 section 4.2.3): that many fit, and the rest is asked for by name.
    pace.fits(len(found))
    while len(found) < question.count:
        added = await _answer(session, rest(question, len(found), plan), pace)
        if not added:
            return None
        found += added
    return found if len(found) == question.count else None


async def _answer(session: Session, question: Question, pace: Pace) -> Any:
    """The values in an answer; None when they are not those expected, or when less is to be asked for at once."""
    try:
        return (await session.ask(question.request)).varbinds  # what the question's read made of them
    except (AgentError, Silent) as error:
        if not _may_go_on(error, question, pace):
            raise
        return None


def _may_go_on(error: AgentError | Silent, question: Question, pace: Pace) -> bool:
    """Whether the table may be asked otherwise after *error*, for less at once or by a walk."""
    if isinstance(error, Silent):
        return question.request.kind is Kind.GET_BULK and question.count > 1 and pace.halve()
    if error.status == TOO_BIG:
        pace.halve()
    return not isinstance(error, NotAuthorized)
