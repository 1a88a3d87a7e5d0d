"""A gateway that has rebooted: the kernel is empty, the portal finds thousands of sessions of another boot on disk."""

import json
import os
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from door_twin import PORTAL_UID
from gate import OURS, Gate, built, cpu_seconds, mac_of
from resident import wait_for
from table import Row, middle, row

from captive_portal.clock import moment
from captive_portal.session import Session, State
from captive_portal.store import Acceptance, Store
from captive_portal.store_migration import migrate
from parvis.addresses import MacAddress

ROUNDS = 5
BEFORE = "00000000-0000-0000-0000-000000000000"
"""The name of the boot before."""
SECONDS = 36_000.0


@dataclass(frozen=True)
class Restored:
    """Seconds from the portal's start to its first comparison, for that, and CPU seconds for it by process."""

    to_comparison: float
    comparison: float
    cpu: dict[str, float]


def sessions_on_disk(made: Gate, count: int) -> Path:
    """Write *count* sessions as a portal did before the reboot; returns the file."""
    folder = made.folder / "portal"
    folder.mkdir()
    file = folder / "portal.sqlite3"
    migrate(file)
    now = moment()
    with Store(file).transaction() as book:
        for n in range(1, count + 1):
            given = Acceptance(MacAddress(mac_of(n)), made.site.site, "fr", "1.0.0", "0" * 64, f"t{n}")
            book.accept(given, Session(State.OPEN, BEFORE, 5.0, now.wall + SECONDS), now)
    for one in (folder, *folder.iterdir()):
        os.chown(one, PORTAL_UID, PORTAL_UID)
    return file


def lines(made: Gate) -> list[dict[str, Any]]:
    """What the portal has logged."""
    text = (made.folder / "portal.log").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def restored(count: int) -> Restored:
    """One reboot."""
    with built(count) as made:
        sessions_on_disk(made, count)
        made.start_gatewayd()
        wait_for(lambda: made.metric(9202, "gateway_leases") == count, "leases", 60)
        before = cpu_seconds(made.processes["gatewayd"].pid)
        started = time.time()
        made.start_portal()
        used = {name: cpu_seconds(made.processes[name].pid) for name in OURS}
        found = next(one for one in lines(made) if one["event"] == "gateway reconciled")
        assert found["steps"] == count, found
        wait_for(lambda: made.metric(9202, "gateway_admitted_sessions") == count, "everybody in the kernel", 60)
        took = found["seconds"]
        done = _unix(found["timestamp"])
        used["gatewayd"] -= before
        return Restored(done - took - started, took, used)


def _unix(timestamp: str) -> float:
    return datetime.fromisoformat(timestamp).timestamp()


def rows(count: int) -> list[Row]:
    """Medians of some reboots."""
    found = [restored(count) for _ in range(ROUNDS)]
    size = f"{count} sessions of another boot, {ROUNDS} rounds"
    worst = max(one.comparison for one in found)
    return [
        row(
            "reboot, all admitted", "s", middle([one.comparison for one in found]), 1, "budget", f"{size}, {worst:.2f}"
        ),
        row("reboot, portal's start", "s", middle([one.to_comparison for one in found]), 0, "", size),
        *(row(f"reboot, CPU of {name}", "s", middle([one.cpu[name] for one in found]), 0, "", size) for name in OURS),
    ]


if __name__ == "__main__":
    for one in rows(20_000):
        print(one)
