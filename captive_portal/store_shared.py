"""The database that several gateways share: how to reach it in bounded time, and how it gets its shape.

psycopg is imported here only, and only by portals that share. A server that is stopped, frozen or cut off costs a
caller at most :data:`PATIENCE_SECONDS` a statement.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
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
    """The engine of the shared database at *url*, as :func:`captive_portal.settings.shared_url` lets it pass."""
    options = " ".join(f"-c {name}={value}" for name, value in LIMITS.items())
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg", password=password or None),
        connect_args={**NETWORK, "options": options, "application_name": "parvis"},
        hide_parameters=True,
        poolclass=NullPool,  # one thread keeps one connection
    )


class SharedAway(Exception):
    """The shared database cannot be reached, or does not do what it should. What waits for it is kept."""


class Line:
    """One connection to the shared database, kept open. For one thread; only :meth:`cut` is for others."""

    def __init__(self, url: str, password: str = "") -> None:
        self._url, self._password = url, password
        self._engine = postgresql(url, password)
        self._connection: Connection | None = None
        self._raw: Any = None
        event.listen(self._engine, "connect", self._dialled, insert=True)  # before SQLAlchemy's own questions

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction; SharedAway when it did not come about, or when it is not known whether it did."""
        try:
            connection = self._connection or self._dial()
            with connection.begin():
                yield connection
        except (SQLAlchemyError, OSError, subprocess.SubprocessError) as error:
            self.hang_up()
            raise SharedAway(_words(error)) from error

    def _dial(self) -> Connection:
        connection = self._connection = self._engine.connect()
        if not shaped(connection):
            connection.rollback()
            shape(self._url, self._password)
        connection.rollback()
        return connection

    def _dialled(self, raw: Any, _record: Any) -> None:
        self._raw = raw

    def hang_up(self) -> None:
        """Close the connection; the next transaction makes another."""
        connection, self._connection, self._raw = self._connection, None, None
        with suppress(SQLAlchemyError):
            if connection is not None:
                connection.invalidate()
                connection.close()

    def cut(self) -> None:
        """Break the connection, so that whoever waits for an answer waits no longer."""
        raw = self._raw
        if raw is not None:
            with suppress(Exception), socket.socket(fileno=os.dup(raw.fileno())) as ours:  # it may just have ended
                ours.shutdown(socket.SHUT_RDWR)


ADVICE = {
    "certificate verify failed": "sslrootcert must name the CA that signed the server's certificate",
    "does not match host name": "in shared_database write the name of the server's certificate",
    "does not support SSL": "turn TLS on at the server (ssl = on), or it is another server",
}
"""What libpq says of TLS, and what to do then."""


def _words(error: Exception) -> str:
    """What went wrong and what to do, without the values that a database quotes on further lines."""
    said = (str(getattr(error, "orig", None) or error).splitlines() or [type(error).__name__])[0]
    return "; ".join([said, *(advice for fault, advice in ADVICE.items() if fault in said)])


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
