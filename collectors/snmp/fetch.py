"""Asking a plan's questions of an agent: the values land in their places, or the table is not what it was."""

from collectors.snmp.ber import Value
from collectors.snmp.errors import TOO_BIG, AgentError, NotAuthorized, Silent
from collectors.snmp.pdu import Kind
from collectors.snmp.plan import Filled, Plan, Question, rest
from collectors.snmp.session import Session
from collectors.snmp.transport import Patience
from collectors.snmp.walk import Pace, bulk_patience


async def fetch(
    session: Session,
    plan: Plan,
    values: list[Value],
    pace: Pace,
    *,
    with_kept: bool,
    patience: Patience | None = None,
) -> bool:
    """Put the answers to *plan*'s questions into *values*; False: walk the table again, by what *pace* has learned."""
    for question in (*plan.often, *plan.kept) if with_kept else plan.often:
        if not await _asked(session, question, plan, values, pace, patience):
            return False
    return True


async def holds(session: Session, question: Question, pace: Pace) -> bool:
    """Whether a question that only looks behind ends finds nothing there."""
    return await _answer(session, question, pace) is not None


async def _asked(
    session: Session, question: Question, plan: Plan, values: list[Value], pace: Pace, patience: Patience | None
) -> bool:
    found = await _answer(session, question, pace, patience)
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


async def _answer(session: Session, question: Question, pace: Pace, patience: Patience | None = None) -> Filled:
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
    found: Filled = answer.varbinds  # type: ignore[assignment] # what Expected made of them
    return found
