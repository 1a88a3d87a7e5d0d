"""How open data are made: what ``parvis opendata`` needs to know."""

from pathlib import Path

from captive_portal.settings import Port
from parvis.processes import MANAGEMENT_PORT
from parvis.settings import ProcessSettings


class OpenDataSettings(ProcessSettings):
    """How ``parvis opendata`` asks the sites: as the console does, with the secret ``management-token``.

    Without *authority* no site is asked: only the description of the town and months published before are exported.
    """

    authority: Path | None = None
    """The certificate authority of the sites' management certificates, PEM."""
    management_port: Port = MANAGEMENT_PORT
    """Port of the sites' management APIs."""
    availability: str | None = None
    """Where the monitor tells the months' availability: ``http://127.0.0.1:9204/availability.json``, or a file."""

    def published(self) -> Path:
        """The folder of the months that were published, and of the log of releases."""
        return self.state / "published"
