"""Whether the collectors' samples arrive at the town's InfluxDB (role influx), by what the collectors tell of it."""

import re
from collections.abc import Iterator, Mapping
from urllib.request import urlopen

from parvis.diagnosis import Diagnosis
from parvis.processes import COLLECTORS
from upkeep import places

SIGN = "PARVIS_INFLUX_URL="
"""In the collectors' environment where the town has one (roles/program)."""
ANSWER_SECONDS = 5.0
ABOUT = "InfluxDB"
_OURS = re.compile(r"^(influx_\w+)(?:\{\})? (\S+)", re.MULTILINE)


def diagnoses(address: str) -> Iterator[Diagnosis]:
    """What the collectors at *address* (http://host:port) say; nothing where the town has no InfluxDB."""
    environment = places.CONFIGURATION / f"{COLLECTORS.name}.env"
    if not (environment.is_file() and SIGN in environment.read_text("utf-8")):
        return
    try:
        with urlopen(f"{address}/metrics", timeout=ANSWER_SECONDS) as answer:  # noqa: S310 our own address
            yield judged(read(answer.read().decode()))
    except OSError:
        return  # that they do not answer is said already


def read(page: str) -> dict[str, float]:
    r"""The metrics about InfluxDB on a page of Prometheus's text format, those without labels.

    >>> read('influx_up 1\ninflux_spool_lines 12\ninflux_lines_total{outcome="written"} 40\n')
    {'influx_up': 1.0, 'influx_spool_lines': 12.0}
    """
    return {name: float(value) for name, value in _OURS.findall(page)}


def judged(told: Mapping[str, float]) -> Diagnosis:
    """Residents notice nothing of it, so it is never worse than something to look at.

    >>> judged({"influx_up": 0.0, "influx_spool_lines": 812.0, "influx_spool_bytes": 31e6}).words
    'takes nothing; 812 lines (31 MB) wait on the disk'
    """
    waiting = f"{told.get('influx_spool_lines', 0):.0f} lines ({told.get('influx_spool_bytes', 0) / 1e6:.0f} MB)"
    if "influx_up" not in told:
        return Diagnosis("look", ABOUT, "the collectors do not write to it", "parvis settle")
    if told["influx_up"]:
        return Diagnosis("ok", ABOUT, f"takes what is written; {waiting} wait")
    fix = f"journalctl -u {places.unit(COLLECTORS.name)} -n 50 says why: away, or token, organisation or bucket"
    return Diagnosis("look", ABOUT, f"takes nothing; {waiting} wait on the disk", fix)
