"""``script/bench NAME``: measures, and prints a table; ``--json FILE`` writes the same, ``--picture FILE`` its curves.

page    what each page weighs in Chromium: bytes, requests, nodes; time to online on a slow line; beside the budgets
portal  door and packet together
packet  acceptance to first forwarded packet, beside one request for the splash page (the floor) in the same run
gateway what a packet costs beside a plain NAT gateway with the same flows, and gatewayd's work with 65,000 sessions
door    acceptances, pages and redirects a second beside a bare WSGI page, what idle phones' probes cost
snmp    what a device costs polled and scraped, beside prometheus-snmp-exporter on the same devices; 10,000 points
opennds the same residents at our door and at openNDS' (Debian's package, unpacked for the run only), by turns
isolation one bad device in a hundred, each fault of the twin in turn: what it does to the others' poll times
monitor what asking and judging thousands of nodes costs, beside a bare loop; the wall page
influx  what a sample costs through our spool, beside influxdb-client's batching; what an outage loses
legal   what recording 5,000 connections a second costs, beside conntrack -E and beside port blocks
traps   what a storm of 1000 traps a second costs
town    how long the town takes to come up, and the memory of our processes, beside Debian's in the same run
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import bench_door
import bench_gateway
import bench_influx
import bench_isolation
import bench_legal
import bench_monitor
import bench_opennds
import bench_snmp
import bench_traps
from curves import Curve, by_size
from headlines import grown, growth, headlines
from stopping import stoppable
from table import COLUMNS, Row, machine, row

from actors import MSP
from lab.building import Options
from lab.plan import WEB
from lab.processes import pss_bytes
from lab.town import Lab

ROUNDS = 40
JOURNEYS = 9
HERE = Path(__file__).parent


@contextmanager
def running_town(prefix: str) -> Iterator[Lab]:
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as folder:
        Path(folder).chmod(0o755)
        lab = Lab(Path(folder) / "lab")
        lab.up(Options(prefix=prefix))
        try:
            yield lab
        finally:
            lab.down()


def page(lab: Lab) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as folder:
        inside = [str(HERE / "pages.py"), str(lab.folder / "tls" / "ca.pem"), folder, str(JOURNEYS)]
        path = os.pathsep.join(str(HERE.parent / part) for part in ("..", ".", "journeys"))
        done = lab.exec(f"{MSP}/1", ["env", f"PYTHONPATH={path}", sys.executable, *inside], timeout_seconds=180)
    if done.returncode:
        raise SystemExit(done.stderr)
    found = json.loads(done.stdout)
    rows = [
        row(f"page_{unit}", unit, cost[unit], most, "budget", name)
        for name, cost in found["pages"].items()
        for unit, most in (("bytes", 14_000), ("requests", 1), ("nodes", 150))
    ]
    times = sorted(each["seconds"] for each in found["journeys"])
    size = f"512 kbit/s, 300 ms, {JOURNEYS} rounds"
    return [
        *rows,
        row("journey_bytes", "bytes", max(each["bytes"] for each in found["journeys"]), 60_000, "budget", size),
        row("journey_requests", "requests", max(each["requests"] for each in found["journeys"]), 6, "budget", size),
        row("time_to_online_p50", "s", round(statistics.median(times), 2), 2, "budget (ECO-02)", size),
        row("time_to_online_max", "s", round(times[-1], 2), 2, "budget (ECO-02)", size),
    ]


def packet(lab: Lab) -> list[Row]:
    ca = lab.folder / "tls" / "ca.pem"
    script = [sys.executable, str(HERE / "first_packet.py"), str(ca), "wifi.cachan.example", WEB[0], str(ROUNDS)]
    path = os.pathsep.join(str(HERE.parent / part) for part in ("..", ".", "journeys"))
    done = lab.exec(f"{MSP}/1", ["env", f"PYTHONPATH={path}", *script], timeout_seconds=120)
    if done.returncode:
        raise SystemExit(done.stderr)
    rounds = json.loads(done.stdout)
    columns = {name: sorted(one[name] * 1000 for one in rounds) for name in rounds[0]}
    floor = round(statistics.median(columns["splash"]), 2)
    return [
        row(f"{label}_{word}", "ms", round(pick(columns[name]), 2), floor, "one GET of the page", f"{ROUNDS} rounds")
        for name, label in (("post_answered", "accept_answered"), ("first_packet", "accept_to_first_packet"))
        for word, pick in (("p50", statistics.median), ("max", max))
    ]


def town(lab: Lab) -> list[Row]:
    sizes: dict[str, float] = {"ours": 0.0, "debian": 0.0}
    running = lab.processes()
    memory = pss_bytes(running)
    for run in running:
        if run.program.kind in sizes:
            sizes[run.program.kind] += memory[run.program.name] / 1024**2
    size = f"{len(lab.town.sites)} sites"
    return [
        row("town_up_seconds", "s", round(lab.about.seconds, 1), 60, "budget", size),
        row("memory_pss", "MB", round(sizes["ours"]), round(sizes["debian"]), "Debian's servers", size),
        row("memory_pss", "MB", round(sizes["ours"]), 400, "budget", size),
    ]


BENCHES = {"page": page, "packet": packet, "town": town}


ALONE = {
    "isolation": bench_isolation.rows,
    "legal": bench_legal.rows,
    "traps": bench_traps.rows,
    "gateway": bench_gateway.rows,
    "door": bench_door.rows,
    "opennds": bench_opennds.rows,
    "snmp": bench_snmp.rows,
    "monitor": bench_monitor.rows,
    "influx": bench_influx.rows,
}
"""Benches that need no town around them."""
TOGETHER = {"portal": ("door", "packet")}
"""Benches made of others."""


def measured(name: str, prefix: str) -> list[Row]:
    """The rows of bench *name*."""
    if name in TOGETHER:
        return [found for part in TOGETHER[name] for found in measured(part, prefix)]
    if name in ALONE:
        return ALONE[name]()
    with running_town(prefix) as lab:
        return BENCHES[name](lab)


DRAWN = {"snmp": "ms", "gateway": "ns"}
"""The unit that is drawn, where a bench measures several by size."""


def picture(name: str, rows: Sequence[Row]) -> str:
    """Curves of every cost that was measured at several sizes."""
    curves, told = [], set()
    for (metric, unit, peer), points in grown(rows).items():
        if unit != DRAWN.get(name, unit):
            continue
        if metric not in told:
            told.add(metric)
            curves.append(Curve(f"{metric}, {unit}: ours", [(size, mine) for size, mine, _ in points]))
        if any(other for _, _, other in points):
            curves.append(Curve(f"{metric}: {peer}", [(size, other) for size, _, other in points]))
    if not curves:
        raise SystemExit(f"{name} measures nothing at three sizes or more: there is no curve to draw")
    return by_size(f"script/bench {name}", "size", curves)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted({**BENCHES, **ALONE, **TOGETHER}))
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="an SVG of costs by size")
    parser.add_argument("--prefix", default="be-", help="of the namespaces, when another bench is running")
    words = parser.parse_args()
    with stoppable():
        rows = measured(words.name, words.prefix)
    results = [*headlines(words.name, rows), *rows, *growth(rows)]
    print(f"| metric | unit | ours | beside | what | ratio | size |\n|{'---|' * 7}")
    for one in results:
        print("| " + " | ".join(str(one[key]) for key in COLUMNS) + " |")
    print(f"\n{machine()}")
    if words.json:
        found = {"name": words.name, "machine": machine(), "results": results}
        words.json.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if words.picture:
        words.picture.write_text(picture(words.name, rows), "utf-8")


if __name__ == "__main__":
    main()
