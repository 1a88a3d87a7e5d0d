"""The one thread that changes anything: it writes acceptances to disk, admits, and compares store and kernel.

Requests that wait together share one statement, one commit and one nftables transaction. Because nobody else writes,
the comparison cannot undo what a resident has just done.
"""

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

from captive_portal.admission import Allow, Deny, Picture, Step, direction, later, plan
from captive_portal.circumstances import Rules
from captive_portal.figures import Figures
from captive_portal.outcomes import ENDS, NOTED
from captive_portal.outcomes import Outcome as Outcome  # noqa: PLC0414 whoever asks reads the answer
from captive_portal.protocol import Truth
from captive_portal.remote import Door, GatewayAway
from captive_portal.returning import Returning
from captive_portal.rounds import Rounds
from captive_portal.session import Event, Now, Policy
from captive_portal.standing import Standing
from captive_portal.store import Acceptance, Book, Store, StoreFailed
from captive_portal.timeline import Note, unnoted
from captive_portal.timeline import Step as Seen
from captive_portal.turn import Done, Law, Request
from parvis import heap
from parvis.addresses import MacAddress
from parvis.instruments import Instruments
from parvis.running import log, thread_or_exit

TICK_SECONDS = 1.0
LONGEST_TICK_SECONDS = 4.0
SHARE = 10
"""With very many sessions the comparison is made less often: a tenth of the time, but every four seconds."""
SURE_SECONDS = 60.0
"""gatewayd says whether anybody else has altered a session, and then all are compared; so often they are anyway."""
ANSWER_SECONDS = 5.0
MOST_AT_ONCE = 128
LINGER_SECONDS = 0.002
"""Who does not come alone is waited with, so long at most, for others to share the commit and the transaction."""
GATEWAY_WRONG = "gatewayd does not answer"
STORE_WRONG = "the store cannot be written"


Answer = TypeVar("Answer")


class NotStored(Exception):
    """The store could not be written; nothing was changed. The disk needs attention."""


