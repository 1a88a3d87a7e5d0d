"""Incidents and pages on disk (SQLAlchemy Core): what a commit returned from is there after any crash."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Delete,
    Insert,
    Select,
    Update,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert as upsert

from monitor.delivery import Attempt, Result
from monitor.incidents import LIVE, Alert, Event, Held, Incident, Opened, State, key_of
from monitor.oncall import Kind, Page, Sent
from monitor.store_file import BookFailed, opened, reading, transaction
from monitor.store_forget import forget
from monitor.store_migration import migrate
from monitor.store_tables import alerts, attempts, facts, incidents, pages, sheets, timeline, used_links
from parvis.reserve import Reserve

Row = dict[str, Any]


class Book:
    """The file at *path*. Safe to use from several threads and processes.

    *reserve* is given up when the disk is full: what could not be written is written when it is tried again.
    """

    def __init__(self, path: Path, reserve: Reserve | None = None) -> None:
        migrate(path)
        self._writing = opened(path)
        self._reading = reading(self._writing)
        self._reserve = reserve
        self.refused = False
        """Whether something could not be written since this was last set to False."""

    @contextmanager
    def page(self) -> Iterator["Entries"]:
        """One transaction: durable when the block ends without an error, else nothing has happened. BookFailed."""
        try:
            with transaction(self._writing, self._reserve) as connection:
                yield Entries(connection)
        except BookFailed:
            self.refused = True
            raise

    @contextmanager
    def look(self) -> Iterator["Entries"]:
        """What is written, at one instant; who writes meanwhile is neither waited for nor delayed. BookFailed."""
        with transaction(self._reading) as connection:
            yield Entries(connection)


class Entries:
    """Everything that is written and read inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._live: list[Incident] | None = None

    def live(self) -> list[Incident]:
        """The incidents somebody still has to do with, and those resolved whose all-clear may be owed, by number."""
        if self._live is None:
            self._live = self._incidents(incidents.c.state.in_([*LIVE, State.RESOLVED]))
        return list(self._live)

    def incident(self, number: int) -> Incident | None:
        """The incident of that *number*."""
        return next(iter(self._incidents(incidents.c.number == number)), None)

    def rows(self, limit: int = 50) -> list[Row]:
        """The newest incidents as they are written, live ones first."""
        live = incidents.c.state.in_(list(LIVE))
        return self._all(select(incidents).order_by(live.desc(), incidents.c.number.desc()).limit(limit))

    def row(self, number: int) -> Row | None:
        """All that is written of one incident."""
        return next(iter(self._all(select(incidents).where(incidents.c.number == number))), None)

    def alerts_of(self, number: int) -> list[Row]:
        """The alerts of one incident, in the order they began."""
        wanted = select(alerts).where(alerts.c.incident == number).order_by(alerts.c.starts_at)
        return self._all(wanted)

    def known(self, identities: Sequence[str]) -> set[tuple[str, float]]:
        """(identity, start) of the alerts among *identities* that were taken before."""
        wanted = select(alerts.c.identity, alerts.c.starts_at).where(alerts.c.identity.in_(identities))
        return {(row.identity, row.starts_at) for row in self._db.execute(wanted)}

    def open(self, opened: Opened, source: str, now: float) -> int:
        """Write a new incident with its alerts; returns its number."""
        lead = opened.lead
        done = self._write(
            insert(incidents).values(
                key=opened.key,
                title=lead.summary[:400],
                severity=opened.worst.severity,
                layer=lead.layer,
                site=lead.site,
                impact=lead.impact,
                runbook=lead.runbook,
                state=State.OPEN,
                opened_at=min(alert.starts_at for alert in opened.alerts),
                called_at=now,
                round=1,
                level=1,
                owner="",
            )
        )
        number = int(done.inserted_primary_key[0]) if done.inserted_primary_key else 0
        self.note(number, now, "opened", "", lead.name)
        for alert in opened.alerts:
            self.hold(number, alert, source)
        return number

    def retitle(self, number: int, alert: Alert) -> None:
        """Let *alert*, which explains the others, say what the incident is."""
        values = {"title": alert.summary[:400], "layer": alert.layer, "impact": alert.impact, "runbook": alert.runbook}
        key = {"key": key_of(alert), "site": alert.site}
        self._write(update(incidents).where(incidents.c.number == number).values(**values, **key))

    def hold(self, number: int, alert: Alert, source: str) -> None:
        """Write an alert of an incident."""
        self._write(
            insert(alerts).values(
                identity=alert.identity,
                starts_at=alert.starts_at,
                incident=number,
                name=alert.name,
                severity=alert.severity,
                subject=alert.subject,
                summary=alert.summary,
                source=source,
            )
        )

    def held(self, changed: Sequence[Held]) -> None:
        """Write what became of alerts."""
        for one in changed:
            where = (alerts.c.identity == one.identity, alerts.c.starts_at == one.starts_at)
            values = {"source": one.source, "missing_since": one.missing_since, "ended_at": one.ended_at}
            self._write(update(alerts).where(*where).values(**values))

    def move(self, incident: Incident, now: float, what: str, who: str = "", text: str = "") -> None:
        """Write the new state of *incident*, with its line in the timeline; unsent calls of an ended one are void."""
        names = ("state", "called_at", "round", "level", "until", "severity")
        values: dict[str, Any] = {name: getattr(incident, name) for name in names}
        if (incident.state is State.ACKNOWLEDGED and who) or what == Event.EXPIRE:
            values["owner"] = who
        if not incident.live:
            values["ended_at"] = func.coalesce(incidents.c.ended_at, now)  # what is closed later ended when it did
        self._write(update(incidents).where(incidents.c.number == incident.number).values(**values))
        if incident.state is not State.OPEN or what in ("hand-over", "clock"):
            waiting = (pages.c.incident == incident.number, pages.c.state == "waiting", pages.c.kind == Kind.CALL)
            self._db.execute(update(pages).where(*waiting).values(state="cancelled", done_at=now))
        self.note(incident.number, now, what, who, text)

    def note(self, number: int, at: float, what: str, who: str = "", text: str = "") -> None:
        """A line of the timeline."""
        self._db.execute(insert(timeline).values(incident=number, at=at, what=what, who=who, text=text[:2000]))

    def timeline_of(self, number: int) -> list[Row]:
        """The lines of an incident's timeline, oldest first."""
        wanted = select(timeline).where(timeline.c.incident == number).order_by(timeline.c.at, timeline.c.id)
        return self._all(wanted)

    def delays(self, what: str, since: float) -> list[float]:
        """Seconds from the beginning of each incident to the first *what* in its timeline, of those *since* then."""
        first = func.min(timeline.c.at)
        joined = timeline.join(incidents, incidents.c.number == timeline.c.incident)
        wanted = select(first, incidents.c.opened_at).select_from(joined).where(timeline.c.what == what)
        grouped = wanted.group_by(incidents.c.number, incidents.c.opened_at).having(first >= since)
        return [max(0.0, at - began) for at, began in self._db.execute(grouped)]

    def called(self, since: float) -> dict[bool, int]:
        """How many incidents ended *since* then that somebody was called for, by whether anybody acknowledged them."""
        of_it = timeline.c.incident == incidents.c.number
        taken = exists(select(timeline.c.id).where(of_it, timeline.c.what == Event.ACKNOWLEDGE))
        rung = exists(select(pages.c.id).where(pages.c.incident == incidents.c.number, pages.c.kind == Kind.CALL))
        wanted = select(taken.label("taken"), func.count()).where(incidents.c.ended_at >= since, rung).group_by("taken")
        return {False: 0, True: 0} | {bool(was): count for was, count in self._db.execute(wanted)}

    def sent(self, *, since: float) -> list[Sent]:
        """Messages made since an instant."""
        return self._sent(pages.c.made_at >= since)

    def sent_for(self, numbers: Sequence[int]) -> dict[int, list[Sent]]:
        """Messages made for these incidents, oldest first."""
        found: dict[int, list[Sent]] = {}
        for one in self._sent(pages.c.incident.in_(numbers)):
            found.setdefault(one.incident, []).append(one)
        return found

    def _sent(self, where: Any) -> list[Sent]:
        """A message given up before any channel had it was never made."""
        tried = select(func.count()).where(attempts.c.page == pages.c.id).scalar_subquery()
        wanted = select(pages, tried.label("tries")).where(where).order_by(pages.c.id)
        return [
            Sent(
                row.incident,
                Kind(row.kind),
                row.person,
                row.round,
                row.step,
                row.made_at,
                tried=bool(row.tries) or row.state == "folded",
                folded=row.state == "folded",
            )
            for row in self._db.execute(wanted)
            if row.tries or row.state != "cancelled"
        ]

    def make(self, made: Sequence[Page], now: float, only: str = "") -> list[int]:
        """Put messages into the outbox; those folded point to the digest made before them."""
        numbers: list[int] = []
        digest: dict[str, int] = {}
        for page in made:
            told = {name: getattr(page, name) for name in ("incident", "kind", "person", "level", "round", "step")}
            by = {"state": "folded", "digest": digest.get(page.person)} if page.folded else {"state": "waiting"}
            done = self._db.execute(insert(pages).values(**told, **by, made_at=now, only=only))
            number = int(done.inserted_primary_key[0]) if done.inserted_primary_key else 0
            if page.kind is Kind.DIGEST:
                digest[page.person] = number
            numbers.append(number)
        return numbers

    def waiting(self) -> list[Row]:
        """The outbox, oldest first."""
        return self._all(select(pages).where(pages.c.state == "waiting").order_by(pages.c.id))

    def message(self, number: int) -> Row | None:
        """One message of the outbox."""
        return next(iter(self._all(select(pages).where(pages.c.id == number))), None)

    def folded_in(self, digest: int) -> list[int]:
        """The incidents a digest tells of."""
        wanted = select(pages.c.incident).where(pages.c.digest == digest, pages.c.incident > 0).distinct()
        return sorted(row.incident for row in self._db.execute(wanted))

    def finish(self, number: int, state: str, now: float) -> None:
        """Take a message from the outbox."""
        self._db.execute(update(pages).where(pages.c.id == number).values(state=state, done_at=now))

    def attempts_of(self, page: int) -> list[Attempt]:
        """How a message was tried, oldest first."""
        wanted = select(attempts).where(attempts.c.page == page).order_by(attempts.c.id)
        return [
            Attempt(r.id, r.channel, r.started_at, r.ended_at, Result(r.result), r.proves, r.reference, r.detail)
            for r in self._db.execute(wanted)
        ]

    def start(self, page: int, channel: str, now: float) -> int:
        """Write that a channel is about to be given a message; returns the attempt's number."""
        values = {"page": page, "channel": channel, "started_at": now, "result": Result.STARTED, "proves": False}
        done = self._db.execute(insert(attempts).values(**values, reference="", detail=""))
        return int(done.inserted_primary_key[0]) if done.inserted_primary_key else 0

    def ended(self, attempt: int, result: Result, now: float, *, proves: bool, reference: str, detail: str) -> None:
        """Write what became of an attempt."""
        values = {"result": result, "ended_at": now, "proves": proves, "reference": reference, "detail": detail[:300]}
        self._db.execute(update(attempts).where(attempts.c.id == attempt).values(**values))

    def pages_of(self, number: int) -> list[Row]:
        """The messages made for an incident, oldest first."""
        return self._all(select(pages).where(pages.c.incident == number).order_by(pages.c.id))

    def last_call(self, person: str) -> int:
        """The incident *person* was last called for; 0 when there is none."""
        wanted = select(pages.c.incident).where(pages.c.person == person, pages.c.kind == Kind.CALL)
        row = self._db.execute(wanted.order_by(pages.c.id.desc()).limit(1)).first()
        return int(row.incident) if row else 0

    def use_link(self, mark: str, now: float) -> bool:
        """Whether this link is used for the first time; from now on it is not."""
        done = self._db.execute(upsert(used_links).values(mark=mark, used_at=now).on_conflict_do_nothing())
        return bool(done.rowcount)

    def fact(self, name: str, default: Any = None) -> Any:
        """The single value called *name*."""
        row = self._db.execute(select(facts.c.value).where(facts.c.name == name)).first()
        return json.loads(row.value) if row else default

    def facts_below(self, prefix: str) -> dict[str, Any]:
        """The single values whose names begin with *prefix*, by the rest of their names."""
        wanted = select(facts).where(facts.c.name.startswith(prefix, autoescape=True)).order_by(facts.c.name)
        return {row.name.removeprefix(prefix): json.loads(row.value) for row in self._db.execute(wanted)}

    def remember(self, name: str, value: Any) -> None:
        """Write the single value called *name*."""
        text = json.dumps(value)
        done = upsert(facts).values(name=name, value=text)
        self._db.execute(done.on_conflict_do_update(index_elements=["name"], set_={"value": text}))

    def add_sheet(self, **values: Any) -> int:
        """Write an intervention sheet; returns its number."""
        done = self._db.execute(insert(sheets).values(**values))
        return int(done.inserted_primary_key[0]) if done.inserted_primary_key else 0

    def sheets(self, *, person: str = "", incident: int = 0, since: float = 0.0) -> list[Row]:
        """Intervention sheets, oldest first: of a person, of an incident, or all since an instant."""
        wanted = select(sheets).where(sheets.c.ended_at >= since).order_by(sheets.c.began_at)
        if person:
            wanted = wanted.where(sheets.c.person == person)
        if incident:
            wanted = wanted.where(sheets.c.incident == incident)
        return self._all(wanted)

    def forget(self, now: float) -> None:
        """Erase what is older than thirteen months, of incidents that are over."""
        self._live = None
        forget(self._db, now)

    def _write(self, change: Insert | Update | Delete) -> CursorResult[Any]:
        self._live = None
        return self._db.execute(change)

    def _all(self, wanted: Select[Any]) -> list[Row]:
        return [dict(row) for row in self._db.execute(wanted).mappings()]

    def _incidents(self, where: Any) -> list[Incident]:
        found = self._all(select(incidents).where(where).order_by(incidents.c.number))
        if not found:
            return []
        numbers = [row["number"] for row in found]
        parts: dict[int, list[Held]] = {}
        for row in self._db.execute(select(alerts).where(alerts.c.incident.in_(numbers))):
            one = Held(row.identity, row.starts_at, row.source, row.missing_since, row.ended_at)
            parts.setdefault(row.incident, []).append(one)
        return [_incident(row, parts.get(row["number"], [])) for row in found]


def _incident(row: Row, held: Sequence[Held]) -> Incident:
    names = ("number", "key", "title", "severity", "site", "opened_at", "called_at", "round", "level", "until", "layer")
    return Incident(**{name: row[name] for name in names}, state=State(row["state"]), held=tuple(held))
