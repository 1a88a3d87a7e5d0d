"""``script/soak``: an hour at the door with 20,000 sessions; memory, descriptors and CPU of portal and gatewayd.

All the time residents ask for pages, the API and plain HTTP, and every half minute a hundred accept and leave. A line
of CSV every 15 seconds goes to OUT; at the end PICTURE is drawn from it. Says whether the second half is flat.
"""

import argparse
import csv
import re
import sys
import threading
import time
from pathlib import Path

from curves import Curve, draw
from gate import OURS, Gate, cpu_seconds, gate, settled
from stopping import may_be_stopped

EVERY_SECONDS = 15.0
COMERS = 100
"""Devices that accept and leave again, each half minute."""
COLUMNS = ("seconds", "process", "pss_kb", "rss_kb", "descriptors", "threads", "cpu_seconds", "sessions")


def sample(made: Gate, started: float) -> list[dict[str, float | str]]:
    """One line for each of our two processes."""
    sessions = made.metric(9201, "portal_sessions_active")
    return [
        {
            "seconds": round(time.monotonic() - started, 1),
            "process": name,
            **memory(made.processes[name].pid),
            "descriptors": entries(made.processes[name].pid, "fd"),
            "threads": entries(made.processes[name].pid, "task"),
            "cpu_seconds": round(cpu_seconds(made.processes[name].pid), 2),
            "sessions": sessions,
        }
        for name in OURS
    ]


def entries(pid: int, folder: str) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/{folder}").iterdir())


def memory(pid: int) -> dict[str, int]:
    """PSS and RSS in kB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    return {f"{name.lower()}_kb": int(size) for name, size in re.findall(r"^(Pss|Rss): +(\d+)", text, re.MULTILINE)}


def load(made: Gate, sessions: int, seconds: float) -> list[threading.Thread]:
    """Residents who ask all the time, and those who come and go."""
    kinds = {"splash": 4, "api": 4, "redirect": 20}
    ports = {"redirect": 8080}
    makers = [
        threading.Thread(
            target=made.knock,
            kwargs={
                "what": what,
                "devices": [sessions + COMERS + 1, sessions + COMERS + 50] if what == "splash" else [1, sessions],
                "threads": 2,
                "rate": rate,
                "seconds": seconds,
                "port": ports.get(what, 8443),
            },
        )
        for what, rate in kinds.items()
    ]
    return [*makers, threading.Thread(target=come_and_go, args=(made, sessions, seconds))]


def come_and_go(made: Gate, sessions: int, seconds: float) -> None:
    started = time.monotonic()
    while time.monotonic() - started < seconds:
        for what in ("accept", "leave"):
            found = made.knock(what=what, devices=[sessions + 1, sessions + COMERS], threads=2)
            if found["failures"]:
                print(f"{what}: {found['failures']} failures, the first: {found['first_failure']}", file=sys.stderr)
        time.sleep(30)


def soak(minutes: float, sessions: int, out: Path) -> None:
    """Run it, writing *out* as it goes."""
    with out.open("w", newline="") as file, gate(sessions + COMERS + 50) as made:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        started = time.monotonic()
        first = made.knock(what="accept", devices=[1, sessions])
        words = f"{sessions} accepted at {first['rate']:.0f}/s, {first['failures']} failures {first['first_failure']}"
        print(words, file=sys.stderr, flush=True)
        settled(made, sessions - first["failures"])
        makers = load(made, sessions, minutes * 60 - (time.monotonic() - started))
        for maker in makers:
            maker.daemon = True  # the end, also one before its time, waits for nobody
            maker.start()
        while any(maker.is_alive() for maker in makers):
            table.writerows(sample(made, started))
            file.flush()
            time.sleep(EVERY_SECONDS)


def read(out: Path) -> dict[str, list[dict[str, float]]]:
    """Process -> its lines, as numbers."""
    found: dict[str, list[dict[str, float]]] = {}
    with out.open(newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["process"], []).append({k: float(v) for k, v in row.items() if k != "process"})
    return found


def verdict(lines: list[dict[str, float]], column: str) -> tuple[float, float, float]:
    """Median of the second quarter, of the last quarter, and the highest: growth shows in the first two."""
    values = [line[column] for line in lines]
    quarter = max(1, len(values) // 4)
    return middle(values[quarter : 2 * quarter]), middle(values[-quarter:]), max(values)


def middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2] if values else 0.0


def report(out: Path, picture: Path | None) -> None:
    """Print what the hour was like, and draw it."""
    found = read(out)
    print("| process | what | second quarter | last quarter | highest |\n|---|---|---|---|---|")
    for name, lines in found.items():
        for column, unit, divisor in (("pss_kb", "MB", 1024), ("rss_kb", "MB", 1024), ("descriptors", "1", 1)):
            early, late, most = (value / divisor for value in verdict(lines, column))
            print(f"| {name} | {column.removesuffix('_kb')} in {unit} | {early:.1f} | {late:.1f} | {most:.1f} |")
        took = lines[-1]["seconds"] - lines[0]["seconds"]
        if took:
            used = (lines[-1]["cpu_seconds"] - lines[0]["cpu_seconds"]) / took
            print(f"| {name} | CPU, share of a core | | {used:.3f} | |")
    if picture and found:
        curves = [
            Curve(f"{name}: {label}", [(line["seconds"] / 60, line[column] / divisor) for line in lines])
            for name, lines in found.items()
            for column, label, divisor in (("pss_kb", "PSS in MB", 1024), ("descriptors", "descriptors", 1))
        ]
        picture.write_text(
            draw("The door with 20,000 sessions, residents coming and going", "minutes", curves), "utf-8"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--sessions", type=int, default=20_000)
    parser.add_argument("--out", type=Path, default=Path("soak.csv"))
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--report-only", action="store_true", help="Read OUT, do not run.")
    words = parser.parse_args()
    if not words.report_only:
        may_be_stopped()
        try:
            soak(words.minutes, words.sessions, words.out)
        except KeyboardInterrupt:
            print("told to stop before its time: the report is of what was until then", file=sys.stderr, flush=True)
    report(words.out, words.picture)


if __name__ == "__main__":
    main()
