"""What drills are judged by: recall, precision, calls for a cause, seconds to the call. No I/O, no clock."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from monitor.drills.play import Call, Played
from parvis.drills import Drill


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one drill went. *seconds*: from each fault to its call.

    *missed*: causes nobody was called for; *false*: calls nobody should have got; *loud*: incidents that should not
    have been; *wrong*: everything that failed, in words.
    """

    drill: Drill
    calls: Sequence[Call]
    missed: tuple[str, ...]
    false: tuple[str, ...]
    loud: tuple[str, ...]
    seconds: tuple[float, ...]
    wrong: tuple[str, ...] = field(default=())


def judged(drill: Drill, played: Played) -> Verdict:
    """*played* held against what *drill* says."""
    called = Counter(call.cause for call in played.calls)
    missed = tuple(cause for cause in drill.calls if not called[cause])
    false = tuple(call.cause for call in played.calls if call.cause not in drill.calls)
    allowed = {*drill.calls, *drill.tickets}
    loud = tuple(cause for cause in played.incidents.values() if cause not in allowed)
    first = {cause: min((c.elapsed for c in played.calls if c.cause == cause), default=None) for cause in drill.calls}
    seconds = {cause: at - drill.calls[cause] for cause, at in first.items() if at is not None}
    wrong = [f"nobody was called for {cause}" for cause in missed]
    wrong += [f"somebody was called for {cause}" for cause in false]
    wrong += [f"an incident was opened for {cause}" for cause in loud if cause not in false]
    wrong += [f"{count} calls for {cause}" for cause, count in called.items() if count > 1]
    wrong += [f"{cause} after {late:.0f} s" for cause, late in seconds.items() if late > drill.within]
    wrong += [
        f"{call.person} was called, {played.duty} is on duty" for call in played.calls if call.person != played.duty
    ]
    if drill.words and not any(drill.words in call.text for call in played.calls):
        wrong.append(f"no message says {drill.words!r}: {[call.text for call in played.calls]}")
    return Verdict(drill, played.calls, missed, false, loud, tuple(seconds.values()), tuple(wrong))


@dataclass(frozen=True, slots=True)
class Total:
    """All drills together. *seconds*: sorted, from fault to call."""

    drills: int
    failed: int
    causes: int
    calls: int
    recall: float
    precision: float
    calls_per_cause: float
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Seconds to the call, in the middle."""
        return median(self.seconds) if self.seconds else 0.0

    @property
    def most(self) -> float:
        """Seconds to the slowest call."""
        return max(self.seconds, default=0.0)


def total(verdicts: Iterable[Verdict]) -> Total:
    """The figures of all *verdicts*."""
    listed = list(verdicts)
    causes = sum(len(v.drill.calls) for v in listed)
    found = causes - sum(len(v.missed) for v in listed)
    calls = sum(len(v.calls) for v in listed)
    right = calls - sum(len(v.false) for v in listed)
    return Total(
        drills=len(listed),
        failed=sum(bool(v.wrong) for v in listed),
        causes=causes,
        calls=calls,
        recall=found / causes if causes else 1.0,
        precision=right / calls if calls else 1.0,
        calls_per_cause=calls / found if found else 0.0,
        seconds=tuple(sorted(second for v in listed for second in v.seconds)),
    )