@dataclass(frozen=True, slots=True)
class _Job:
    request: Request
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
        rules: Rules | None = None,
        doubts: Callable[[], str] = str,
    ) -> None:
        """*doubts*: why the clock is not to be erased by; empty when it may."""
        self._store, self._door, self._clock, self._note = store, door, clock, note
        self._figures = Figures(instruments)
        law = Law(policy, rules or Rules(), returning)
        self._rounds = Rounds(store, door, law, clock, note, self._figures, doubts)
        self._jobs: queue.SimpleQueue[_Job | _Deed | None] = queue.SimpleQueue()
        self._thread = thread_or_exit("doorkeeper", self._run)
        self._restored: Callable[[], object] | None = None
        self._sure_until = 0.0
        self.restored = False
        """Whether the kernel has admitted everybody who was online before this process began."""
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
        return self._ask(Request(Event.ACCEPTED, acceptance.mac, acceptance))

    def extend(self, mac: MacAddress) -> Outcome:
        """Give *mac*'s session its full time again; NOTHING when it has none."""
        return self._ask(Request(Event.EXTENDED, mac))

    def leave(self, mac: MacAddress) -> Outcome:
        """End *mac*'s session now, and forget its acceptance."""
        return self._ask(Request(Event.LEFT, mac))

    def arrived(self, mac: MacAddress, site: str) -> Outcome:
        """Admit *mac* when its acceptance is remembered; NOTHING when it has to be asked."""
        return self._ask(Request(Event.ACCEPTED, mac, returns_to=site))

    def revoke(self, mac: MacAddress) -> Outcome:
        """End *mac*'s session by order of staff, and forget its acceptance; NOTHING when it has none."""
        return self._ask(Request(Event.REVOKED, mac))

    def revoke_all(self) -> Outcome:
        """End every session and forget its acceptance, in one commit."""
        return self._ask(Request(Event.REVOKED, None))

    def close(self) -> Outcome:
        """End every session in one commit because staff close the site; acceptances stay remembered."""
        return self._ask(Request(Event.CLOSED, None))

    def within(self, act: Callable[[Book, Now], Sequence[Step]]) -> None:
        """Run *act* in the one thread that writes, in a transaction of its own, then do the steps. NotStored.

        It may end sessions, each of which it denies.
        """
        deed = _Deed(act)
        self._jobs.put(deed)
        self._answer(deed.answer)

    def when_restored(self, tell: Callable[[], object]) -> None:
        """Call *tell* once, as soon as the kernel has admitted everybody it should; at once when it has already."""
        self._restored = tell
        self._tell()

    def standing(self, mac: MacAddress, truth: Truth | None = None) -> Standing:
        """How *mac* stands with the door; see :meth:`captive_portal.rounds.Rounds.standing`."""
        return self._rounds.standing(mac, truth)

    def whose(self, sessions: set[int]) -> list[MacAddress]:
        """The devices of *sessions*, by number; from any thread."""
        return list(self._rounds.register.of(sessions))

    def _ask(self, request: Request) -> Outcome:
        job = _Job(request)
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
            until = self._clock().since_boot + LINGER_SECONDS
            while len(jobs) < MOST_AT_ONCE:
                alone = len(jobs) == 1 and self._jobs.empty()
                left = 0.0 if alone else until - self._clock().since_boot
                jobs.append(self._jobs.get(block=left > 0, timeout=max(left, 0.0)))
        return jobs

    def _serve(self, jobs: list[_Job]) -> None:
        """One commit and one transaction for all of *jobs*, then their answers."""
        try:
            with self._store.transaction() as book:
                turn = self._rounds.turn(book)
                done = turn.serve(job.request for job in jobs)
        except StoreFailed as error:
            self._not_stored(error)
            for job in jobs:
                job.answer.set_exception(NotStored(str(error)))
            return
        self._rounds.committed(turn)
        admitted = self._apply([one.step for each in done for one in each.values() if one.step])
        for job, each in zip(jobs, done, strict=True):
            self._tell_of(each, admitted=admitted)
            outcomes = [one.outcome if admitted or one.step is None else Outcome.WAITING for one in each.values()]
            job.answer.set_result(outcomes[0] if outcomes else Outcome.NOTHING)

    def _tell_of(self, each: dict[MacAddress, Done], *, admitted: bool) -> None:
        for mac, one in each.items():
            if one.outcome in NOTED and one.outcome not in ENDS.values():
                self._note(mac, NOTED[one.outcome])
            if admitted and isinstance(one.step, Allow):
                self._note(mac, Seen.ADMITTED)
            if one.refusal:
                self._figures.refused(one.refusal)

    def _do(self, deed: _Deed) -> None:
        try:
            with self._store.transaction() as book:
                steps = list(deed.act(book, self._clock()))
        except StoreFailed as error:
            self._not_stored(error)
            deed.answer.set_exception(NotStored(str(error)))
            return
        self._rounds.denied(step.mac for step in steps if isinstance(step, Deny))
        self._apply(steps)  # a gateway that is away is told by compare()
        deed.answer.set_result(None)

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
        """Make the kernel admit whom the store says; then erase what is over. Failures wait for the next time."""
        self._compare()
        self._rounds.tidy()

    def _compare(self) -> None:
        """Make the kernel admit whom the store says, and count what differed."""
        before, begun = self._rounds.corrected, self._clock().since_boot
        stored = self._look_after_the_store()
        differs = self._rounds.corrected != before
        if not stored and not self.restored:
            return  # who has a session was never read: nobody may be put out
        try:
            actual = self._look(surely=differs or not self.restored)
            with heap.uncollected():
                steps = plan(self._rounds.wanted(self._clock()), actual) if actual else []
            self._door.apply(later(steps, lambda: self._clock().since_boot - (actual.at if actual else 0.0)))
            took = round(self._clock().since_boot - begun, 3)
            if stored:
                self._rounds.anchor()
                self._rounds.count(self._clock())
        except GatewayAway as error:
            self._away(error)
            return
        except StoreFailed as error:
            self._not_stored(error)
            return
        found = [direction(step, actual.admitted) for step in steps] if actual else []
        self._figures.compared(found, len(self._rounds.register), len(self._rounds.slowed))
        if steps:
            log.info("gateway reconciled", steps=len(steps), missing=found.count("missing"), seconds=took)
        if stored:
            self.wrong, self.restored = "", True
        self._rounds.tick()
        self._tell()

    def _look(self, *, surely: bool) -> Picture | None:
        """Whom the kernel admits, when there may be something to repair; now and then to be sure, without waiting."""
        now = self._clock().since_boot
        found = self._door.altered(surely=surely)
        if found is None and now >= self._sure_until:
            found = self._door.everybody_soon()
        if found is not None:
            self._sure_until = now + SURE_SECONDS
        return found

    def _look_after_the_store(self) -> bool:
        """Read what is due and end what is over; False when it cannot be done now, which keeps no repair waiting."""
        try:
            self._rounds.read(doubtful=self.wrong == STORE_WRONG)
            self._rounds.sweep()
        except StoreFailed as error:
            self._not_stored(error)
            return False
        except GatewayAway as error:
            self._away(error)
        return True

    def _tell(self) -> None:
        if self.restored and self._restored:
            tell, self._restored = self._restored, None
            tell()

    def _away(self, error: GatewayAway) -> None:
        if self.wrong != GATEWAY_WRONG:
            log.warning(GATEWAY_WRONG, words=str(error))
        self.wrong = GATEWAY_WRONG
        self._figures.away()

    def _not_stored(self, error: StoreFailed) -> None:
        self._rounds.register.rollback()
        log.error(STORE_WRONG, words=str(error))
        self.wrong = STORE_WRONG
