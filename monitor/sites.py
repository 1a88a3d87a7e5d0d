"""What residents and staff want to know of each site, made from its findings. No I/O, no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.findings import Finding, State
from monitor.hindrances import Hindrance
from monitor.observations import Sample
from monitor.targets import Kind
from parvis.inventory import Site, Town

WORST_FIRST = (State.DOWN, State.DEGRADED, State.UNKNOWN, State.UP)
VERDICTS = (
    "uplink-cut", "internet-cut", "no-point-answers", "cannot-know", "residents-barred", "points-silent",
    "device-silent", "uplink-disturbed", "device-disturbed", "some-unknown", "all-well",
)  # fmt: skip
"""What may be said of a site, in the order in which it is looked for."""


@dataclass(frozen=True, slots=True)
class SiteView:
    """One site now. *verdict* is a key of words.yml; *troubled* are the findings behind it.

    *clients* counts residents' devices over the *counted* access points whose figure is recent; None when none is.
    *oldest* is the Unix time of the oldest figure in that count.
    """

    site: Site
    state: State
    verdict: str
    since: float
    uplink: Finding
    points_up: int
    points: int
    clients: int | None
    counted: int
    oldest: float | None
    troubled: tuple[Finding, ...]
    planned: str = ""
    """Why nobody is called for this site now: announced work; empty when somebody is."""


def views(
    town: Town,
    findings: Iterable[Finding],
    samples: Iterable[Sample],
    hindered: Mapping[str, Hindrance] | None = None,
) -> list[SiteView]:
    """Every site, worst first, then by title. *samples*: only those recent enough to be believed.

    *hindered*: the sites where residents are kept off the internet though equipment answers.
    """
    by_site: dict[str, list[Finding]] = {site.site: [] for site in town.sites}
    for finding in findings:
        if finding.target.site in by_site:
            by_site[finding.target.site].append(finding)
    heard = {sample.device: sample for sample in samples}
    known = hindered or {}
    made = [_view(site, by_site[site.site], heard, known.get(site.site)) for site in town.sites if by_site[site.site]]
    return sorted(made, key=lambda view: (WORST_FIRST.index(view.state), view.site.title.fr))


def _view(site: Site, findings: Sequence[Finding], heard: dict[str, Sample], hindrance: Hindrance | None) -> SiteView:
    uplink = next(finding for finding in findings if finding.target.kind is Kind.UPLINK)
    points = [finding for finding in findings if finding.target.kind is Kind.ACCESS_POINT]
    state, verdict, causes = _verdict(uplink, points, findings, hindrance.obstacle if hindrance else "")
    hindered = hindrance is not None and verdict == hindrance.obstacle
    counted = [
        sample
        for point in points
        if (sample := heard.get(point.target.name)) is not None and sample.up and sample.clients is not None
    ]
    return SiteView(
        site,
        state,
        verdict,
        hindrance.since if hindered and hindrance else max((f.since for f in causes), default=uplink.since),
        uplink,
        sum(point.state in (State.UP, State.DEGRADED) for point in points),
        len(points),
        sum(sample.clients or 0 for sample in counted) if counted else None,
        len(counted),
        min((sample.succeeded_at for sample in counted if sample.succeeded_at is not None), default=None),
        tuple(finding for finding in findings if finding.state is not State.UP),
        next((f.planned for f in findings if f.target.kind is Kind.GATEWAY), ""),
    )


def _verdict(
    uplink: Finding, points: Sequence[Finding], findings: Sequence[Finding], obstacle: str
) -> tuple[State, str, Sequence[Finding]]:
    """(state of the site, key of its sentence, the findings that make it so): the first case that has a cause."""
    silent = [point for point in points if point.state in (State.DOWN, State.UNREACHABLE)]
    down = [finding for finding in findings if finding.state is State.DOWN]
    disturbed = [finding for finding in findings if finding.state is State.DEGRADED]
    unknown = [point for point in points if point.state is State.UNKNOWN]
    blind = uplink.state is State.UNKNOWN or len(unknown) == len(points)
    cases: tuple[tuple[State, str, Sequence[Finding]], ...] = (
        (State.DOWN, "uplink-cut", [uplink] if uplink in down else []),
        (State.DOWN, "internet-cut", [uplink] if obstacle == "internet-cut" else []),
        (State.DOWN, "no-point-answers", silent if len(silent) == len(points) else []),
        (State.UNKNOWN, "cannot-know", [uplink, *unknown] if blind else []),
        (State.DEGRADED, "residents-barred", [uplink] if obstacle == "residents-barred" else []),
        (State.DEGRADED, "points-silent", silent),
        (State.DEGRADED, "device-silent", down),
        (State.DEGRADED, "uplink-disturbed", [uplink] if uplink in disturbed else []),
        (State.DEGRADED, "device-disturbed", disturbed),
        (State.UP, "some-unknown", unknown),
    )
    return next((case for case in cases if case[2]), (State.UP, "all-well", []))
