"""Alembic's way in; :mod:`monitor.store_migration` calls it with a file's address."""

from alembic import context
from sqlalchemy import create_engine

from monitor.store_history_tables import metadata

with create_engine(context.config.attributes["url"]).connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
