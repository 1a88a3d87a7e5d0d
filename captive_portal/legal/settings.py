"""How the recorder at each gateway and the archive at the centre run."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from captive_portal.settings import Port
from parvis.processes import EVIDENCE_SHARED_PORT
from parvis.settings import ProcessSettings


class EvidenceSettings(ProcessSettings):
    """How ``parvis evidence`` runs. Its secret ``evidence-token`` is what the archive shows."""

    site: str
    """Which site of the town this gateway serves."""
    holders: Path
    """The public file of the key ceremony (``parvis legal ceremony``)."""
    choice: Path
    """The signed choice about the injunction (``parvis legal injunction``); without it nothing starts."""
    certificate: Path | None = None
    """The certificate for the gateway's management address, PEM; without it the centre cannot collect."""
    key: Path | None = None
    """Its private key, PEM."""
    shared_port: Port = EVIDENCE_SHARED_PORT
    """Where the archive fetches sealed files, on the gateway's management address."""
    reserve_megabytes: Annotated[int, Field(ge=0, le=100_000)] = 256
    """Room that is held on the disk for the day it is full."""

    def folder(self) -> Path:
        """Where the sealed files are."""
        return self.state / "sealed"

    def clock(self) -> Path:
        """The file of the last moment the clock was believed."""
        return self.state / "clock.json"

    def keys(self) -> Path:
        """Where the days' keys are: kept out of every backup."""
        return self.state / "keys"


class ArchiveSettings(ProcessSettings):
    """How ``parvis archive`` runs, and where ``parvis legal`` works. Its secret: ``evidence-token``."""

    holders: Path
    """The public file of the key ceremony."""
    authority: Path | None = None
    """The certificate authority of the gateways' management certificates, PEM; the system's when absent."""
    shared_port: Port = EVIDENCE_SHARED_PORT
    """Port at which the gateways hand over sealed files."""
    collect_seconds: Annotated[float, Field(ge=1, le=3600)] = 30.0
    """Between two rounds of collecting."""
    accounts: Path | None = None
    """Accounts with the roles ``requisition``, ``requisition-b``, ``security`` and ``dpo``; by default in *state*."""

    def folder(self) -> Path:
        """Where the sealed files are."""
        return self.state / "sealed"

    def keys(self) -> Path:
        """Where the days' keys are: kept out of every backup."""
        return self.state / "keys"

    def private(self) -> Path:
        """Where the town's own private keys are: what reports are signed with, and store C is opened with."""
        return self.state / "private"

    def accounts_file(self) -> Path:
        """The file of the accounts."""
        return self.accounts or self.state / "accounts.json"

    def cases(self) -> Path:
        """Where the cases are."""
        return self.state / "cases"

    def journal(self) -> Path:
        """Where every reading is written down, for the DPO."""
        return self.state / "journal"

    def clock(self) -> Path:
        """The file of the last moment the clock was believed."""
        return self.state / "clock.json"

    def holds(self) -> Path:
        """The file of the orders to keep."""
        return self.state / "holds.json"

    def reports(self) -> Path:
        """Where the daily reports are."""
        return self.state / "reports"
