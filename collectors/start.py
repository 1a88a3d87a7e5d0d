"""What the running service is handed by the process that read and checked everything (first_step.py): plain values."""

from dataclasses import dataclass, field
from pathlib import Path

from collectors.access import Logins
from collectors.device import Device
from collectors.fibre.span import Link
from collectors.known import Known
from collectors.poller import Pacing
from collectors.profile import Profile
from collectors.traps.door import Listening


@dataclass(frozen=True, slots=True)
class Influx:
    """Where lines go. *token* is the secret's name, *spool* in octets."""

    url: str
    org: str
    bucket: str
    token: str
    spool: int


@dataclass(frozen=True, slots=True)
class Start:
    """Everything the service knows of the world beside secrets, which it reads where they are delivered."""

    address: tuple[str, int]
    """Where its pages are."""
    log_level: str
    town: str
    """The folder, for the log."""
    state: Path
    secrets: Path | None
    pacing: Pacing
    stale_after_seconds: float
    modules: tuple[str, ...]
    gzip: bool
    listening: Listening | None
    influx: Influx | None
    devices: list[Device]
    logins: Logins
    links: list[Link]
    also: tuple[Profile, ...]
    """The profiles of *modules*."""
    known: Known = field(repr=False)
