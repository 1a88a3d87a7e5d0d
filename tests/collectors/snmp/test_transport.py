"""One socket for all agents: whose reply counts, and who waits for whom."""

import asyncio
import socket
import time

import pytest
from snmp_agents import MemoryAgent, agent, mute
from snmp_asking import HASTY, RealAgent, free_port, run

from collectors.snmp import ber, pdu, walk
from collectors.snmp.errors import BadName, Refused, Silent, SnmpError
from collectors.snmp.pdu import Pdu, Version
from collectors.snmp.session import CommunitySession
from collectors.snmp.sockets import resolve
from collectors.snmp.transport import Exchange, Patience

NAME = ber.oid("1.3.6.1.2.1.1.5.0")
MIB = {"1.3.6.1.2.1.1.5.0": (ber.OCTET_STRING, b"ap")}


async def asked(exchange: Exchange, address: tuple[str, int], patience: Patience = HASTY) -> walk.Cell:
    session = CommunitySession(exchange, address, b"public", patience=patience)
    return (await walk.get(session, [NAME], walk.Pace()))[NAME]


def test_g19_a_reply_from_another_address_is_not_heard() -> None:
    honest = MemoryAgent(MIB)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as impostor:
        impostor.bind(("127.0.0.2", 0))

        async def work(exchange: Exchange) -> None:
            with agent(mute) as address:
                asking = asyncio.create_task(asked(exchange, address))
                await asyncio.sleep(0.02)
                [opened] = exchange._sockets.values()
                number = next(iter(exchange._waiting[address][0].numbers))
                [reply] = honest(pdu.encode_message(Version.V2C, b"public", pdu.ask(pdu.Kind.GET, [NAME]), number))
                impostor.sendto(reply, ("127.0.0.1", opened.getsockname()[1]))
                await asyncio.sleep(0.02)
                assert exchange.counts["stray"] == 1
                with pytest.raises(Silent):
                    await asking

        run(work)


@pytest.mark.parametrize("change", [{"request_id": 4711}, {"community": b"another"}, {"version": Version.V1}])
def test_a_reply_that_does_not_match_the_question_is_not_heard(change: dict[str, object]) -> None:
    honest = MemoryAgent(MIB)

    def confused(data: bytes) -> list[bytes]:
        [true] = honest(data)
        version, community, answer = pdu.decode_message(true)
        forged = Pdu(answer.kind, change.get("request_id", answer.request_id), 0, 0, answer.varbinds)  # type: ignore[arg-type]
        return [
            pdu.encode_message(change.get("version", version), change.get("community", community), forged),  # type: ignore[arg-type]
        ]

    with agent(confused) as address, pytest.raises(SnmpError):
        run(lambda exchange: asked(exchange, address))


def test_the_true_reply_behind_a_false_one_is_heard() -> None:
    honest = MemoryAgent(MIB)

    def raced(data: bytes) -> list[bytes]:
        [true] = honest(data)
        return [b"\x30\x82", true[:-3], true.replace(b"public", b"secret"), true]

    with agent(raced) as address:
        assert run(lambda exchange: asked(exchange, address)) == (ber.OCTET_STRING, b"ap")


def test_a_late_reply_to_the_first_try_is_as_good() -> None:
    honest = MemoryAgent(MIB)

    def slow(data: bytes) -> list[bytes]:
        time.sleep(HASTY.timeout_seconds * 1.3)
        return honest(data)

    with agent(slow) as address:
        assert run(lambda exchange: asked(exchange, address)) == (ber.OCTET_STRING, b"ap")


def test_a_lost_datagram_is_sent_again() -> None:
    honest = MemoryAgent(MIB)
    seen: list[bytes] = []

    def lossy(data: bytes) -> list[bytes]:
        seen.append(data)
        return honest(data) if len(seen) > 1 else []

    with agent(lossy) as address:
        assert run(lambda exchange: asked(exchange, address)) == (ber.OCTET_STRING, b"ap")


def test_s47_silent_and_refusing_devices_do_not_delay_another(snmpd: RealAgent) -> None:
    async def work(exchange: Exchange) -> float:
        with agent(mute) as dead:
            patient = Patience(timeout_seconds=5, tries=3)
            waiting = [asyncio.create_task(asked(exchange, dead, patient)) for _ in range(50)]
            refused = [asyncio.create_task(asked(exchange, ("127.0.0.1", free_port()))) for _ in range(50)]
            await asyncio.sleep(0)
            started = time.monotonic()
            session = CommunitySession(exchange, snmpd.address, snmpd.community, patience=HASTY)
            await walk.walk(session, [ber.oid("1.3.6.1.2.1.2.2.1.2")], walk.Pace())
            took = time.monotonic() - started
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            outcomes = await asyncio.gather(*refused, return_exceptions=True)
            assert {type(outcome) for outcome in outcomes} == {Refused}
            return took

    assert run(work) < 0.5


def test_five_hundred_devices_share_one_socket() -> None:
    honest = MemoryAgent(MIB)
    with agent(honest) as address:

        async def work(exchange: Exchange) -> int:
            patience = Patience(timeout_seconds=3)
            answers = await asyncio.gather(*(asked(exchange, address, patience) for _ in range(500)))
            assert len(exchange._sockets) == 1
            return len(answers)

        assert run(work) == 500


def test_ipv6_has_its_own_socket() -> None:
    async def work(exchange: Exchange) -> None:
        with pytest.raises(SnmpError):
            await asked(exchange, ("::1", free_port()))
        assert list(exchange._sockets) == [socket.AF_INET6]

    run(work)


def test_who_waits_when_the_socket_closes_is_told() -> None:
    async def work(exchange: Exchange) -> None:
        with agent(mute) as address:
            asking = asyncio.create_task(asked(exchange, address, Patience(timeout_seconds=60)))
            await asyncio.sleep(0.01)
            exchange.close()
            with pytest.raises(Silent):
                await asking

    run(work)


def test_a_name_that_does_not_resolve_is_named() -> None:
    with pytest.raises(BadName):
        asyncio.run(resolve("no-such-host.invalid", 161))


def test_a_time_out_in_the_turn_of_the_answer_asks_nothing_more() -> None:
    """As after a process was stopped for a while: the answer and the timer are both due."""
    sealed: list[int] = []

    async def work(exchange: Exchange) -> int:
        def seal() -> tuple[int, bytes]:
            sealed.append(1)
            return 2**24, b""

        asking = asyncio.create_task(exchange.ask(("127.0.0.1", 9), seal, lambda *_: None, Patience(60)))
        await asyncio.sleep(0)
        [waiting] = exchange._waiting["127.0.0.1", 9]
        exchange._answered(waiting, b"", 2**24)
        exchange._answered(waiting, b"", 2**24)
        waiting.given_up_at = 0.0
        exchange._expired(waiting)
        await asking
        return exchange.counts["stray"]

    assert run(work) == 1
    assert sealed == [1]
