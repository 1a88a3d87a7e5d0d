"""The life of a resident's session: one table, and the moments it needs. No clock, no disk.

A deadline is kept on the clock that counts from boot (CLOCK_BOOTTIME), which nobody can set; the wall clock's end is
kept for the day the machine has rebooted in between.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf


class State(StrEnum):
    """Where a session is in its life."""

    OFFERED = "offered"
    OPEN = "open"
    ENDED = "ended"


class Event(StrEnum):
    """What can happen to it."""

    ACCEPTED = "accepted"
    """By a tap, or because an earlier acceptance is remembered."""
    EXTENDED = "extended"
    LEFT = "left"
    EXPIRED = "expired"
    IDLE = "idle"
    """Not a byte in either direction for as long as the policy says."""
    REVOKED = "revoked"
    """Ended by staff."""
    CLOSED = "closed"
    """The building closed, or staff closed the site."""


NEXT = {
    (State.OFFERED, Event.ACCEPTED): State.OPEN,
    (State.OPEN, Event.ACCEPTED): State.OPEN,
    (State.OPEN, Event.EXTENDED): State.OPEN,
    (State.OPEN, Event.LEFT): State.ENDED,
    (State.OPEN, Event.EXPIRED): State.ENDED,
    (State.OPEN, Event.IDLE): State.ENDED,
    (State.OPEN, Event.REVOKED): State.ENDED,
    (State.OPEN, Event.CLOSED): State.ENDED,
}
"""What is not listed changes nothing: a session that has ended stays ended, its successor has another number."""

PROLONGS = {(State.OFFERED, Event.ACCEPTED), (State.OPEN, Event.EXTENDED)}
"""The steps that set a new deadline; accepting twice does not."""
WORTH_SECONDS = 1.0
"""What closing allows beyond a session's end is no more time when it is less: clocks are steered."""


@dataclass(frozen=True, slots=True)
class Now:
    """One moment: which boot of the machine, seconds since that boot, seconds since 1970 (UTC)."""

    boot: str
    since_boot: float
    wall: float


@dataclass(frozen=True, slots=True)
class Policy:
    """What a session grants: *session* and *idle* in seconds, rates in bits per second, *quota* in bytes both ways.

    None: no limit. Beyond the quota the rates are *slow_down* and *slow_up*.
    """

    session: float
    rate_down: int
    rate_up: int
    idle: float | None = None
    quota: int | None = None
    slow_down: int = 1_000_000
    slow_up: int = 512_000
    max_devices: int | None = None

    def rates(self, *, slowed: bool) -> tuple[int, int]:
        """Bits per second down and up.

        >>> Policy(60, 5_000_000, 800_000, quota=1, slow_down=1_000_000, slow_up=900_000).rates(slowed=True)
        (1000000, 800000)
        """
        if not slowed:
            return self.rate_down, self.rate_up
        return min(self.rate_down, self.slow_down), min(self.rate_up, self.slow_up)


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


def decide(session: Session, event: Event, *, now: Now, policy: Policy, closing: float = inf) -> Session:
    """The session after *event*; the building closes in *closing* seconds, and no session outlasts that.

    >>> noon = Now(boot="b", since_boot=100.0, wall=1_000_000.0)
    >>> opened = decide(Session(), Event.ACCEPTED, now=noon, policy=Policy(3600, 1, 1))
    >>> opened.state.value, opened.deadline, opened.remaining(noon, Policy(3600, 1, 1))
    ('open', 3700.0, 3600.0)
    """
    step = (session.state, event)
    if step in PROLONGS:
        granted = min(policy.session, closing)
        return Session(NEXT[step], now.boot, now.since_boot + granted, now.wall + granted)
    return replace(session, state=NEXT.get(step, session.state))


def anchored(session: Session, *, now: Now, policy: Policy) -> Session:
    """The same session on this boot's clock, so that later steps of the wall clock cannot touch it."""
    if session.boot == now.boot or session.state is not State.OPEN:
        return session
    return Session(session.state, now.boot, now.since_boot + session.remaining(now, policy), session.ends)
