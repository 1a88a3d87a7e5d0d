"""The monitor's own checks: the alerts Prometheus would raise, from what the monitor knows itself. No I/O, no clock.

Without Prometheus they call; with it they only say where both disagree. Names, severities, comparisons and words are
the rules': whatever alerts.yml compares a figure of a gateway or of the collectors with is checked here as well.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from monitor.exposition import Figure
from monitor.findings import Finding, State, isolated
from monitor.flapping import CALM
from monitor.incidents import Alert
from monitor.signals import EVIDENCE, GATEWAYD, PORTAL, Signals
from monitor.targets import Kind
from parvis.alerts import Alert as Rule
from parvis.alerts import alerts, filled, is_beyond, labelled
from parvis.catalogue import metric
from parvis.inventory import Site, Town
from parvis.runbooks import runbook

OF_KIND = {
    Kind.UPLINK: "LienCoupe",
    Kind.GATEWAY: "PasserelleMuette",
    Kind.SWITCH: "CommutateurMuet",
    Kind.ACCESS_POINT: "BorneMuette",
}
_TOLD = {State.DOWN: True, State.UP: False, State.DEGRADED: False}
TOLD_BY = {PORTAL, GATEWAYD, EVIDENCE, "collectors"}
"""Whose figures the monitor reads itself."""
MOST = 0.5
"""More than this part of the links or access points is a failure of its own."""
LOST_OF_LINK, LOST_OF_SITE = 0.1, 0.2
"""A link loses too much when it loses more than the first and half of what is behind it more than the second."""
VISIT_SECONDS = 300.0
TURNED_SECONDS = 120.0
"""After a link has fallen or come back, what a visit found says nothing of the door: it was under way meanwhile."""
FEW = 2
"""So many sites, or fewer, have nothing in common that could fail."""
FULL = 0.05
"""A disk with less than this part free is nearly full."""
Labels = Mapping[str, str]
Told = tuple[str, Site | None, str, bool | None, Labels]
"""An alert's name, its site, its subject, whether it is there, and what its words may name."""
OfSite = tuple[str, str, bool | None, Labels]
"""The same of a site that is known."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check of one alert says. *wrong*: True, False, or None: cannot tell. *firing*: for long enough.

    *since*: since when it is wrong; *until*: when it last was.
    """

    alert: Alert
    wrong: bool | None
    firing: bool
    since: float | None
    until: float | None


def check(
    town: Town,
    findings: Sequence[Finding],
    data_age: float | None,
    before: Mapping[str, Verdict],
    now: float,
    pace: float = 1.0,
    signals: Signals | None = None,
) -> dict[str, Verdict]:
    """The verdict on every alert the monitor can judge, by identity; *before*: what this returned last.

    *data_age*: seconds since any device last answered the collectors, None when they do not answer. *pace* scales the
    waits of alerts.yml. *signals*: what is known beside the echoes.
    """
    found = {}
    for name, site, subject, wrong, labels in _told(town, findings, data_age, signals or Signals(), now):
        alert = _alert(name, town, site, subject, now, labels)
        found[alert.identity] = _timed(alert, wrong, before.get(alert.identity), now, pace)
    return found


def moved(verdicts: Mapping[str, Verdict], seconds: float) -> dict[str, Verdict]:
    """*verdicts* by a clock that was set by *seconds*: what has been wrong for a while has been so for as long."""

    def by(at: float | None) -> float | None:
        return None if at is None else at + seconds

    return {name: replace(one, since=by(one.since), until=by(one.until)) for name, one in verdicts.items()}


def disagreements(verdicts: Mapping[str, Verdict], told: set[str], now: float, patience: float) -> list[str]:
    """Identities on which the monitor and Prometheus (*told*) have disagreed for *patience* seconds, sorted."""
    found = []
    for identity, verdict in verdicts.items():
        ours_only = verdict.firing and identity not in told and now - (verdict.since or now) >= patience
        theirs_only = (
            verdict.wrong is False and identity in told and (verdict.until is None or now - verdict.until >= patience)
        )
        if ours_only or theirs_only:
            found.append(identity)
    return sorted(found)


