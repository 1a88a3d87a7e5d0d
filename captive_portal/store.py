"""Acceptances on disk: who was admitted until when, and which terms were accepted (SQLAlchemy Core).

A commit is durable before it returns (WAL, synchronous=FULL). The MAC address goes with the end of the session, and
the file forgets it (secure_delete); the anonymous rest is the proof of acceptance (GDPR art. 5.1.e, PRI-02).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from sys import intern
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Executable,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    delete,
    event,
    exists,
    func,
    insert,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from captive_portal.session import Now, Session, State
from parvis.addresses import MacAddress
from parvis.kept import kept_seconds

PROOF_SECONDS = kept_seconds("acceptance-proof")
"""How long the anonymous proof of acceptance is kept after the session's end."""
ROWS_AT_ONCE = 1000
ACCEPTANCES_AT_ONCE = 8
"""In one statement, which is kept for each number of them."""
CONNECTIONS, MORE_CONNECTIONS = 2, 20
"""Kept open, and more for a moment: each that is kept holds three descriptors and up to a megabyte of pages."""
metadata = MetaData()
TRIAL = "visitor"
"""In the place of the terms' version: a program tried the way in, and nobody has accepted anything."""
acceptances = Table(
    "acceptances",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mac", String(17)),
    Column("site", String(40), nullable=False),
    Column("accepted_at", Float, nullable=False),
    Column("terms_version", String(20), nullable=False),
    Column("terms_sha256", String(64), nullable=False),
    Column("language", String(2), nullable=False),
    Column("token", String(64), nullable=False, unique=True),
    Column("boot", String(36), nullable=False),
    Column("deadline", Float, nullable=False),
    Column("ends_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("ended_by", String(10)),
    Column("used_bytes", BigInteger, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
"""``id`` is the session number and never used again; times are Unix seconds, ``deadline`` seconds since ``boot``."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What is written when a resident accepts."""

    mac: MacAddress
    site: str
    language: str
    terms_version: str
    terms_sha256: str
    token: str


@dataclass(frozen=True, slots=True)
class Live:
    """A session that has not ended: its number, its times, the bytes it had used when they were last written down."""

    number: int
    session: Session
    used: int = 0


class StoreFailed(Exception):
    """The store could not be read or written; nothing was changed. The disk needs attention."""


class Store:
    """The file or the database at *place*, which :mod:`captive_portal.store_migration` has prepared."""

    def __init__(self, place: Path | Engine) -> None:
        self._engine = place if isinstance(place, Engine) else sqlite(place)

    @contextmanager
    def transaction(self) -> Iterator["Book"]:
        """One transaction; when the block ends without an error it is on disk. StoreFailed when it could not be."""
        with self.connection() as connection:
            yield Book(connection)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One transaction for the other tables; see :meth:`transaction`."""
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreFailed(str(error)) from error

    def record(self, mac: MacAddress) -> dict[str, Any] | None:
        """All that is written about *mac* while it has a session, for its own resident to see; None without one."""
        shown = ("id", "mac", "site", "accepted_at", "ends_at", "terms_version", "terms_sha256", "language")
        wanted = select(*(acceptances.c[name] for name in shown))
        with self.connection() as connection:
            live = wanted.where(acceptances.c.mac == mac.text, acceptances.c.ended_at.is_(None))
            row = connection.execute(live).mappings().first()
        return dict(row) if row else None

    def newest_day(self) -> date | None:
        """The UTC day of the newest acceptance; None where there is none."""
        with self.connection() as connection:
            newest = connection.execute(select(func.max(acceptances.c.accepted_at))).scalar()
        return None if newest is None else datetime.fromtimestamp(newest, UTC).date()

    def settle(self) -> None:
        """Empty SQLite's write-ahead log, which would otherwise remember erased devices until it is written over."""
        if self._engine.dialect.name != "sqlite":
            return
        try:
            with self._engine.connect() as connection:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        except SQLAlchemyError as error:
            raise StoreFailed(str(error)) from error


def sqlite(path: Path) -> Engine:
    """The engine of the file at *path*, every commit of which is durable."""
    arguments = {"timeout": 5, "check_same_thread": False}
    # hide_parameters: an error's words go to the log, a device's address must not
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args=arguments,
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=MORE_CONNECTIONS,
        pool_use_lifo=True,
    )
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "cache_size=-1024"):
        connection.execute(f"PRAGMA {pragma}")


class Book:
    """The acceptances, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def connection(self) -> Connection:
        """The same transaction, for the other tables."""
        return self._connection

    def live(self) -> dict[MacAddress, Live]:
        """Every session that has not ended."""
        return dict(self.each_live())

    def each_live(self) -> Iterator[tuple[MacAddress, Live]]:
        """The same one by one, for thousands of them are not needed at once."""
        for part in self._connection.execute(_LIVE).partitions(ROWS_AT_ONCE):
            for number, mac, boot, deadline, ends, used in part:
                session = Session(State.OPEN, intern(boot), deadline, ends)  # one boot's name for thousands
                yield MacAddress(mac), Live(number, session, used)

    def live_of(self, mac: MacAddress) -> Live | None:
        """The session of *mac* that has not ended."""
        row = self._connection.execute(_LIVE.where(acceptances.c.mac == mac.text)).first()
        return _live(row) if row else None

    def accept(self, acceptance: Acceptance, session: Session, now: Now) -> int | None:
        """Write an acceptance and its session; the session's number, None when the form was accepted before."""
        return self.accept_all([(acceptance, session)], now).get(acceptance.token)

    def accept_all(self, given: Sequence[tuple[Acceptance, Session]], now: Now) -> dict[str, int]:
        """Write acceptances, each with another form; the numbers of their sessions by token, of those that are new."""
        found: dict[str, int] = {}
        for start in range(0, len(given), ACCEPTANCES_AT_ONCE):
            part = given[start : start + ACCEPTANCES_AT_ONCE]
            values = {f"{name}{at}": value for at, one in enumerate(part) for name, value in _values(*one, now).items()}
            found.update((token, number) for token, number in self._connection.execute(_accept(len(part)), values))
        return found

    def reschedule(self, sessions: Mapping[int, Session]) -> None:
        """Write new times for sessions that go on, by number."""
        rows = [
            {"number": number, "to": one.boot, "at": one.deadline, "by": one.ends} for number, one in sessions.items()
        ]
        if rows:
            self._connection.execute(_RESCHEDULE, rows)

    def spent(self, used: Iterable[tuple[int, int]]) -> None:
        """Write down how many bytes sessions have used: (number, bytes)."""
        rows = [{"number": number, "bytes": count} for number, count in used]
        if rows:
            self._connection.execute(_ONE.values(used_bytes=bindparam("bytes")), rows)

    def end(self, number: int, by: str, now: Now) -> None:
        """End a session and forget its device."""
        self.end_all([number], by, now)

    def end_all(self, numbers: Sequence[int], by: str, now: Now) -> None:
        """End sessions and forget their devices."""
        if numbers:
            self._connection.execute(_END, [{"number": number, "at": now.wall, "by": by} for number in numbers])

    def purge(self, now: Now) -> int:
        """Delete proofs older than :data:`PROOF_SECONDS`; returns how many."""
        return self._connection.execute(delete(acceptances).where(_old(now))).rowcount

    def old(self, now: Now) -> int:
        """How many proofs are older than that."""
        return int(self._connection.execute(select(func.count()).where(_old(now))).scalar() or 0)


_WRITTEN = [one for one in acceptances.c if one.name not in {"id", "ended_at", "ended_by", "used_bytes"}]


@cache
def _accept(count: int) -> Executable:
    """Write *count* acceptances, those whose form was accepted before left out."""
    rows = [
        select(*(bindparam(f"{one.name}{at}", type_=one.type) for one in _WRITTEN)).where(
            ~exists().where(acceptances.c.token == bindparam(f"token{at}"))
        )
        for at in range(count)
    ]
    wanted = union_all(*rows) if count > 1 else rows[0]
    return insert(acceptances).from_select(_WRITTEN, wanted).returning(acceptances.c.token, acceptances.c.id)


def _values(acceptance: Acceptance, session: Session, now: Now) -> dict[str, str | float]:
    return {
        "mac": acceptance.mac.text,
        "site": acceptance.site,
        "accepted_at": now.wall,
        "terms_version": acceptance.terms_version,
        "terms_sha256": acceptance.terms_sha256,
        "language": acceptance.language,
        "token": acceptance.token,
        "boot": session.boot,
        "deadline": session.deadline,
        "ends_at": session.ends,
    }


_ONE = update(acceptances).where(acceptances.c.id == bindparam("number"))
_END = _ONE.values(ended_at=bindparam("at"), ended_by=bindparam("by"), mac=None)
_RESCHEDULE = _ONE.values(boot=bindparam("to"), deadline=bindparam("at"), ends_at=bindparam("by"))
_LIVE = select(
    acceptances.c.id,
    acceptances.c.mac,
    acceptances.c.boot,
    acceptances.c.deadline,
    acceptances.c.ends_at,
    acceptances.c.used_bytes,
).where(acceptances.c.ended_at.is_(None))


def _old(now: Now) -> ColumnElement[bool]:
    return acceptances.c.ended_at < now.wall - PROOF_SECONDS


def _live(row: Any) -> Live:
    return Live(row.id, Session(State.OPEN, row.boot, row.deadline, row.ends_at), row.used_bytes)
