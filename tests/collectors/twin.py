"""The twin's devices on loopback ports with a clock of the test's own, asked by the real poller over UDP."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collectors.access import open_session
from collectors.device import Device, Failed, Outcome, Polled
from collectors.poll import Target
from collectors.poller import Pacing, attempt
from collectors.schedule import Breaker
from collectors.snmp.transport import Exchange
from lab.agents import agent as twin
from lab.agents.agent import Agent
from lab.agents.serving import Listening
from lab.agents.standard import About
from lab.agents.usm import User
from parvis.inventory import CommunityCredential, UserCredential
from parvis.values import Secret

V2C = CommunityCredential(name="anciennes", version="v2c", community_secret="public")
V3 = UserCredential(
    name="bornes", version="v3", user="parvis", auth="SHA-256", privacy="AES-128",
    auth_secret="authsecret1", privacy_secret="privsecret1",
)  # fmt: skip
HASTY = Pacing(interval_seconds=30, deadline_seconds=20, timeout_seconds=0.15, tries=3)
Values = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""What a poll found: metric and labels (without the device's own) to the value."""


@dataclass
class Clock:
    """Seconds, moved by the test alone."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Town:
    """Simulated devices, and one socket to ask them all."""

    exchange: Exchange
    clock: Clock
    agents: dict[str, Agent] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)

    async def add(
        self, name: str, vendor: str = "ubiquiti", *, v3: bool = False, walk: Path | None = None, model: str = "AP SFP"
    ) -> Agent:
        """A device more, on a port of its own."""
        user = User(V3.user, V3.auth, V3.privacy, V3.auth_secret, V3.privacy_secret) if v3 else None
        about = About(name, model, "127.0.0.1", "02:00:5e:01:01:03", "Accueil")
        device = twin.Device(vendor, about, "", 0, "" if v3 else "public", user, str(walk or ""))
        agent = self.agents[name] = Agent(device, self.clock)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: Listening(agent), ("127.0.0.1", 0)
        )
        address = ("127.0.0.1", transport.get_extra_info("sockname")[1])
        session = open_session(self.exchange, address, V3 if v3 else V2C, Secret, HASTY.patience)
        self.targets[name] = Target(Device(name, *address), session)
        return agent

    async def poll(self, name: str, pacing: Pacing = HASTY) -> Outcome:
        """One poll, as the service makes them."""
        return await attempt(self.targets[name], pacing, Breaker())

    async def found(self, name: str) -> Polled:
        """A poll that must succeed."""
        outcome = await self.poll(name)
        assert isinstance(outcome, Polled), outcome
        return outcome


def values(outcome: Outcome) -> Values:
    """What a poll found; nothing when it failed."""
    if isinstance(outcome, Failed):
        return {}
    return {(s.metric, tuple(label for label in s.labels if label[0] != "device")): s.value for s in outcome.samples}


def asked(work: Callable[[Town], Coroutine[Any, Any, None]], seconds: float = 60) -> None:
    """Run *work* in a town of its own, for *seconds* at most."""

    async def within() -> None:
        exchange = Exchange()
        try:
            await asyncio.wait_for(work(Town(exchange, Clock())), seconds)
        finally:
            exchange.close()

    asyncio.run(within())
