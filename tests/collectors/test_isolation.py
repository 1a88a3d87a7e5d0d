"""One silent, slow or hostile device changes nothing for the others: not what they are asked, not what they say."""

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from snmp_agents import UNIFI, MemoryAgent, agent, mute
from test_peers_of_the_ears import soon, until
from twin import Town, Values, asked, values

from collectors.board import Board
from collectors.device import Device, Outcome
from collectors.poll import Target
from collectors.poller import Pacing, Poller, attempt
from collectors.schedule import Breaker
from lab.agents.agent import Agent, Reply
from lab.agents.faults import FAULTS, ONCE
from parvis.inventory import Town as Inventory
from parvis.values import Secret

GOOD = [f"ap-{number}" for number in range(20)]
BAD = "ap-bad"
PATIENT = Pacing(interval_seconds=3600, deadline_seconds=3000, timeout_seconds=100, tries=3)
"""With the bad device: it stays pending for as long as it is silent."""
CALM = Pacing(interval_seconds=60, deadline_seconds=45, timeout_seconds=8, tries=3)
"""With the others: nobody is asked twice because this machine is busy."""
PENDING = {"silent", "garbage", "cut", "other-port", "other-address", "request-id", "community"}
"""Faults through which no answer ever comes, however patient one is."""


def counted(agent: Agent, requests: Counter[str]) -> Callable[[bytes], list[Reply]]:
    """The agent's answers, its requests counted."""
    answers = agent.answers

    def answer(datagram: bytes) -> list[Reply]:
        requests[agent.device.about.name] += 1
        return answers(datagram)

    return answer


async def all_good(town: Town) -> dict[str, Values]:
    """One poll of each good device, all at once."""
    outcomes: list[Outcome] = await asyncio.gather(*(town.poll(name, CALM) for name in GOOD))
    return {name: values(outcome) for name, outcome in zip(GOOD, outcomes, strict=True)}


FAST = {"silent", "delay"}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(fault, marks=() if fault in FAST else pytest.mark.slow)
        for fault in sorted(FAULTS.keys() - ONCE - {"zero-hmac", "engine-time", "endless"})
    ],
)
def test_others_are_asked_and_answer_as_if_the_bad_one_were_not_there(fault: str) -> None:
    async def work(town: Town) -> None:
        requests: Counter[str] = Counter()
        for place, name in enumerate([*GOOD, BAD]):
            agent = await town.add(name, ("ubiquiti", "mikrotik", "aruba")[place % 3], v3=place % 5 == 1)
            agent.answers = counted(agent, requests)  # type: ignore[method-assign]
            town.targets[name].session.patience = CALM.patience  # type: ignore[attr-defined]
        await all_good(town)
        await town.poll(BAD)
        requests.clear()
        before = await all_good(town)
        alone = dict(requests)
        town.agents[BAD].suffer(fault)
        town.targets[BAD].session.patience = PATIENT.patience  # type: ignore[attr-defined]
        pending = asyncio.create_task(town.poll(BAD, PATIENT))
        await asyncio.sleep(0)
        requests.clear()

        together = await all_good(town)

        assert together == before
        assert {name: requests[name] for name in GOOD} == alone
        assert not pending.done() or fault not in PENDING, "they did not wait for it"
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)

    asked(work)


def test_who_answers_in_a_neighbours_name_is_not_heard() -> None:
    """The bad device sends the right answer with other values, from its own address, before the true one comes."""

    async def work(town: Town) -> None:
        liar, honest = await town.add(BAD), await town.add("ap-1")
        truth = values(await town.found("ap-1"))
        channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with channel:
            channel.bind(("127.0.0.1", 0))
            answers = honest.answers

            def overheard(datagram: bytes) -> list[Reply]:
                port = town.exchange._sockets[socket.AF_INET].getsockname()[1]
                for reply in liar.answers(datagram):
                    channel.sendto(reply.data, ("127.0.0.1", port))
                return answers(datagram)

            honest.answers = overheard  # type: ignore[method-assign]
            found = values(await town.found("ap-1"))

        assert found == truth
        assert town.exchange.counts["stray"] > 0

    asked(work)


def test_the_profiles_are_read_before_the_loop_runs_that_answers_pages(
    town: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[bool] = []
    poller = Poller(town, [], Secret, Board([], 1), CALM)
    monkeypatch.setattr("collectors.poller.known", lambda: running.append(not poller.wrong()))

    with poller:
        assert running == [False]
        assert poller.wrong() == ""


def test_devices_are_learned_a_few_at_a_time_and_a_silent_one_holds_nobody_up(
    town: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning: set[str] = set()
    at_once: list[int] = []

    async def counted(target: Target, pacing: Pacing, breaker: Breaker) -> Outcome:
        if target.combined is None:
            learning.add(target.device.name)
            at_once.append(len(learning))
        try:
            return await attempt(target, pacing, breaker)
        finally:
            learning.discard(target.device.name)

    monkeypatch.setattr("collectors.poller.attempt", counted)
    monkeypatch.setattr("collectors.poller.LEARNED_AT_ONCE", 1)
    with ExitStack() as stack:
        dead, *good = (stack.enter_context(agent(each)) for each in (mute, *(MemoryAgent(UNIFI) for _ in range(6))))
        named = zip(soon(7), (dead, *good), strict=True)
        devices = [Device(name, *address, credential="anciennes-v2c") for name, address in named]
        board = Board(devices, 3000)
        stack.enter_context(Poller(town, devices, lambda _: Secret("public"), board, PATIENT))

        until(lambda: [each.up for each in board.standings()] == [None, *([True] * 6)])

    assert at_once == [1] * 6
