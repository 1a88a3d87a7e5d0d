"""Roll-ups on disk (SQLAlchemy Core): slots as they come, packed by series once their pack is over, then forgotten.

A crash costs the slot under way; a slot is whole or not there. What is kept is bounded by series and time.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert

from monitor.history.blocks import (
    BLOCK_BYTES,
    FIVE_MINUTES,
    HOUR,
    NOTHING,
    TIERS,
    Block,
    Tier,
    joined,
    packed,
    unpacked,
)
from monitor.store_file import opened
from monitor.store_history_tables import packs, series, slots
from monitor.store_migration import HISTORY_FOLDER, migrate
from parvis.kept import kept_seconds

Points = list[tuple[int, Block]]
"""(beginning of the slot, Unix seconds; its block), oldest first."""
FORGET_SERIES = kept_seconds("monitor-figures")


class History:
    """The file at *path*. Safe to use from several threads; SQLAlchemyError when the disk refuses."""

    def __init__(self, path: Path) -> None:
        migrate(path, HISTORY_FOLDER)
        self._engine = opened(path)
        self._known: dict[str, int] = {}

    def transaction(self) -> AbstractContextManager[Connection]:
        """One transaction of the file: for what else stands in it."""
        return self._engine.begin()

    def write(self, at: int, blocks: Mapping[str, Block]) -> None:
        """Keep the five-minute slot that begins *at*; one that is there already stays as it is."""
        with self._engine.begin() as db:
            ids = {name: self._known.get(name) or _named(db, name, at) for name in blocks}
            _put(db, FIVE_MINUTES, at, {ids[name]: packed(block) for name, block in blocks.items()})
        self._known = {} if FIVE_MINUTES.pack_of(at) == at else ids  # empty once a day: seen_at moves on

    def tidy(self, now: float) -> None:
        """Make the hours that are over, pack what is complete, forget what is too old."""
        with self._engine.begin() as db:
            _roll_hours(db, now)
        for tier in TIERS:
            for start in self._complete(tier, now):
                with self._engine.begin() as db:
                    _pack(db, tier, start)
        with self._engine.begin() as db:
            for tier in TIERS:
                oldest = now - tier.keep
                db.execute(delete(packs).where(packs.c.tier == tier.number, packs.c.at + tier.pack <= oldest))
                db.execute(delete(slots).where(slots.c.tier == tier.number, slots.c.at + tier.slot <= oldest))
            gone = db.execute(delete(series).where(series.c.seen_at < now - FORGET_SERIES))
        if gone.rowcount:
            self._known.clear()

    def read(self, names: Sequence[str], start: float, end: float, tier: Tier) -> dict[str, Points]:
        """The blocks of each of *names* whose slots begin in start <= time < end."""
        with self._engine.begin() as db:
            known = db.execute(select(series.c.id, series.c.name).where(series.c.name.in_(names)))
            ids = {row.id: row.name for row in known}
            found: dict[str, Points] = {name: [] for name in names}
            for number, at, data in _packed_rows(db, tier, list(ids), start):
                found[ids[number]] += [
                    (when, block)
                    for place in range(tier.slots)
                    if start <= (when := at + place * tier.slot) < end and (block := unpacked(data, place))
                ]
            for number, when, block in _slot_rows(db, tier, sorted(ids), start, end):
                found[ids[number]].append((when, block))
        return found

    def names(self) -> list[str]:
        """The series that are known, by name."""
        with self._engine.begin() as db:
            return list(db.execute(select(series.c.name).order_by(series.c.name)).scalars())

    def _complete(self, tier: Tier, now: float) -> list[int]:
        """The packs that are over, with all hours made of them: a pack waits an hour after its end."""
        with self._engine.begin() as db:
            held = db.execute(select(slots.c.at).where(slots.c.tier == tier.number)).scalars().all()
        starts = {tier.pack_of(at) for at in held}
        return sorted(start for start in starts if start + tier.pack + HOUR.slot <= now)


def _named(db: Connection, name: str, at: int) -> int:
    """The number of a series, which has been seen now."""
    db.execute(upsert(series).values(name=name, seen_at=at).on_conflict_do_update(["name"], set_={"seen_at": at}))
    return int(db.execute(select(series.c.id).where(series.c.name == name)).scalar_one())


def _put(db: Connection, tier: Tier, at: int, by_id: Mapping[int, bytes]) -> None:
    ids = array("I", sorted(by_id))
    data = b"".join(by_id[number] for number in ids)
    row = {"tier": tier.number, "at": at, "ids": ids.tobytes(), "blocks": data}
    db.execute(upsert(slots).values(**row).on_conflict_do_nothing())


def _ids(data: bytes) -> "array[int]":
    found = array("I")
    found.frombytes(data)
    return found


def _roll_hours(db: Connection, now: float) -> None:
    """Each hour that is over and has slots becomes one hourly slot."""
    this_hour = HOUR.slot_of(now)
    ready = select(slots.c.at).where(slots.c.tier == FIVE_MINUTES.number, slots.c.at < this_hour)
    hours = {HOUR.slot_of(at) for at in db.execute(ready).scalars()}
    made = set(db.execute(select(slots.c.at).where(slots.c.tier == HOUR.number)).scalars())
    for hour in sorted(hours - made):
        parts: dict[int, list[Block]] = {}
        five = slots.c.tier == FIVE_MINUTES.number
        rows = db.execute(select(slots).where(five, slots.c.at >= hour, slots.c.at < hour + HOUR.slot))
        for row in rows:
            for place, number in enumerate(_ids(row.ids)):
                block = unpacked(row.blocks, place)
                if block is not None:
                    parts.setdefault(number, []).append(block)
        whole = {number: block for number, some in parts.items() if (block := joined(some)) is not None}
        _put(db, HOUR, hour, {number: packed(block) for number, block in whole.items()})


def _pack(db: Connection, tier: Tier, start: int) -> None:
    """Turn the slots of one pack into a row a series; all of it or nothing."""
    here = (slots.c.tier == tier.number, slots.c.at >= start, slots.c.at < start + tier.pack)
    rows: dict[int, bytearray] = {}
    for row in db.execute(select(slots).where(*here)):
        place = (row.at - start) // tier.slot * BLOCK_BYTES
        for n, number in enumerate(_ids(row.ids)):
            data = rows.get(number)
            if data is None:
                data = rows[number] = bytearray(NOTHING * tier.slots)
            data[place : place + BLOCK_BYTES] = row.blocks[n * BLOCK_BYTES : (n + 1) * BLOCK_BYTES]
    if rows:
        values = [{"tier": tier.number, "series": n, "at": start, "blocks": bytes(data)} for n, data in rows.items()]
        db.execute(insert(packs).prefix_with("OR REPLACE"), values)
    db.execute(delete(slots).where(*here))


def _packed_rows(db: Connection, tier: Tier, ids: Sequence[int], start: float) -> Iterable[tuple[int, int, bytes]]:
    wanted = select(packs.c.series, packs.c.at, packs.c.blocks).where(
        packs.c.tier == tier.number, packs.c.series.in_(ids), packs.c.at > start - tier.pack
    )
    for row in db.execute(wanted.order_by(packs.c.at)):
        yield row.series, row.at, row.blocks


def _slot_rows(
    db: Connection, tier: Tier, ids: Sequence[int], start: float, end: float
) -> Iterable[tuple[int, int, Block]]:
    wanted = select(slots).where(slots.c.tier == tier.number, slots.c.at >= start, slots.c.at < end)
    for row in db.execute(wanted.order_by(slots.c.at)):
        known = _ids(row.ids)
        for number in ids:
            place = bisect_left(known, number)
            if place < len(known) and known[place] == number and (block := unpacked(row.blocks, place)):
                yield number, row.at, block
