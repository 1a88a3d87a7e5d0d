"""Every gateway's sessions in the shared database: the anonymous proof of acceptance outlives the gateway's disk.

A row is written once and ended once, only by its own gateway, under the gateway's name and the session's number: there
is nothing to disagree about. No device stands in it, neither by address nor by key.
"""

from sqlalchemy import Column, Connection, Float, Integer, String, Table, bindparam, delete, func, select, text, update
from sqlalchemy.dialects import postgresql

from captive_portal.store import PROOF_SECONDS, acceptances, metadata

MOST_AT_ONCE = 500
sessions = Table(
    "sessions",
    metadata,
    Column("gateway", String(40), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("site", String(40), nullable=False),
    Column("accepted_at", Float, nullable=False),
    Column("terms_version", String(20), nullable=False),
    Column("terms_sha256", String(64), nullable=False),
    Column("language", String(2), nullable=False),
    Column("ended_at", Float),
    Column("ended_by", String(10)),
)
"""``number`` is the session's at its gateway; times are Unix seconds as that gateway wrote them."""
TOLD = [column.name for column in sessions.c if column.name not in {"gateway", "number"}]
Row = dict[str, object]


def last_told(there: Connection, gateway: str) -> int:
    """The highest number *gateway* has told; 0 when none."""
    return int(there.execute(select(func.max(sessions.c.number)).where(sessions.c.gateway == gateway)).scalar() or 0)


def after(here: Connection, number: int) -> list[Row]:
    """The sessions of this gateway's own file above *number*, the oldest first, at most MOST_AT_ONCE."""
    wanted = select(acceptances.c.id.label("number"), *(acceptances.c[name] for name in TOLD))
    rows = here.execute(wanted.where(acceptances.c.id > number).order_by(acceptances.c.id).limit(MOST_AT_ONCE))
    return [dict(row._mapping) for row in rows]  # noqa: SLF001 SQLAlchemy's public name for it


def tell(there: Connection, gateway: str, rows: list[Row]) -> None:
    """Write *rows*; those that are there already stay as they are."""
    there.execute(postgresql.insert(sessions).on_conflict_do_nothing(), [{"gateway": gateway, **row} for row in rows])


def still_open(there: Connection, gateway: str) -> list[int]:
    """The numbers of *gateway* that the shared database believes open."""
    mine = (sessions.c.gateway == gateway) & sessions.c.ended_at.is_(None)
    return list(there.execute(select(sessions.c.number).where(mine)).scalars())


def ended(here: Connection, numbers: list[int]) -> list[Row]:
    """When and by what those of *numbers* ended that have."""
    mine = acceptances.c
    wanted = select(mine.id.label("of"), mine.ended_at.label("at"), mine.ended_by.label("by"))
    found: list[Row] = []
    for start in range(0, len(numbers), MOST_AT_ONCE):
        some = mine.id.in_(numbers[start : start + MOST_AT_ONCE]) & mine.ended_at.is_not(None)
        found += [dict(row._mapping) for row in here.execute(wanted.where(some))]  # noqa: SLF001 as above
    return found


def end(there: Connection, gateway: str, rows: list[Row]) -> None:
    """Write the ends *rows*."""
    mine = (sessions.c.gateway == gateway) & (sessions.c.number == bindparam("of"))
    there.execute(update(sessions).where(mine).values(ended_at=bindparam("at"), ended_by=bindparam("by")), rows)


def never_again(here: Connection, number: int) -> tuple[()]:
    """Give no session of this file a number up to *number*: the file is a copy, and its original went on counting."""
    counted = text("UPDATE sqlite_sequence SET seq = max(seq, :number) WHERE name = 'acceptances'")
    if here.execute(counted, {"number": number}).rowcount == 0:
        first = text("INSERT INTO sqlite_sequence (name, seq) VALUES ('acceptances', :number)")
        here.execute(first, {"number": number})
    return ()


def erase(there: Connection) -> int:
    """Delete proofs whose time is over; returns how many."""
    now = text("extract(epoch FROM clock_timestamp())")
    return there.execute(delete(sessions).where(sessions.c.ended_at + PROOF_SECONDS < now)).rowcount
