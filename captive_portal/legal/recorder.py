"""The gateway's recorder: from what the kernel tells to sealed blocks, without a moment in which something is nowhere.

A word of the kernel goes into the spool, is turned into lines and rows, these are sealed and durable, and only then is
the spool cleared. While the disk takes nothing, the spool fills, then the sockets' buffers; residents notice nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from captive_portal.elements import Elements
from captive_portal.legal import ledger, moments, speakers
from captive_portal.legal.bindings import DOOR, KEPT_OUT, KINDS, LEASE, SESSION, SIX, Picture, Record, Thing, thing_of
from captive_portal.legal.conntrack import IPCTNL_MSG_CT_DELETE, Reader
from captive_portal.legal.ledger import Ledger, NotWritten
from captive_portal.legal.listening import Ear, Source, commits, set_changes
from captive_portal.legal.moments import Begun, Change
from captive_portal.legal.open_connections import Openings
from captive_portal.legal.spool import Spool
from captive_portal.legal.time_signal import Truth
from captive_portal.netlink import messages
from captive_portal.tables import CAME6_SECONDS, KNOWN6_SECONDS, TABLE
from parvis.instruments import Instruments
from parvis.running import log

FLUSH_MS, ALIVE_MS, LOOK_MS, ALL_MS = 1000, 60_000, 1000, 60_000
LOOK_SHARE, LONGEST_LOOK_MS = 50, 10_000
"""With very many IPv6 addresses they are looked at less often: a fiftieth of the time, but every ten seconds."""
GULP_MS = 1200
"""Between two looks at the sockets by a recorder that is well."""
STEP_MS = 500
"""A wall clock that moves by more against the steady one was set."""
ROWS_AT_ONCE = 50_000
TOLD = ("lease4", "auth", "open", "blocked")
"""Sets of which the kernel tells every change; known6 is filled in the packets' path, which it tells nobody."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The wall clock and the steady one, both in milliseconds, and the wall clock's truth."""

    wall: Callable[[], int]
    steady: Callable[[], int]
    truth: Callable[[], Truth]


@dataclass(slots=True)
class Stores:
    """The ledgers: *traffic* only while an injunction is in force."""

    source: Ledger
    security: Ledger
    traffic: Ledger | None = None


@dataclass(slots=True)
class Recorder:
    """Everything the loop needs. *about*: what each file of store A says of this gateway first."""

    stores: Stores
    ears: list[Ear]
    spool: Spool
    reader: Reader
    clocks: Clocks
    instruments: Instruments
    about: Record
    terms: str
    inherited: bool = False
    """Whether spool and sockets are a predecessor's, so that nothing was missed between it and us."""
    picture: Picture = field(default_factory=Picture)
    openings: Openings = field(default_factory=Openings)
    _lines: list[Record] = field(default_factory=list)
    _guarded: list[Record] = field(default_factory=list)
    _rows: list[bytes] = field(default_factory=list)
    _open_rows: list[bytes] = field(default_factory=list)
    _changes: dict[Thing, Change] = field(default_factory=dict)
    _handled: int = 0
    _heard: int = 0
    _shift: int = 0
    _flushed: int = 0
    _alive: int = 0
    _looked: int = 0
    _look_ms: int = LOOK_MS
    _compared: int = 0
    _started: bool = False
    wrong: str = "nothing is written yet"
    """Empty while everything the kernel told is written, else what is wrong, in words."""

    def start(self) -> None:
        """Take over what a predecessor has left, look at everything, and begin a file."""
        now = self.clocks.wall()
        self._shift = now - self.clocks.steady()
        self.spool.heard = self.spool.heard or self.clocks.steady()
        self._hear(now)
        before, self._lines = self._lines, []
        six = self._speaking(0)
        seen = {**self._seen(TOLD), **dict.fromkeys(six.things)}
        self.picture.becomes(seen, set(KINDS.values()), now, now, six.moments)
        self._lines = [*before, *self.picture.again(now)]
        self._alive = self._looked = self._compared = self.clocks.steady()
        self.turn()

    def turn(self) -> None:
        """Take what has come, and write what is due."""
        now = self.clocks.wall()
        self._mind_the_clock(now)
        self._hear(now)
        self._look_around(now)
        self._look_at_connections(now)
        self._write(now)

    def stop(self) -> None:
        """Write what there is, and say that this is the end."""
        self._flushed = 0
        self.openings.now()
        self._lines.append({"k": "stop", "at": self.clocks.wall()})
        self.turn()
        for one in (self.stores.source, self.stores.security, self.stores.traffic):
            if one is not None:
                one.close()

    def _hear(self, now: int) -> None:
        """Take what the kernel has told since the last time, by whichever recorder that was."""
        steady = self.clocks.steady()
        self._heard = now - (steady - self.spool.heard)
        for ear in self.ears:
            ear.drain(self.spool, now)
            self._mind_losses(ear, now)
        self._handle()
        if not self.spool.full:
            self.spool.heard = steady

    def _handle(self) -> None:
        """Turn the spool's new words into lines and rows."""
        for source, at, word in self.spool.words(self._handled):
            if source == Source.SETS:
                self._sets(word, self._heard if at >= self._heard else at - GULP_MS)
            else:
                self._connections(word, at)
        self._handled = len(self.spool)

    def _sets(self, word: bytes, since: int) -> None:
        """What *word* tells of the sets, which was after *since*."""
        for name, came, key, data, seconds in set_changes(word):
            thing = thing_of(name, key, data)
            if thing is not None:
                left = None if seconds is None else round(seconds * 1000)
                self._changes[thing] = Change(name, key, came, left, since)
        if commits(word):
            changes, self._changes = self._changes, {}
            begun = moments.came(changes, self._left, self.clocks.wall)
            latest = moments.committed(begun.values()) or self.clocks.wall()
            for thing, change in changes.items():
                if change.came:
                    self._note(self._come(thing, begun[thing]))
                else:
                    self._note(self.picture.ends(thing, moments.ended(change, self.picture.until(thing), latest)))

    def _come(self, thing: Thing, begun: Begun) -> Iterable[Record]:
        more: Record = {"terms": self.terms} if thing.kind == SESSION else {}
        if not begun.sure:
            more["unsure"] = 1
        return self.picture.begins(thing, begun.at, begun.until, **more)

    def _left(self, name: str, keys: list[bytes]) -> dict[bytes, float | None]:
        with Elements(TABLE) as elements, suppress(FileNotFoundError):
            return {key: one.seconds for key, one in elements.find(name, keys).items()}
        return {}

    def _note(self, lines: Iterable[Record]) -> None:
        for line in lines:
            (self._guarded if line["k"] == KEPT_OUT else self._lines).append(line)

    def _connections(self, word: bytes, at: int) -> None:
        for kind, _flags, _number, body in messages(word):
            if kind == IPCTNL_MSG_CT_DELETE:
                row = self.reader.row(body, at * 1_000_000)
                if row is not None:
                    self._rows.append(row)

    def _look_around(self, now: int) -> None:
        """What the kernel does not tell: what has expired, who speaks IPv6, whether we have missed something."""
        steady = self.clocks.steady()
        self._note(self.picture.expires(now - FLUSH_MS))
        if steady - self._looked >= self._look_ms:
            since, self._looked = now - (steady - self._looked), steady
            self._note(self._sixes(now, since))
            took = self.clocks.steady() - steady
            self._look_ms = min(max(LOOK_MS, took * LOOK_SHARE), LONGEST_LOOK_MS)
        if steady - self._compared >= ALL_MS:
            self._compared = steady
            self._compare(now)
        if steady - self._alive >= ALIVE_MS:
            self._alive = steady
            truth = self.clocks.truth()
            self.instruments.gauge("evidence_clock_offset_seconds").set(truth.offset / 1000)
            self.instruments.gauge("evidence_clock_synchronised").set(truth.synchronised)
            told = {"offset": round(truth.offset, 3), "sync": int(truth.synchronised)}
            self._lines.append({"k": "alive", "at": now, **told})

    def _look_at_connections(self, now: int) -> None:
        """Take what goes on, where connections are recorded; not while the disk takes nothing: it stays to be seen."""
        if self.stores.traffic is None or self.wrong or not self.openings.are_due(self.clocks.steady()):
            return
        self._open_rows += self.openings.rows(self.reader, now, self.clocks.steady)
        self.instruments.gauge("evidence_openings_timestamp_seconds").set(now / 1000)

    def _sixes(self, now: int, since: int) -> list[Record]:
        """IPv6 addresses: taken when first spoken from; given up when silent for an hour and without a session."""
        six = self._speaking(since)
        owned = {thing.ip for thing in six.things}
        here = {thing.mac for thing in self.picture.things(SESSION)}
        stay = {one for one in self.picture.things(SIX) if one.mac in here and one.ip not in owned}
        return self.picture.becomes(dict.fromkeys(stay | six.things), {SIX}, now, since, six.moments)

    def _speaking(self, since: int) -> speakers.Held:
        """Who holds which IPv6 address; *since*: the look before."""
        spoken = {one: until - KNOWN6_SECONDS * 1000 for one, until in self._seen(("known6",)).items() if until}
        came = {one: until - CAME6_SECONDS * 1000 for one, until in self._seen(("came6",)).items() if until}
        return speakers.held(spoken, {**came, **self.picture.since(SIX)}, since)

    def _compare(self, now: int) -> None:
        """Read everything, as if nothing had been told; what differs was missed, and is written and counted."""
        seen = self._seen(TOLD)
        self._hear(self.clocks.wall())  # told while we read: not missed
        known = {thing for kind in (LEASE, SESSION, DOOR, KEPT_OUT) for thing in self.picture.things(kind)}
        again = self._seen(TOLD)
        missed = {one: again[one] for one in seen.keys() & again.keys() if one not in known}
        stale = {one for one in known if one not in seen and one not in again}
        if missed or stale:
            self.instruments.counter("evidence_repairs_total").inc(len(missed) + len(stale))
        for thing, until in again.items():
            if thing in known or thing in missed:
                self._note(self._come(thing, Begun(now, until)))
        for thing in stale:
            self._note(self.picture.ends(thing, now))

    def _seen(self, names: Iterable[str]) -> Mapping[Thing, int | None]:
        """What the kernel's sets hold now -> until when; nothing while there is no ruleset."""
        found: dict[Thing, int | None] = {}
        with Elements(TABLE) as elements:
            for name in names:
                now = self.clocks.wall()
                with suppress(FileNotFoundError):
                    for one in elements.all(name):
                        thing = thing_of(name, one.key, one.data)
                        if thing is not None:
                            found[thing] = None if one.seconds is None else now + int(one.seconds * 1000)
        return found

    def _mind_the_clock(self, now: int) -> None:
        shift = now - self.clocks.steady()
        step, self._shift = shift - self._shift, shift
        if abs(step) > STEP_MS:
            log.warning("the wall clock was set", step_ms=step)
            self.instruments.counter("evidence_clock_steps_total").inc()
            self._lines.append({"k": "clock", "at": now, "step": step})
            self.picture.clock_set(step)
            self.openings.all()
            self._compare(now)

    def _mind_losses(self, ear: Ear, now: int) -> None:
        lost = ear.lost()
        if not lost:
            return
        log.error("announcements of the kernel were lost", source=ear.source.name.lower(), count=lost)
        self.instruments.counter("evidence_lost_total").labels(ear.source.name.lower()).inc(lost)
        self._lines.append({"k": "lost", "at": now, "source": ear.source.name.lower(), "count": lost})
        if ear.source is Source.SETS:
            self._changes.clear()
            self._compared = self.clocks.steady() - ALL_MS

    def _write(self, now: int) -> None:
        """Seal what is due; only when all is durable does the spool forget it."""
        try:
            self._write_lines(now)
            self._write_rows(now)
        except NotWritten as error:
            if not self.wrong:
                log.error("evidence cannot be written; it waits in memory", words=str(error))
            self.wrong = f"the disk does not take evidence: {error}"
        else:
            self.wrong = ""
            if not self._rows and not self._lines and not self._changes:
                self.spool.clear()
                self._handled = 0
        self.instruments.gauge("evidence_write_up").set(not self.wrong)
        self.instruments.gauge("evidence_waiting_bytes").set(len(self.spool))
        self.instruments.gauge("evidence_sessions").set(self.picture.sessions())

    def _write_lines(self, now: int) -> None:
        if self._guarded:
            self._append(self.stores.security, ledger.records(self._guarded), now)
            self._guarded = []
        store = self.stores.source
        if store.starts_a_file(now):
            head = {"k": "file", "at": now, "restart": int(not self._started), **self.about}
            gap = {} if self._started else {"gap": int(not self.inherited)}
            again = self.picture.again(now) if self._started else []
            self._append(store, ledger.records([{**head, **gap}, *self._lines, *again]), now)
            self._started, self._lines = True, []
        elif self._lines:
            self._append(store, ledger.records(self._lines), now)
            self._lines = []

    def _write_rows(self, now: int) -> None:
        steady = self.clocks.steady()
        due = steady - self._flushed >= FLUSH_MS or len(self._rows) >= ROWS_AT_ONCE
        if not due or not (self._rows or self._open_rows):
            return
        if self.stores.traffic is not None:
            self._append(self.stores.traffic, ledger.rows(b"".join((*self._rows, *self._open_rows))), now)
            self.instruments.counter("evidence_connections_total").inc(len(self._rows))
            self.instruments.counter("evidence_openings_total").inc(len(self._open_rows))
        self._rows, self._open_rows, self._flushed = [], [], steady

    def _append(self, store: Ledger, block: bytes, now: int) -> None:
        store.append(block, now)
        letter = store.letter
        self.instruments.counter("evidence_blocks_total").labels(letter).inc()
        self.instruments.gauge("evidence_last_write_timestamp_seconds").labels(letter).set(now / 1000)
