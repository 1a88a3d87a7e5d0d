"""What Alertmanager tells us: its webhook (version 4) and its list of alerts (API v2), checked. No I/O, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from monitor import incidents
from parvis.alerts import alerts

WATCHDOG = "Watchdog"
MAX_ALERTS = 5000

Label = Annotated[str, StringConstraints(max_length=200)]
Prose = Annotated[str, StringConstraints(max_length=2000)]
Labels = Annotated[dict[Label, Label], Field(max_length=64)]
Texts = Annotated[dict[Label, Prose], Field(max_length=64)]


class Alert(BaseModel):
    """What an alert of the webhook and one of the list have in common."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    labels: Labels
    annotations: Texts
    startsAt: AwareDatetime  # noqa: N815 Alertmanager's name
    fingerprint: str = Field(pattern=r"^[0-9a-f]{1,32}$")

    @property
    def name(self) -> str:
        """The alert's name."""
        return self.labels.get("alertname", "")

    def taken(self) -> incidents.Alert:
        """The alert as incidents know it."""
        labels, texts = self.labels, self.annotations
        return incidents.Alert(
            self.name,
            labels.get("site", ""),
            labels.get("uplink") or labels.get("device") or labels.get("job") or "",
            labels.get("severity", ""),
            labels.get("layer", ""),
            texts.get("summary") or self.name,
            texts.get("impact", ""),
            texts.get("runbook_url", ""),
            self.startsAt.timestamp(),
            rule.cause if (rule := alerts().get(self.name)) else "",
        )


class Told(Alert):
    """One alert of a webhook message."""

    status: Literal["firing", "resolved"]


class Message(BaseModel):
    """A webhook message."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    version: Literal["4"]
    alerts: tuple[Told, ...] = Field(max_length=MAX_ALERTS)


class Standing(BaseModel):
    """Whether Alertmanager would tell of an alert: active, or suppressed by a silence or a graver alert."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    state: Literal["active", "suppressed", "unprocessed"]


class Listed(Alert):
    """One alert of the list."""

    status: Standing


Listing = TypeAdapter(Annotated[tuple[Listed, ...], Field(max_length=MAX_ALERTS)])


@dataclass(frozen=True, slots=True)
class Picture:
    """What Alertmanager holds: every alert by identity, those it tells of, and the beat (None: no Watchdog there)."""

    present: frozenset[str]
    active: tuple[incidents.Alert, ...]
    beat: float | None


def picture(body: bytes, now: datetime) -> Picture:
    """The list in *body*; pydantic's ValidationError when it is none."""
    listed = Listing.validate_json(body)
    ours = [alert for alert in listed if alert.name != WATCHDOG]
    return Picture(
        frozenset(alert.taken().identity for alert in ours),
        tuple(alert.taken() for alert in ours if alert.status.state == "active"),
        beat_of(listed, now),
    )


def beat_of(alerts: Iterable[Alert], now: datetime) -> float | None:
    """The newest Unix time a Watchdog among *alerts* carries; None without one.

    Its arrival proves nothing: Alertmanager goes on sending it minutes after Prometheus has died.
    """
    carried = [_carried(alert, now) for alert in alerts if alert.name == WATCHDOG]
    return max((at for at in carried if at is not None), default=None)


def _carried(alert: Alert, now: datetime) -> float | None:
    """One ahead of *now* counts as now, so that it cannot vouch for later."""
    if isinstance(alert, Told) and alert.status != "firing":
        return None
    try:
        carried = float(alert.annotations.get("beat", ""))
    except ValueError:
        return None
    return min(carried, now.timestamp()) if isfinite(carried) else None
