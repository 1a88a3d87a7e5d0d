"""A file of the monitor's (SQLite through SQLAlchemy Core): durable at each commit, one writer at a time."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event


def opened(path: Path) -> Engine:
    """The file at *path*, whose tables are there already."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 10, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def reading(engine: Engine) -> Engine:
    """The same file for who only reads: in WAL mode a reader waits for no writer, and no writer for it."""
    return engine.execution_options(only_reads=True)


def _begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("only_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: a transaction that will write takes its lock at once
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "cache_size=-512", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
