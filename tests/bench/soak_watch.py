"""What the soak reads of the town: metrics as Prometheus sees them, and files of the kernel."""

import re
from pathlib import Path

from actors import scrape, value
from lab.town import Lab
from parvis.processes import COLLECTORS, PORTAL

AGE = re.compile(r'^snmp_poll_age_seconds\{[^}]*device="([^"]+)"[^}]*\} ([0-9.e+-]+)$', re.MULTILINE)
TOLD = re.compile(r'^(?:port_|wifi_|optical_)\w+\{[^}]*device="([^"]+)"', re.MULTILINE)


def drift(lab: Lab, gateway: str) -> float:
    """Differences between store and kernel that the portal at *gateway* found in its last comparison."""
    return value(scrape(lab, gateway, PORTAL.port), "portal_sessions_drift")


def sample_ages(lab: Lab) -> dict[str, float]:
    """Age in seconds of the samples the collectors still tell of each device; nothing of one they tell nothing of."""
    text = scrape(lab, "127.0.0.1", COLLECTORS.port)
    told = set(TOLD.findall(text))
    return {device: float(age) for device, age in AGE.findall(text) if device in told}


def descriptors(pid: int) -> int:
    """Open files of a process."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
