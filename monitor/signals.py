"""What the monitor knows beside its echoes: figures of collectors and gateways, visits. Values, no I/O, no clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from monitor.exposition import Figure

PORTAL, GATEWAYD, EVIDENCE = "portal", "gatewayd", "evidence"
WANTED_OF_GATEWAY = (
    "portal_gateway_up",
    "portal_certificate_remaining_seconds",
    "portal_shared_up",
    "uplink_target_up",
    "uplink_target_loss_ratio",
    "uplink_target_rtt_seconds",
    "gateway_pool_used_ratio",
    "gateway_ruleset_up",
    "gateway_lease_file_up",
    "evidence_write_up",
    "state_disk_free_bytes",
    "state_disk_size_bytes",
)
WANTED_OF_COLLECTORS = (
    "ups_on_battery",
    "optical_state",
    "optical_rx_power_dbm",
    "optical_margin_db",
    "optical_drift_db",
    "lldp_neighbor_info",
    "port_device_info",
    "snmp_up",
    "snmp_poll_last_success_timestamp_seconds",
)


@dataclass(frozen=True, slots=True)
class Visited:
    """The newest visit of a site. *wrong*: the step that failed, empty when all went well.

    *dns*: whether names resolved, None when that was not reached; *hazards*: what must not be on the network, *places*:
    behind which of the town's ports it is.
    """

    wrong: str = ""
    dns: bool | None = None
    hazards: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Signals:
    """Everything of one instant. *figures* are fresh ones and carry their site; of a gateway also its device.

    *running*: whether a gateway's process answers, by (site, job). *visits*: fresh ones only; *visited_at*: Unix time
    of the newest of each site, also of an old one. *people*: devices online by site, where that is known. *mains*:
    whether the mains feeds each battery of which that is known.
    """

    figures: tuple[Figure, ...] = ()
    running: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    visits: Mapping[str, Visited] = field(default_factory=dict)
    visited_at: Mapping[str, float] = field(default_factory=dict)
    people: Mapping[str, int] = field(default_factory=dict)
    mains: Mapping[str, bool] = field(default_factory=dict)

    def of(self, metric: str, **labels: str) -> Iterator[Figure]:
        """The figures of *metric* that carry all *labels*."""
        for figure in self.figures:
            if figure.metric == metric and all(figure.labels.get(name) == text for name, text in labels.items()):
                yield figure

    def with_polls(self, up: Mapping[str, bool]) -> "Signals":
        """The same with what is known of polls from a fresher source: whether each device answered its last one."""
        others = (figure for figure in self.figures if figure.metric != "snmp_up")
        told = (Figure("snmp_up", {"device": name}, float(answered)) for name, answered in up.items())
        return replace(self, figures=(*others, *told))

    def beyond(self) -> dict[str, bool]:
        """Whether anything beyond its uplink answers a site's gateway, by site, where that is known."""
        found: dict[str, bool] = {}
        for figure in self.of("uplink_target_up"):
            site = figure.labels.get("site", "")
            found[site] = found.get(site, False) or figure.value > 0
        return found

    def value(self, metric: str, **labels: str) -> float | None:
        """The first of them."""
        return next((figure.value for figure in self.of(metric, **labels)), None)
