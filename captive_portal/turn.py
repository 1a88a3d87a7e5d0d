"""What becomes of requests, inside one transaction of the store; nothing counts before it is committed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from captive_portal.admission import Allow, Block, Deny, Step
from captive_portal.circumstances import Circumstances, Rules
from captive_portal.outcomes import ENDS, FORGETS, Outcome
from captive_portal.register import Register
from captive_portal.returning import Returning
from captive_portal.session import WORTH_SECONDS, Event, Now, Policy, Session, decide
from captive_portal.standing import Refusal
from captive_portal.store import Acceptance, Book, Live
from parvis.addresses import MacAddress

BY_STAFF = {Refusal.BLOCKED, Refusal.CLOSED_BY_STAFF}
"""Reasons that end a session; the others only keep one from beginning or going on longer."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. *mac* None: of everybody. *returns_to*: the site a device came to, and has not asked yet."""

    event: Event
    mac: MacAddress | None
    acceptance: Acceptance | None = None
    returns_to: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of it for one device: the *outcome*, the *step* the kernel is told, the *refusal* if it was one."""

    outcome: Outcome
    step: Step | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Law:
    """By what is decided."""

    policy: Policy
    rules: Rules
    returning: Returning | None


@dataclass
class Turn:
    """One transaction's decisions. *slowed*: numbers of the sessions that are over their quota."""

    book: Book
    register: Register
    law: Law
    now: Now
    slowed: set[int]
    ended: list[tuple[MacAddress, Event]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    """Numbers of the sessions that ended."""

    def serve(self, request: Request) -> dict[MacAddress, Done]:
        """What becomes of *request*, by device."""
        if request.mac is not None:
            return {request.mac: self._one(request, request.mac)}
        gone = self.end({mac: live for mac, live in self.register.items() if self.register.get(mac)}, request.event)
        return {mac: Done(ENDS[request.event], Deny(mac)) for mac in gone}

    def end(self, live: Mapping[MacAddress, Live], event: Event) -> Iterable[MacAddress]:
        """End these sessions; returns whose."""
        ended = [one.number for one in live.values()]
        self.book.end_all(ended, event, self.now)
        self.gone += ended
        for mac in live:
            self.register.remove(mac)
        self.ended += [(mac, event) for mac in live]
        if self.law.returning and event in FORGETS:
            self.law.returning.forget_all(self.book, list(live), self.now)
        return live

    @cached_property
    def over(self) -> Event:
        """How a session ends whose time is over: with the building, or by itself."""
        return Event.EXPIRED if self.law.rules.hours(self.now.wall)[0] else Event.CLOSED

    def _one(self, request: Request, mac: MacAddress) -> Done:
        live = self.register.get(mac)
        if live is not None and live.session.remaining(self.now, self.law.policy) <= 0:
            self.end({mac: live}, self.over)
            live = None
        if request.event in ENDS:
            return self._ended(live, mac, request.event)
        if mac in self.law.rules.known:
            return Done(Outcome.AGAIN)
        around = self.law.rules.about(mac, self.now, len(self.register))
        found = around.refusal(self.law.policy, online=live is not None)
        if live is not None and request.event is Event.ACCEPTED and (found is None or found[0] not in BY_STAFF):
            return Done(Outcome.AGAIN, self.allow(mac, live))
        if found:
            return self._refused(request, mac, found[0], around)
        if live is not None:
            return self._extended(live, mac, around)
        return self._asked(request, mac, around)

    def _asked(self, request: Request, mac: MacAddress, around: Circumstances) -> Done:
        returning = self.law.returning
        if request.returns_to:
            known = returning.recall(self.book, mac, request.returns_to, self.now) if returning else None
            return self._opened(known, around) if known else Done(Outcome.NOTHING)
        if request.acceptance is None:
            return Done(Outcome.NOTHING)
        done = self._opened(request.acceptance, around)
        if returning and done.outcome is Outcome.ADMITTED:
            returning.remember(self.book, request.acceptance, self.now)
        return done

    def _opened(self, acceptance: Acceptance, around: Circumstances) -> Done:
        closing = around.closing(self.now)
        session = decide(Session(), Event.ACCEPTED, now=self.now, policy=self.law.policy, closing=closing)
        number = self.book.accept(acceptance, session, self.now)
        if number is None:
            return Done(Outcome.REPLAYED)
        live = Live(number, session)
        self.register.put(acceptance.mac, live)
        return Done(Outcome.ADMITTED, self.allow(acceptance.mac, live))

    def _extended(self, live: Live, mac: MacAddress, around: Circumstances) -> Done:
        closing = around.closing(self.now)
        session = decide(live.session, Event.EXTENDED, now=self.now, policy=self.law.policy, closing=closing)
        gained = session.deadline - live.session.deadline
        if gained <= (WORTH_SECONDS if closing < self.law.policy.session else 0):
            return Done(Outcome.UNCHANGED, self.allow(mac, live))
        self.book.reschedule({live.number: session})
        live = Live(live.number, session, live.used)
        self.register.put(mac, live)
        return Done(Outcome.EXTENDED, self.allow(mac, live))

    def _ended(self, live: Live | None, mac: MacAddress, event: Event) -> Done:
        if live is not None:
            self.end({mac: live}, event)
        elif self.law.returning and event in FORGETS:
            self.law.returning.forget(self.book, mac, self.now)
        return Done(ENDS[event] if live else Outcome.NOTHING, None if mac in self.law.rules.known else Deny(mac))

    def _refused(self, request: Request, mac: MacAddress, why: Refusal, around: Circumstances) -> Done:
        """Who only came back is not told so: it has not asked. A block the kernel may have lost."""
        seconds = around.blocked_until - self.now.wall
        step = Block(mac, seconds) if why is Refusal.BLOCKED and seconds >= 1 else None
        return Done(Outcome.NOTHING, step) if request.returns_to else Done(Outcome.REFUSED, step, why)

    def allow(self, mac: MacAddress, live: Live) -> Allow:
        """The step that admits *mac*."""
        seconds = max(1.0, live.session.remaining(self.now, self.law.policy))
        return Allow(mac, live.number, seconds, *self.law.policy.rates(slowed=live.number in self.slowed))
