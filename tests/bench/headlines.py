"""The few figures of each bench that others look for, by names that stay; and how each cost grows with its size."""

import math
import re
from collections import defaultdict
from collections.abc import Callable, Sequence

from table import COLUMNS, Row

Pick = Callable[[Row], bool]


def _is(metric: str, size: str = "", peer: str = "") -> Pick:
    return lambda row: (
        row["metric"] == metric and str(row["size"]).startswith(size) and str(row["peer_name"]).startswith(peer)
    )


VARBINDS, EXPORTER = "cpu_per_million_varbinds", "snmp_exporter"
HEADLINES: dict[str, dict[str, tuple[Pick, float, str]]] = {
    "page": {
        "splash_bytes": (_is("page_bytes", "splash, fr"), 1, "bytes"),
        "splash_requests": (_is("page_requests", "splash, fr"), 1, "1"),
        "splash_nodes": (_is("page_nodes", "splash, fr"), 1, "1"),
    },
    "portal": {
        "accepts_per_second": (_is("accept, kept TLS", peer="budget"), 1, "1/s"),
        "splash_per_second": (_is("splash, kept TLS", peer="bare"), 1, "1/s"),
        "redirects_per_second": (_is("redirect", peer="budget"), 1, "1/s"),
    },
    "snmp": {
        "cpu_per_million_varbinds": (_is("cpu_per_million_varbinds, compiled, v2c", "1000 ", "snmp_exp"), 1, "s"),
        "cpu_per_million_varbinds_in_python": (
            _is("cpu_per_million_varbinds, python, v2c", "1000 ", "snmp_exp"),
            1,
            "s",
        ),
    },
    "gateway": {
        "nanoseconds_per_packet_at_65000": (_is("packet_up", "65000 "), 1, "ns"),
        "nanoseconds_per_packet_down_at_65000": (_is("packet_down", "65000 "), 1, "ns"),
        "admit_p50_seconds_at_65000": (_is("admission_p50"), 1e-3, "s"),
        "admit_p99_seconds_at_65000": (_is("admission_p99"), 1e-3, "s"),
    },
}
"""Bench -> name -> the row it is taken from, what to multiply with, and its unit then."""


def headlines(bench: str, rows: Sequence[Row]) -> list[Row]:
    """The named figures of *bench*, from its own *rows*; a row that was not measured has no headline."""
    found = []
    for name, (pick, factor, unit) in HEADLINES.get(bench, {}).items():
        row = next(filter(pick, rows), None)
        if row is not None:
            scaled = {key: round(row[key] * factor, 9) for key in ("ours", "peer")}
            found.append({**row, "metric": name, "unit": unit, **scaled})
    return found


def size_of(row: Row) -> int | None:
    """The number a row's size begins with, where it is one that grows: devices, targets, clients.

    >>> size_of({"size": "1000 x 48 ports, v2c"}), size_of({"size": "splash, fr"})
    (1000, None)
    """
    found = re.match(r"(\d+)(?= |$)", str(row["size"]))
    return int(found[1]) if found else None


def grown(rows: Sequence[Row]) -> dict[tuple[str, str, str], list[tuple[int, float, float]]]:
    """(metric, unit, peer) -> size, ours and the peer's, for what was measured at three sizes or more."""
    found = defaultdict(list)
    for row in rows:
        size = size_of(row)
        if size:
            found[row["metric"], row["unit"], row["peer_name"]].append((size, float(row["ours"]), float(row["peer"])))
    return {key: sorted(points) for key, points in found.items() if len({size for size, _, _ in points}) > 2}


def slope(points: Sequence[tuple[int, float]]) -> float | None:
    """How a cost grows: the exponent *k* of size^k by least squares on logarithms; 0 is flat, 1 in proportion.

    >>> slope([(1, 2.0), (10, 20.0), (100, 200.0)]), slope([(1, 5.0), (10, 5.0), (100, 5.0)])
    (1.0, 0.0)
    """
    logs = [(math.log(size), math.log(value)) for size, value in points if value > 0]
    if len(logs) < 3:
        return None
    middle = [sum(side) / len(logs) for side in zip(*logs, strict=True)]
    along = sum((x - middle[0]) ** 2 for x, _ in logs)
    exponent: float = round(sum((x - middle[0]) * (y - middle[1]) for x, y in logs) / along, 3)
    return exponent


def growth(rows: Sequence[Row]) -> list[Row]:
    """A row for each cost that was measured at several sizes: the exponent of ours, beside the peer's."""
    found = []
    for (metric, _, peer), points in grown(rows).items():
        mine, other = (slope([(each[0], each[side]) for each in points]) for side in (1, 2))
        span = f"{points[0][0]} to {points[-1][0]}"
        found.append(dict(zip(COLUMNS, (f"slope of {metric}", "exponent", mine, other, peer, None, span), strict=True)))
    return [row for row in found if row["ours"] is not None]
