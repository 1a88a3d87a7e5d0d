"""How a process itself is, as samples: memory, processor time, open files, its version and clock, room on its disk.

The names are prometheus_client's, which tells the same where a process has it; it costs 4 MB, half of them for an HTTP
server of its own. Linux only, like all of Parvis.
"""

import gc
import os
import resource
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from parvis.definition import Definition
from parvis.processes import VERSION

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PYTHON = ".".join(map(str, sys.version_info[:3]))
DEFINITIONS = (
    Definition("process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes."),
    Definition("process_resident_memory_bytes", "gauge", "Resident memory size in bytes."),
    Definition("process_start_time_seconds", "gauge", "Start time of the process since unix epoch in seconds."),
    Definition("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds."),
    Definition("process_open_fds", "gauge", "Number of open file descriptors."),
    Definition("process_max_fds", "gauge", "Maximum number of open file descriptors."),
    Definition("python_info", "gauge", "Python platform information.", ("implementation", "version")),
    Definition("python_gc_collections_total", "counter", "Times this generation was collected.", ("generation",)),
)
"""What the catalogue does not have, because every process of everybody has it."""

Vital = tuple[str, tuple[tuple[str, str], ...], float]
"""Name, labels, value."""


def vitals(process: str, state: Path, now: float) -> Iterator[Vital]:
    """Everything about this process, called *process*; *state* is its folder, *now* Unix time in seconds."""
    yield from _of_the_kernel()
    yield "process_max_fds", (), resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    yield "python_info", (("implementation", "CPython"), ("version", _PYTHON)), 1
    for generation, stats in enumerate(gc.get_stats()):
        yield "python_gc_collections_total", (("generation", str(generation)),), stats["collections"]
    yield "process_info", (("process", process), ("version", VERSION)), 1
    yield "clock_timestamp_seconds", (), now
    free, size = disk(state)
    yield "state_disk_free_bytes", (("folder", "state"),), free
    yield "state_disk_size_bytes", (("folder", "state"),), size


def disk(folder: Path) -> tuple[float, float]:
    """Octets free for this process, and in all; not a number when the folder cannot be asked."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return float("nan"), float("nan")
    return float(found.f_bavail * found.f_frsize), float(found.f_blocks * found.f_frsize)


def _of_the_kernel() -> Iterator[Vital]:
    """What proc(5) says of us: its fields are counted behind the name, which may hold anything."""
    fields = Path("/proc/self/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    user, system, begun, size, pages = (int(fields[place]) for place in (11, 12, 19, 20, 21))
    yield "process_virtual_memory_bytes", (), size
    yield "process_resident_memory_bytes", (), pages * _PAGE
    yield "process_start_time_seconds", (), _booted() + begun / _TICK
    yield "process_cpu_seconds_total", (), (user + system) / _TICK
    yield "process_open_fds", (), len(list(Path("/proc/self/fd").iterdir()))


@cache
def _booted() -> float:
    """When the machine was, in Unix time."""
    lines = Path("/proc/stat").read_text("ascii").splitlines()
    return float(next(line for line in lines if line.startswith("btime ")).split()[1])
