"""Two pollers of one town, on two machines: either may die, and the other has everything (docs/04)."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from snmp_agents import UNIFI, MemoryAgent, agent
from test_peers_of_the_ears import soon
from test_poller import PACING
from test_prometheus_scrapes import configured, prometheus, until

from collectors.board import Board
from collectors.device import Device
from collectors.poller import Poller
from collectors.service import endpoint
from collectors.snmp import ber
from collectors.web import Questions
from parvis.inventory import Town
from parvis.values import Secret

CLIENTS = "1.3.6.1.4.1.41112.1.6.1.2.1.8."


@contextmanager
def ears(town: Town, devices: list[Device]) -> Iterator[str]:
    """A poller of all *devices* each second, and its pages; their address."""
    board = Board(devices, stale_after_seconds=60)
    poller = Poller(town, devices, lambda _: Secret("public"), board, replace(PACING, interval_seconds=1))
    questions = Questions(board, (), time.time, gzip=True)
    with poller, endpoint(("127.0.0.1", 0), board, poller, questions=questions) as page:
        yield f"127.0.0.1:{page.port}"


@pytest.mark.slow
def test_s39_when_one_poller_dies_the_other_goes_on_with_every_device(town: Town, tmp_path: Path) -> None:
    memories = [MemoryAgent(UNIFI) for _ in range(3)]
    with ExitStack() as stack:
        addresses = [stack.enter_context(agent(memory)) for memory in memories]
        devices = [
            Device(name, *address, credential="anciennes-v2c", kind="access-point", site="msp", town="t")
            for name, address in zip(soon(3), addresses, strict=True)
        ]
        dying = stack.enter_context(ExitStack())
        pages = [dying.enter_context(ears(town, devices)), stack.enter_context(ears(town, devices))]
        servers = [
            stack.enter_context(prometheus(tmp_path / f"{turn}", configured(page, "[01]")))
            for turn, page in enumerate(pages)
        ]
        for server in servers:
            until(server, "snmp_up == 1", 3)

        dying.close()
        for memory in memories:
            for name in [one for one in UNIFI if one.startswith(CLIENTS)]:
                memory._cells[ber.oid(name)] = (ber.INTEGER, 31)

        gone = until(servers[0], 'up{job="parvis"} == 0', 3)
        fresh = until(servers[1], "count by (device) (wifi_ssid_clients == 31)", 3)
        alive = until(servers[1], 'up{job="parvis"} == 1', 3)

    names = {device.name for device in devices}
    assert [{row["metric"].get("device") for row in rows} for rows in (gone, fresh, alive)] == [names] * 3
