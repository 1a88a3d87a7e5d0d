"""``script/bench snmp``: our collectors beside Debian's prometheus-snmp-exporter, on the same devices, by turns.

The devices (responder.c) have 48 ports and answer at most 1472 octets at a time. Both sides tell the same 20 columns of
ifTable and ifXTable, 816 series of a device, over HTTP. Ours polls on its own clock and is scraped as often as it
polls; the exporter polls when it is scraped. What is counted is the processor time of each side's own process. Ours
runs twice, in Python alone and with the compiled core, where there is one. Beside both, net-snmp's snmpbulkwalk reads
the same two tables and prints them: what asking alone costs, without labels, clocks or HTTP.
"""

import asyncio
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import agents
import collecting
import yaml
from table import Row, middle, row

from collectors import compiled

HERE = Path(__file__).parent
PORTS, THEIRS = {"python": 19801, "compiled": 19803}, 19802
"""Where each side is scraped."""
ROUNDS = 3
SIZES = (10, 100, 1_000)
IN_V3 = 100
AT_ONCE = 32
POLLS_PER_SECOND = 1000
"""How fast ours is made to poll in the comparison: some way below what one core can do on a busy machine."""
SECONDS = 2
"""Of polls alone, and again of polls and scrapes, in each round; at least one interval."""
POINTS = 10_000
WALKED = 10
"""Devices that snmpbulkwalk reads in a round: a process each."""
TICK = os.sysconf("SC_CLK_TCK")


def cpu(pid: int) -> float:
    """Seconds of processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pid: int) -> float:
    """Its memory in MB, shared pages by their share."""
    found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


async def scrape(port: int, paths: list[str]) -> int:
    """GET every path once, AT_ONCE at a time over kept connections; how many answers were whole and not errors."""
    left = iter(paths)
    good = 0

    async def connection() -> None:
        nonlocal good
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
        for path in left:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"(?i)content-length: (\d+)", head)
            if length:
                await reader.readexactly(int(length[1]))
            else:
                while size := int((await reader.readline()).split(b";")[0], 16):
                    await reader.readexactly(size + 2)
                await reader.readline()
            good += head.startswith("HTTP/1.1 200")
        writer.close()

    await asyncio.gather(*(connection() for _ in range(min(AT_ONCE, len(paths)))))
    return good


@contextmanager
def ours(folder: Path, count: int, interval: float, version: str, kind: str) -> Iterator[tuple[int, Path]]:
    """Our collectors, running; their process and the file with their counts."""
    counts = folder / f"counts-{count}-{version}-{kind}"
    counts.write_bytes(bytes(24))
    words = [str(PORTS[kind]), str(count), str(interval), version, str(counts), kind]
    with subprocess.Popen([sys.executable, "-OO", str(HERE / "collecting.py"), *words]) as running:
        try:
            yield running.pid, counts
        finally:
            os.kill(running.pid, signal.SIGCONT)
            running.terminate()


def polls(counts: Path) -> tuple[int, int]:
    """How many polls there were, and how many failed."""
    made, failed, _ = struct.unpack("QQQ", counts.read_bytes())
    return made, failed


def settled(counts: Path) -> int:
    """How many devices were polled well three times: their plan is learned, their reply size has settled."""
    return int(struct.unpack("QQQ", counts.read_bytes())[2])


@contextmanager
def theirs(folder: Path, version: str) -> Iterator[int]:
    """Debian's exporter on one core, as ours is."""
    program = shutil.which("prometheus-snmp-exporter")
    if program is None:
        raise SystemExit("prometheus-snmp-exporter is missing: apt-get install prometheus-snmp-exporter")
    file = folder / f"snmp-{version}.yml"
    file.write_text(yaml.safe_dump(configuration(version, apart=exporter_version() >= (0, 23))), "utf-8")
    words = [program, f"--config.file={file}", f"--web.listen-address=127.0.0.1:{THEIRS}", "--log.level=error"]
    with subprocess.Popen(words, env={**os.environ, "GOMAXPROCS": "1"}, stderr=subprocess.DEVNULL) as running:
        try:
            yield running.pid
        finally:
            running.terminate()


