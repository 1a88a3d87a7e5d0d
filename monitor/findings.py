"""Decide the state of every uplink and device from what was heard, with hysteresis. No I/O, no clock.

A state changes only after the same answer several rounds running. "I cannot know" is a state of its own: not down.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import ceil, log

from monitor.flapping import Flap
from monitor.observations import Outcome, Sample
from monitor.targets import Target, targets
from monitor.topology import behind
from parvis.catalogue import metric
from parvis.inventory import Town

CHANCE = 0.001
MOST_PATIENT = 4


class State(StrEnum):
    """How something is, worst last but for what is not known."""

    UP = "up"
    DEGRADED = "degraded"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"
    """It does not answer, and something it stands behind is down: that is the fault to repair."""
    DOWN = "down"


class Reason(StrEnum):
    """Why a state is what it is."""

    FINE = "fine"
    SILENT = "silent"
    LOSS = "loss"
    NO_PING = "no-ping"
    NO_SNMP = "no-snmp"
    BEHIND = "behind"
    ISOLATED = "isolated"
    FLAPPING = "flapping"
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient the monitor is: rounds to go down, rounds to come back, and the loss that disturbs."""

    fail_after: int = 3
    recover_after: int = 3
    loss_ratio: float = float((metric("icmp_loss_ratio").levels.warn or "> 1").split()[1])
    held_seconds: float = 240.0
    """What flaps is down only once it has been silent for so long (NAV waits as long before it says "down")."""

    def on_a_link_that_loses(self, ratio: float) -> "Policy":
        """More patience where losses are usual: a run of them that chance makes once in a thousand rounds is no cut.

        >>> [Policy().on_a_link_that_loses(ratio).fail_after for ratio in (0.0, 0.1, 0.4, 0.9)]
        [3, 3, 8, 12]
        """
        if not 0 < ratio < 1:
            return self
        chance = ceil(log(CHANCE) / log(ratio))
        return replace(self, fail_after=min(max(self.fail_after, chance), self.fail_after * MOST_PATIENT))


