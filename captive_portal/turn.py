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


@dataclass(slots=True)
class Beginning:
    """A session that is to be written, and what *became* of it. *returns*: it is remembered, and nobody tapped."""

    acceptance: Acceptance
    session: Session
    returns: bool
    became: Done = Done(Outcome.REPLAYED)


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
    beginning: dict[MacAddress, Beginning] = field(default_factory=dict)

    def serve(self, requests: Iterable[Request]) -> list[dict[MacAddress, Done]]:
        """What becomes of each of *requests*, by device; sessions of different devices are written together."""
        found: list[Mapping[MacAddress, Done | Beginning]] = []
        for request in requests:
            if request.mac is None or request.mac in self.beginning:
                self._write()
            found.append(self._all(request) if request.mac is None else {request.mac: self._one(request, request.mac)})
        self._write()
        return [{mac: one.became if isinstance(one, Beginning) else one for mac, one in each.items()} for each in found]

    def _write(self) -> None:
        """Write the sessions that begin; one whose form was accepted before does not."""
        beginning, self.beginning = self.beginning, {}
        numbers = self.book.accept_all([(one.acceptance, one.session) for one in beginning.values()], self.now)
        begun = [(mac, one) for mac, one in beginning.items() if one.acceptance.token in numbers]
        for mac, one in begun:
            live = Live(numbers[one.acceptance.token], one.session)
            self.register.put(mac, live)
            one.became = Done(Outcome.ADMITTED, self.allow(mac, live))
        if self.law.returning:
            self.law.returning.remember(self.book, [one.acceptance for _, one in begun if not one.returns], self.now)

    def _all(self, request: Request) -> dict[MacAddress, Done]:
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
            self.law.returning.forget(self.book, list(live), self.now)
        return live

    @cached_property
    def over(self) -> Event:
        """How a session ends whose time is over: with the building, or by itself."""
        return Event.EXPIRED if self.law.rules.hours(self.now.wall)[0] else Event.CLOSED

    def _one(self, request: Request, mac: MacAddress) -> Done | Beginning:
        live = self.register.get(mac)
        if live is not None and live.session.remaining(self.now, self.law.policy) <= 0:
            self.end({mac: live}, self.over)
            live = None
        if request.event in ENDS:
            return self._ended(live, mac, request.event)
        if mac in self.law.rules.known:
            return Done(Outcome.AGAIN)
        around = self.law.rules.about(mac, self.now, len(self.register) + len(self.beginning))
        found = around.refusal(self.law.policy, online=live is not None)
        if live is not None and request.event is Event.ACCEPTED and (found is None or found[0] not in BY_STAFF):
            return Done(Outcome.AGAIN, self.allow(mac, live))
        if found:
            return self._refused(request, mac, found[0], around)
        if live is not None:
            return self._extended(live, mac, around)
        return self._asked(request, mac, around)

    def _asked(self, request: Request, mac: MacAddress, around: Circumstances) -> Done | Beginning:
        accepted, returning = request.acceptance, self.law.returning
        if request.returns_to and returning:
            accepted = returning.recall(self.book, mac, request.returns_to, self.now)
        if accepted is None:
            return Done(Outcome.NOTHING)
        closing = around.closing(self.now)
        session = decide(Session(), Event.ACCEPTED, now=self.now, policy=self.law.policy, closing=closing)
        self.beginning[mac] = Beginning(accepted, session, returns=bool(request.returns_to))
        return self.beginning[mac]

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
            self.law.returning.forget(self.book, [mac], self.now)
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
