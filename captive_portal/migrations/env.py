"""Alembic's way in; :mod:`captive_portal.store_migration` calls it, with a connection or with a file's address."""

from alembic import context
from sqlalchemy import Connection, create_engine, text

import captive_portal.store_indexes  # noqa: F401 belong to the same metadata
from captive_portal.store import metadata

ONE_AT_A_TIME = 0x70617276_69730001
"""The advisory lock (PostgreSQL) under which one portal migrates while others that start wait; a number of ours."""


def run(connection: Connection) -> None:
    """Bring *connection*'s database to the newest shape, in one transaction."""
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({ONE_AT_A_TIME})"))
        context.run_migrations()


where = context.config.attributes
if "connection" in where:
    run(where["connection"])
else:
    with create_engine(where["url"]).connect() as made:
        run(made)
