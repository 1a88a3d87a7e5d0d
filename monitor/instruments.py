"""Show the findings as metrics: a number, or no series at all."""

from collections.abc import Iterable, Mapping

from monitor.findings import Finding, State, isolated
from monitor.flapping import CALM
from monitor.sites import VERDICTS, SiteView
from monitor.targets import Kind
from parvis.catalogue import definitions, metric
from parvis.instruments import registry_of
from parvis.processes import MONITOR

UP_METRIC = {
    Kind.UPLINK: "uplink_up",
    Kind.GATEWAY: "gateway_up",
    Kind.SWITCH: "switch_up",
    Kind.ACCESS_POINT: "ap_up",
}
PARTS = (
    "probe", "collectors", "visits", "alertmanager", "oncall", "dispatch", "heartbeat", "scrape", "history", "status",
    "surroundings", "gateways",
)  # fmt: skip
"""What the monitor does in rounds."""
_VALUE = {State.UP: 1.0, State.DEGRADED: 1.0, State.DOWN: 0.0}


class MonitorMetrics:
    """The monitor's instruments, and how findings become their values."""

    def __init__(self, town: str) -> None:
        self._town = town
        self.registry, self.made = registry_of(MONITOR.name, definitions(MONITOR.name))
        for result in ("answered", "lost", "refused", "stray"):
            self.made.counter("icmp_echoes_total").labels(result)
        for result in ("taken", "refused"):
            self.made.counter("visitor_reports_total").labels(result)
        for part in (
            "probe",
            "collectors",
            "visits",
            "alertmanager",
            "oncall",
            "dispatch",
            "heartbeat",
            "scrape",
            "gateways",
            "history",
        ):
            for result in ("done", "failed"):
                self.made.counter("monitor_rounds_total").labels(part, result)
        for result in ("written", "repeated", "beat"):
            self.made.counter("alert_events_total").labels(result)
        for result in ("done", "stranger", "unclear", "too-late"):
            self.made.counter("oncall_replies_total").labels(result)
        for reason in ("garbage", "stranger", "storage", "too_large", "unproven"):
            self.made.counter("alert_refusals_total").labels(reason)

    def show(self, findings: Iterable[Finding], sites: Iterable[SiteView], data_age: float | None) -> None:
        """Show one round. *data_age*: seconds since any device last answered the collectors, None if unknown."""
        found = list(findings)
        for finding in found:
            self._show_finding(finding)
        for view in sites:
            self.set("site_up", _VALUE.get(view.state), view.site.site)
            self.set("maintenance_active", float(bool(view.planned)), view.site.site, "")
            self.set("site_clients", view.clients, view.site.site)
            for verdict in VERDICTS:
                self.set("site_verdict", float(verdict == view.verdict), view.site.site, verdict)
        self.set("internet_up", _internet(found))
        self.set("monitor_isolated", None if (alone := isolated(found)) is None else float(alone))
        self.set("snmp_data_age_seconds", data_age)

    def count_echoes(self, counts: Mapping[str, int]) -> None:
        """Add *counts* by result."""
        for result, number in counts.items():
            self.made.counter("icmp_echoes_total").labels(result).inc(number)

    def _show_finding(self, finding: Finding) -> None:
        target = finding.target
        if target.kind in UP_METRIC:
            self.set(UP_METRIC[target.kind], _VALUE.get(finding.state), target.site, target.name)
            for state in State:
                shown = float(state is finding.state)
                self.set("reachability_state", shown, target.site, target.name, target.kind.value, state.value)
            self.set("flapping", float(finding.flap.flapping), target.site, target.name, target.kind.value)
            if target.kind is Kind.UPLINK:
                turned = finding.turned_at if finding.flap.value > CALM else None
                self.set("uplink_turned_timestamp_seconds", turned, target.site, target.name)
            else:
                self.set("maintenance_active", float(bool(finding.planned)), target.site, target.name)
        self.set("icmp_loss_ratio", finding.loss_ratio, target.site, target.name, target.kind.value)
        self.set("icmp_rtt_seconds", finding.rtt_seconds, target.site, target.name, target.kind.value)
        self.set("icmp_jitter_seconds", finding.jitter_seconds, target.site, target.name, target.kind.value)

    def clear(self, name: str, *labels: str) -> None:
        """Show nothing any more for the town and what begins with *labels*."""
        self.made.gauge(name).remove_by_labels(dict(zip(metric(name).labels, (self._town, *labels), strict=False)))

    def set(self, name: str, value: float | None, *labels: str) -> None:
        """Show *value* for the town and *labels*; None: show nothing."""
        gauge = self.made.gauge(name)
        if value is None:
            gauge.remove(self._town, *labels)
        else:
            gauge.labels(self._town, *labels).set(value)


def _internet(findings: Iterable[Finding]) -> float | None:
    values = [_VALUE.get(finding.state) for finding in findings if finding.target.kind is Kind.INTERNET]
    known = [value for value in values if value is not None]
    return max(known) if known else None
