"""``script/bench monitor``: what it costs to ask and judge thousands of nodes, and to show the wall.

Targets are addresses of the loopback network, which the kernel answers itself: its part of the work is in the CPU time
too. Beside it, in the same run, a bare loop that sends as many datagrams and takes them back: the floor.
"""

import socket
import statistics
import subprocess
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path

from monitor_actors import Desk
from table import Row, row

from lab.inside import set_sysctls
from monitor.findings import Finding, judge
from monitor.history.blocks import FIVE_MINUTES, rolled
from monitor.history.ring import Ring
from monitor.observations import Outcome
from monitor.probes.icmp import Prober
from monitor.sites import views
from monitor.store_history import History
from monitor.targets import Kind, Target, targets
from monitor.watch import Picture
from parvis.inventory import DEMO_TOWN, Site, Town, load
from parvis.namespaces import inside

SIZES = (10, 100, 1_000, 2_000)
ROUNDS = 5
INTERVAL_SECONDS = 20.0
WALL_SITES = 60
"""With 33 nodes each: 2,000."""
POINTS = 31
PLACE = "be-monitor"


def asked(size: int) -> float:
    """CPU seconds of one round of echoes to *size* addresses, by median."""
    first = int(IPv4Address("127.1.0.1"))
    listed = [Target(f"n{n}", Kind.ACCESS_POINT, "site", IPv4Address(first + n)) for n in range(size)]
    with Prober(listed) as prober:
        spent = []
        for _ in range(ROUNDS):
            before = time.process_time()
            lost = sum(not outcome.answered for outcome in prober.round())
            spent.append(time.process_time() - before)
            if lost:
                raise SystemExit(f"{lost} of {size} echoes were lost")
    return statistics.median(spent)


def floor(size: int) -> float:
    """CPU seconds of sending *size* datagrams over the loopback and taking them back, by median."""
    spent = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.bind(("127.0.0.1", 0))
        for _ in range(ROUNDS):
            before = time.process_time()
            for _ in range(size):
                channel.sendto(b"x" * 24, channel.getsockname())
                channel.recv(100)
            spent.append(time.process_time() - before)
    return statistics.median(spent)


def grown(town: Town) -> Town:
    """*town* with many large sites: its first one's copies."""
    first = town.sites[0]
    return town.model_copy(update={"sites": tuple(_copy(first, number) for number in range(WALL_SITES))})


def _copy(site: Site, number: int) -> Site:
    point = site.access_points[0]
    points = tuple(point.model_copy(update={"name": f"ap-{number}-{n}"}) for n in range(POINTS))
    gateway = site.gateway.model_copy(update={"name": f"gw-{number}"})
    uplink = site.uplink.model_copy(update={"name": f"fibre-{number}"})
    words = {"site": f"site-{number}", "access_points": points, "gateway": gateway, "uplink": uplink}
    return site.model_copy(update=words)


def judged(town: Town) -> tuple[float, list[Finding]]:
    """CPU seconds of judging one round of the whole *town*, by median, and the findings."""
    outcomes = [Outcome(target.name, answered=True, loss_ratio=0.0, rtt_seconds=0.001) for target in targets(town)]
    found: list[Finding] = []
    spent = []
    for number in range(ROUNDS):
        before = time.process_time()
        found = judge(town, outcomes, (), found, 1_000_000.0 + number)
        spent.append(time.process_time() - before)
    return statistics.median(spent), found


def wall(town: Town, found: list[Finding]) -> float:
    """Seconds the wall page of *town* takes, by median."""
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as folder:
        desk = Desk(town, Path(folder))
        now = time.time()
        dated = [replace(one, since=now) for one in found]
        desk.watch.picture = Picture(now, dated, views(town, dated, ()))
        spent = []
        for _ in range(ROUNDS):
            before = time.perf_counter()
            if desk.client.get("/wall").status_code != 200:
                raise SystemExit("the wall does not answer")
            spent.append(time.perf_counter() - before)
    return statistics.median(spent)


def history(nodes: int) -> Iterator[tuple[str, str, float]]:
    """(name, unit, value): what three series a node cost: a step, a slot, a day's hours and its packing at once."""
    names = [f"{kind}/n{n}" for n in range(nodes) for kind in ("rtt", "loss", "clients")]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    ring = Ring(INTERVAL_SECONDS)
    day = FIVE_MINUTES.pack_of(time.time())
    for step in range(ring.cells):
        ring.add(day + step * INTERVAL_SECONDS, {name: float(step % 40) for name in names})
    yield "history_ring_memory", "MB", round((tracemalloc.get_traced_memory()[0] - before) / 1e6, 1)
    tracemalloc.stop()
    yield "history_step_cpu", "ms", _spent(lambda: ring.add(day + 7201, dict.fromkeys(names, 1.0)))
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as folder:
        kept = History(Path(folder) / "history.sqlite")
        rolled_ = {name: rolled(value for _, value in ring.samples(name, day + 600, day + 900)) for name in names}
        blocks = {name: block for name, block in rolled_.items() if block is not None}
        kept.write(day, blocks)
        yield "history_slot_cpu", "ms", _spent(lambda: kept.write(day + FIVE_MINUTES.slot, blocks))
        for slot in range(2, FIVE_MINUTES.slots):
            kept.write(day + slot * FIVE_MINUTES.slot, blocks)
        yield "history_day_cpu", "ms", _spent(lambda: kept.tidy(day + FIVE_MINUTES.pack + 2 * 3600))
        asked_ = lambda: kept.read(["rtt/n1"], day, day + FIVE_MINUTES.pack, FIVE_MINUTES)  # noqa: E731
        yield "history_read_day_cpu", "ms", _spent(asked_)


def _spent(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return round((time.process_time() - before) * 1e3, 1)


@contextmanager
def place() -> Iterator[None]:
    """A network namespace in which everybody may ping."""
    subprocess.run(["ip", "netns", "add", PLACE], check=True)
    try:
        subprocess.run(["ip", "-n", PLACE, "link", "set", "dev", "lo", "up"], check=True)
        set_sysctls(PLACE, {"net/ipv4/ping_group_range": "0 2147483647"})
        yield
    finally:
        subprocess.run(["ip", "netns", "delete", PLACE], check=True)


def rows() -> list[Row]:
    """Everything."""
    with place():
        return _rows()


def _rows() -> list[Row]:
    found = []
    for size in SIZES:
        ours, least = inside(PLACE, partial(asked, size)), inside(PLACE, partial(floor, size))
        found.append(row("echo_round_cpu", "ms", round(ours * 1e3, 1), round(least * 1e3, 1), "bare loop", f"{size}"))
    town = grown(load(DEMO_TOWN))
    cost, findings = judged(town)
    nodes = f"{len(findings)} nodes"
    found.append(row("judge_round_cpu", "ms", round(cost * 1e3, 1), 0, "", nodes))
    share = round((ours + cost) / INTERVAL_SECONDS * 100, 2)
    found.append(row("probing_every_20_s", "% of a core", share, 25, "budget", nodes))
    found.append(row("wall_page_p50", "ms", round(wall(town, findings) * 1e3), 200, "budget", nodes))
    found += [row(name, unit, value, 0, "", nodes) for name, unit, value in history(SIZES[-1])]
    return found
