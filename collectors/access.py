"""From a credential of the inventory and its delivered secrets to a session with a device."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

from collectors.device import Device
from collectors.snmp.pdu import Version
from collectors.snmp.session import CommunitySession, Session
from collectors.snmp.sockets import Address
from collectors.snmp.transport import Exchange, Patience
from parvis.values import Secret

if TYPE_CHECKING:
    from parvis.inventory import CommunityCredential, UserCredential

GetSecret = Callable[[str], Secret]
"""The secret of a name; raises parvis.secrets.SecretMissing."""


@dataclass(frozen=True, slots=True)
class Community:
    """A credential for SNMPv1 or v2c, as the inventory has it, in plain values: its secret by name."""

    community_secret: str
    version: Literal["v1", "v2c"]


@dataclass(frozen=True, slots=True)
class Login:
    """One for SNMPv3; without a secret that service is not used."""

    user: str
    auth: str
    privacy: str
    auth_secret: str | None
    privacy_secret: str | None
    version: Literal["v3"] = "v3"


class Credentials(Protocol):
    """Who has credentials: a town, or what is left of it in the running service."""

    def credential(self, name: str, /) -> "Community | Login | CommunityCredential | UserCredential":
        """The one of this name; KeyError when there is none."""


@dataclass(frozen=True, slots=True)
class Logins:
    """The credentials of a town, and nothing else of it."""

    named: Mapping[str, Community | Login]

    def credential(self, name: str, /) -> Community | Login:
        """See Credentials."""
        return self.named[name]


def plain(credential: "CommunityCredential | UserCredential") -> Community | Login:
    """A credential of the inventory without the libraries that checked it."""
    if credential.version != "v3":
        return Community(credential.community_secret, credential.version)
    secrets = credential.auth_secret, credential.privacy_secret
    return Login(credential.user, credential.auth, credential.privacy, *secrets)


def open_session(
    exchange: Exchange,
    address: Address,
    credential: "Community | Login | CommunityCredential | UserCredential",
    secret: GetSecret,
    patience: Patience,
    device: Device | None = None,
) -> Session:
    """A session with the agent at *address*; SecretMissing when the credential's secrets were not delivered.

    *device* says what is particular about the agent: how fast it may be asked, from where it answers, its context
    and engine, and whether it is asked in the slow lane.
    """
    session = _fast(exchange, address, credential, secret, patience, device)
    if not (device and device.slow_lane):
        return session
    from collectors.snmp.slow_lane import slow  # noqa: PLC0415 few towns have a device for it

    return slow(session)


def _fast(
    exchange: Exchange,
    address: Address,
    credential: "Community | Login | CommunityCredential | UserCredential",
    secret: GetSecret,
    patience: Patience,
    device: Device | None,
) -> Session:
    if device and device.requests_per_second:
        patience = replace(patience, gap_seconds=1 / device.requests_per_second)
    any_source = bool(device and device.any_source)
    if credential.version != "v3":
        community = secret(credential.community_secret).reveal().encode()
        version = Version.V1 if credential.version == "v1" else Version.V2C
        return CommunitySession(exchange, address, community, version, patience, any_source=any_source)
    from collectors.users import user_session  # noqa: PLC0415 with what signs and encrypts, 4 MB

    made = user_session(exchange, address, credential, secret, patience, device.context if device else "")
    made.any_source = any_source
    if device and device.engine_id:
        made.expect(bytes.fromhex(device.engine_id))
    return made
