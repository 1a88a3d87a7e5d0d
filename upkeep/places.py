"""Where things are on an installed machine; the roles, the units and the commands all read it here."""

from pathlib import Path

PROGRAM = Path("/opt/parvis")
"""The Debian package: Python's virtual environment."""
COMMAND = PROGRAM / "bin" / "parvis"
CONFIGURATION = Path("/etc/parvis")
TOWN = CONFIGURATION / "town"
SECRETS = CONFIGURATION / "secrets"
"""Root's alone: systemd hands each process its own (LoadCredential)."""
CERTIFICATES = CONFIGURATION / "tls"
STATE = Path("/var/lib/parvis")
RUN = Path("/run/parvis")
CREDENTIALS = Path("/run/credentials")
"""Where systemd shows each unit the secrets it was given (systemd.exec)."""
UNITS = Path("/etc/systemd/system")
SEALED = STATE / "evidence"
"""The sealed source log: what the law wants kept outlives the programs; removal leaves it."""


LEGAL = CONFIGURATION / "evidence"
"""On a gateway: who holds the keys, and the signed choice about the injunction (docs/18)."""
HOLDERS, CHOICE = LEGAL / "holders.json", LEGAL / "choice.json"
CEREMONY = STATE / "archive" / "holders.json"
"""In the centre: what the key ceremony leaves, in the archive's own folder."""


def settings(process: str) -> Path:
    """The settings file of *process*."""
    return CONFIGURATION / f"{process}.toml"


def unit(process: str) -> str:
    """The name of the systemd unit of *process*."""
    return f"parvis-{process}.service"
