"""Does one bad device in a hundred change the others' poll times? By turns without and with each fault.

The devices are the twin's, the bad one in another process than the others; the poller's own session, walk and decoding
ask them over UDP, each device once a round at its turn, as the service does. A round without the fault and one with it
are neighbours, and which of them is first changes from pair to pair, so that what else the machine does falls on both.
Each of the others has a ratio of its own in each pair, its poll time with the fault by that without; printed is the
median of all of them, and beside it the same of pairs without any fault, which is what the measurement itself is worth.
A round of the service takes 60 s; the shorter rounds here give the bad device a larger share of the time. All of
it runs before other processes (SCHED_FIFO), where that is allowed.
BENCH_ROUNDS, BENCH_SECONDS and BENCH_FAULTS (names with commas) change how much is measured.
"""

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from isolation_agents import COMMUNITY, PORT, USER, device, host, is_v3
from table import Row, middle, row

from collectors.access import open_session
from collectors.device import Device, Polled
from collectors.poll import Target
from collectors.poller import Pacing, attempt
from collectors.schedule import Breaker
from collectors.snmp.transport import Exchange
from lab.agents.faults import FAULTS
from parvis.inventory import CommunityCredential, UserCredential
from parvis.values import Secret

DEVICES = 100
PAIRS = int(os.environ.get("BENCH_ROUNDS", "8"))
ROUND_SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
BAD = (0, 4)
"""The device with the fault: one that speaks v2c, and for the faults of v3 one that does."""
ONLY_V3 = {"zero-hmac", "engine-time"}
MOST = 1.05
NOTHING = "nothing"
"""No fault: two healthy rounds compared."""
PACING = Pacing(interval_seconds=60, deadline_seconds=45)
V2C = CommunityCredential(name="v2c", version="v2c", community_secret=COMMUNITY)
V3 = UserCredential(
    name="v3", version="v3", user=USER.name, auth=USER.auth, privacy=USER.privacy,
    auth_secret=USER.auth_secret, privacy_secret=USER.privacy_secret,
)  # fmt: skip


@contextmanager
def agents() -> Iterator[Path]:
    """The devices, the bad ones in another process than the others; and the socket for orders to the bad ones."""
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as folder, ExitStack() as stack:
        others = [number for number in range(DEVICES) if number not in BAD]
        for name, numbers in (("others", others), ("bad", list(BAD))):
            argv = [sys.executable, "-OO", str(Path(__file__).with_name("isolation_agents.py"))]
            argv += [str(Path(folder) / name), *map(str, numbers)]
            environment = os.environ | {"PYTHONPATH": str(Path.cwd())}
            process = stack.enter_context(subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment))
            stack.callback(process.terminate)
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
        yield Path(folder) / "bad"


def order(orders: Path, number: int, fault: str = "") -> None:
    """Have one device suffer *fault*, or heal it."""
    words = {"device": device(number).about.name} | ({"fault": fault} if fault else {})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.sendto(json.dumps(words).encode(), str(orders))


class Bench:
    """A hundred targets over one socket."""

    def __init__(self, orders: Path) -> None:
        self.orders = orders
        self.exchange = Exchange()
        self.targets = [self._target(number) for number in range(DEVICES)]
        self.lost = 0

    def _target(self, number: int) -> Target:
        address = (host(number), PORT)
        credential = V3 if is_v3(number) else V2C
        session = open_session(self.exchange, address, credential, Secret, PACING.patience)
        return Target(Device(device(number).about.name, *address), session)

    async def others(self, bad: int) -> dict[int, float]:
        """One round without the device *bad*: the others' poll times, in seconds."""
        numbers = [number for number in range(DEVICES) if number != bad]
        random.shuffle(numbers)
        pause = ROUND_SECONDS / len(numbers)
        times = await asyncio.gather(*(self._timed(n, place * pause) for place, n in enumerate(numbers)))
        return dict(zip(numbers, times, strict=True))

    async def _timed(self, number: int, wait: float) -> float:
        await asyncio.sleep(wait)
        begun = time.perf_counter()
        outcome = await attempt(self.targets[number], PACING, Breaker())
        self.lost += not isinstance(outcome, Polled)
        return time.perf_counter() - begun

    async def _at_its_turn(self, bad: int) -> None:
        """Poll the bad device again and again, once a round at most and never twice at once."""
        while True:
            await attempt(self.targets[bad], PACING, Breaker())
            await asyncio.sleep(ROUND_SECONDS)

    async def compare(self, fault: str, bad: int) -> tuple[float, float]:
        """The median of the others' ratios, with *fault* by without, and their median poll time without, in seconds."""
        ratios: list[float] = []
        plain: list[float] = []
        for pair in range(PAIRS):
            first, second = ("", fault) if pair % 2 else (fault, "")
            one, other = await self._round(bad, first), await self._round(bad, second)
            sick, healthy = (one, other) if first else (other, one)
            ratios += [sick[number] / healthy[number] for number in healthy]
            plain += healthy.values()
        return middle(ratios), middle(plain)

    async def _round(self, bad: int, fault: str) -> dict[int, float]:
        order(self.orders, bad, "" if fault == NOTHING else fault)
        turn = asyncio.create_task(self._at_its_turn(bad))
        try:
            return await self.others(bad)
        finally:
            turn.cancel()
            with suppress(asyncio.CancelledError):
                await turn
            order(self.orders, bad)


async def measure(orders: Path) -> list[Row]:
    bench = Bench(orders)
    await asyncio.gather(*(attempt(target, PACING, Breaker()) for target in bench.targets))
    found = []
    try:
        await bench.compare(NOTHING, BAD[0])  # until every plan has settled
        wanted = os.environ.get("BENCH_FAULTS", ",".join(FAULTS)).split(",")
        for fault in [NOTHING, *filter(None, wanted)]:
            bad = BAD[fault in ONLY_V3]
            ratio, healthy = await bench.compare(fault, bad)
            size = f"{DEVICES} devices, {PAIRS} pairs of rounds, {healthy * 1000:.1f} ms without"
            found.append(row(f"others_poll_time {fault}", "ratio", round(ratio, 3), MOST, "budget", size))
        found.append(row("others_failed_polls", "1", bench.lost, 0, "budget", f"{DEVICES - 1} devices, all rounds"))
    finally:
        bench.exchange.close()
    return found


@contextmanager
def before_others() -> Iterator[None]:
    """Whatever else the machine does waits: polls take milliseconds, and on two busy cores what these leave."""
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def rows() -> list[Row]:
    with before_others(), agents() as orders:
        return asyncio.run(measure(orders))
