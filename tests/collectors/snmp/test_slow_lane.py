"""The slow lane: the same questions through pysnmp, in a process that does not stay."""

import asyncio
import gc
import sys
import time
from pathlib import Path

import pytest
from snmp_asking import RealAgent

from collectors.device import Device
from collectors.poll import Target, poll
from collectors.snmp import ber, pdu, slow_lane, slow_lane_process, usm, walk
from collectors.snmp.errors import Silent, SnmpError, UnknownUser, WrongAuthPassword
from collectors.snmp.keys import AuthProtocol, PrivProtocol
from collectors.snmp.pdu import Kind, Pdu
from collectors.snmp.session import CommunitySession, Session
from collectors.snmp.slow_lane import SlowSession, slow
from collectors.snmp.transport import Exchange, Patience
from collectors.snmp.user_session import UsmSession
from collectors.snmp.walk import Pace
from collectors.users import AUTH, PRIVACY

SYSTEM = [ber.oid(f"1.3.6.1.2.1.1.{arc}.0") for arc in (1, 2, 4, 5, 6)]
PATIENCE = Patience(2, tries=2)


def user(name: str, auth: AuthProtocol, priv: PrivProtocol, auth_password: str = "") -> usm.User:
    return usm.User(name.encode(), auth, (auth_password or f"auth-{name}").encode(), priv, f"priv-{name}".encode())


def sessions(exchange: Exchange, snmpd: RealAgent) -> list[Session]:
    login = user("sha256aes256", AuthProtocol.SHA256, PrivProtocol.AES256)
    return [
        CommunitySession(exchange, snmpd.address, snmpd.community, patience=PATIENCE),
        UsmSession(exchange, snmpd.address, login, PATIENCE),
    ]


async def ended(session: Session) -> None:
    if isinstance(session, SlowSession) and session._process and session._process.stdin:
        session._process.stdin.close()
        await session._process.wait()


@pytest.mark.slow  # a process that imports pysnmp, for each session
def test_both_lanes_say_the_same_of_a_real_agent(snmpd: RealAgent) -> None:
    async def work() -> None:
        exchange = Exchange()
        for fast in sessions(exchange, snmpd):
            lane = slow(fast)
            for session in (fast, lane):
                assert len(await walk.get(session, SYSTEM, Pace())) == len(SYSTEM)
            assert await walk.get(lane, SYSTEM, Pace()) == await walk.get(fast, SYSTEM, Pace())
            roots = [ber.oid(f"1.3.6.1.2.1.2.2.1.{arc}") for arc in (1, 2, 3)]
            by_both = [await walk.walk(session, roots, Pace()) for session in (fast, lane)]
            assert [column.cells for column in by_both[0]] == [column.cells for column in by_both[1]]
            await ended(lane)
        exchange.close()

    asyncio.run(work())


@pytest.mark.slow
def test_a_whole_poll_by_plan_goes_through_the_slow_lane(snmpd: RealAgent) -> None:
    async def work() -> tuple[set[str], set[str]]:
        exchange = Exchange()
        session = slow(sessions(exchange, snmpd)[0])
        target = Target(Device("a", *snmpd.address), session)
        first = await poll(target, at=0, clock=0)
        second = await poll(target, at=1, clock=1)
        await ended(session)
        return {s.metric for s in first.samples}, {s.metric for s in second.samples}

    first, second = asyncio.run(work())

    assert "port_up" in first
    assert first == second


@pytest.mark.slow
@pytest.mark.parametrize(
    ("login", "error"),
    [
        (user("nobody", AuthProtocol.SHA1, PrivProtocol.AES128), UnknownUser),
        (user("sha1aes128", AuthProtocol.SHA1, PrivProtocol.AES128, "quite-another-word"), WrongAuthPassword),
    ],
)
def test_what_goes_wrong_has_the_same_name_in_both_lanes(
    snmpd: RealAgent, login: usm.User, error: type[SnmpError]
) -> None:
    async def work() -> None:
        exchange = Exchange()
        fast = UsmSession(exchange, snmpd.address, login, PATIENCE)
        lane = slow(fast)
        for session in (fast, lane):
            with pytest.raises(error):
                await session.ask(pdu.ask(Kind.GET, SYSTEM))
        await ended(lane)
        exchange.close()

    asyncio.run(work())


