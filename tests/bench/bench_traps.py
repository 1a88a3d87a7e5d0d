"""What a storm of traps costs: 1000 a second, from strangers and from a device of the inventory, and none at all.

The receiver is the real one, started by the collectors' side; its CPU time is the kernel's, as a part of one core.
"""

import os
import socket
import tempfile
import time
from pathlib import Path

from table import Row, row
from trap_senders import OLD, Ear, ear, sender, trap

from parvis.inventory import DEMO_TOWN, load

PER_SECOND = 1000
SECONDS = 5
STRANGER = "127.0.0.66"
CORE = 1.0
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def storm(source: str, to: tuple[str, int]) -> int:
    """Send PER_SECOND datagrams a second for SECONDS; how many."""
    data, sent, begun = trap(), 0, time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.bind((source, 0))
        while (passed := time.monotonic() - begun) < SECONDS:
            while sent < passed * PER_SECOND:
                channel.sendto(data, to)
                sent += 1
            time.sleep(0.005)
    return sent


def accounted(listening: Ear) -> float:
    return sum(listening.heard().values()) + sum(listening.refused().values())


def measured(source: str, name: str) -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="parvis-bench-") as folder,
        ear(load(DEMO_TOWN), Path(folder), per_second=2, idle_seconds=60) as listening,
    ):
        sender(Path(folder) / "sender", OLD).sends(listening.address)
        listening.waits(lambda each: accounted(each) == 1)
        pid = listening.traps.receiver_pid
        assert pid
        before = cpu_seconds(pid)
        sent = storm(source, listening.traps.address)
        listening.waits(lambda each: accounted(each) == sent + 1)
        share = (cpu_seconds(pid) - before) / SECONDS
        size = f"{sent} datagrams in {SECONDS} s"
        return [
            row(f"trap_storm_cpu {name}", "cores", round(share, 3), CORE, "one core", size),
            row(f"trap_storm_lost {name}", "1", sent + 1 - accounted(listening), 0, "budget", size),
            row("trap_receiver_memory", "MB", round(pss_megabytes(pid), 1), 0, "while traps come", size),
        ]


def rows() -> list[Row]:
    return [*measured(STRANGER, "strangers"), *measured(OLD, "a known device")]
