"""How many requests are in flight, how fast one agent is asked, and from where it may answer."""

import asyncio
import socket
import time
from threading import Thread

import pytest
from snmp_agents import SYSTEM, MemoryAgent, agent, mute
from snmp_asking import HASTY, run

from collectors.snmp import ber, pdu, transport
from collectors.snmp.errors import Silent
from collectors.snmp.pdu import Kind
from collectors.snmp.session import CommunitySession
from collectors.snmp.transport import Exchange, Patience

NAME = ber.oid("1.3.6.1.2.1.1.5.0")
ASK = pdu.ask(Kind.GET, [NAME])


def test_no_more_requests_are_in_flight_than_their_answers_have_room_for() -> None:
    most = 0

    def answer(data: bytes) -> list[bytes]:
        nonlocal most
        most = max(most, len(exchanges[0]._waiting.get(addresses[0], ())))
        return memory(data)

    memory, exchanges, addresses = MemoryAgent(SYSTEM), [], []
    with agent(answer) as address:

        async def work(_: Exchange) -> int:
            exchange = Exchange(in_flight=5)
            exchanges.append(exchange)
            addresses.append(address)
            session = CommunitySession(exchange, address, b"public")
            answers = await asyncio.gather(*(session.ask(ASK) for _ in range(40)))
            exchange.close()
            return len(answers)

        assert run(work) == 40
    assert most <= 5
    assert exchanges[0].counts["queued"] == 35


def test_a_small_receive_buffer_bounds_them_further(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_OCTETS_PER_ANSWER", 2**30)

    async def work(exchange: Exchange) -> int:
        exchange._socket(socket.AF_INET)
        return exchange._places

    assert run(work) == transport.LEAST_IN_FLIGHT


def test_the_receive_buffer_is_as_large_as_the_kernel_lets_us() -> None:
    async def work(exchange: Exchange) -> int:
        return exchange._socket(socket.AF_INET).getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        assert run(work) > plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def test_silent_agents_give_their_place_back_after_the_first_try() -> None:
    """Five places, five silent agents with three tries each: a sixth that answers waits for one try, not for three."""
    with agent(mute) as silent, agent(MemoryAgent(SYSTEM)) as lively:

        async def work(_: Exchange) -> bool:
            exchange = Exchange(in_flight=5)
            dead = CommunitySession(exchange, silent, b"public", patience=Patience(0.1, 5, growth=3, jitter=0))
            asked = [asyncio.create_task(dead.ask(ASK)) for _ in range(5)]
            await asyncio.sleep(0)
            await CommunitySession(exchange, lively, b"public").ask(ASK)
            still_waiting = not any(task.done() for task in asked)
            exchange.close()
            assert all(isinstance(error, Silent) for error in await asyncio.gather(*asked, return_exceptions=True))
            return still_waiting

        assert run(work)


def test_who_is_cancelled_in_the_queue_takes_no_place_with_him() -> None:
    with agent(MemoryAgent(SYSTEM)) as address:

        async def work(_: Exchange) -> int:
            exchange = Exchange(in_flight=1)
            session = CommunitySession(exchange, address, b"public")
            tasks = [asyncio.create_task(session.ask(ASK)) for _ in range(10)]
            await asyncio.sleep(0)
            for task in tasks[1::2]:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            free = exchange._places
            exchange.close()
            return free

        assert run(work) == 1


def test_s49_an_agent_is_asked_no_faster_than_it_may_be() -> None:
    times: list[float] = []
    memory = MemoryAgent(SYSTEM)

    def answer(data: bytes) -> list[bytes]:
        times.append(time.monotonic())
        return memory(data)

    with agent(answer) as address:

        async def work(exchange: Exchange) -> float:
            session = CommunitySession(exchange, address, b"public", patience=Patience(20, gap_seconds=0.05))
            began = time.monotonic()
            await asyncio.gather(*(session.ask(ASK) for _ in range(5)))
            return time.monotonic() - began

        took = run(work)

    assert len(times) == 5
    assert took >= 4 * 0.05  # by the clock of whoever asks: a busy machine makes it longer, never shorter


@pytest.mark.parametrize("any_source", [False, True])
def test_g19_an_answer_from_another_address_is_heard_where_the_inventory_says_so(any_source: bool) -> None:
    memory = MemoryAgent(SYSTEM)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as answers,
    ):
        asked.bind(("127.0.0.1", 0))
        answers.bind(("127.0.0.2", 0))
        asked.settimeout(2)

        def serve() -> None:
            data, source = asked.recvfrom(2000)
            forged = pdu.encode_message(pdu.Version.V2C, b"public", pdu.ask(Kind.GET, []), 5)
            for reply in (forged, *memory(data)):
                answers.sendto(reply, source)

        thread = Thread(target=serve)
        thread.start()

        async def work(exchange: Exchange) -> bytes:
            session = CommunitySession(exchange, asked.getsockname(), b"public", patience=HASTY, any_source=any_source)
            [(_, _, value)] = (await session.ask(ASK)).varbinds
            return value  # type: ignore[no-any-return]

        if any_source:
            assert run(work) == b"ap"
        else:
            with pytest.raises(Silent):
                run(work)
        thread.join()
