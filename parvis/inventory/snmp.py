"""How one device is asked, and with which credential."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from parvis.inventory.people import Name
from parvis.inventory.wording import Part
from parvis.values import EngineId, Oid


class Snmp(Part):
    """How to ask a device. *object_id* replaces a sysObjectID that the agent answers wrongly.

    *requests_per_second* spares a weak device; *any_source*: it answers from another of its addresses; *context* and
    *engine_id* are SNMPv3's: in what context it is asked, and the only engine that may answer (without it, whichever
    does); *slow_lane*: it is asked by another implementation of SNMP, slower, for agents ours cannot agree with.
    """

    credential: Name
    port: Annotated[int, Field(ge=1, le=65535)] = 161
    object_id: Oid | None = None
    requests_per_second: Annotated[float, Field(gt=0, le=10_000)] | None = None
    any_source: bool = False
    context: str = Field(default="", max_length=32)
    engine_id: EngineId | None = None
    slow_lane: bool = False


class Excusable(Part):
    """A credential that may be an exception from encrypted SNMPv3: *reason* says why, *until* is its last day."""

    reason: str | None = Field(None, min_length=3, max_length=200)
    until: date | None = None


class CommunityCredential(Excusable):
    """SNMPv2c, or v1 for what knows nothing newer: a password in clear text (RFC 1901, RFC 1157)."""

    name: Name
    version: Literal["v1", "v2c"]
    community_secret: Name

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of its secrets."""
        return (self.community_secret,)

    @property
    def in_clear(self) -> str:
        """How it is in clear text, in words; empty where it is not."""
        return f"SNMP{self.version}"


class UserCredential(Excusable):
    """SNMPv3 (RFC 3414, RFC 3826, RFC 7860); "none" for a device that knows no privacy, or not even authentication."""

    name: Name
    version: Literal["v3"]
    user: str = Field(min_length=1, max_length=32)
    auth: Literal["none", "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]
    privacy: Literal["none", "DES", "AES-128", "AES-192", "AES-256", "AES-192-reeder", "AES-256-reeder"]
    auth_secret: Name | None = None
    privacy_secret: Name | None = None

    @model_validator(mode="after")
    def _has_what_it_uses(self) -> "UserCredential":
        if self.auth == "none" and self.privacy != "none":
            raise ValueError("privacy without auth: what is encrypted is signed too; write privacy: none, or an auth")
        for protocol, name in ((self.auth, "auth_secret"), (self.privacy, "privacy_secret")):
            if (protocol == "none") != (getattr(self, name) is None):
                raise ValueError(f"{name}: {'without use, take it out' if protocol == 'none' else 'name its secret'}")
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names of its secrets."""
        return tuple(name for name in (self.auth_secret, self.privacy_secret) if name)

    @property
    def in_clear(self) -> str:
        """How it is in clear text, in words; empty where it is not."""
        if self.privacy != "none":
            return ""
        return "SNMPv3 without encryption" if self.auth != "none" else "SNMPv3 without signature or encryption"


Credential = Annotated[CommunityCredential | UserCredential, Field(discriminator="version")]
