"""The bench's table: what was measured, beside what, on which machine."""

import os
import platform
import statistics
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
COLUMNS = ("metric", "unit", "ours", "peer", "peer_name", "ratio", "size")


def row(metric: str, unit: str, ours: float, peer: float, peer_name: str, size: str) -> Row:
    """One line of the table; *peer* is what ours is compared with in the same run."""
    ratio = round(ours / peer, 3) if peer else None
    return dict(zip(COLUMNS, (metric, unit, ours, peer, peer_name, ratio, size), strict=True))


def middle(values: Sequence[float]) -> float:
    """The median."""
    return statistics.median(values)


def part(values: Sequence[float], share: float) -> float:
    """The value below which *share* of *values* are."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def machine() -> str:
    """Cores, kernel, distribution and Python of this machine, and how busy it is."""
    name = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    system = f"{os.cpu_count()} cores, Linux {platform.release()}, {name}, Python {platform.python_version()}"
    return f"{system}; load average {os.getloadavg()[0]:.1f}"
