"""Spells and outages on disk (SQLAlchemy Core), in the history's file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from monitor.sla.outages import ANNOUNCED, Cause, Freeze, Outage
from monitor.store_history import History
from monitor.store_history_tables import freezes, notices, outages, spells
from parvis.kept import kept_seconds

KEEP_SPELLS = kept_seconds("link-state")
KEEP_OUTAGES = kept_seconds("link-outage")


@dataclass(frozen=True, slots=True)
class Spell:
    """*subject* was seen in *state* from *starts_at* until *seen_at* (Unix seconds)."""

    subject: str
    state: str
    starts_at: float
    seen_at: float


class Unknown(Exception):
    """There is no such outage; ``parvis sla outages`` lists them."""


class Register:
    """What happened to uplinks and sites. Safe to use from several threads."""

    def __init__(self, history: History) -> None:
        self._history = history

    def see(self, states: Mapping[str, str], now: float, gap: float) -> None:
        """Each subject is in its state at *now*; what was last seen longer than *gap* ago begins a spell of its own."""
        with self._history.transaction() as db:
            newest = _newest(db, list(states), now - gap)
            same = [row.id for row in newest.values() if row.state == states[row.subject]]
            if same:
                db.execute(update(spells).where(spells.c.id.in_(same)).values(seen_at=now))
            made = []
            for subject, state in states.items():
                last = newest.get(subject)
                if last is None or last.state != state:
                    starts = last.seen_at if last is not None else now
                    made.append({"subject": subject, "state": state, "starts_at": starts, "seen_at": now})
            if made:
                db.execute(insert(spells), made)

    def spells(self, subject: str, start: float, end: float) -> list[Spell]:
        """The spells of *subject* that touch start <= time < end, oldest first."""
        where = (spells.c.subject == subject, spells.c.seen_at > start, spells.c.starts_at < end)
        with self._history.transaction() as db:
            rows = db.execute(select(spells).where(*where).order_by(spells.c.starts_at, spells.c.id)).all()
        return [Spell(row.subject, row.state, row.starts_at, row.seen_at) for row in rows]

    def begin(
        self, uplink: str, detected_at: float, confirmed_at: float, *, partial: bool, cause: Cause, evidence: Any
    ) -> int:
        """Write a new outage; returns its number."""
        values = {"uplink": uplink, "detected_at": detected_at, "confirmed_at": confirmed_at, "partial": partial}
        more = {"cause": cause.value, "evidence": json.dumps(evidence, ensure_ascii=False), "ticket": "", "note": ""}
        with self._history.transaction() as db:
            done = db.execute(insert(outages).values(**values, **more))
        return int(done.inserted_primary_key[0]) if done.inserted_primary_key else 0

    def change(self, number: int, **values: Any) -> Outage:
        """Write *values* of an outage; Unknown. Returns what it has become."""
        with self._history.transaction() as db:
            done = db.execute(update(outages).where(outages.c.number == number).values(**values))
            if not done.rowcount:
                raise Unknown(f"there is no outage {number}")
        return self.outage(number)

    def freeze(self, number: int, freeze: Freeze) -> None:
        """Add a time that does not run against the operator; Unknown."""
        self.outage(number)
        values = {"outage": number, "starts_at": freeze.starts_at, "ends_at": freeze.ends_at, "why": freeze.why[:200]}
        with self._history.transaction() as db:
            db.execute(insert(freezes).values(**values))

    def exclude(self, number: int, made: Sequence[Freeze]) -> None:
        """What announced work takes out of an outage, in place of what it was thought to."""
        before = (freezes.c.outage == number) & freezes.c.why.startswith(ANNOUNCED, autoescape=True)
        with self._history.transaction() as db:
            db.execute(delete(freezes).where(before))
            for one in made:
                values = {"outage": number, "starts_at": one.starts_at, "ends_at": one.ends_at, "why": one.why[:200]}
                db.execute(insert(freezes).values(**values))

    def outage(self, number: int) -> Outage:
        """One outage; Unknown."""
        found = self._read(outages.c.number == number)
        if not found:
            raise Unknown(f"there is no outage {number}")
        return found[0]

    def under_way(self) -> dict[str, Outage]:
        """The outages without an end, by uplink."""
        return {one.uplink: one for one in self._read(outages.c.verified_at.is_(None))}

    def outages(self, start: float, end: float, uplink: str = "") -> list[Outage]:
        """Outages that touch start <= time < end, oldest first; of one *uplink* or of all."""
        here = outages.c.detected_at < end
        lasting = outages.c.verified_at.is_(None) | (outages.c.verified_at > start)
        named = outages.c.uplink == uplink if uplink else outages.c.number > 0
        return self._read(here & lasting & named)

    def say(self, site: str, what: str, now: float) -> None:
        """Put a ready sentence of the public page under a place."""
        with self._history.transaction() as db:
            db.execute(insert(notices).values(site=site, at=now, what=what))

    def said(self, since: float) -> dict[str, list[tuple[float, str]]]:
        """Site -> (when, what) of each sentence since an instant, oldest first."""
        found: dict[str, list[tuple[float, str]]] = {}
        with self._history.transaction() as db:
            for row in db.execute(select(notices).where(notices.c.at >= since).order_by(notices.c.at)):
                found.setdefault(row.site, []).append((row.at, row.what))
        return found

    def forget(self, now: float) -> None:
        """Erase what is too old for any claim."""
        with self._history.transaction() as db:
            db.execute(delete(notices).where(notices.c.at < now - KEEP_SPELLS))
            db.execute(delete(spells).where(spells.c.seen_at < now - KEEP_SPELLS))
            old = select(outages.c.number).where(outages.c.verified_at < now - KEEP_OUTAGES)
            db.execute(delete(freezes).where(freezes.c.outage.in_(old)))
            db.execute(delete(outages).where(outages.c.verified_at < now - KEEP_OUTAGES))

    def _read(self, where: Any) -> list[Outage]:
        with self._history.transaction() as db:
            rows = db.execute(select(outages).where(where).order_by(outages.c.detected_at, outages.c.number)).all()
            numbers = [row.number for row in rows]
            stops: dict[int, list[Freeze]] = {}
            found = select(freezes).where(freezes.c.outage.in_(numbers)).order_by(freezes.c.starts_at)
            for row in db.execute(found):
                stops.setdefault(row.outage, []).append(Freeze(row.starts_at, row.ends_at, row.why))
        return [_outage(row, stops.get(row.number, ())) for row in rows]


def _newest(db: Connection, subjects: Sequence[str], since: float) -> dict[str, Any]:
    where = (spells.c.subject.in_(subjects), spells.c.seen_at >= since)
    rows = db.execute(select(spells).where(*where).order_by(spells.c.seen_at, spells.c.id))
    return {row.subject: row for row in rows}


def _outage(row: Any, stops: Sequence[Freeze]) -> Outage:
    return Outage(
        row.number,
        row.uplink,
        row.detected_at,
        row.confirmed_at,
        row.signalled_at,
        row.restored_at,
        row.verified_at,
        row.ticket,
        Cause(row.cause),
        row.partial,
        row.announced_at,
        row.note,
        json.loads(row.evidence),
        tuple(stops),
    )
