"""When an outage of an uplink begins and ends, from the monitor's findings. No I/O, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.findings import Finding, State
from monitor.sla.outages import NOWHERE, Outage
from monitor.targets import Kind


@dataclass(frozen=True, slots=True)
class Began:
    """An outage of *uplink*: the first echo that was missing, when the state said so."""

    uplink: str
    detected_at: float
    confirmed_at: float
    partial: bool
    nowhere: bool = False
    """The link answers, and nothing beyond it does."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Outage *number* is over: seen to work at *verified_at*."""

    number: int
    verified_at: float


@dataclass(frozen=True, slots=True)
class Leads:
    """Whether anything beyond a link answers, and *since* when it is so (Unix time)."""

    somewhere: bool
    since: float


@dataclass(frozen=True, slots=True)
class Link:
    """What is known of a link beside its echoes, as :func:`steps` has it."""

    partial_loss: float | None
    starving_since: float | None
    fed_since: float
    leads: Leads | None


def steps(
    findings: Iterable[Finding],
    under_way: Mapping[str, Outage],
    partial_loss: Mapping[str, float],
    starving: Mapping[str, float],
    fed_since: float,
    leads: Mapping[str, Leads] | None = None,
) -> list[Began | Ended]:
    """What has begun and ended. *under_way*: the outages without an end, by uplink.

    *partial_loss*: by uplink, the loss (ratio) from which a link that answers is a partial outage; *starving*: since
    when (Unix time) a link delivers far less than was sold, *fed_since*: since when one that did no longer does.
    *leads*: whether anything beyond a link answers the site's gateway; a link that answers and leads nowhere is as good
    as cut. What is unknown begins nothing and ends nothing.
    """
    found: list[Began | Ended] = []
    for finding in findings:
        if finding.target.kind is Kind.UPLINK:
            name = finding.target.name
            beyond = (leads or {}).get(name)
            link = Link(partial_loss.get(name), starving.get(name), fed_since, beyond)
            found += _of_link(finding, under_way.get(name), link)
    return found


def _of_link(finding: Finding, outage: Outage | None, link: Link) -> list[Began | Ended]:
    """A link that flaps is disturbed to the monitor; by its contract each of its silences is an outage all the same."""
    known = finding.state in (State.UP, State.DEGRADED, State.DOWN)
    silent, answers = known and finding.answers.value is False, known and finding.answers.value is True
    nowhere = answers and link.leads is not None and not link.leads.somewhere
    down = silent or nowhere
    loses = link.partial_loss is not None and (finding.loss_ratio or 0.0) >= link.partial_loss
    lossy = answers and finding.state is State.DEGRADED and loses and not nowhere
    starving = answers and link.starving_since is not None and not nowhere
    well = finding.state is State.UP
    made: list[Began | Ended] = []
    if outage is not None:
        over = _over(outage, answers=answers, link=link) if not outage.partial else down or (well and not starving)
        if not over:
            return []
        seen_well = finding.since if finding.since > outage.detected_at else link.fed_since
        turned = max(finding.turned_at, link.leads.since) if link.leads else finding.turned_at
        ended = seen_well if outage.partial and not down else turned
        made.append(Ended(outage.number, max(outage.detected_at, ended)))
    if nowhere and link.leads is not None:
        made.append(Began(finding.target.name, link.leads.since, link.leads.since, partial=False, nowhere=True))
    elif down:
        confirmed = finding.turned_at
        detected = confirmed if finding.silent_since is None else min(finding.silent_since, confirmed)
        made.append(Began(finding.target.name, detected, confirmed, partial=False))
    elif (lossy or starving) and outage is None:
        since = finding.since if lossy or link.starving_since is None else link.starving_since
        made.append(Began(finding.target.name, since, finding.since if lossy else since, partial=True))
    return made


def _over(outage: Outage, *, answers: bool, link: Link) -> bool:
    """Whether a total outage is over: its end answers; one that led nowhere must be seen to lead somewhere again."""
    if link.leads is not None:
        return answers and link.leads.somewhere
    return answers and NOWHERE not in (outage.evidence or {})
