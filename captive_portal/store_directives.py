"""Staff's orders on disk, and in memory as they stand: they survive a restart and end by themselves."""

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Connection, Float, Integer, String, Table, delete, insert, select, update

from captive_portal.directives import Directive, Kind, Order, checked, latest
from captive_portal.session import Now
from captive_portal.store import Store, metadata
from parvis.kept import kept_seconds

KEPT_SECONDS = kept_seconds("directive")
"""How long an order is kept from the day it was given, which is longer than any lasts; the audit log tells the rest."""
directives = Table(
    "directives",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("site", String(40), nullable=False),
    Column("device", String(64), nullable=False),
    Column("given_by", String(64), nullable=False),
    Column("reason", String(300), nullable=False),
    Column("fr", String(300), nullable=False),
    Column("en", String(300), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("boot", String(36), nullable=False),
    Column("deadline", Float, nullable=False),
    Column("ended_at", Float),
    Column("ended_by", String(64)),
    sqlite_autoincrement=True,
)


def erase(connection: Connection, wall: float) -> int:
    """Delete the orders whose time is over at *wall* (Unix seconds, of a clock that is believed); returns how many."""
    return connection.execute(delete(directives).where(directives.c.made_at < wall - KEPT_SECONDS)).rowcount


class Directives:
    """The orders for *site*. For any number of threads; readers look at memory only. StoreFailed from writers."""

    def __init__(self, store: Store, site: str, clock: Callable[[], Now]) -> None:
        self._store, self._site, self._clock = store, site, clock
        self._lock = threading.Lock()
        now = clock()
        self._standing = tuple(directive.anchored(now) for directive in self._read())

    def standing(self) -> tuple[Directive, ...]:
        """Every order in force now."""
        now = self._clock()
        return tuple(directive for directive in self._standing if directive.remaining(now) > 0)

    def latest(self, kind: Kind, device: str = "") -> Directive | None:
        """The newest order of *kind* in force, for *device* where it is about one."""
        return latest(self._standing, kind, self._clock(), device)

    def give(self, order: Order, seconds: float) -> Directive:
        """Write *order* down for *seconds*; durable when this returns. Refused when it cannot be given."""
        checked(order, seconds)
        now = self._clock()
        times = {"made_at": now.wall, "seconds": seconds, "boot": now.boot, "deadline": now.since_boot + seconds}
        words = {name: getattr(order, name) for name in ("device", "reason", "fr", "en")}
        with self._lock:
            with self._store.connection() as connection:
                values = {"kind": order.kind.value, "site": self._site, "given_by": order.by, **words, **times}
                done = connection.execute(insert(directives).values(values))
            number = int(done.inserted_primary_key[0]) if done.inserted_primary_key else 0
            given = Directive(number, order, now.wall, seconds, now.boot, now.since_boot + seconds)
            self._standing = (*self.standing(), given)
        return given

    def end(self, number: int, by: str) -> Directive | None:
        """End the order called *number* before its time; None when it is not in force."""
        with self._lock:
            gone = next((directive for directive in self.standing() if directive.number == number), None)
            if gone is not None:
                over = update(directives).where(directives.c.id == number)
                with self._store.connection() as connection:
                    connection.execute(over.values(ended_at=self._clock().wall, ended_by=by))
            self._standing = tuple(directive for directive in self.standing() if directive is not gone)
        return gone

    def _read(self) -> list[Directive]:
        wanted = select(directives).where(directives.c.ended_at.is_(None), directives.c.site == self._site)
        with self._store.connection() as connection:
            return [_directive(row) for row in connection.execute(wanted.order_by(directives.c.id))]


def _directive(row: Any) -> Directive:
    order = Order(Kind(row.kind), row.given_by, row.reason, row.device, row.fr, row.en)
    return Directive(row.id, order, row.made_at, row.seconds, row.boot, row.deadline)
