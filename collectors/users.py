"""A session with an SNMPv3 agent, from the words of the inventory. Loaded only where somebody speaks SNMPv3."""

from typing import TYPE_CHECKING

from collectors.snmp.keys import AuthProtocol, PrivProtocol
from collectors.snmp.sockets import Address
from collectors.snmp.transport import Exchange, Patience
from collectors.snmp.user_session import UsmSession
from collectors.snmp.usm import User

if TYPE_CHECKING:
    from collectors.access import GetSecret, Login
    from parvis.inventory import UserCredential

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


def user_session(
    exchange: Exchange,
    address: Address,
    login: "Login | UserCredential",
    secret: "GetSecret",
    patience: Patience,
    context: str,
) -> UsmSession:
    """A session with the agent at *address* in *context*; SecretMissing when a secret was not delivered."""
    user = User(
        name=login.user.encode(),
        auth=AUTH[login.auth] if login.auth_secret else None,
        auth_password=secret(login.auth_secret).reveal().encode() if login.auth_secret else b"",
        priv=PRIVACY[login.privacy] if login.privacy_secret else None,
        priv_password=secret(login.privacy_secret).reveal().encode() if login.privacy_secret else b"",
        context=context.encode(),
    )
    return UsmSession(exchange, address, user, patience)
