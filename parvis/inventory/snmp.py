"""How one device is asked."""

from typing import Annotated

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
