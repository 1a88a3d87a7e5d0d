"""Remembered acceptances on disk: which device may come back without a tap, and until when. Keys, never addresses.

Where gateways share, every change also goes to the outbox, in the same transaction: what has happened will be told,
whatever dies in between (:mod:`captive_portal.sharing`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Executable,
    Float,
    Integer,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
)

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

    def remember(self, given: Sequence[Remembered], now: Now) -> None:
        """Write *given* down, one a device; older ones of the same devices give way."""
        self.learn(given)
        self._tell([one.device for one in given], now, forgotten=False)

    def forget(self, devices: Sequence[str], now: Now) -> None:
        """Remember none of *devices*, here and at every other gateway."""
        self.unlearn(devices)
        self._tell(devices, now, forgotten=True)

    def recall(self, device: str) -> Remembered | None:
        """What is remembered of *device*, even when it is over."""
        row = self._connection.execute(_RECALL, {"key": device}).first()
        return _remembered(row) if row else None

    def recall_all(self, devices: Sequence[str]) -> dict[str, Remembered]:
        """What is remembered of each of *devices*."""
        rows = self._connection.execute(select(remembered).where(remembered.c.device.in_(devices)))
        return {row.device: _remembered(row) for row in rows}

    def learn(self, given: Sequence[Remembered]) -> None:
        """Write down what another gateway says."""
        self.unlearn([one.device for one in given])
        self._each(_REMEMBER, [asdict(one) for one in given])

    def unlearn(self, devices: Sequence[str]) -> None:
        """Remember none of *devices*, because another gateway says so."""
        self._each(_FORGET, [{"key": device} for device in devices])

    def purge(self, now: Now) -> int:
        """Delete what is over; returns how many."""
        return self._connection.execute(delete(remembered).where(remembered.c.until < now.wall)).rowcount

    def _tell(self, devices: Sequence[str], now: Now, *, forgotten: bool) -> None:
        if not self._told:
            return
        word = {"forgotten": forgotten, "at": now.wall, "boot": now.boot, "since_boot": now.since_boot}
        self._each(_UNSAY, [{"key": device} for device in devices])
        self._each(_SAY, [{"device": device, **word} for device in devices])

    def _each(self, statement: Executable, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute *statement* with each of *rows*; SQLAlchemy takes none for one without values."""
        if rows:
            self._connection.execute(statement, rows)


_FORGET = delete(remembered).where(remembered.c.device == bindparam("key"))
_RECALL = select(remembered).where(remembered.c.device == bindparam("key"))
_REMEMBER = insert(remembered)
_UNSAY = delete(outbox).where(outbox.c.device == bindparam("key"))
_SAY = insert(outbox)


def _remembered(row: Any) -> Remembered:
    return Remembered(**row._mapping)  # noqa: SLF001 SQLAlchemy's public name for it
