"""A file of the monitor's (SQLite through SQLAlchemy Core): durable at each commit, one writer at a time."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from parvis.reserve import Reserve

PRIMARY = 0xFF
"""What of an extended result code says the kind of error (sqlite.org/rescode.html)."""


class BookFailed(Exception):
    """The file could not be read or written; nothing was changed. The disk needs attention."""


def opened(path: Path) -> Engine:
    """The file at *path*, whose tables are there already."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 10, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def reading(engine: Engine) -> Engine:
    """The same file for who only reads: in WAL mode a reader waits for no writer, and no writer for it."""
    return engine.execution_options(only_reads=True)


@contextmanager
def transaction(engine: Engine, reserve: Reserve | None = None) -> Iterator[Connection]:
    """One transaction, or BookFailed. Where the disk is full *reserve* is given up: who tries again has its room."""
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        if reserve is not None and _found_no_room(error):
            reserve.give_up()
        raise BookFailed(type(error).__name__) from error


def _found_no_room(error: SQLAlchemyError) -> bool:
    """Whether the disk may be full: where a file beside the book cannot grow, SQLite says input/output error."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    code = getattr(cause, "sqlite_errorcode", 0) & PRIMARY
    return code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}


def _begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("only_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: a transaction that will write takes its lock at once
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "cache_size=-512", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
