"""When an outage of an uplink begins and ends, from the monitor's findings. No I/O, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.findings import Finding, State
from monitor.sla.outages import Outage
from monitor.targets import Kind


@dataclass(frozen=True, slots=True)
class Began:
    """An outage of *uplink*: the first echo that was missing, when the state said so."""

    uplink: str
    detected_at: float
    confirmed_at: float
    partial: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """Outage *number* is over: seen to work at *verified_at*."""

    number: int
    verified_at: float


def steps(
    findings: Iterable[Finding], under_way: Mapping[str, Outage], partial_loss: Mapping[str, float]
) -> list[Began | Ended]:
    """What has begun and ended. *under_way*: the outages without an end, by uplink.

    *partial_loss*: by uplink, the loss (ratio) from which a link that answers is a partial outage. What is unknown
    begins nothing and ends nothing.
    """
    found: list[Began | Ended] = []
    for finding in findings:
        if finding.target.kind is Kind.UPLINK:
            name = finding.target.name
            found += _of_link(finding, under_way.get(name), partial_loss.get(name))
    return found


def _of_link(finding: Finding, outage: Outage | None, partial_loss: float | None) -> list[Began | Ended]:
    loses = partial_loss is not None and finding.loss_ratio is not None and finding.loss_ratio >= partial_loss
    down, partial = finding.state is State.DOWN, finding.state is State.DEGRADED and loses
    answers = finding.state in (State.UP, State.DEGRADED)
    made: list[Began | Ended] = []
    if outage is not None:
        over = (answers and not outage.partial) or (outage.partial and (finding.state is State.UP or down))
        if not over:
            return []
        began = finding.silent_since or finding.since if down else finding.since
        made.append(Ended(outage.number, max(outage.detected_at, began)))
    if down or partial:
        detected = finding.silent_since if down and finding.silent_since is not None else finding.since
        made.append(Began(finding.target.name, min(detected, finding.since), finding.since, partial))
    return made
