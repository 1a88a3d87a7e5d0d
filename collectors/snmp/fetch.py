"""Asking a plan's questions of an agent: the values land in their places, or the table is not what it was."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from collectors.compiled import core
from collectors.snmp.ber import Value
from collectors.snmp.errors import TOO_BIG, AgentError, NotAuthorized, Silent
from collectors.snmp.pdu import Kind
from collectors.snmp.plan import Expected, Filled, Plan, Question, rest
from collectors.snmp.session import Session
from collectors.snmp.transport import Patience
from collectors.snmp.walk import Pace, bulk_patience


@dataclass(slots=True)
class Known:
    """What is remembered of the last answers to a plan's questions, by their places in it."""

    octets: dict[int, int] = field(default_factory=dict)
    """Of answers about what hardly moves, the hash of their octets: the same octets are the same values."""
    void: set[int] = field(default_factory=set)
    """The answers in which a variable has no value."""


async def fetch(
    session: Session,
    plan: Plan,
    values: list[Value],
    pace: Pace,
    known: Known,
    *,
    with_kept: bool,
    patience: Patience | None = None,
) -> bool:
    """Put the answers to *plan*'s questions into *values*; False: walk the table again, by what *pace* has learned."""
    questions = (*plan.often, *plan.kept) if with_kept else plan.often
    filling = _Filling(questions, values, pace, known)
    while filling.place < len(questions):
        left = questions[filling.place :]
        filling.is_odd = False
        is_bulk = left[0].request.kind is Kind.GET_BULK
        requests = [question.request for question in left]
        try:
            await session.ask_in_turn(requests, filling.take, bulk_patience(session) if is_bulk else patience)
        except (AgentError, Silent) as error:
            if not _may_go_on(error, questions[filling.place], pace):
                raise
            return False
        if filling.is_odd:
            found = await _completed(session, questions[filling.place], plan, pace, filling.odd)
            if found is None:
                return False
            filling.put(found)
    return True


@dataclass(slots=True)
class _Filling:
    """Takes the answers to *questions*, one after the other, and puts what they say into *values*."""

    questions: Sequence[Question]
    values: list[Value]
    pace: Pace
    known: Known
    place: int = 0
    is_odd: bool = False
    odd: Filled = None
    """The beginning of an answer that was cut short; None: it is not what was expected."""

    def take(self, data: bytes, at: int, end: int) -> bool:
        """See turns.Take; an answer about what hardly moves is remembered once it has been read whole."""
        question = self.questions[self.place]
        expected: Expected = question.request.read  # type: ignore[assignment] # what plan.py makes
        begin = expected.behind_guards(data, at, end) if expected.guards else at
        octets = hash(data[begin:end]) if question.is_still and begin is not None else None
        if octets is not None:
            if self.known.octets.get(self.place) == octets:
                self.place += 1
                return True
            self.known.octets.pop(self.place, None)
        may_be_quick = core and begin is not None and expected.are_unsigned
        if may_be_quick and core.fill(data, begin, end, expected.cells, question.order, self.values):
            self._noted(question, octets, is_void=False)
            return True
        found = None if begin is None else expected.fill(data, begin, end)
        if found is None or len(found) != question.count:
            self.is_odd, self.odd = True, found
            return False
        self.put(found, octets)
        return True

    def put(self, found: list[Value], octets: int | None = None) -> None:
        """Note the values of the question whose turn it is, and go on to the next."""
        question = self.questions[self.place]
        side = len(question.slots)
        for place, slot in enumerate(question.slots):
            self.values[slot] = found[place::side]
        self._noted(question, octets, is_void=None in found)

    def _noted(self, question: Question, octets: int | None, *, is_void: bool) -> None:
        if octets is not None:
            self.known.octets[self.place] = octets
        if is_void:
            self.known.void.add(self.place)
        elif self.known.void:
            self.known.void.discard(self.place)
        if question.count * 2 > self.pace.budget:
            self.pace.succeeded()
        self.place += 1


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
