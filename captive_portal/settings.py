"""How portal and gatewayd run. Keys, environment variables and the command line are explained in docs."""

import pwd
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field

from captive_portal.dhcp import LEASE_FILE
from parvis.processes import PORTAL_HTTP_PORT, PORTAL_HTTPS_PORT
from parvis.settings import ProcessSettings, SettingsError

Port = Annotated[int, Field(ge=1, le=65535)]


def shared_url(url: str) -> str:
    """*url* when it is one of PostgreSQL's that names a database and holds no password; ValueError.

    >>> shared_url("postgresql://parvis@db.example/parvis?sslmode=verify-full")
    'postgresql://parvis@db.example/parvis?sslmode=verify-full'
    """
    parts = urlsplit(url)
    if parts.scheme != "postgresql" or len(parts.path) < len("/x"):
        raise ValueError("is no address of a database; write postgresql://user@host/database")
    if parts.password is not None or "password" in parse_qs(parts.query):
        raise ValueError("holds a password; deliver it as the secret shared-database")
    return url


class GatewaySettings(ProcessSettings):
    """What both processes of a gateway need to know."""

    site: str
    """Which site of the town this gateway serves."""
    socket: Path | None = None
    """gatewayd's Unix socket; by default gatewayd.sock in *run*."""

    def socket_path(self) -> Path:
        """Where gatewayd listens."""
        return self.socket or self.run / "gatewayd.sock"


class GatewaydSettings(GatewaySettings):
    """How gatewayd runs."""

    allowed_users: tuple[int | str, ...] = ("parvis-portal",)
    """Who may speak to gatewayd: names or numbers of Unix users."""
    leases: Path = LEASE_FILE
    """Kea's lease file."""

    def allowed_uids(self) -> list[int]:
        """The numbers of *allowed_users*; SettingsError for a name this machine does not know."""
        try:
            return [user if isinstance(user, int) else pwd.getpwnam(user).pw_uid for user in self.allowed_users]
        except KeyError as error:
            raise SettingsError(f"allowed_users: {error.args[0]}; create the user or correct the name") from error


class PortalSettings(GatewaySettings):
    """How the portal runs. Its secret ``portal-key`` signs the forms; 32 characters or more."""

    certificate: Path
    """The portal host's TLS certificate with its whole chain, PEM."""
    key: Path
    """The certificate's private key, PEM."""
    bind: str = "::"
    """Address of the pages; ``::`` serves IPv4 too."""
    https_port: Port = PORTAL_HTTPS_PORT
    """Where the ruleset leads port 443 of the portal's address."""
    http_port: Port = PORTAL_HTTP_PORT
    """Where the ruleset leads plain HTTP."""

    shared_database: Annotated[str, AfterValidator(shared_url)] | None = None
    """PostgreSQL by which gateways share acceptances; its password is the secret ``shared-database``."""

    def shared(self) -> dict[str, str] | None:
        """Address and password of the shared database, None when there is none; SecretMissing.

        Only a database on this machine's own Unix socket needs no password.
        """
        if self.shared_database is None:
            return None
        parts = urlsplit(self.shared_database)
        local = not parts.hostname and all(host.startswith("/") for host in parse_qs(parts.query).get("host", ["/"]))
        return {"url": self.shared_database, "password": "" if local else self.secret("shared-database").reveal()}

    def database(self) -> Path:
        """The SQLite file."""
        return self.state / "portal.sqlite3"
