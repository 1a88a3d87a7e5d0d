"""Both sides of what gateways tell each other: the outbox in a gateway's own file, the passes in the shared database.

A *pass* is the last word on one device: accepted until then, or forgotten. Every word carries when it was said, on the
shared database's clock; the later word wins, of two at once the one that forgets. So it does not matter in which order
gateways speak, how often, or what their own clocks say.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    String,
    Table,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    tuple_,
)

from captive_portal.session import Now
from captive_portal.store import metadata
from captive_portal.store_remembered import Memory, Remembered, outbox, remembered

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert

MOST_AT_ONCE = 500
"""Words a transaction; on a gateway's disk each transaction makes acceptances wait a few milliseconds."""
SAME_SECONDS = 2.0
"""Times that differ by less, told over a network, are the same."""
LONGEST_ABSENCE = 30 * 86400.0
"""Seconds after which a silent gateway is not waited for, and what it had to tell is told no more."""
FORGETTING_SECONDS = 86400.0
"""A device that was forgotten is erased after so long: a gateway that has never spoken yet may still come and tell."""
SIGN_OF_LIFE_SECONDS = 60.0
IN_ORDER = 0x70617276_69730002
"""The advisory lock under which changes are numbered: a number that can be read means all lower ones can."""
passes = Table(
    "passes",
    metadata,
    Column("device", String(64), primary_key=True),
    Column("change", BigInteger, nullable=False, unique=True),
    Column("gateway", String(40), nullable=False),
    Column("forgotten", Boolean, nullable=False),
    Column("at", Float, nullable=False),
    Column("until", Float, nullable=False),
    Column("site", String(40)),
    Column("terms_version", String(20)),
    Column("terms_sha256", String(64)),
    Column("language", String(2)),
)
"""Times in Unix seconds of the shared database's clock; ``change`` numbers what was written, in that order."""
gateways = Table(
    "gateways",
    metadata,
    Column("gateway", String(40), primary_key=True),
    Column("change", BigInteger, nullable=False),
    Column("seen_at", Float, nullable=False),
    Column("looked_at", Float),
)
"""How far each gateway has read, when it last said so, and when it last said who is sending."""


@dataclass(frozen=True, slots=True)
class Word:
    """An entry of the outbox: at *moment* the *device* was *accepted* (None: that is over by now) or forgotten."""

    number: int
    device: str
    forgotten: bool
    moment: Now
    accepted: Remembered | None

    def age(self, now: Now) -> float:
        """Seconds since then; by the wall clock, which may have been set, only over a reboot."""
        same = self.moment.boot == now.boot
        return max(0.0, now.since_boot - self.moment.since_boot if same else now.wall - self.moment.wall)


@dataclass(frozen=True, slots=True)
class Pass:
    """What another gateway says: *age* seconds ago the device was accepted for *lasting* seconds more, or forgotten."""

    change: int
    device: str
    gateway: str
    forgotten: bool
    age: float
    lasting: float
    site: str
    terms_version: str
    terms_sha256: str
    language: str


def waiting(connection: Connection) -> int:
    """How many words wait to be told."""
    return int(connection.execute(select(func.count()).select_from(outbox)).scalar_one())


def words(connection: Connection) -> list[Word]:
    """The oldest words not yet told."""
    rows = connection.execute(
        select(outbox, remembered)
        .join(remembered, and_(remembered.c.device == outbox.c.device, outbox.c.forgotten.is_(False)), isouter=True)
        .order_by(outbox.c.id)
        .limit(MOST_AT_ONCE)
    ).all()
    return [_word(row._mapping) for row in rows]  # noqa: SLF001 SQLAlchemy's public name for it


def _word(row: Any) -> Word:
    known = row[remembered.c.device] is not None
    accepted = Remembered(**{column.name: row[column] for column in remembered.c}) if known else None
    moment = Now(row[outbox.c.boot], row[outbox.c.since_boot], row[outbox.c.at])
    return Word(row[outbox.c.id], row[outbox.c.device], row[outbox.c.forgotten], moment, accepted)


def told(connection: Connection, said: Sequence[Word]) -> None:
    """Forget the words that were told; a newer word on the same device stays."""
    connection.execute(delete(outbox).where(outbox.c.id.in_([word.number for word in said])))


def tell_again(connection: Connection, site: str, now: Now) -> tuple[()]:
    """Put everything accepted at *site* into the outbox once more, as of when it was accepted."""
    already = select(outbox.c.device)
    mine = remembered.select().where(remembered.c.site == site, remembered.c.device.not_in(already))
    for row in connection.execute(mine).all():
        age = max(0.0, now.wall - row.accepted_at)
        when = {"at": row.accepted_at, "boot": now.boot, "since_boot": now.since_boot - age}
        connection.execute(insert(outbox).values(device=row.device, forgotten=False, **when))
    return ()


