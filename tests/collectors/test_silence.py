"""Devices that say nothing or cannot be asked: what they cost, and how they are found again."""

import pytest
from snmp_agents import UNIFI, MemoryAgent, agent, mute
from snmp_asking import AUTH_PRIV, HASTY, RealAgent, run
from test_poller import PACING, at, secret, until

from collectors.board import Board
from collectors.device import Polled
from collectors.poll import Target
from collectors.poller import Poller, attempt
from collectors.schedule import Breaker
from collectors.snmp import pdu
from collectors.snmp.pdu import Version
from collectors.snmp.session import CommunitySession
from collectors.snmp.transport import Exchange
from parvis.inventory import Town
from parvis.values import Secret


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


@pytest.mark.parametrize(("broken", "reason"), [("host", "bad_name"), ("fault", "internal_error")])
def test_what_cannot_be_asked_at_all_is_tried_again_and_says_why(
    town: Town, snmpd: RealAgent, broken: str, reason: str
) -> None:
    """A name that can be none, a fault of ours before anything is asked: neither is the end of the polls."""
    small_town = town.model_copy(update={"credentials": (AUTH_PRIV,)})
    polled = [at(("a..b" if broken == "host" else snmpd.address[0], snmpd.address[1]), credential="bornes")]
    board = Board(polled, stale_after_seconds=2)

    def get(name: str) -> Secret:
        if broken == "fault":
            raise RuntimeError("nobody foresaw this")
        return secret(name)

    with Poller(small_town, polled, get, board, PACING):
        until(lambda: board.standings()[0].polls >= 2)

    assert board.standings()[0].reason == reason
