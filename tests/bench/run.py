"""``script/bench NAME``: measures the running twin and prints a table; ``--json FILE`` writes the same.

page    what the splash page weighs: bytes, requests, nodes, beside the budget of the requirements
portal  acceptance to first forwarded packet, beside one request for the splash page (the floor) in the same run
town    how long the town takes to come up, and the memory of our processes, beside Debian's in the same run
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from actors import MSP, PORTAL, Resident
from lab.building import Options
from lab.plan import WEB
from lab.processes import pss_bytes
from lab.town import Lab

ROUNDS = 40
HERE = Path(__file__).parent
Row = dict[str, Any]


COLUMNS = ("metric", "unit", "ours", "peer", "peer_name", "ratio", "size")


def row(metric: str, unit: str, ours: float, peer: float, peer_name: str, size: str) -> Row:
    """One line of the table; *peer* is what ours is compared with in the same run."""
    ratio = round(ours / peer, 3) if peer else None
    return dict(zip(COLUMNS, (metric, unit, ours, peer, peer_name, ratio, size), strict=True))


@contextmanager
def running_town() -> Iterator[Lab]:
    with tempfile.TemporaryDirectory(prefix="parvis-bench-") as folder:
        Path(folder).chmod(0o755)
        lab = Lab(Path(folder) / "lab")
        lab.up(Options(prefix="be-"))
        try:
            yield lab
        finally:
            lab.down()


class Elements(HTMLParser):
    """Counts a page's elements, and what a browser would fetch besides."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes = 0
        self.fetched = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.nodes += 1
        given = dict(attrs)
        icon = (given.get("href") or "").startswith("data:")
        self.fetched += tag in {"img", "script", "iframe"} and "src" in given
        self.fetched += tag == "link" and given.get("rel") in {"stylesheet", "icon"} and not icon


def page(lab: Lab) -> list[Row]:
    answer = Resident(lab, f"{MSP}/1").curl(PORTAL)
    elements = Elements()
    elements.feed(answer.body)
    return [
        row("splash_bytes", "bytes", len(answer.body.encode()), 14_000, "budget", "1 page"),
        row("splash_requests", "1", 1 + elements.fetched, 1, "budget", "1 page"),
        row("splash_nodes", "1", elements.nodes, 150, "budget (ECO-01)", "1 page"),
    ]


def portal(lab: Lab) -> list[Row]:
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


BENCHES = {"page": page, "portal": portal, "town": town}


def machine() -> str:
    """Cores, kernel, distribution and Python of this machine."""
    name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return f"{os.cpu_count()} cores, Linux {platform.release()}, {name}, Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(BENCHES))
    parser.add_argument("--json", type=Path, metavar="FILE")
    words = parser.parse_args()
    with running_town() as lab:
        results = BENCHES[words.name](lab)
    print(f"| metric | unit | ours | beside | what | ratio | size |\n|{'---|' * 7}")
    for one in results:
        print("| " + " | ".join(str(one[key]) for key in COLUMNS) + " |")
    print(f"\n{machine()}")
    if words.json:
        found = {"name": words.name, "machine": machine(), "results": results}
        words.json.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
