"""How the data protection officer's tools run."""

from pathlib import Path

from captive_portal.dpo.erasing import FOLDER
from parvis.settings import ProcessSettings


class DpoSettings(ProcessSettings):
    """How ``parvis dpo`` runs: records are kept in *state*, the console's, which erases them in time."""

    state: Path = Path("/var/lib/parvis/console")
    """The console's, as it is on an installed centre."""
    audit: Path | None = None
    """The folder of the console's audit log; by default ``audit`` in *state*."""

    def folder(self, kind: str) -> Path:
        """Where the records of one kind are."""
        return self.state / FOLDER / kind
