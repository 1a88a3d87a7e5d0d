"""The life of a resident's session: one table, and the moments it needs. No clock, no disk.

A deadline is kept on the clock that counts from boot (CLOCK_BOOTTIME), which nobody can set; the wall clock's end is
kept for the day the machine has rebooted in between.
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """Where a session is in its life."""

    OFFERED = "offered"
    OPEN = "open"
    ENDED = "ended"


class Event(StrEnum):
    """What can happen to it."""

    ACCEPTED = "accepted"
    EXTENDED = "extended"
    LEFT = "left"
    EXPIRED = "expired"
    REVOKED = "revoked"
    """Ended by staff."""


NEXT = {
    (State.OFFERED, Event.ACCEPTED): State.OPEN,
    (State.OPEN, Event.ACCEPTED): State.OPEN,
    (State.OPEN, Event.EXTENDED): State.OPEN,
    (State.OPEN, Event.LEFT): State.ENDED,
    (State.OPEN, Event.EXPIRED): State.ENDED,
    (State.OPEN, Event.REVOKED): State.ENDED,
}
"""What is not listed changes nothing: a session that has ended stays ended, its successor has another number."""

PROLONGS = {(State.OFFERED, Event.ACCEPTED), (State.OPEN, Event.EXTENDED)}
"""The steps that set a new deadline; accepting twice does not."""


@dataclass(frozen=True, slots=True)
class Now:
    """One moment: which boot of the machine, seconds since that boot, seconds since 1970 (UTC)."""

    boot: str
    since_boot: float
    wall: float


@dataclass(frozen=True, slots=True)
class Policy:
    """What a session grants: *session* in seconds, rates in bits per second."""

    session: float
    rate_down: int
    rate_up: int


@dataclass(frozen=True, slots=True)
class Session:
    """A session. *deadline* is in seconds since the boot called *boot*, *ends* in seconds since 1970 (UTC)."""

    state: State = State.OFFERED
    boot: str = ""
    deadline: float = 0.0
    ends: float = 0.0

    def remaining(self, now: Now, policy: Policy) -> float:
        """Seconds left, 0 when none; never more than *policy* grants, whatever the wall clock says after a reboot."""
        if self.state is not State.OPEN:
            return 0.0
        left = self.deadline - now.since_boot if self.boot == now.boot else self.ends - now.wall
        return min(max(left, 0.0), policy.session)


def decide(session: Session, event: Event, *, now: Now, policy: Policy) -> Session:
    """The session after *event*.

    >>> noon = Now(boot="b", since_boot=100.0, wall=1_000_000.0)
    >>> opened = decide(Session(), Event.ACCEPTED, now=noon, policy=Policy(3600, 1, 1))
    >>> opened.state.value, opened.deadline, opened.remaining(noon, Policy(3600, 1, 1))
    ('open', 3700.0, 3600.0)
    """
    step = (session.state, event)
    if step in PROLONGS:
        deadline, ends = now.since_boot + policy.session, now.wall + policy.session
        return Session(NEXT[step], now.boot, deadline, ends)
    return replace(session, state=NEXT.get(step, session.state))


def anchored(session: Session, *, now: Now, policy: Policy) -> Session:
    """The same session on this boot's clock, so that later steps of the wall clock cannot touch it."""
    if session.boot == now.boot or session.state is not State.OPEN:
        return session
    return replace(session, boot=now.boot, deadline=now.since_boot + session.remaining(now, policy))
