"""The monitor's own checks: the alerts Prometheus would raise, from the findings alone. No I/O, no clock.

Without Prometheus they call; with it they only say where both disagree. Names, severities and words are the rules'.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.findings import Finding, State, isolated
from monitor.incidents import Alert
from monitor.targets import Kind
from parvis.alerts import RUNBOOKS, alerts, filled
from parvis.inventory import Town

OF_KIND = {
    Kind.UPLINK: "LienCoupe",
    Kind.GATEWAY: "PasserelleMuette",
    Kind.SWITCH: "CommutateurMuet",
    Kind.ACCESS_POINT: "BorneMuette",
}
_TOLD = {State.DOWN: True, State.UP: False, State.DEGRADED: False}


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
) -> dict[str, Verdict]:
    """The verdict on every alert the monitor can judge, by identity; *before*: what this returned last.

    *data_age*: seconds since any device last answered the collectors, None when they do not answer. *pace* scales the
    waits of alerts.yml.
    """
    found = {}
    for alert, wrong in _conditions(town, findings, data_age, now):
        verdict = _timed(alert, wrong, before.get(alert.identity), now, pace)
        found[alert.identity] = verdict
    return found


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


def _conditions(
    town: Town, findings: Sequence[Finding], data_age: float | None, now: float
) -> Iterable[tuple[Alert, bool | None]]:
    alone = isolated(findings)
    yield _alert("SupervisionIsolee", town, now), alone
    for finding in findings:
        name = OF_KIND.get(finding.target.kind)
        if name is not None:
            wrong = False if finding.planned else None if alone else _TOLD.get(finding.state)
            yield _alert(name, town, now, finding.target.site, finding.target.name), wrong
    uplinks = [f.state for f in findings if f.target.kind is Kind.UPLINK and not f.planned]
    yield _alert("SupervisionAveugle", town, now), None if alone or not uplinks else State.UNKNOWN in uplinks
    limit = float(alerts()["CollecteurMuet"].promql().split(") or")[0].rsplit(" ", 1)[-1])
    yield _alert("CollecteurMuet", town, now), data_age is None or data_age > limit


def _alert(name: str, town: Town, now: float, site: str = "", subject: str = "") -> Alert:
    rule = alerts()[name]
    place = town.site(site) if site else None
    summary = filled(rule.summary, town, place).replace("{{ $labels.device }}", subject)
    impact = filled(rule.impact, town, place)
    severity = rule.severity_at(place.site_class if place else "A")
    return Alert(name, site, subject, severity, rule.layer, summary, impact, f"{RUNBOOKS}#{name.lower()}", now)


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
        return Verdict(alert, wrong, firing or now - since >= rule.for_ * pace, since, now)
    until = before.until if before else None
    lasting = firing and until is not None and now - until < rule.keep * pace
    return Verdict(alert, wrong, lasting, before.since if before and lasting else None, until)
