"""Asking a plan's questions of an agent: the values land in their places, or the table is not what it was."""

from dataclasses import replace
from typing import Any

from collectors.snmp.ber import Value
from collectors.snmp.errors import TOO_BIG, AgentError, NotAuthorized, Silent
from collectors.snmp.pdu import Kind, Prepared
from collectors.snmp.plan import Expected, Filled, Plan, Question, fill, rest
from collectors.snmp.session import Session
from collectors.snmp.transport import Patience
from collectors.snmp.walk import Pace, bulk_patience

Known = dict[int, bytes]
"""By the place of a question in its plan: the octets of its last answer."""
_SAME: list[Value] = []
"""Stands for values that are what they were."""


async def fetch(
    session: Session,
    plan: Plan,
    values: list[Value],
    pace: Pace,
    *,
    with_kept: bool,
    patience: Patience | None = None,
    known: Known | None = None,
) -> bool:
    """Put the answers to *plan*'s questions into *values*; False: walk the table again, by what *pace* has learned.

    *known* are the last answers to questions about what hardly moves; the same octets again are the same values.
    """
    for place, question in enumerate((*plan.often, *plan.kept) if with_kept else plan.often):
        if question.is_still and known is not None:
            if not await _still(session, question, plan, values, pace, known, place):
                return False
        elif not await _asked(session, question, plan, values, pace, patience):
            return False
    return True


async def _still(
    session: Session, question: Question, plan: Plan, values: list[Value], pace: Pace, known: Known, place: int
) -> bool:
    """Ask about what hardly moves; an answer is remembered once it has proved to be one, and been read whole."""
    expected: Expected = question.request.read  # type: ignore[assignment] # what plan.py makes
    last = known.get(place)

    def read(data: bytes, at: int, end: int) -> tuple[Filled, bytes]:
        begin = expected.behind_guards(data, at, end)
        if begin is None:
            return None, b""
        body = data[begin:end]
        return (_SAME if body == last else fill(data, begin, end, expected.cells)), body

    prepared = Prepared(question.request.kind, question.request.tail, read)
    told = await _answer(session, replace(question, request=prepared), pace)
    found, body = told or (None, b"")
    if found is _SAME:
        return True
    known.pop(place, None)
    if not await _taken(session, question, plan, values, pace, found):
        return False
    known[place] = body
    return True


async def holds(session: Session, question: Question, pace: Pace) -> bool:
    """Whether a question that only looks behind ends finds nothing there."""
    return await _answer(session, question, pace) is not None


async def _asked(
    session: Session, question: Question, plan: Plan, values: list[Value], pace: Pace, patience: Patience | None
) -> bool:
    return await _taken(session, question, plan, values, pace, await _answer(session, question, pace, patience))


async def _taken(
    session: Session, question: Question, plan: Plan, values: list[Value], pace: Pace, found: Filled
) -> bool:
    """Put *found* into its places, after asking for what is missing from an answer that was cut short."""
    if found is None:
        return False
    if len(found) < question.count:
        if not found:
            pace.halve()
            return False
        # Cut short by the agent (RFC 3416 section 4.2.3): that many fit, and the rest is asked for by name.
        pace.fits(len(found))
    while len(found) < question.count:
        more = rest(question, len(found), plan)
        added = await _answer(session, more, pace)
        if not added:
            return False
        found += added
    if question.count == len(found):
        side = len(question.slots)
        for place, slot in enumerate(question.slots):
            values[slot] = found[place::side]
    return True


async def _answer(session: Session, question: Question, pace: Pace, patience: Patience | None = None) -> Any:
    """The values in an answer; None when they are not those expected, or when less is to be asked for at once."""
    is_bulk = question.request.kind is Kind.GET_BULK
    try:
        answer = await session.ask(question.request, bulk_patience(session) if is_bulk else patience)
    except NotAuthorized:
        raise
    except AgentError as error:
        if error.status == TOO_BIG:
            pace.halve()
        return None
    except Silent:
        if is_bulk and question.count > 1 and pace.halve():
            return None
        raise
    if question.count * 2 > pace.budget:
        pace.succeeded()
    return answer.varbinds  # what the question's read made of them
