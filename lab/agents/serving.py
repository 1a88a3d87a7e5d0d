"""The agents of every simulated device of the town on sockets in the devices' namespaces, and the orders to them.

An order is a datagram on a Unix socket: ``NAME normal|silent|garbage|reboot``.
"""

import asyncio
import socket
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, cast

from lab.agents.agent import Agent, Device, Mood
from parvis.namespaces import inside

REBOOT = "reboot"


class Listening(asyncio.DatagramProtocol):
    """Hands each datagram to the agent, and its answer back."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer by."""
        # Python 3.11's own transport is no subclass of DatagramTransport, though it has its methods.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Answer, or be silent as the agent is."""
        answer = self._agent.answer(data)
        if answer is not None:
            self._transport.sendto(answer, addr)


class _Orders(asyncio.DatagramProtocol):
    def __init__(self, agents: dict[str, Agent]) -> None:
        self._agents = agents

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002 the parent's signature
        name, _, order = data.decode(errors="replace").partition(" ")
        agent = self._agents.get(name)
        if agent and order == REBOOT:
            agent.reboot()
        elif agent and order in set(Mood):
            agent.mood = Mood(order)


def _open(device: Device) -> socket.socket:
    def bound() -> socket.socket:
        channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        channel.setblocking(False)
        channel.bind((device.about.address, device.port))
        return channel

    return inside(device.namespace, bound)


def _open_orders(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.setblocking(False)
    channel.bind(str(path))
    return channel


async def listen(devices: Iterable[Device], orders: Path) -> None:
    """Open a socket for each device in its namespace, and *orders*; the running loop then answers on them."""
    loop = asyncio.get_running_loop()
    agents = {device.about.name: Agent(device) for device in devices}
    for agent in agents.values():
        await loop.create_datagram_endpoint(partial(Listening, agent), sock=_open(agent.device))
    await loop.create_datagram_endpoint(partial(_Orders, agents), sock=_open_orders(orders))
