"""In the shared database: which devices are sending through which gateway now. Keys only, and only while they send."""

from collections.abc import Collection, Mapping

from sqlalchemy import Column, Connection, Float, String, Table, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql

from captive_portal.store import metadata
from captive_portal.store_passes import database_time, gateways

LOST_SECONDS = 3600.0
"""What a gateway has said is erased when it has not looked for so long."""
moving = Table(
    "moving",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("gateway", String(40), primary_key=True),
    Column("since", Float, nullable=False),
)
"""``since``, Unix seconds of the shared database's clock: the device has been sending without a pause."""


def state(connection: Connection, gateway: str, begun: Mapping[str, float], paused: Collection[str]) -> None:
    """*gateway* has looked: *begun* have been sending for so many seconds, *paused* do not send any more."""
    now = database_time(connection)
    if paused:
        gone = delete(moving).where(moving.c.device == bindparam("key"), moving.c.gateway == gateway)
        connection.execute(gone, [{"key": device} for device in paused])
    if begun:
        rows = [{"device": device, "gateway": gateway, "since": now - age} for device, age in begun.items()]
        new = postgresql.insert(moving)
        again = new.on_conflict_do_update(index_elements=["device", "gateway"], set_={"since": new.excluded.since})
        connection.execute(again, rows)
    connection.execute(update(gateways).where(gateways.c.gateway == gateway).values(looked_at=now))
    lost = select(gateways.c.gateway).where(gateways.c.looked_at < now - LOST_SECONDS)
    connection.execute(delete(moving).where(moving.c.gateway.in_(lost)))


def forget(connection: Connection, gateway: str) -> None:
    """Nothing is known of who sends through *gateway*."""
    connection.execute(delete(moving).where(moving.c.gateway == gateway))


def twice(connection: Connection, gateway: str, seconds: float) -> list[tuple[str, str]]:
    """(device, other gateway): both have carried what it sends for *seconds*, without a pause and at the same time."""
    other, there, here = moving.alias(), gateways.alias(), gateways.alias()
    together = func.least(here.c.looked_at, there.c.looked_at) - func.greatest(moving.c.since, other.c.since)
    found = (
        select(moving.c.device, other.c.gateway)
        .join(other, (other.c.device == moving.c.device) & (other.c.gateway != moving.c.gateway))
        .join(there, there.c.gateway == other.c.gateway)
        .join(here, here.c.gateway == moving.c.gateway)
        .where(moving.c.gateway == gateway, together >= seconds)
    )
    return [(row.device, row.gateway) for row in connection.execute(found)]