@dataclass(frozen=True, slots=True)
class Latch:
    """A truth that changes only after the same contrary answer several rounds running.

    >>> latch = Latch(True)
    >>> for seen in (False, False, True, False, False, False):
    ...     latch = latch.after(seen, Policy(fail_after=3))
    ...     print(latch.value, end=" ")
    True True True True True False
    """

    value: bool | None = None
    candidate: bool | None = None
    streak: int = 0

    def after(self, seen: bool | None, policy: Policy) -> "Latch":
        """The latch once *seen* is heard; None, "I could not ask", needs as many rounds as a failure."""
        if seen == self.value:
            return Latch(self.value, self.value)
        streak = self.streak + 1 if seen == self.candidate else 1
        needed = policy.recover_after if seen else policy.fail_after
        return Latch(seen, seen) if streak >= needed else Latch(self.value, seen, streak)


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one uplink or device. *since*: Unix time of its last change; *cause*: what it stands behind.

    *answers* and *well* are the hysteresis carried to the next round; *silent_since* the first missing echo in a row;
    *flap* how restless it is, and *turned_at* when it last answered or fell silent for good. *planned*: why nobody is
    called for it now, empty when somebody is.
    """

    target: Target
    state: State
    reason: Reason
    since: float
    cause: str = ""
    loss_ratio: float | None = None
    rtt_seconds: float | None = None
    jitter_seconds: float | None = None
    answers: Latch = Latch()
    well: Latch = Latch()
    silent_since: float | None = None
    flap: Flap = Flap()  # noqa: RUF009 frozen
    turned_at: float = 0.0
    usual_loss: float = 0.0
    """The loss when it last answered: on a link that loses, some echoes missing in a row are no cut."""
    planned: str = ""


def judge(
    town: Town,
    outcomes: Iterable[Outcome],
    samples: Iterable[Sample],
    previous: Sequence[Finding],
    now: float,
    policy: Policy | None = None,
    planned: Mapping[str, str] | None = None,
) -> list[Finding]:
    """The finding of every target of *town*, in the order of ``targets(town)``.

    *previous* is what this function returned last round; *now* is Unix time; *planned* says for which targets nobody
    is called, and why: their state is told all the same.
    """
    patience = policy or Policy()
    heard = {outcome.target: outcome for outcome in outcomes}
    polled = {sample.device: sample for sample in samples}
    before = {finding.target.name: finding for finding in previous}
    alone = [
        _alone(target, heard.get(target.name), polled.get(target.name), before.get(target.name), now, patience)
        for target in targets(town)
    ]
    muted = planned or {}
    dated = (_dated(finding, before.get(finding.target.name), now) for finding in _placed(alone))
    return [replace(f, planned=muted[f.target.name]) if f.target.name in muted else f for f in dated]


def isolated(findings: Iterable[Finding]) -> bool | None:
    """Whether nothing at all answers the monitor; None when it could ask nothing."""
    answers = [finding.answers.value for finding in findings]
    if any(answers):
        return False
    return True if False in answers else None


def _alone(
    target: Target, outcome: Outcome | None, sample: Sample | None, before: Finding | None, now: float, policy: Policy
) -> Finding:
    echo = outcome or Outcome(target.name, None)
    silent_since = None if echo.answered is not False else (before and before.silent_since) or now
    snmp = _snmp(sample, silent_since)
    answered = _either(echo.answered, snmp)
    usual_loss = before.usual_loss if before else 0.0
    if answered and echo.loss_ratio is not None:
        usual_loss = echo.loss_ratio
    answers = (before.answers if before else Latch()).after(answered, policy.on_a_link_that_loses(usual_loss))
    reason = _flaw(echo, snmp, policy)
    well = before.well if before else Latch()
    if answered:
        well = well.after(reason is Reason.FINE, policy)
    turned = before is not None and {before.answers.value, answers.value} == {True, False}
    flap = (before.flap if before else Flap()).after(changed=turned, now=now)
    turned_at = now if turned or before is None else before.turned_at
    held = flap.flapping and 0 <= now - turned_at < policy.held_seconds
    state = State.DEGRADED if held and answers.value is not None else _state(answers, well)
    return Finding(
        target,
        state,
        Reason.FLAPPING if held and state is State.DEGRADED else _reason(state, reason, before),
        now,
        loss_ratio=echo.loss_ratio,
        rtt_seconds=echo.rtt_seconds,
        jitter_seconds=echo.jitter_seconds,
        answers=answers,
        well=well,
        silent_since=silent_since,
        flap=flap,
        turned_at=turned_at,
        usual_loss=usual_loss,
    )


def _snmp(sample: Sample | None, silent_since: float | None) -> bool | None:
    """What SNMP says; an answer older than the first missing echo says nothing against it."""
    if sample is None:
        return None
    older = sample.succeeded_at is None or (silent_since is not None and sample.succeeded_at < silent_since)
    return None if sample.up and older else sample.up


def _either(one: bool | None, other: bool | None) -> bool | None:
    if one or other:
        return True
    return False if False in (one, other) else None


def _flaw(echo: Outcome, snmp: bool | None, policy: Policy) -> Reason:
    if echo.answered is False:
        return Reason.NO_PING if snmp else Reason.SILENT
    if snmp is False:
        return Reason.NO_SNMP
    if echo.loss_ratio is not None and echo.loss_ratio > policy.loss_ratio:
        return Reason.LOSS
    return Reason.FINE


def _state(answers: Latch, well: Latch) -> State:
    """What answers now and then is no longer down, though not yet up: a link that loses much is not a cut one."""
    if answers.value is None:
        return State.UNKNOWN
    if not answers.value:
        return State.DEGRADED if answers.candidate else State.DOWN
    return State.DEGRADED if well.value is False else State.UP


def _reason(state: State, flaw: Reason, before: Finding | None) -> Reason:
    """The reason for *state*: this round's flaw only where it is what made the state."""
    if state is State.UP:
        return Reason.FINE
    if state is State.UNKNOWN:
        return Reason.NOT_ASKED
    if state is State.DOWN:
        return Reason.SILENT
    disturbing = {Reason.LOSS, Reason.NO_PING, Reason.NO_SNMP}
    return flaw if flaw in disturbing or before is None or before.reason not in disturbing else before.reason


def _placed(alone: list[Finding]) -> list[Finding]:
    """Each finding seen from its parents: silent behind something down is unreachable; if all is silent, it is us."""
    if isolated(alone):
        return [
            replace(finding, state=State.UNKNOWN, reason=Reason.ISOLATED) if finding.answers.value is False else finding
            for finding in alone
        ]
    states: Mapping[str, bool] = {finding.target.name: finding.answers.value is False for finding in alone}
    placed = []
    for finding in alone:
        cause = behind(finding.target, states)
        if cause and finding.state is State.DOWN:
            placed.append(replace(finding, state=State.UNREACHABLE, reason=Reason.BEHIND, cause=cause))
        else:
            placed.append(finding)
    return placed


def _dated(finding: Finding, before: Finding | None, now: float) -> Finding:
    same = before is not None and before.state is finding.state
    return replace(finding, since=before.since if same and before else now)
