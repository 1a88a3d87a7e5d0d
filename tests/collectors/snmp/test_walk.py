"""Walks over tables of agents that loop, choke, end early, or know little."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snmp_agents import MemoryAgent, agent, table
from snmp_asking import HASTY, RealAgent, ask, run

from collectors.snmp import ber, pdu, walk
from collectors.snmp.errors import AgentError, Silent
from collectors.snmp.pdu import Kind, Pdu, Version
from collectors.snmp.session import CommunitySession, Session
from collectors.snmp.transport import Exchange, Patience
from collectors.snmp.walk import Column, End, Limits, Pace

ENTRY = "1.3.6.1.2.1.2.2.1"
ROOTS = [ber.oid(f"{ENTRY}.{arc}") for arc in (1, 2, 10)]
MIB = table(ENTRY, {1: list(range(1, 31)), 2: [7] * 30, 10: [8] * 12, 11: [9] * 3}, {})


class Answering:
    """A session that answers from memory, without a network."""

    patience = HASTY

    def __init__(self, memory: MemoryAgent, version: Version = Version.V2C) -> None:
        self.memory = memory
        self.version = version

    async def ask(self, request: Pdu, patience: Patience | None = None) -> Pdu:
        del patience
        if request.kind is Kind.GET_BULK and not self.memory.knows_bulk:
            raise Silent
        self.memory.asked.append(request)
        answer = self.memory.answer(request, self.version)
        if answer.error_status:
            raise AgentError(answer.error_status, answer.error_index)
        return answer


def walked(session: Session, pace: Pace | None = None, limits: Limits | None = None) -> list[Column]:
    async def work(_: Exchange) -> list[Column]:
        return await walk.walk(session, ROOTS, pace or Pace(), limits)

    return run(work)  # type: ignore[no-any-return]


def sizes(columns: list[Column]) -> list[tuple[int, End | None]]:
    return [(len(column.cells), column.end) for column in columns]


WHOLE = [(30, End.COMPLETE), (30, End.COMPLETE), (12, End.COMPLETE)]


@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
@pytest.mark.parametrize("budget", [1, 2, 7, 40])
def test_a_table_is_read_whole(version: Version, budget: int) -> None:
    assert sizes(walked(Answering(MemoryAgent(MIB), version), Pace(budget=budget))) == WHOLE


def test_s04_a_real_agents_ports_are_read_whole(snmpd: RealAgent) -> None:
    async def work(session: Session) -> tuple[list[Column], dict[bytes, walk.Cell]]:
        count = ber.oid("1.3.6.1.2.1.2.1.0")
        return await walk.walk(session, ROOTS, Pace()), await walk.get(session, [count], Pace())

    columns, scalars = ask(snmpd.address, work, snmpd.community)

    [(_, ports)] = scalars.values()
    assert sizes(columns) == [(ports, End.COMPLETE)] * 3


def test_s07_version_1_is_read_from_a_real_agent(snmpd: RealAgent) -> None:
    async def work(exchange: Exchange) -> list[Column]:
        session = CommunitySession(exchange, snmpd.address, snmpd.community, Version.V1, HASTY)
        return await walk.walk(session, ROOTS, Pace())

    columns = run(work)

    assert columns[0].cells
    assert {column.end for column in columns} == {End.COMPLETE}


def test_s06_g05_a_known_table_is_not_read_past_its_end() -> None:
    memory, pace = MemoryAgent(MIB), Pace(budget=90)
    walked(Answering(memory), pace)
    memory.asked.clear()

    walked(Answering(memory), pace)

    assert [request.max_repetitions for request in memory.asked][-1] <= 2


def test_s05_g03_a_reply_too_big_is_asked_for_in_halves_and_that_is_remembered() -> None:
    memory, pace = MemoryAgent(MIB, too_big=12), Pace(budget=40)

    assert sizes(walked(Answering(memory), pace)) == WHOLE
    assert 1 <= pace.least <= 12
    assert pace.of(ROOTS[0]).has_bulk


def test_g02_an_agent_that_fits_one_variable_is_read_one_by_one() -> None:
    assert sizes(walked(Answering(MemoryAgent(MIB, too_big=1)))) == WHOLE


def test_g02_an_agent_that_is_silent_to_getbulk_is_read_by_getnext() -> None:
    pace = Pace()

    assert sizes(walked(Answering(MemoryAgent(MIB, knows_bulk=False)), pace)) == WHOLE
    assert not pace.of(ROOTS[0]).has_bulk


class Choking(Answering):
    """An agent that is silent where it would have to answer with more than *most* variables."""

    most = 12

    async def ask(self, request: Pdu, patience: Patience | None = None) -> Pdu:
        if max(request.max_repetitions, 1) * len(request.varbinds) > self.most:
            raise Silent
        return await super().ask(request, patience)


def test_s05_g02_an_agent_that_chokes_on_a_large_answer_is_asked_for_less_and_that_is_remembered() -> None:
    memory, pace = MemoryAgent(MIB), Pace(budget=40)

    assert sizes(walked(Choking(memory), pace)) == WHOLE
    assert (pace.of(ROOTS[0]).has_bulk, 6 <= pace.of(ROOTS[0]).budget <= 12) == (True, True)
    assert {request.kind for request in memory.asked if len(request.varbinds) > 1} == {Kind.GET_BULK}


class LosesRows(MemoryAgent):
    """An agent whose GETBULK ends the second column after its fifth row."""

    def answer(self, request: Pdu, version: Version) -> Pdu:
        if request.kind is not Kind.GET_BULK:
            return super().answer(request, version)
        lost = {f"{ENTRY}.2.{row}" for row in range(6, 31)}
        return MemoryAgent({name: cell for name, cell in self.mib.items() if name not in lost}).answer(request, version)


@pytest.mark.parametrize("budget", [6, 40])
def test_rows_that_a_getbulk_loses_are_asked_again_by_getnext(budget: int) -> None:
    memory = LosesRows(MIB)

    assert sizes(walked(Answering(memory), Pace(budget=budget))) == WHOLE
    assert {request.kind for request in memory.asked} == {Kind.GET_BULK, Kind.GET_NEXT}


def test_a_column_that_really_ends_early_costs_one_request_more() -> None:
    memory = MemoryAgent(MIB)

    walked(Answering(memory))

    assert [request.kind for request in memory.asked].count(Kind.GET_NEXT) == 1


def test_s05_a_budget_grows_slowly_again() -> None:
    pace = Pace(budget=10)

    for _ in range(20):
        pace.succeeded()

    assert pace.budget == 11


class Looping(Answering):
    """Repeats the rows 1, 2, 3 for ever, as some agents do."""

    async def ask(self, request: Pdu, patience: Patience | None = None) -> Pdu:
        del patience
        self.memory.asked.append(request)
        rows = [(1 + i % 3) for i in range(max(request.max_repetitions, 1))]
        found = [(root + bytes((row,)), ber.INTEGER, row) for row in rows for root in ROOTS]
        return Pdu(Kind.RESPONSE, 1, 0, 0, found)


def test_g04_an_agent_that_repeats_its_oids_is_stopped() -> None:
    looping = Looping(MemoryAgent({}))

    assert sizes(walked(looping)) == [(3, End.UNORDERED)] * 3
    assert len(looping.memory.asked) == 1


class Endless(Answering):
    """Has always one more row."""

    async def ask(self, request: Pdu, patience: Patience | None = None) -> Pdu:
        del patience
        found = []
        for _ in range(max(request.max_repetitions, 1)):
            for name, _tag, _value in request.varbinds:
                root = next(root for root in ROOTS if name.startswith(root))
                (*_, last) = (0, *ber.index(name[len(root) :]))
                self.memory.asked.append(request)
                found.append((root + ber.encode_index((last + 1 + len(found),)), ber.INTEGER, 1))
        return Pdu(Kind.RESPONSE, 1, 0, 0, found)


def test_s03_rows_out_of_order_are_read_where_the_profile_knows_of_them() -> None:
    column = Column(ROOTS[0])
    for row in (5, 9, 2):
        column.take((ber.oid(f"{ENTRY}.1.{row}"), ber.INTEGER, row), Limits(unordered=True))
    assert (len(column.cells), column.end) == (3, None)

    column.take((ber.oid(f"{ENTRY}.1.9"), ber.INTEGER, 9), Limits(unordered=True))

    assert (len(column.cells), column.end) == (3, End.UNORDERED)


def test_a_table_without_end_is_capped() -> None:
    assert sizes(walked(Endless(MemoryAgent({})), limits=Limits(rows=100))) == [(100, End.CAPPED)] * 3


class Empty(Answering):
    """Answers every walk with nothing, and no error."""

    async def ask(self, request: Pdu, patience: Patience | None = None) -> Pdu:
        del request, patience
        return Pdu(Kind.RESPONSE, 1, 0, 0, [])


def test_an_agent_that_answers_nothing_is_given_up() -> None:
    assert sizes(walked(Empty(MemoryAgent({})))) == [(0, End.REFUSED)] * 3


def test_a_column_the_agent_refuses_costs_only_itself() -> None:
    class Refusing(Answering):
        async def ask(self, request: Pdu, patience: Patience | None = None) -> Pdu:
            for position, (name, _, _) in enumerate(request.varbinds, 1):
                if name.startswith(ROOTS[1]):
                    raise AgentError(5, position)
            return await super().ask(request, patience)

    assert sizes(walked(Refusing(MemoryAgent(MIB)))) == [WHOLE[0], (0, End.REFUSED), WHOLE[2]]


def test_scalars_that_are_missing_are_left_out() -> None:
    names = [ber.oid(f"1.3.6.1.2.1.1.{arc}.0") for arc in range(1, 30)]
    mib = {"1.3.6.1.2.1.1.3.0": (ber.TIME_TICKS, 5), "1.3.6.1.2.1.1.25.0": (ber.INTEGER, 6)}

    for version in (Version.V1, Version.V2C):
        for too_big in (1, 3, 10_000):
            session = Answering(MemoryAgent(mib, too_big=too_big), version)
            found = run(lambda _, session=session: walk.get(session, names, Pace()))
            assert set(found) == {names[2], names[24]}, (version, too_big)


@pytest.mark.parametrize("most", [0, 1, 3])
def test_s03_an_agent_that_answers_only_the_first_names_is_asked_for_the_others(most: int) -> None:
    """*most* of them; 0: an empty answer to more than one."""

    class Short(Answering):
        async def ask(self, request: Pdu, patience: Patience | None = None) -> Pdu:
            whole = await super().ask(request, patience)
            fits = len(whole.varbinds) if len(request.varbinds) == 1 else most
            return Pdu(Kind.RESPONSE, 1, 0, 0, list(whole.varbinds)[:fits])

    mib = {f"1.3.6.1.2.1.1.{arc}.0": (ber.INTEGER, arc) for arc in range(1, 8)}
    names = [ber.oid(name) for name in mib]

    assert set(run(lambda _: walk.get(Short(MemoryAgent(mib)), names, Pace()))) == set(names)


def test_an_answer_under_another_name_is_left_out() -> None:
    class Lying(Answering):
        async def ask(self, request: Pdu, patience: Patience | None = None) -> Pdu:
            del request, patience
            return Pdu(Kind.RESPONSE, 1, 0, 0, [(ber.oid("1.3.6.1.9"), ber.INTEGER, 1)])

    assert run(lambda _: walk.get(Lying(MemoryAgent({})), [ber.oid("1.3.6.1.2.1.1.3.0")], Pace())) == {}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 300), st.sampled_from([ber.INTEGER, ber.END_OF_MIB_VIEW])), max_size=12),
        max_size=20,
    )
)
def test_g04_whatever_an_agent_answers_the_walk_ends(script: list[list[tuple[int, int]]]) -> None:
    class Scripted(Answering):
        async def ask(self, request: Pdu, patience: Patience | None = None) -> Pdu:
            del request, patience
            page = script.pop(0) if script else []
            found = [(ROOTS[n % 3] + ber.encode_index((n,)), tag, 1) for n, tag in page]
            return Pdu(Kind.RESPONSE, 1, 0, 0, found)

    columns = walked(Scripted(MemoryAgent({})), limits=Limits(rows=50, requests=100))

    assert all(column.end is not None for column in columns)
    for column in columns:
        keys = [ber.index(suffix) for suffix in column.cells]
        assert keys == sorted(set(keys))


def test_something_below_a_probe_is_found() -> None:
    async def work(session: Session) -> list[bool]:
        return [await walk.exists_below(session, ber.oid(oid)) for oid in (ENTRY, "1.3.6.1.2.1.3", "1.3.6.1.4")]

    with agent(MemoryAgent(MIB)) as address:
        assert ask(address, work) == [True, False, False]


def test_a_request_asks_by_name() -> None:
    assert pdu.ask(Kind.GET, [ROOTS[0]]).varbinds == [(ROOTS[0], ber.NULL, None)]
