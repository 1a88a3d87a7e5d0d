"""How one device is asked, and with which credential."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from parvis.inventory.people import Name
from parvis.inventory.wording import Part
from parvis.values import Oid


class Snmp(Part):
    """How to ask a device. *object_id* replaces a sysObjectID that the agent answers wrongly.

    *requests_per_second* spares a weak device; *any_source*: it answers from another of its addresses; *context* is
    SNMPv3's; *slow_lane*: it is asked by another implementation of SNMP, slower, for agents ours cannot agree with.
    """

    credential: Name
    port: Annotated[int, Field(ge=1, le=65535)] = 161
    object_id: Oid | None = None
    requests_per_second: Annotated[float, Field(gt=0, le=10_000)] | None = None
    any_source: bool = False
    context: str = Field(default="", max_length=32)
    slow_lane: bool = False


class CommunityCredential(Part):
    """SNMPv2c: a password in clear text (RFC 1901), an exception: *reason* says why, *until* is its last day."""

    name: Name
    version: Literal["v2c"]
    community_secret: Name
    reason: str | None = Field(None, min_length=3, max_length=200)
    until: date | None = None


class UserCredential(Part):
    """SNMPv3 with authentication and privacy (RFC 3414, RFC 3826, RFC 7860)."""

    name: Name
    version: Literal["v3"]
    user: str = Field(min_length=1, max_length=32)
    auth: Literal["MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]
    privacy: Literal["DES", "AES-128", "AES-192", "AES-256", "AES-192-reeder", "AES-256-reeder"]
    auth_secret: Name
    privacy_secret: Name


Credential = Annotated[CommunityCredential | UserCredential, Field(discriminator="version")]