def heed(connection: Connection, heard: Sequence[Pass], now: Now) -> set[str]:
    """Write down what others say; the devices that were forgotten.

    On a device that waits in the outbox nothing is believed yet: which word is the later one, the shared database says.
    """
    devices = [one.device for one in heard]
    busy = set(connection.execute(select(outbox.c.device).where(outbox.c.device.in_(devices))).scalars())
    memory = Memory(connection)
    known = memory.recall_all(devices)
    forgotten = [one.device for one in heard if one.forgotten and one.device not in busy]
    lasting = [one for one in heard if not one.forgotten and one.lasting > 0 and one.device not in busy]
    memory.unlearn(forgotten)
    learnt = [_learnt(one, now) for one in lasting]
    memory.learn([one for one in learnt if not _same(known.get(one.device), one)])
    return set(forgotten)


def _same(known: Remembered | None, learnt: Remembered) -> bool:
    if known is None or abs(known.accepted_at - learnt.accepted_at) > SAME_SECONDS:
        return False
    return abs(known.until - learnt.until) <= SAME_SECONDS and known.terms_sha256 == learnt.terms_sha256


def _learnt(one: Pass, now: Now) -> Remembered:
    proof = (one.terms_version, one.terms_sha256, one.language)
    return Remembered(one.device, one.site, now.wall - one.age, now.wall + one.lasting, *proof)


def say(connection: Connection, gateway: str, said: Sequence[Word], clock: Callable[[], Now]) -> list[Pass]:
    """Write *said* into the shared database; the word that now stands on each of these devices, ours or a later one."""
    connection.execute(text(f"SELECT pg_advisory_xact_lock({IN_ORDER})"))
    there, here = database_time(connection), clock()  # at one moment, after the wait for the lock
    new = _inserted(passes)
    later = tuple_(new.excluded.at, new.excluded.forgotten) > tuple_(passes.c.at, passes.c.forgotten)
    replaced = {column.name: new.excluded[column.name] for column in passes.c if column.name != "device"}
    statement = new.on_conflict_do_update(index_elements=["device"], set_=replaced, where=later)
    for word in said:
        if word.age(here) < LONGEST_ABSENCE and (word.forgotten or word.accepted):
            connection.execute(statement.values(_row(word, gateway, there - word.age(here))))
    standing = select(passes).where(passes.c.device.in_([word.device for word in said]))
    return [_pass(row, there) for row in connection.execute(standing)]


def _inserted(table: Table) -> "Insert":
    """An INSERT that may meet a row that is there."""
    from sqlalchemy.dialects.postgresql import insert as inserted  # noqa: PLC0415 2 MB, where gateways share

    return inserted(table)


def _row(word: Word, gateway: str, at: float) -> dict[str, Any]:
    accepted = word.accepted
    known = {"forgotten": word.forgotten, "until": at + FORGETTING_SECONDS, "site": None, "language": None}
    known |= {"terms_version": None, "terms_sha256": None}
    if accepted is not None:
        known |= {name: getattr(accepted, name) for name in ("site", "language", "terms_version", "terms_sha256")}
        known["until"] = at + accepted.until - accepted.accepted_at
    change = func.nextval("passes_change")
    return {"device": word.device, "change": change, "gateway": gateway, "at": at, **known}


def hear(connection: Connection, gateway: str, after: int) -> tuple[int, list[Pass]]:
    """What was said after change *after*, and the number to ask with next; 0 when the database itself went back."""
    newest = int(connection.execute(text("SELECT last_value FROM passes_change")).scalar_one())
    if newest < after:
        return 0, []
    now = database_time(connection)
    wanted = select(passes).where(passes.c.change > after).order_by(passes.c.change).limit(MOST_AT_ONCE)
    heard = [_pass(row, now) for row in connection.execute(wanted)]
    reached = heard[-1].change if heard else after
    here = _inserted(gateways).values(gateway=gateway, change=reached, seen_at=now)
    kept = {"change": reached, "seen_at": now}
    stale = or_(gateways.c.change != reached, gateways.c.seen_at < now - SIGN_OF_LIFE_SECONDS)
    connection.execute(here.on_conflict_do_update(index_elements=["gateway"], set_=kept, where=stale))
    return reached, heard


def _pass(row: Any, now: float) -> Pass:
    proof = (row.site or "", row.terms_version or "", row.terms_sha256 or "", row.language or "")
    return Pass(row.change, row.device, row.gateway, row.forgotten, max(0.0, now - row.at), row.until - now, *proof)


def erase(connection: Connection) -> int:
    """Erase what is over, and devices that were forgotten once every gateway has heard it; returns how many."""
    now = database_time(connection)
    everybody = select(func.min(gateways.c.change)).where(gateways.c.seen_at > now - LONGEST_ABSENCE).scalar_subquery()
    heard_by_all = or_(passes.c.forgotten.is_(False), passes.c.change <= everybody)
    return connection.execute(delete(passes).where(passes.c.until < now, heard_by_all)).rowcount


def database_time(connection: Connection) -> float:
    """Unix seconds, by the shared database's clock."""
    return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
