"""How one message finds its way: the next channel when one fails or gives no proof in time. No I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

PROOF_SECONDS = 120.0
"""A channel that proves delivery has so long before the next one is tried as well."""
ASK_SECONDS = 15.0
RETRY_SECONDS = 60.0
"""After every channel has failed, all are tried again."""


class Result(StrEnum):
    """What became of an attempt. *started*: unknown, the process ended meanwhile; then it is made again."""

    STARTED = "started"
    ACCEPTED = "accepted"
    PROVED = "proved"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message given to one channel. *proves*: the channel will say whether it arrived."""

    number: int
    channel: str
    started_at: float
    ended_at: float | None = None
    result: Result = Result.STARTED
    proves: bool = False
    reference: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Send:
    """Give the message to *channel*."""

    channel: str


@dataclass(frozen=True, slots=True)
class AskProof:
    """Ask the channel of *attempt* whether it arrived."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing more to do for this message; *proved*: the channel says that it arrived."""

    proved: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do now."""


Move = Send | AskProof | Done | Wait


def next_move(attempts: Sequence[Attempt], channels: Sequence[str], begins: int, now: float) -> Move:
    """What to do next for a message tried so far by *attempts*, over *channels*, best first.

    *begins*: the place of the channel to begin with, past the last from the first again: a silent one is not trusted
    twice.
    """
    if not channels:
        return Wait()
    order = [*channels[begins % len(channels) :], *channels[: begins % len(channels)]]
    if not attempts:
        return Send(order[0])
    last = attempts[-1]
    if any(attempt.result is Result.PROVED for attempt in attempts):
        return Done(proved=True)
    if last.result is Result.STARTED:
        return Send(last.channel) if last.channel in channels else Send(order[0])
    if last.result is Result.ACCEPTED and not last.proves:
        return Done(proved=False)
    waited = now - (last.ended_at or last.started_at)
    return _after(last, attempts, order, waited if waited >= 0 else PROOF_SECONDS)  # the clock was set back


def _after(last: Attempt, attempts: Sequence[Attempt], order: Sequence[str], waited: float) -> Move:
    """After a failure, or an acceptance without proof: the next channel; after all of them, from the beginning."""
    if last.result is Result.ACCEPTED and waited < PROOF_SECONDS:
        return AskProof(last) if waited >= ASK_SECONDS else Wait()
    place = order.index(last.channel) if last.channel in order else -1
    if place + 1 < len(order):
        return Send(order[place + 1])
    if any(attempt.result is Result.ACCEPTED for attempt in attempts):
        return Done(proved=False)
    return Send(order[0]) if waited >= RETRY_SECONDS else Wait()