def _told(
    town: Town, findings: Sequence[Finding], data_age: float | None, signals: Signals, now: float
) -> Iterator[Told]:
    """Everything that is judged, in the order of the ladder."""
    alone = isolated(findings)
    yield "SupervisionIsolee", None, "", alone, {}
    yield "VilleCoupee", None, "", None if alone else _most_links(findings), {}
    yield "ServiceCommunEnPanne", None, "", None if alone else _shared(findings, signals), {}
    gateways = {f.target.site: f for f in findings if f.target.kind is Kind.GATEWAY}
    by_site: dict[str, list[Finding]] = {site.site: [] for site in town.sites}
    for finding in findings:
        by_site.get(finding.target.site, []).append(finding)
    for site in town.sites:
        own, gateway = by_site[site.site], gateways.get(site.site)
        for finding in own:
            wrong = False if finding.planned else None if alone else _TOLD.get(finding.state)
            yield OF_KIND[finding.target.kind], site, finding.target.name, wrong, {}
        yield "SitePresqueSansBorne", site, "", _most_points(own), {}
        if gateway is not None:
            muted, reached = bool(gateway.planned), gateway.state in (State.UP, State.DEGRADED)
            door = _door(site, signals, now, reached=reached, steady=not _turned(own, now))
            for name, subject, wrong, labels in (*_link(own), *door):
                yield name, site, subject, False if muted else wrong, labels
    uplinks = [f.state for f in findings if f.target.kind is Kind.UPLINK and not f.planned]
    yield "SupervisionAveugle", None, "", None if alone or not uplinks else State.UNKNOWN in uplinks, {}
    limit = alerts()["CollecteurMuet"].comparison
    yield "CollecteurMuet", None, "", data_age is None or is_beyond(data_age, limit), {}
    yield "CollecteMassiveEnEchec", None, "", _most_polls(findings, signals), {}
    yield from _disks(town, signals)


def _most_links(findings: Iterable[Finding]) -> bool | None:
    known = [f.state for f in findings if f.target.kind is Kind.UPLINK and not f.planned and f.state in _TOLD]
    return known.count(State.DOWN) / len(known) > MOST if len(known) > 2 else False  # noqa: PLR2004 as in the rule


def _shared(findings: Iterable[Finding], signals: Signals) -> bool:
    """Most sites fail alike although their links answer: visits at one step, a process, certificates, the internet."""
    well = {f.target.site for f in findings if f.target.kind is Kind.UPLINK and f.state in (State.UP, State.DEGRADED)}
    failed = Counter(visit.wrong for site, visit in signals.visits.items() if visit.wrong and site in well)
    stopped = Counter(job for (site, job), runs in signals.running.items() if not runs and site in well)
    asked = Counter(job for _site, job in signals.running)
    ends = [figure.value for figure in signals.of("portal_certificate_remaining_seconds")]
    beyond = signals.beyond()
    return (
        _most(max(failed.values(), default=0), len(signals.visits))
        or any(_most(stopped[job], asked[job]) for job in asked)
        or _most(sum(left <= 0 for left in ends), len(ends))
        or _most(sum(not answers for answers in beyond.values()), len(beyond))
    )


def _most(alike: int, of: int) -> bool:
    return of > FEW and alike / of > MOST


def _turned(own: Iterable[Finding], now: float) -> bool:
    """Whether the site's link has just fallen or come back."""
    links = (finding for finding in own if finding.target.kind is Kind.UPLINK)
    return any(link.flap.value > CALM and 0 <= now - link.turned_at < TURNED_SECONDS for link in links)


def _most_points(own: Iterable[Finding]) -> bool | None:
    """None when too few can be judged: those behind something that is down are not."""
    points = [f for f in own if f.target.kind is Kind.ACCESS_POINT]
    known = [f.state for f in points if not f.planned and f.state in _TOLD]
    if len(points) <= 2 or len(known) < len(points):  # noqa: PLR2004 as in the rule
        return False if len(points) <= 2 or all(f.planned for f in points) else None  # noqa: PLR2004
    return known.count(State.DOWN) / len(known) > MOST


def _most_polls(findings: Sequence[Finding], signals: Signals) -> bool:
    polled = [figure.value for figure in signals.of("snmp_up")]
    links = [f.state for f in findings if f.target.kind is Kind.UPLINK]
    well = bool(links) and all(state in (State.UP, State.DEGRADED) for state in links)
    return well and len(polled) > 4 and sum(polled) / len(polled) < MOST  # noqa: PLR2004 as in the rule


def _disks(town: Town, signals: Signals) -> Iterator[Told]:
    """Whether a disk on which a process of ours keeps its state is nearly full, by machine, the fullest first."""
    sites = {site.site: site for site in town.sites}
    sizes = {_disk(figure): figure.value for figure in signals.of("state_disk_size_bytes")}
    free: dict[tuple[str, str], float] = {}
    for figure in signals.of("state_disk_free_bytes"):
        size = sizes.get(_disk(figure), 0.0)
        machine = figure.labels.get("site", ""), figure.labels.get("device") or figure.labels.get("job", "")
        if size > 0:
            free[machine] = min(free.get(machine, 1.0), figure.value / size)
    for (site, name), left in free.items():
        yield "DisquePlein", sites.get(site), name, left < FULL, {"job": "", "device": name}