def exporter_version() -> tuple[int, ...]:
    done = subprocess.run(["prometheus-snmp-exporter", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"version (\d+)\.(\d+)\.(\d+)", done.stdout + done.stderr)
    return tuple(int(part) for part in found.groups()) if found else (0,)


def configuration(version: str, *, apart: bool) -> dict[str, Any]:
    """The module as upstream's generator writes such a one: each column walked, the texts looked up as labels."""
    module = collecting.module()
    lookups = [
        {"labels": ["ifIndex"], "labelname": name, "oid": oid, "type": "DisplayString"}
        for name, oid in collecting.LOOKUPS.items()
    ]
    metrics, walk = [], list(collecting.LOOKUPS.values())
    for group in module.groups.values():
        for name, shown in group.everything.items():
            oid = f"{group.oid}.{shown.arc}"
            walk.append(oid)
            index = [{"labelname": "ifIndex", "type": "gauge"}]
            metrics.append(
                {"name": name, "oid": oid, "type": shown.kind, "help": name, "indexes": index, "lookups": lookups}
            )
    login: dict[str, Any] = {"community": "public"}
    if version == "v3":
        login = {"security_level": "authPriv", "username": "bench", "auth_protocol": "SHA", "priv_protocol": "AES"}
        login |= {"password": agents.AUTH_PASSWORD, "priv_password": agents.PRIV_PASSWORD}
    number = 3 if version == "v3" else 2
    asked = {"walk": sorted(walk), "metrics": metrics, "max_repetitions": 25}
    if apart:
        return {"auths": {"public_v2": {"version": number, **login}}, "modules": {collecting.MODULE: asked}}
    return {collecting.MODULE: {**asked, "version": number, "auth": login}}


def series(text: str) -> set[str]:
    """Every series of a page but those about the scrape itself."""
    lines = (line.rpartition(" ")[0] for line in text.splitlines() if line and not line.startswith("#"))
    return {line for line in lines if not line.startswith(("snmp_scrape", "snmp_"))}


def page(port: int, target: str) -> str:
    try:
        with urlopen(f"http://127.0.0.1:{port}/snmp?target={target}&module={collecting.MODULE}", timeout=30) as answer:
            return answer.read().decode()  # type: ignore[no-any-return]
    except HTTPError as error:
        raise SystemExit(f"{target}: {error}: {error.read().decode()}") from error


def ours_once(side: "Side", count: int, interval: float) -> float:
    """Milliseconds of processor time for one device polled and scraped once.

    Polls are measured alone first: on a busy machine there may be fewer polls than scrapes, or more.
    """
    os.kill(side.pid, signal.SIGCONT)
    time.sleep(interval + 1.5)  # polls that were broken off by the pause are over
    paths = [f"/snmp?target=d{number}&module={collecting.MODULE}" for number in range(count)]
    seconds = max(SECONDS, interval)
    used, before = cpu(side.pid), polls(side.counts)
    time.sleep(seconds)
    alone, made = cpu(side.pid) - used, polls(side.counts)[0] - before[0]
    each = alone / max(made, 1)
    used, then, good = cpu(side.pid), polls(side.counts)[0], 0
    turns, started = max(round(seconds / interval), 1), time.monotonic()
    for turn in range(turns):
        good += asyncio.run(scrape(PORTS[side.kind], paths))
        time.sleep(max(started + (turn + 1) * interval - time.monotonic(), 0))
    spent, meanwhile = cpu(side.pid) - used, polls(side.counts)[0] - then
    failed = polls(side.counts)[1] - before[1]
    os.kill(side.pid, signal.SIGSTOP)
    if failed or good < turns * count or not made:
        print(f"ours: {failed} polls failed, {turns * count - good} scrapes, {made} polls", file=sys.stderr)
    return (each + max(spent - meanwhile * each, 0) / max(good, 1)) * 1000


def theirs_once(pid: int, count: int) -> float:
    """The same of the exporter."""
    some = min(count, 200)
    turns = max(100 // count, 1)
    paths = [f"/snmp?target={agents.address(n)}:{agents.PORT}&module={collecting.MODULE}" for n in range(some)]
    used = cpu(pid)
    good = sum(asyncio.run(scrape(THEIRS, paths)) for _ in range(turns))
    if good < turns * some:
        print(f"exporter: {turns * some - good} of {turns * some} scrapes failed", file=sys.stderr)
    return (cpu(pid) - used) / (turns * some) * 1000


def walked_once(count: int, version: str) -> float:
    """Seconds of processor time snmpbulkwalk takes for a million variables; it loads no MIB files."""
    login = ["-v2c", "-c", "public"]
    if version == "v3":
        login = ["-v3", "-l", "authPriv", "-u", "bench", "-a", "SHA", "-x", "AES"]
        login += ["-A", agents.AUTH_PASSWORD, "-X", agents.PRIV_PASSWORD]
    words = ["snmpbulkwalk", *login, "-m", "", "-On", "-Cr25"]
    before, found = resource.getrusage(resource.RUSAGE_CHILDREN), 0
    for number in range(min(count, WALKED)):
        for table in (collecting.IF, collecting.IFX):
            host = f"{agents.address(number)}:{agents.PORT}"
            done = subprocess.run([*words, host, table], capture_output=True, check=True)
            found += done.stdout.count(b"\n")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / found * 1e6


@dataclass(slots=True)
class Side:
    """One of ours: its process, its file of counts, and what it took in each round."""

    kind: str
    pid: int
    counts: Path
    took: list[float] = field(default_factory=list)


def kinds() -> list[str]:
    """Python alone, and the compiled core where it could be built."""
    compiled.build()
    return ["python", *(["compiled"] if compiled.built().exists() else [])]


def compared(folder: Path, count: int, version: str) -> list[Row]:
    """All sides by turns on *count* devices."""
    interval = max(count / POLLS_PER_SECOND, 0.1)
    rounds = ROUNDS if count < SIZES[-1] else 2
    with ExitStack() as stack:
        peer = stack.enter_context(theirs(folder, version))
        sides = []
        for kind in kinds():
            side = Side(kind, *stack.enter_context(ours(folder, count, interval, version, kind)))
            learned(side.counts, count, 60 + count * 0.2)
            check_series(page(PORTS[kind], "d0"), f"{agents.address(0)}:{agents.PORT}")
            os.kill(side.pid, signal.SIGSTOP)
            sides.append(side)
        others, memories, walks = [], [], []
        for _ in range(rounds):
            for side in sides:
                side.took.append(ours_once(side, count, interval))
            others.append(theirs_once(peer, count))
            walks.append(walked_once(count, version))
            memories.append(memory(peer))
        return [line for side in sides for line in lines(side, others, walks, memories, count, version)]


def lines(
    side: Side, others: list[float], walks: list[float], memories: list[float], count: int, version: str
) -> list[Row]:
    """What one of ours took, beside the exporter and snmpbulkwalk; ratios are of one round each.

    A million variables are as many cells of the 20 columns, told or looked up.
    """
    exporter = f"snmp_exporter {'.'.join(map(str, exporter_version()))}"
    ratios = [one / two for one, two in zip(side.took, others, strict=True)]
    goal = 0.2 if version == "v3" else 0.1 if side.kind == "python" else 1 / 30
    size, way = f"{count} devices", f"{side.kind}, {version}"
    mine, theirs = middle(side.took), middle(others)
    million = 1e6 / 1000 / (columns() * agents.PORTS)
    spent = f"cpu_per_million_varbinds, {way}"
    return [
        row(f"cpu_per_target, {way}", "ms", round(mine, 3), round(theirs, 3), exporter, size),
        row(f"cpu_ratio, {way}", "1", round(middle(ratios), 4), round(goal, 4), "goal", size),
        row(f"cpu_ratio_worst_round, {way}", "1", round(max(ratios), 4), round(goal, 4), "goal", size),
        row(spent, "s", round(mine * million, 3), round(theirs * million, 3), exporter, size),
        row(spent, "s", round(mine * million, 3), round(middle(walks), 3), "snmpbulkwalk, a process a table", size),
        row(f"memory_pss, {way}", "MB", round(memory(side.pid), 1), round(max(memories), 1), exporter, size),
    ]


def columns() -> int:
    """How many columns both sides read."""
    groups = collecting.module().groups.values()
    return sum(len(group.everything) for group in groups) + len(collecting.LOOKUPS)


def check_series(told: str, target: str) -> None:
    """Stop unless both sides tell the same series."""
    differ = series(told) ^ series(page(THEIRS, target))
    if differ:
        raise SystemExit(f"not the same series: {sorted(differ)[:6]}")


def learned(counts: Path, count: int, seconds: float) -> None:
    """Wait until every device is learned; SystemExit when that takes longer than *seconds*: the machine is too busy."""
    deadline = time.monotonic() + seconds
    while settled(counts) < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {settled(counts)} of {count} devices were learned in time: the machine is too busy")
        time.sleep(0.2)
    time.sleep(2)


def points(folder: Path) -> list[Row]:
    """Many access points, each once a minute: what it takes of a core once they are learned."""
    with ours(folder, POINTS, 60, "v2c", kinds()[-1]) as (pid, counts):
        learned(counts, POINTS, 600)
        before, used, started = polls(counts), cpu(pid), time.monotonic()
        time.sleep(60)  # one round: devices have their turns where chance put them
        seconds = time.monotonic() - started
        made, failed = (now - then for now, then in zip(polls(counts), before, strict=True))
        share, size = (cpu(pid) - used) / seconds, f"{POINTS} access points a minute"
        return [
            row("polls_per_minute", "1", round(made * 60 / seconds), POINTS, "wanted", size),
            row("polls_failed", "1", failed, 0, "wanted", size),
            row("cores", "1", round(share, 3), 2, "this machine's", size),
            row("memory_pss", "MB", round(memory(pid), 1), 0, "", size),
        ]


def rows() -> list[Row]:
    """Everything."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="be-snmp-")))
        switch = {**agents.system("a switch", "1.3.6.1.4.1.99999.1"), **agents.ports(agents.PORTS)}
        with agents.answering(folder, agents.PORT, switch):
            table = [line for count in SIZES for line in compared(folder, count, "v2c")]
            table += compared(folder, IN_V3, "v3")
        with agents.answering(folder, agents.PORT, agents.access_point()):
            return table + points(folder)