@pytest.mark.slow
def test_the_process_does_not_stay(snmpd: RealAgent) -> None:
    """Its input closes with us; asked again after it has gone, the lane starts another."""

    async def work() -> tuple[int, Pdu]:
        session = slow(CommunitySession(Exchange(), snmpd.address, snmpd.community, patience=PATIENCE))
        assert isinstance(session, SlowSession)
        await session.ask(pdu.ask(Kind.GET, SYSTEM[:1]))
        first = session._process
        assert first
        await ended(session)
        answer = await session.ask(pdu.ask(Kind.GET, SYSTEM[:1]))
        await ended(session)
        return first.returncode or 0, answer

    code, answer = asyncio.run(work())

    assert code == 0
    assert answer.varbinds[0][0] == SYSTEM[0]


@pytest.mark.slow
def test_who_is_cut_off_by_a_deadline_leaves_no_answer_to_the_next_question(snmpd: RealAgent) -> None:
    async def work() -> Pdu:
        lane = slow(CommunitySession(Exchange(), snmpd.address, snmpd.community, patience=PATIENCE))
        assert isinstance(lane, SlowSession)
        await lane.ask(pdu.ask(Kind.GET, SYSTEM[:1]))
        before = lane._process
        assert before
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await lane.ask(pdu.ask(Kind.GET, SYSTEM[1:2]))
        answer = await lane.ask(pdu.ask(Kind.GET, SYSTEM[2:3]))
        await ended(lane)
        await before.wait()
        return answer

    assert asyncio.run(work()).varbinds[0][0] == SYSTEM[2]


@pytest.mark.slow
@pytest.mark.parametrize("cut_off", [False, True])
def test_a_loop_that_ends_first_ends_the_process_and_closes_what_led_to_it(
    snmpd: RealAgent, monkeypatch: pytest.MonkeyPatch, cut_off: bool
) -> None:
    complaints: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: complaints.append(repr(told.exc_value)))

    async def work() -> int:
        lane = slow(CommunitySession(Exchange(), snmpd.address, snmpd.community, patience=PATIENCE))
        assert isinstance(lane, SlowSession)
        await lane.ask(pdu.ask(Kind.GET, SYSTEM[:1]))
        assert lane._process
        pid = lane._process.pid
        if cut_off:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await lane.ask(pdu.ask(Kind.GET, SYSTEM[1:2]))
        return pid

    pid = asyncio.run(work())
    gc.collect()

    assert complaints == []
    assert not Path(f"/proc/{pid}").exists()


def test_a_process_that_breaks_is_told_as_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_lane.sys, "executable", "/bin/false")
    started = time.monotonic()

    async def work() -> None:
        await slow(CommunitySession(Exchange(), ("127.0.0.1", 9), b"public")).ask(pdu.ask(Kind.GET, SYSTEM))

    with pytest.raises(Silent):
        asyncio.run(work())
    assert time.monotonic() - started < slow_lane._START_SECONDS


def test_every_protocol_of_the_inventory_has_its_name_in_the_slow_lane() -> None:
    assert {protocol.name for protocol in AUTH.values()} <= set(slow_lane_process.AUTH)
    assert {protocol.name for protocol in PRIVACY.values()} <= set(slow_lane_process.PRIVACY)


def test_a_login_never_shows_its_passwords() -> None:
    lane = slow(UsmSession(Exchange(), ("127.0.0.1", 9), user("a", AuthProtocol.SHA1, PrivProtocol.AES128)))
    assert isinstance(lane, SlowSession)
    assert b"priv-a".hex() not in repr(lane)
