"""The agents of every simulated device of the town on sockets in the devices' namespaces, and the orders to them.

An order is a datagram on a Unix socket, in JSON: ``{"device": …, "fault": …, "value": …, "seconds": …}``, the last two
as one likes; or ``{"device": …}`` to heal it.
"""

import asyncio
import json
import socket
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, cast

from lab.agents.agent import COLD_START, FOR_EVER, TRAP_PORT, Agent, Device, Reply
from parvis.namespaces import inside

IP_TRANSPARENT = 19


class Listening(asyncio.DatagramProtocol):
    """Hands each datagram to the agent, and its answers back."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self._elsewhere: dict[str, socket.socket] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer by."""
        # Python 3.11's own transport is no subclass of DatagramTransport, though it has its methods.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 the parent's signature
        """Close what was opened beside."""
        for channel in self._elsewhere.values():
            channel.close()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Answer, or be silent as the agent is."""
        for reply in self.agent.answers(data):
            if reply.delay_seconds:
                asyncio.get_running_loop().call_later(reply.delay_seconds, self._send, reply, addr)
            else:
                self._send(reply, addr)

    def rebooted(self) -> None:
        """Tell whoever is to be told that the device has started again."""
        told = self.agent.device.trap_to
        if told:
            self._transport.sendto(self.agent.trap(COLD_START), (told, TRAP_PORT))

    def _send(self, reply: Reply, addr: Any) -> None:
        if not reply.way:
            self._transport.sendto(reply.data, addr)
            return
        if reply.way not in self._elsewhere:
            host = self._transport.get_extra_info("sockname")[0]
            self._elsewhere[reply.way] = inside_of(self.agent.device, partial(_beside, host, reply.way))
        with suppress(OSError):
            self._elsewhere[reply.way].sendto(reply.data, addr)


def _beside(host: str, way: str) -> socket.socket:
    """A socket on another port of *host*, or on its neighbour's address."""
    channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    channel.setblocking(False)
    if way == "address":
        with suppress(PermissionError):  # the lab is root; a test on the loopback needs no leave
            channel.setsockopt(socket.IPPROTO_IP, IP_TRANSPARENT, 1)
        front, _, last = host.rpartition(".")
        host = f"{front}.{(int(last) + 100) % 250 + 1}"
    channel.bind((host, 0))
    return channel


class _Orders(asyncio.DatagramProtocol):
    def __init__(self, listening: dict[str, Listening]) -> None:
        self._listening = listening

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002 the parent's signature
        with suppress(ValueError, TypeError, KeyError):  # whoever ordered was told by lab.town what there is
            order = json.loads(data)
            obey(self._listening[order["device"]], order)


def obey(listening: Listening, order: dict[str, Any]) -> None:
    """Do what *order* says to one device."""
    fault = order.get("fault")
    if not fault:
        listening.agent.heal()
        return
    listening.agent.suffer(fault, order.get("value"), order.get("seconds") or FOR_EVER)
    if fault == "reboot":
        listening.rebooted()


def inside_of(device: Device, work: Any) -> socket.socket:
    """A socket made by *work* where *device* is."""
    made: socket.socket = inside(device.namespace, work) if device.namespace else work()
    return made


def _open(device: Device) -> socket.socket:
    def bound() -> socket.socket:
        channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        channel.setblocking(False)
        channel.bind((device.about.address, device.port))
        return channel

    return inside_of(device, bound)


def _open_orders(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.setblocking(False)
    channel.bind(str(path))
    return channel


async def listen(devices: Iterable[Device], orders: Path) -> dict[str, Listening]:
    """Open a socket for each device in its namespace, and *orders*; the running loop then answers on them."""
    loop = asyncio.get_running_loop()
    listening = {device.about.name: Listening(Agent(device)) for device in devices}
    for each in listening.values():
        await loop.create_datagram_endpoint(partial(_same, each), sock=_open(each.agent.device))
    await loop.create_datagram_endpoint(partial(_Orders, listening), sock=_open_orders(orders))
    return listening


def _same(listening: Listening) -> Listening:
    return listening
