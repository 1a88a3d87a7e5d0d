"""The one thread that changes anything: it writes acceptances to disk, admits, and compares store and kernel.

Requests that wait together share one commit and one nftables transaction. Because nobody else writes, the comparison
cannot undo what a resident has just done.
"""

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

from captive_portal.admission import Allow, Deny, Direction, Step, Wanted, direction, plan
from captive_portal.outcomes import ENDS, NOTED
from captive_portal.outcomes import Outcome as Outcome  # noqa: PLC0414 whoever asks reads the answer
from captive_portal.remote import Door, GatewayAway
from captive_portal.returning import Returning
from captive_portal.session import Event, Now, Policy, Session, anchored, decide
from captive_portal.standing import WELCOME, Standing
from captive_portal.store import Acceptance, Book, Live, Store, StoreFailed
from captive_portal.timeline import Note, unnoted
from captive_portal.timeline import Step as Seen
from parvis.addresses import MacAddress
from parvis.instruments import Instruments
from parvis.running import log, thread_or_exit

TICK_SECONDS = 1.0
LONGEST_TICK_SECONDS = 4.0
SHARE = 10
"""With very many sessions the comparison is made less often: a tenth of the time, but every four seconds."""
PURGE_EVERY = 3600
"""Ticks."""
ANSWER_SECONDS = 5.0
MOST_AT_ONCE = 128
DIRECTIONS: tuple[Direction, ...] = ("missing", "different", "surplus")


Answer = TypeVar("Answer")


class NotStored(Exception):
    """The store could not be written; nothing was changed. The disk needs attention."""


@dataclass(frozen=True, slots=True)
class _Job:
    event: Event
    mac: MacAddress | None
    """None: everybody."""
    acceptance: Acceptance | None = None
    returns_to: str = ""
    answer: "Future[Outcome]" = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Deed:
    act: Callable[[Book, Now], Sequence[Step]]
    answer: "Future[None]" = field(default_factory=Future)


