"""The town's access points and switches on a clock of the test's own, and what each poll of the real poller gave."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from collectors.access import open_session
from collectors.compatible import chosen
from collectors.device import Device, Failed, Outcome, devices
from collectors.layout import Part, Readings
from collectors.poll import Target
from collectors.poller import Pacing, attempt
from collectors.schedule import Breaker
from collectors.snmp.transport import Exchange
from lab.agents import agent as twin
from lab.agents.agent import Agent
from lab.agents.serving import Listening
from lab.agents.standard import About
from parvis.inventory import AccessPoint, CommunityCredential, Site, Switch, Town, Ups
from parvis.values import Secret

V2C = CommunityCredential(name="anciennes", version="v2c", community_secret="public")
PACING = Pacing(interval_seconds=60, deadline_seconds=50, timeout_seconds=10, tries=3)
MODULES = ("if_mib", "ubiquiti_unifi")
SILENT = Failed("silent", "no answer", "is it fed?")
STEP_SECONDS = 60.0
STEPS = 16
BREAKS_AT = 6
"""The step at which a fault begins."""


@dataclass
class Clock:
    """Seconds of the twin."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Ailment:
    """What is wrong with one device: a fault of the twin's, its value, and whether it happens again at every step."""

    fault: str
    value: float | None = None
    again: bool = False


def listed(town: Town) -> dict[str, tuple[Device, twin.Device]]:
    """Every device that is polled, with what the twin has to simulate."""
    simulated = {one.name: _simulated(one, site) for site in town.sites for one in site.polled()}
    return {device.name: (device, simulated[device.name]) for device in devices(town)}


def _simulated(entry: Switch | AccessPoint | Ups, site: Site) -> twin.Device:
    behind: tuple[tuple[str, str, str], ...] = ()
    if isinstance(entry, Switch):
        fed = (point for point in site.access_points if point.switch == entry.name)
        behind = tuple((point.port, point.name, point.mac.text) for point in fed)
    vendor = "ups" if isinstance(entry, Ups) else entry.vendor.value
    mac = entry.mac.text if isinstance(entry, AccessPoint) else "02:00:5e:01:01:03"
    return twin.Device(
        vendor, About(entry.name, entry.model, "127.0.0.1", mac, "Accueil", behind=behind), "", 0, "public"
    )


def polls(town: Town, ailing: Mapping[str, Ailment]) -> dict[str, list[Outcome]]:
    """What the polls of the *ailing* devices gave, step by step; of all devices when none ails."""
    found: dict[str, list[Outcome]] = {}
    asyncio.run(_play(town, ailing, found))
    return found


async def _play(town: Town, ailing: Mapping[str, Ailment], found: dict[str, list[Outcome]]) -> None:
    exchange, clock = Exchange(), Clock()
    known = listed(town)
    wanted = ailing or known
    agents = {name: await _opened(*known[name], exchange, clock) for name in wanted}
    first = BREAKS_AT - 1 if ailing else 0
    try:
        for step in range(first, STEPS):
            clock.now = 1000.0 + step * STEP_SECONDS
            for name, (agent, target) in agents.items():
                if name in ailing and step >= BREAKS_AT:
                    _suffer(agent, ailing[name], step)
                found.setdefault(name, []).append(_kept(await attempt(target, PACING, Breaker())))
    finally:
        exchange.close()


def _kept(outcome: Outcome) -> Outcome:
    """*outcome* for longer than until the next poll, which writes into the same lists."""
    if isinstance(outcome, Failed):
        return outcome
    return replace(outcome, samples=_copied(outcome.samples), foreign=_copied(outcome.foreign))


def _copied(found: Readings) -> Readings:
    return replace(found, parts=tuple(Part(part.layout, list(part.values)) for part in found.parts))


def _suffer(agent: Agent, ailment: Ailment, step: int) -> None:
    if step == BREAKS_AT or (ailment.again and step % 3 == 0):
        agent.suffer(ailment.fault, ailment.value)


async def _opened(device: Device, simulated: twin.Device, exchange: Exchange, clock: Clock) -> tuple[Agent, Target]:
    agent = Agent(simulated, clock)
    transport: Any
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: Listening(agent), ("127.0.0.1", 0))
    address = ("127.0.0.1", transport.get_extra_info("sockname")[1])
    session = open_session(exchange, address, V2C, Secret, PACING.patience)
    asked = replace(device, host=address[0], port=address[1], credential=V2C.name)
    return agent, Target(asked, session, also=chosen(MODULES))
