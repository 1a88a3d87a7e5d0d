"""Devices that say nothing: what they cost, and how they are found again."""

import pytest
from snmp_agents import UNIFI, MemoryAgent, agent, mute
from snmp_asking import HASTY, run
from test_poller import PACING, at

from collectors.device import Polled
from collectors.poll import Target
from collectors.poller import attempt
from collectors.schedule import Breaker
from collectors.snmp import pdu
from collectors.snmp.pdu import Version
from collectors.snmp.session import CommunitySession
from collectors.snmp.transport import Exchange


def test_s48_a_device_that_has_been_dead_for_long_gets_one_datagram() -> None:
    async def work(exchange: Exchange) -> int:
        session = CommunitySession(exchange, address, b"public", patience=HASTY)
        target = Target(at(address), session, has_answered=True)
        await attempt(target, PACING, Breaker(failures=5))
        return sum(exchange.counts.values())

    with agent(mute) as address:
        assert run(work) == 1


class Dozing:
    """An agent that says nothing until it is woken; which versions it was asked in."""

    def __init__(self, *versions: Version) -> None:
        self._agent = MemoryAgent(UNIFI, versions=versions)
        self.is_awake = False
        self.heard: list[Version] = []

    def __call__(self, data: bytes) -> list[bytes]:
        self.heard.append(pdu.decode_message(data)[0])
        return self._agent(data) if self.is_awake else []


@pytest.mark.parametrize("turns", [3, 4])
@pytest.mark.parametrize("versions", [(Version.V1,), (Version.V1, Version.V2C)])
def test_s48_a_device_that_never_answered_is_asked_in_two_versions_by_turns(
    versions: tuple[Version, ...], turns: int
) -> None:
    """And what is asked in version 1 when it comes back is asked once more: it may have 64-bit counters."""
    dozing = Dozing(*versions)

    async def work(exchange: Exchange) -> tuple[list[Version], Version]:
        target = Target(at(address), CommunitySession(exchange, address, b"public", patience=HASTY))
        for _ in range(turns):
            await attempt(target, PACING, Breaker(failures=5))
        asleep, dozing.is_awake = list(dozing.heard), True
        for _ in range(2):
            outcome = await attempt(target, PACING, Breaker(failures=5))
        assert isinstance(outcome, Polled)
        return asleep, target.session.version

    with agent(dozing) as address:
        asleep, version = run(work)

    assert asleep == ([Version.V2C, Version.V1] * 2)[:turns]
    assert version is max(versions)
