"""From a credential of the inventory and its delivered secrets to a session with a device."""

from collections.abc import Callable
from dataclasses import replace

from collectors.device import Device
from collectors.snmp.keys import AuthProtocol, PrivProtocol
from collectors.snmp.session import CommunitySession, Session, UsmSession
from collectors.snmp.slow_lane import slow
from collectors.snmp.sockets import Address
from collectors.snmp.transport import Exchange, Patience
from collectors.snmp.usm import User
from parvis.inventory import CommunityCredential, UserCredential
from parvis.values import Secret

GetSecret = Callable[[str], Secret]
"""The secret of a name; raises parvis.settings.SecretMissing."""

AUTH = {
    "MD5": AuthProtocol.MD5,
    "SHA-1": AuthProtocol.SHA1,
    "SHA-224": AuthProtocol.SHA224,
    "SHA-256": AuthProtocol.SHA256,
    "SHA-384": AuthProtocol.SHA384,
    "SHA-512": AuthProtocol.SHA512,
}
"""The inventory's names of the authentication protocols."""
PRIVACY = {
    "DES": PrivProtocol.DES,
    "AES-128": PrivProtocol.AES128,
    "AES-192": PrivProtocol.AES192,
    "AES-256": PrivProtocol.AES256,
    "AES-192-reeder": PrivProtocol.AES192C,
    "AES-256-reeder": PrivProtocol.AES256C,
}
"""The inventory's names of the privacy protocols."""


def open_session(
    exchange: Exchange,
    address: Address,
    credential: CommunityCredential | UserCredential,
    secret: GetSecret,
    patience: Patience,
    device: Device | None = None,
) -> Session:
    """A session with the agent at *address*; SecretMissing when the credential's secrets were not delivered.

    *device* says what is particular about the agent: how fast it may be asked, from where it answers, its context,
    and whether it is asked in the slow lane.
    """
    session = _fast(exchange, address, credential, secret, patience, device)
    return slow(session) if device and device.slow_lane else session


def _fast(
    exchange: Exchange,
    address: Address,
    credential: CommunityCredential | UserCredential,
    secret: GetSecret,
    patience: Patience,
    device: Device | None,
) -> Session:
    if device and device.requests_per_second:
        patience = replace(patience, gap_seconds=1 / device.requests_per_second)
    any_source = bool(device and device.any_source)
    if isinstance(credential, CommunityCredential):
        community = secret(credential.community_secret).reveal().encode()
        return CommunitySession(exchange, address, community, patience=patience, any_source=any_source)
    user = User(
        name=credential.user.encode(),
        auth=AUTH[credential.auth],
        auth_password=secret(credential.auth_secret).reveal().encode(),
        priv=PRIVACY[credential.privacy],
        priv_password=secret(credential.privacy_secret).reveal().encode(),
        context=device.context.encode() if device else b"",
    )
    return UsmSession(exchange, address, user, patience, any_source=any_source)


def one_shot(name: str, host: str, port: int) -> Device:
    """A device that is in no inventory."""
    return Device(name=name, host=host, port=port)
