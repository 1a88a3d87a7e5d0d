"""What Alertmanager tells us (webhook, version 4), and the events it makes. No I/O, no clock.

Prometheus decides that something is wrong, Alertmanager groups and inhibits; here it becomes "who would be called".
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, time
from math import isfinite
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from monitor.rota import Turn

WATCHDOG = "Watchdog"
DAY = (time(7), time(20))
"""Local time in which ``page-jour`` calls somebody; at night it waits."""
CHANNEL = "sms"

Label = Annotated[str, StringConstraints(max_length=200)]
Prose = Annotated[str, StringConstraints(max_length=2000)]
Key = tuple[str, str, str]
"""Fingerprint, start and status: the same event told again has the same key."""


class Alert(BaseModel):
    """One alert of a webhook message."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    status: Literal["firing", "resolved"]
    labels: dict[Label, Label] = Field(max_length=64)
    annotations: dict[Label, Prose] = Field(max_length=64)
    startsAt: AwareDatetime  # noqa: N815 Alertmanager's name
    fingerprint: str = Field(pattern=r"^[0-9a-f]{1,32}$")

    @property
    def name(self) -> str:
        """The alert's name."""
        return self.labels.get("alertname", "")

    @property
    def key(self) -> Key:
        """What makes two tellings the same event."""
        return self.fingerprint, self.startsAt.isoformat(), self.status


class Message(BaseModel):
    """A webhook message of Alertmanager."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    version: Literal["4"]
    alerts: tuple[Alert, ...] = Field(max_length=5000)


class Called(BaseModel):
    """Who would be called, and how. No number here: it stands in the town's private folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    person: str
    title: str
    channel: str


class Event(BaseModel):
    """One line of pages.jsonl. *paged*: who would be called; for an all-clear, who would be told."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    time: AwareDatetime
    alert: str
    status: Literal["firing", "resolved"]
    severity: str
    layer: str
    site: str
    subject: str
    summary: str
    impact: str
    runbook_url: str
    dashboard_url: str
    starts_at: AwareDatetime
    fingerprint: str
    paged: Called | None

    @property
    def key(self) -> Key:
        """What makes two tellings the same event."""
        return self.fingerprint, self.starts_at.isoformat(), self.status

    @property
    def occurrence(self) -> tuple[str, str]:
        """What an all-clear shares with its alert."""
        return self.key[:2]


@dataclass(frozen=True, slots=True)
class Sorted:
    """A message taken apart. *beat*: Unix time the Watchdog carries, None without one; *waiting*: not believed yet."""

    events: tuple[Event, ...]
    repeated: int
    beat: float | None
    waiting: int


def sort_out(
    message: Message,
    seen: Collection[Key],
    caller: Callable[[Alert], Called | None],
    *,
    now: datetime,
    beat: float,
    beat_max_age: float,
) -> Sorted:
    """Take *message* apart into new events, repetitions, the Watchdog's beat, and all-clears not to be believed yet.

    A Prometheus that dies makes Alertmanager report "resolved" minutes later. So an all-clear counts only while the
    second carried by the Watchdog (*beat*, or this message's own) is at most *beat_max_age* seconds old.
    *caller* says who is called for an alert, and for an all-clear who had been.
    """
    beats = [carried for alert in message.alerts if (carried := _carried(alert, now)) is not None]
    alive = now.timestamp() - max(beats, default=beat) <= beat_max_age
    told = {alert.key: alert for alert in message.alerts if alert.name != WATCHDOG}
    new = [alert for key, alert in told.items() if key not in seen]
    believed = [alert for alert in new if alive or alert.status == "firing"]
    return Sorted(
        tuple(_event(alert, caller(alert), now) for alert in believed),
        repeated=len(told) - len(new),
        beat=max(beats, default=None),
        waiting=len(new) - len(believed),
    )


def called(severity: str, turn: Turn, local: datetime) -> Called | None:
    """Who is called for an alert of *severity* at *local* time; None when it can wait."""
    by_day = DAY[0] <= local.time() < DAY[1]
    if severity == "page" or (severity == "page-jour" and by_day):
        return Called(person=turn.person.name, title=turn.person.title, channel=CHANNEL)
    return None


def _carried(alert: Alert, now: datetime) -> float | None:
    """The Unix time a Watchdog carries; one ahead of *now* counts as now, so that it cannot vouch for later."""
    if alert.name != WATCHDOG or alert.status != "firing":
        return None
    try:
        carried = float(alert.annotations.get("beat", ""))
    except ValueError:
        return None
    return min(carried, now.timestamp()) if isfinite(carried) else None


def _event(alert: Alert, paged: Called | None, now: datetime) -> Event:
    labels, texts = alert.labels, alert.annotations
    return Event(
        time=now,
        alert=alert.name,
        status=alert.status,
        severity=labels.get("severity", ""),
        layer=labels.get("layer", ""),
        site=labels.get("site", ""),
        subject=labels.get("uplink") or labels.get("device") or labels.get("job") or "",
        summary=texts.get("summary") or alert.name,
        impact=texts.get("impact", ""),
        runbook_url=texts.get("runbook_url", ""),
        dashboard_url=texts.get("dashboard_url", ""),
        starts_at=alert.startsAt,
        fingerprint=alert.fingerprint,
        paged=paged,
    )
