"""A site's figures by day, and what a month was: numbers only, from which nobody can be told."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    String,
    Table,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from captive_portal.store import TRIAL, Store, acceptances, metadata
from parvis.kept import kept_days

usage_days = Table(
    "usage_days",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("site", String(40), primary_key=True),
    Column("devices", Integer, nullable=False),
    Column("bytes_down", BigInteger, nullable=False),
    Column("bytes_up", BigInteger, nullable=False),
)
"""``day`` in the town's time; ``devices``: so many different ones at least."""


@dataclass(frozen=True, slots=True)
class Month:
    """One month at one site. *days*: day, devices, bytes down, bytes up. *sessions*, their median in seconds."""

    month: str
    days: list[tuple[str, int, int, int]]
    sessions: int
    median_seconds: float | None


def add(store: Store, site: str, day: str, devices: int, down: int, up: int) -> None:
    """*day* has seen *devices* different ones at least, and *down* and *up* more bytes. StoreFailed."""
    mine = (usage_days.c.day == day) & (usage_days.c.site == site)
    most = case((usage_days.c.devices < devices, devices), else_=usage_days.c.devices)
    more = {"bytes_down": usage_days.c.bytes_down + down, "bytes_up": usage_days.c.bytes_up + up}
    with store.connection() as connection:
        if connection.execute(update(usage_days).where(mine).values(devices=most, **more)).rowcount:
            return
        values = {"day": day, "site": site, "devices": devices, "bytes_down": down, "bytes_up": up}
        connection.execute(insert(usage_days).values(values))


def erase(connection: Connection, wall: float) -> int:
    """Delete the days whose time is over at *wall* (Unix seconds, of a clock that is believed); returns how many."""
    oldest = datetime.fromtimestamp(max(0.0, wall - kept_days("service-figures") * 86400), UTC).date()
    return connection.execute(delete(usage_days).where(usage_days.c.day < oldest.isoformat())).rowcount


def month_of(store: Store, site: str, month: str, zone: ZoneInfo) -> Month:
    """What *month* (``2026-11``) was at *site*. StoreFailed; ValueError when it is no month."""
    begin, end = bounds(month, zone)
    with store.connection() as connection:
        wanted = select(usage_days).where(usage_days.c.site == site, usage_days.c.day.startswith(month))
        rows = connection.execute(wanted.order_by(usage_days.c.day)).all()
        held = (
            acceptances.c.site == site,
            acceptances.c.terms_version != TRIAL,
            acceptances.c.accepted_at >= begin,
            acceptances.c.accepted_at < end,
        )
        sessions = int(connection.execute(select(func.count()).select_from(acceptances).where(*held)).scalar() or 0)
        median = _median(connection, held)
    days = [(row.day, row.devices, row.bytes_down, row.bytes_up) for row in rows]
    return Month(month, days, sessions, median)


def _median(connection: Connection, held: tuple[Any, ...]) -> float | None:
    """The lower median of the lengths of the sessions that ended; None without any."""
    over = (*held, acceptances.c.ended_at.is_not(None))
    count = int(connection.execute(select(func.count()).select_from(acceptances).where(*over)).scalar() or 0)
    length = acceptances.c.ended_at - acceptances.c.accepted_at
    wanted = select(length).where(*over).order_by(length).limit(1).offset(max(0, (count - 1) // 2))
    return float(connection.execute(wanted).scalar_one()) if count else None


def bounds(month: str, zone: ZoneInfo) -> tuple[float, float]:
    """When *month* begins and ends in *zone*, Unix seconds; ValueError when it is no month.

    >>> begin, end = bounds("2026-10", ZoneInfo("Europe/Paris"))
    >>> (end - begin) / 3600  # the night of the 25th has 25 hours
    745.0
    """
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    if first.strftime("%Y-%m") != month:
        raise ValueError(f"{month!r} is no month; write it as 2026-11")
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first.timestamp(), after.timestamp()
