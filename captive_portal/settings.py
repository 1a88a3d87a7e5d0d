"""How portal, gatewayd and console run. Keys, environment variables and the command line are explained in docs."""

import pwd
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field

from captive_portal.dhcp import LEASE_FILE
from captive_portal.dpo.erasing import FOLDER
from parvis.processes import CONSOLE_HTTPS_PORT, MANAGEMENT_PORT, PORTAL_HTTP_PORT, PORTAL_HTTPS_PORT
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
    management_certificate: Path | None = None
    """The certificate for the gateway's management address, PEM; without it the staff console is not served."""
    management_key: Path | None = None
    """Its private key, PEM. The console shows the secret ``management-token``."""
    management_port: Port = MANAGEMENT_PORT
    """Where the staff console is served, on the gateway's management address."""

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

    def clock(self) -> Path:
        """The file of the last moment the clock was believed."""
        return self.state / "clock.json"


class ConsoleSettings(ProcessSettings):
    """How the staff console runs. Its secret ``management-token`` opens every site's management API."""

    certificate: Path
    """The console's TLS certificate with its whole chain, PEM."""
    key: Path
    """The certificate's private key, PEM."""
    authority: Path
    """The certificate authority of the sites' management certificates, PEM."""
    bind: str = "127.0.0.1"
    """Address of the pages, on the staff's network."""
    https_port: Port = CONSOLE_HTTPS_PORT
    """Port of the pages."""
    management_port: Port = MANAGEMENT_PORT
    """Port of the sites' management APIs."""
    oidc_issuer: str = ""
    """The town's sign-in service (OpenID Connect), https; empty: local accounts only. Secret ``console-oidc``."""
    oidc_client: str = ""
    """What the sign-in service calls this console."""
    oidc_return: str = ""
    """This console's own address at the end of the sign-in: ``https://…/oidc/retour``."""
    oidc_claim: str = "groups"
    """The claim that says the role."""
    oidc_roles: dict[str, Literal["reader", "technician", "administrator", "dpo"]] = Field(default_factory=dict)
    """Value of the claim -> role; who has none of them does not come in."""

    def accounts(self) -> Path:
        """The file of the local accounts."""
        return self.state / "accounts.json"

    def acknowledged(self) -> Path:
        """The file that says who has read the notice on secrecy."""
        return self.state / "acknowledged.json"

    def audit(self) -> Path:
        """The folder of the audit log."""
        return self.state / "audit"

    def records(self) -> Path:
        """The folder of the data protection officer's records (``parvis dpo``)."""
        return self.state / FOLDER

    def clock(self) -> Path:
        """The file of the last moment at which this machine's clock was believed."""
        return self.state / "clock.json"
