"""The tables of docs/12-detection.md that follow from the code: ``script/docs`` writes them, a test compares."""

import re
from pathlib import Path

from captive_portal.probes import PROBES

PAGE = Path(__file__).parents[2] / "docs/12-detection.md"
_TABLE = re.compile(r"(?<=<!-- probes: written by script/docs -->\n).*?(?=\n<!-- end of probes -->)", re.DOTALL)


def table() -> str:
    """Every probe, one a line."""
    lines = ["| family | who asks | what | means online |", "|---|---|---|---|"]
    for probe in PROBES:
        body = f" `{probe.body}`" if probe.body else ""
        how = "" if probe.exact else " somewhere in it"
        lines.append(f"| {probe.family} | {probe.asks} | `{probe.url}` | {probe.status}{body}{how} |")
    return "\n".join(lines)


def page() -> str:
    """The page as it should be."""
    return _TABLE.sub(lambda _: table(), PAGE.read_text("utf-8"))
