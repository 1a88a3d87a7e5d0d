"""A file of the monitor's (SQLite through SQLAlchemy Core): durable at each commit, one writer at a time."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event


def opened(path: Path) -> Engine:
    """The file at *path*, whose tables are there already."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 10, "check_same_thread": False})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: a transaction that will write takes its lock at once
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "cache_size=-512", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
