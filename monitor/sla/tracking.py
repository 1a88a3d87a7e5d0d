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
    findings: Iterable[Finding],
    under_way: Mapping[str, Outage],
    partial_loss: Mapping[str, float],
    starving: Mapping[str, float],
    fed_since: float,
) -> list[Began | Ended]:
    """What has begun and ended. *under_way*: the outages without an end, by uplink.

    *partial_loss*: by uplink, the loss (ratio) from which a link that answers is a partial outage; *starving*: since
    when (Unix time) a link delivers far less than was sold, *fed_since*: since when one that did no longer does. What
    is unknown begins nothing and ends nothing.
    """
    found: list[Began | Ended] = []
    for finding in findings:
        if finding.target.kind is Kind.UPLINK:
            name = finding.target.name
            found += _of_link(finding, under_way.get(name), partial_loss.get(name), starving.get(name), fed_since)
    return found


def _of_link(
    finding: Finding, outage: Outage | None, partial_loss: float | None, starving_since: float | None, fed_since: float
) -> list[Began | Ended]:
    """A link that flaps is disturbed to the monitor; by its contract each of its silences is an outage all the same."""
    known = finding.state in (State.UP, State.DEGRADED, State.DOWN)
    down, answers = known and finding.answers.value is False, known and finding.answers.value is True
    loses = partial_loss is not None and finding.loss_ratio is not None and finding.loss_ratio >= partial_loss
    lossy = answers and finding.state is State.DEGRADED and loses
    starving = answers and starving_since is not None
    made: list[Began | Ended] = []
    if outage is not None:
        over = answers if not outage.partial else down or (finding.state is State.UP and not starving)
        if not over:
            return []
        seen_well = finding.since if finding.since > outage.detected_at else fed_since
        ended = seen_well if outage.partial and not down else finding.turned_at
        made.append(Ended(outage.number, max(outage.detected_at, ended)))
    if down:
        confirmed = finding.turned_at
        detected = confirmed if finding.silent_since is None else min(finding.silent_since, confirmed)
        made.append(Began(finding.target.name, detected, confirmed, partial=False))
    elif (lossy or starving) and outage is None:
        since = finding.since if lossy or starving_since is None else starving_since
        made.append(Began(finding.target.name, since, finding.since if lossy else since, partial=True))
    return made
