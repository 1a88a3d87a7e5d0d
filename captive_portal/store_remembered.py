"""Remembered acceptances on disk: which device may come back without a tap, and until when. Keys, never addresses.

Where gateways share, every change also goes to the outbox, in the same transaction: what has happened will be told,
whatever dies in between (:mod:`captive_portal.sharing`).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Float, Integer, String, Table, bindparam, delete, insert, select

from captive_portal.session import Now
from captive_portal.store import metadata

remembered = Table(
    "remembered",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("site", String(40), nullable=False),
    Column("accepted_at", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("terms_version", String(20), nullable=False),
    Column("terms_sha256", String(64), nullable=False),
    Column("language", String(2), nullable=False),
)
"""``device`` is the key of :mod:`captive_portal.devices`; times are Unix seconds of this gateway's clock."""
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", String(64), nullable=False, unique=True),
    Column("forgotten", Boolean, nullable=False),
    Column("at", Float, nullable=False),
    Column("boot", String(36), nullable=False),
    Column("since_boot", Float, nullable=False),
    sqlite_autoincrement=True,
)
"""What other gateways have not been told: the last thing that happened to a device, and when, on both clocks."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An acceptance that still holds for a *device*. Times in Unix seconds."""

    device: str
    site: str
    accepted_at: float
    until: float
    terms_version: str
    terms_sha256: str
    language: str


class Memory:
    """Remembered acceptances, inside a transaction; *told* says whether other gateways are to hear of changes."""

    def __init__(self, connection: Connection, *, told: bool = False) -> None:
        self._connection, self._told = connection, told

    def remember(self, acceptance: Remembered, now: Now) -> None:
        """Write *acceptance* down; an older one of the device gives way."""
        self.learn(acceptance)
        self._tell(acceptance.device, now, forgotten=False)

    def forget(self, device: str, now: Now) -> None:
        """Remember *device* no longer, here and at every other gateway."""
        self.unlearn(device)
        self._tell(device, now, forgotten=True)

    def forget_all(self, devices: Sequence[str], now: Now) -> None:
        """Remember none of *devices*, here and at every other gateway."""
        if not devices:
            return
        if self._told:
            for device in devices:
                self.forget(device, now)
            return
        self._connection.execute(_FORGET, [{"key": device} for device in devices])

    def recall(self, device: str) -> Remembered | None:
        """What is remembered of *device*, even when it is over."""
        row = self._connection.execute(_RECALL, {"key": device}).first()
        return _remembered(row) if row else None

    def recall_all(self, devices: Sequence[str]) -> dict[str, Remembered]:
        """What is remembered of each of *devices*."""
        rows = self._connection.execute(select(remembered).where(remembered.c.device.in_(devices)))
        return {row.device: _remembered(row) for row in rows}

    def learn(self, acceptance: Remembered) -> None:
        """Write down what another gateway says."""
        self.unlearn(acceptance.device)
        self._connection.execute(_REMEMBER, asdict(acceptance))

    def unlearn(self, device: str) -> None:
        """Remember *device* no longer, because another gateway says so."""
        self._connection.execute(_FORGET, {"key": device})

    def purge(self, now: Now) -> int:
        """Delete what is over; returns how many."""
        return self._connection.execute(delete(remembered).where(remembered.c.until < now.wall)).rowcount

    def _tell(self, device: str, now: Now, *, forgotten: bool) -> None:
        if not self._told:
            return
        self._connection.execute(delete(outbox).where(outbox.c.device == device))
        when = {"at": now.wall, "boot": now.boot, "since_boot": now.since_boot}
        self._connection.execute(insert(outbox).values(device=device, forgotten=forgotten, **when))


_FORGET = delete(remembered).where(remembered.c.device == bindparam("key"))
_RECALL = select(remembered).where(remembered.c.device == bindparam("key"))
_REMEMBER = insert(remembered)


def _remembered(row: Any) -> Remembered:
    return Remembered(**row._mapping)  # noqa: SLF001 SQLAlchemy's public name for it
