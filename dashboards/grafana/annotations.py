"""What is drawn across every dashboard: calls and tickets, new firmware, restarts, announced work, closed hours.

An alert that is added to parvis/alerts.yml appears by itself: what fires is asked of Prometheus, by severity.
"""

from dataclasses import dataclass

from dashboards.words import Words


@dataclass(frozen=True, slots=True)
class Annotation:
    """*expr* is above 0 while it lasts; *text* and *tags* name labels."""

    title: Words
    expr: str
    colour: str
    text: str
    tags: tuple[str, ...]
    shown: bool = True


FIRING = 'max by (alertname, site, severity) (ALERTS{{alertstate="firing", severity=~"{severity}"}})'
ANNOTATIONS = (
    Annotation(
        Words("Appels", "Calls"),
        FIRING.format(severity="page|page-jour"),
        "red",
        "{{alertname}} {{site}}",
        ("severity", "site"),
    ),
    Annotation(
        Words("Tickets", "Tickets"),
        FIRING.format(severity="ticket|info"),
        "orange",
        "{{alertname}} {{site}}",
        ("site",),
        shown=False,
    ),
    Annotation(
        Words("Travaux annoncés", "Announced work"),
        "max by (site, device) (maintenance_active) == 1",
        "blue",
        "{{site}} {{device}}",
        ("site",),
    ),
    Annotation(
        Words("Micrologiciel changé", "Firmware changed"),
        "count by (site, device, version) (device_info)"
        " unless count by (site, device, version) (device_info offset 1h)"
        " and on (device) count by (device) (device_info offset 1h)",
        "purple",
        "{{device}} {{version}}",
        ("site",),
    ),
    Annotation(
        Words("Événements de la ville", "Town events"),
        "max by (site, event) (town_event_info) == 1",
        "green",
        "{{event}} {{site}}",
        ("site",),
    ),
    Annotation(
        Words("Canal ou puissance changés", "Channel or power changed"),
        "(sum by (site, device) (changes(wifi_radio_channel[5m])) > 0)"
        " or (sum by (site, device) (changes(wifi_radio_tx_power_dbm[5m])) > 0)",
        "semi-dark-purple",
        "{{device}}",
        ("site",),
        shown=False,
    ),
    Annotation(
        Words("Redémarrages", "Restarts"),
        "sum by (site, device) (resets(device_uptime_seconds[15m])) > 0",
        "yellow",
        "{{device}}",
        ("site",),
    ),
    Annotation(
        Words("Fermé au public", "Closed to the public"),
        "max by (site) (1 - site_open) > 0",
        "#8e8e8e",
        "{{site}}",
        ("site",),
    ),
)