class Doorkeeper(AbstractContextManager["Doorkeeper"]):
    """Start it with ``with``; :meth:`accept`, :meth:`extend` and :meth:`leave` may be called from any thread."""

    def __init__(
        self,
        store: Store,
        door: Door,
        policy: Policy,
        instruments: Instruments,
        clock: Callable[[], Now],
        note: Note = unnoted,
        returning: Returning | None = None,
        standing: Callable[[MacAddress], Standing] = lambda _mac: WELCOME,
    ) -> None:
        self._returning, self._standing = returning, standing
        self._store, self._door, self._policy, self._clock, self._note = store, door, policy, clock, note
        self._active = instruments.gauge("portal_sessions_active")
        self._drift = instruments.gauge("portal_sessions_drift")
        self._repairs = instruments.counter("portal_repairs_total")
        self._gateway_up = instruments.gauge("portal_gateway_up")
        for word in DIRECTIONS:
            self._drift.labels(word).set(0)
            self._repairs.labels(word)
        self._jobs: queue.SimpleQueue[_Job | _Deed | None] = queue.SimpleQueue()
        self._thread = thread_or_exit("doorkeeper", self._run)
        self._ticks = 0
        self.wrong = ""
        """Empty when store and gateway answer, else what is wrong, in words."""

    def __enter__(self) -> Self:
        self.compare()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._jobs.put(None)
        self._thread.join()

    def accept(self, acceptance: Acceptance) -> Outcome:
        """Store the acceptance, durably, and admit its device. NotStored when that failed."""
        return self._ask(_Job(Event.ACCEPTED, acceptance.mac, acceptance))

    def extend(self, mac: MacAddress) -> Outcome:
        """Give *mac*'s session its full time again; NOTHING when it has none."""
        return self._ask(_Job(Event.EXTENDED, mac))

    def leave(self, mac: MacAddress) -> Outcome:
        """End *mac*'s session now."""
        return self._ask(_Job(Event.LEFT, mac))

    def arrived(self, mac: MacAddress, site: str) -> Outcome:
        """Admit *mac* when its acceptance is remembered; NOTHING when it has to be asked."""
        return self._ask(_Job(Event.ACCEPTED, mac, returns_to=site))

    def within(self, act: Callable[[Book, Now], Sequence[Step]]) -> None:
        """Run *act* in the one thread that writes, in a transaction of its own, then do the steps. NotStored."""
        deed = _Deed(act)
        self._jobs.put(deed)
        self._answer(deed.answer)

    def revoke(self, mac: MacAddress) -> Outcome:
        """End *mac*'s session by order of staff; NOTHING when it has none."""
        return self._ask(_Job(Event.REVOKED, mac))

    def revoke_all(self) -> Outcome:
        """End every session in one commit and one order to the gateway."""
        return self._ask(_Job(Event.REVOKED, None))

    def _ask(self, job: _Job) -> Outcome:
        self._jobs.put(job)
        return self._answer(job.answer)

    def _answer(self, answer: "Future[Answer]") -> Answer:
        with suppress(TimeoutError):
            return answer.result(ANSWER_SECONDS)
        if answer.cancel():  # nobody began it, and now nobody will
            raise NotStored("no answer in time")
        try:
            return answer.result(ANSWER_SECONDS)
        except TimeoutError as error:
            raise NotStored("no answer in time") from error

    def _run(self) -> None:
        next_tick = self._clock().since_boot + TICK_SECONDS
        while True:
            jobs = self._gather(max(0.0, next_tick - self._clock().since_boot))
            if None in jobs:
                return
            begun = [job for job in jobs if job is not None and job.answer.set_running_or_notify_cancel()]
            if asked := [job for job in begun if isinstance(job, _Job)]:
                self._serve(asked)
            for deed in [job for job in begun if isinstance(job, _Deed)]:
                self._do(deed)
            if self._clock().since_boot >= next_tick:
                started = self._clock().since_boot
                self.compare()
                took = self._clock().since_boot - started
                next_tick = started + min(LONGEST_TICK_SECONDS, max(TICK_SECONDS, took * SHARE))

    def _gather(self, seconds: float) -> list[_Job | _Deed | None]:
        jobs: list[_Job | _Deed | None] = []
        with suppress(queue.Empty):
            jobs.append(self._jobs.get(block=seconds > 0, timeout=seconds or None))
            while len(jobs) < MOST_AT_ONCE:
                jobs.append(self._jobs.get_nowait())
        return jobs

    def _serve(self, jobs: list[_Job]) -> None:
        """One commit and one transaction for all of *jobs*, then their answers."""
        now = self._clock()
        try:
            with self._store.transaction() as book:
                each = [(job, mac) for job in jobs for mac in _whom(book, job)]
                done = [(job, mac, *self._decide(book, job, mac, now)) for job, mac in each]
        except StoreFailed as error:
            self._not_stored(error)
            for job in jobs:
                job.answer.set_exception(NotStored(str(error)))
            return
        admitted = self._apply([step for *_, step in done if step is not None])
        outcomes = dict.fromkeys(map(id, jobs), Outcome.NOTHING)
        for job, mac, outcome, step in done:
            if outcome in NOTED:
                self._note(mac, NOTED[outcome])
            if admitted and isinstance(step, Allow):
                self._note(mac, Seen.ADMITTED)
            outcomes[id(job)] = outcome if admitted or step is None else Outcome.WAITING
        for job in jobs:
            job.answer.set_result(outcomes[id(job)])

    def _do(self, deed: _Deed) -> None:
        now = self._clock()
        try:
            with self._store.transaction() as book:
                steps = deed.act(book, now)
        except StoreFailed as error:
            self._not_stored(error)
            deed.answer.set_exception(NotStored(str(error)))
            return
        self._apply(list(steps))  # a gateway that is away is told by compare()
        deed.answer.set_result(None)

    def _decide(self, book: Book, job: _Job, mac: MacAddress, now: Now) -> tuple[Outcome, Step | None]:
        live = book.live_of(mac)
        if live is not None and live.session.remaining(now, self._policy) <= 0:
            book.end(live.number, Event.EXPIRED, now)
            self._note(mac, Seen.EXPIRED)
            live = None
        if job.event in ENDS:
            return self._ended(book, live, mac, job.event, now)
        if self._standing(mac).refusal is not None:
            return (Outcome.NOTHING if job.returns_to else Outcome.REFUSED), Deny(mac)
        if live is not None:
            return self._goes_on(book, live, mac, job.event, now)
        if job.returns_to and self._returning:
            known = self._returning.recall(book, mac, job.returns_to, now)
            return self._opened(book, known, now) if known else (Outcome.NOTHING, None)
        return self._accepted(book, job.acceptance, now) if job.acceptance else (Outcome.NOTHING, None)

    def _accepted(self, book: Book, acceptance: Acceptance, now: Now) -> tuple[Outcome, Step | None]:
        if book.used(acceptance.token):
            return Outcome.REPLAYED, None
        if self._returning:
            self._returning.remember(book, acceptance, now)
        return self._opened(book, acceptance, now)

    def _opened(self, book: Book, acceptance: Acceptance, now: Now) -> tuple[Outcome, Step | None]:
        session = decide(Session(), Event.ACCEPTED, now=now, policy=self._policy)
        number = book.accept(acceptance, session, now)
        return Outcome.ADMITTED, self._allow(acceptance.mac, Live(number, session), now)

    def _goes_on(self, book: Book, live: Live, mac: MacAddress, event: Event, now: Now) -> tuple[Outcome, Step | None]:
        session = decide(live.session, event, now=now, policy=self._policy)
        if session != live.session:
            book.reschedule(live.number, session)
        outcome = Outcome.EXTENDED if event is Event.EXTENDED else Outcome.AGAIN
        return outcome, self._allow(mac, Live(live.number, session), now)

    def _ended(
        self, book: Book, live: Live | None, mac: MacAddress, event: Event, now: Now
    ) -> tuple[Outcome, Step | None]:
        if live is not None:
            book.end(live.number, event, now)
        if self._returning:
            self._returning.forget(book, mac, now)
        return (ENDS[event] if live else Outcome.NOTHING), Deny(mac)

    def _allow(self, mac: MacAddress, live: Live, now: Now) -> Allow:
        seconds = max(1.0, live.session.remaining(now, self._policy))
        return Allow(mac, live.number, seconds, self._policy.rate_down, self._policy.rate_up)

    def _apply(self, steps: list[Step]) -> bool:
        latest = list({step.mac: step for step in steps}.values())
        try:
            if latest:
                self._door.apply(latest)
        except GatewayAway as error:
            self._away(error)
            return False
        return True

    def compare(self) -> None:
        """Make the kernel admit whom the store says, and count what differed. Failures wait for the next time."""
        try:
            actual = self._door.admitted()
            wanted, now = self._wanted()
            steps = plan(wanted, actual, now.since_boot)
            self._door.apply(steps)
        except GatewayAway as error:
            self._away(error)
            return
        except StoreFailed as error:
            self._not_stored(error)
            return
        found = [direction(step, actual) for step in steps]
        for word in DIRECTIONS:
            self._drift.labels(word).set(found.count(word))
            self._repairs.labels(word).inc(found.count(word))
        if steps:
            log.info("gateway reconciled", steps=len(steps), missing=found.count("missing"))
        self._active.set(len(wanted))
        self._gateway_up.set(1)
        self.wrong = ""

    def _wanted(self) -> tuple[dict[MacAddress, Wanted], Now]:
        """Whom the store wants admitted; sessions that are over end here, and are forgotten."""
        now, wanted = self._clock(), {}
        with self._store.transaction() as book:
            for mac, live in book.live().items():
                if live.session.remaining(now, self._policy) <= 0:
                    book.end(live.number, Event.EXPIRED, now)
                    self._note(mac, Seen.EXPIRED)
                    continue
                session = anchored(live.session, now=now, policy=self._policy)
                if session != live.session:
                    book.reschedule(live.number, session)
                wanted[mac] = Wanted(live.number, session.deadline, self._policy.rate_down, self._policy.rate_up)
            if self._ticks % PURGE_EVERY == 0:
                book.purge(now)
                if self._returning:
                    self._returning.purge(book, now)
        if self._ticks % PURGE_EVERY == 0:
            self._store.settle()
        self._ticks += 1
        return wanted, now

    def _away(self, error: GatewayAway) -> None:
        if self.wrong != "gatewayd does not answer":
            log.warning("gatewayd does not answer", words=str(error))
        self.wrong = "gatewayd does not answer"
        self._gateway_up.set(0)

    def _not_stored(self, error: StoreFailed) -> None:
        log.error("the store cannot be written", words=str(error))
        self.wrong = "the store cannot be written"


def _whom(book: Book, job: _Job) -> list[MacAddress]:
    """Whom a job is about."""
    return [job.mac] if job.mac is not None else list(book.live())