def _disk(figure: Figure) -> tuple[str, ...]:
    return tuple(figure.labels.get(name, "") for name in ("site", "device", "job", "folder"))


def _link(own: Iterable[Finding]) -> Iterator[OfSite]:
    for finding in own:
        if finding.target.kind is Kind.UPLINK:
            down = finding.state is State.DOWN
            yield "LienInstable", "", finding.flap.flapping, {}
            yield "LienDegrade", "", None if finding.loss_ratio is None else not down and _loses(finding, own), {}


def _loses(link: Finding, own: Iterable[Finding]) -> bool:
    """All echoes of the site cross its link: most of them must be lost as often, or chance decides."""
    losses = [finding.loss_ratio for finding in own if finding.loss_ratio is not None]
    return (link.loss_ratio or 0.0) > LOST_OF_LINK and median(losses) > LOST_OF_SITE


def _door(site: Site, signals: Signals, now: float, *, reached: bool, steady: bool) -> Iterator[OfSite]:
    """The gateway's processes and figures, the site's equipment, and what the visitor found over a *steady* link."""
    name = site.gateway.name
    running = {job: signals.running.get((site.site, job)) for job in (PORTAL, GATEWAYD)}
    if any(one is not None for one in running.values()):
        stopped = ", ".join(job for job, runs in running.items() if runs is False)
        yield "ServicePasserelleArrete", name, bool(stopped) if reached and steady else None, {"job": stopped}
    recorder = signals.running.get((site.site, EVIDENCE))
    if recorder is not None:
        yield "EnregistreurMuet", name, not recorder if reached and steady else None, {}
    for ups in site.ups:
        if (fed := signals.mains.get(ups.name)) is not None:
            yield "CoupureSecteur", ups.name, not fed, {}
    for rule in _compared():
        for figure in signals.of(str(rule.metric), site=site.site):
            yield rule.name, figure.labels.get("device", ""), is_beyond(figure.value, rule.comparison), figure.labels
    if (answers := signals.beyond().get(site.site)) is not None:
        yield "InternetCoupe", "", not answers, {}
    visited = signals.visited_at.get(site.site)
    if visited is not None:
        yield "VisiteurTestMuet", "", now - visited > VISIT_SECONDS, {}
    visit = signals.visits.get(site.site)
    if visit is not None:
        yield "VisiteurTestEnEchec", "", bool(visit.wrong) if steady else None, {}
        yield "DNSMuet", "", None if visit.dns is None or not steady else not visit.dns, {}
        yield "EquipementIndesirable", "", bool(visit.hazards), {"hazard": ", ".join(visit.hazards)}


def _compared() -> list[Rule]:
    """The alerts that compare a figure of a gateway or of the collectors."""
    return [
        rule
        for rule in alerts().values()
        if rule.scope == "site" and rule.metric and metric(rule.metric).exposed_by in TOLD_BY
    ]


def _alert(name: str, town: Town, site: Site | None, subject: str, now: float, labels: Labels) -> Alert:
    rule = alerts()[name]
    known = {"device": subject, **{label: text for label, text in labels.items() if text}}
    summary = filled(labelled(rule.summary, known), town, site)
    impact = filled(rule.impact, town, site)
    severity = rule.severity_at(site.site_class if site else "A")
    place = site.site if site else ""
    return Alert(name, place, subject, severity, rule.layer, summary, impact, runbook(name), now, rule.cause)


def _timed(alert: Alert, wrong: bool | None, before: Verdict | None, now: float, pace: float) -> Verdict:
    """As Prometheus would: firing once wrong for long enough, and until right for long enough."""
    rule = alerts()[alert.name]
    firing = before is not None and before.firing
    if wrong is None:
        return Verdict(
            alert, None, firing, before.since if before and firing else None, before.until if before else None
        )
    if wrong:
        since = before.since if before and before.since is not None else now
        alert = replace(alert, starts_at=since)
        return Verdict(alert, wrong, firing or now - since >= rule.for_ * pace, since, now)
    until = before.until if before else None
    lasting = firing and until is not None and now - until < rule.keep * pace
    return Verdict(alert, wrong, lasting, before.since if before and lasting else None, until)
