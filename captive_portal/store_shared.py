"""The database that several gateways share: how to reach it in bounded time, and how it gets its shape.

psycopg is imported here only, and only by portals that share. A server that is stopped, frozen or cut off costs a
caller at most :data:`PATIENCE_SECONDS` a statement.
"""

import json
import subprocess
import sys

from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from captive_portal.store_migration import newest, upgrade

PATIENCE_SECONDS = 5
SHAPING_SECONDS = 60
LIMITS = {
    "statement_timeout": PATIENCE_SECONDS * 1000,
    "lock_timeout": PATIENCE_SECONDS * 1000,
    "idle_in_transaction_session_timeout": PATIENCE_SECONDS * 2000,
}
"""Milliseconds, kept by the server: a gateway that vanishes in the middle holds nobody up."""
NETWORK = {
    "connect_timeout": PATIENCE_SECONDS,
    "tcp_user_timeout": PATIENCE_SECONDS * 1000,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
}
"""Kept by us: what libpq waits for, and when a cable that was cut is noticed."""


def postgresql(url: str, password: str = "") -> Engine:
    """The engine of the shared database at *url* (``postgresql://…``); ValueError when *url* is none."""
    try:
        parts = make_url(url)
    except ArgumentError as error:
        raise ValueError("is no address of a database; write postgresql://user@host/database") from error
    if parts.drivername not in {"postgresql", "postgresql+psycopg"} or parts.password:
        raise ValueError("must be postgresql://user@host/database, its password in the secret shared-database")
    options = " ".join(f"-c {name}={value}" for name, value in LIMITS.items())
    return create_engine(
        parts.set(drivername="postgresql+psycopg", password=password or None),
        connect_args={**NETWORK, "options": options, "application_name": "parvis"},
        hide_parameters=True,
        poolclass=NullPool,  # one thread keeps one connection
    )


def shaped(connection: Connection) -> bool:
    """Whether the database at the other end of *connection* has the shape this portal needs.

    Migrations only add: a database newer than this portal was shaped by a newer one, and serves both.
    """
    if not inspect(connection).has_table("alembic_version"):
        return False
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found is not None and str(found) >= newest()


def shape(url: str, password: str) -> None:
    """Give the shared database its shape, in a process of its own: Alembic needs 12 MB, and a thread to itself.

    Several portals may do it at once: they wait for each other. Whether it worked is what :func:`shaped` says then.
    """
    argv = (sys.executable, "-P", "-m", "captive_portal.store_shared")
    handed = json.dumps([url, password]).encode()
    # The same interpreter, even where this user may no longer walk to it; the password appears in no argument.
    subprocess.run(argv, executable="/proc/self/exe", input=handed, timeout=SHAPING_SECONDS, check=False)  # noqa: S603


if __name__ == "__main__":
    with postgresql(*json.load(sys.stdin)).connect() as made:
        upgrade({"connection": made})
