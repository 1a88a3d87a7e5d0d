"""Incidents: what belongs together is one; its life is one table. No I/O, no clock.

Times are Unix seconds. An alert is told by a source (Prometheus, through Alertmanager, or the monitor's own checks) and
named by what it is about, not by who tells it: both may tell the same one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from parvis.alerts import WIDE, silences

JOIN_SECONDS = 300.0
"""Alerts of one layer at one site that begin within this time of each other have one cause."""
LAYERS_OF_ONE_CAUSE = ("town", "core", "power", "uplink", "gateway", "switch", "ap", "door", "portal")
"""Elsewhere (monitoring, service) each alert is a cause of its own."""
CALLING = ("page", "page-jour")
"""Severities for which somebody is called."""
RANK = {"page": 3, "page-jour": 2, "ticket": 1}


class State(StrEnum):
    """How far an incident has come."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    CLOSED = "closed"


class Event(StrEnum):
    """What can happen to an incident."""

    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    HAND_OVER = "hand-over"
    WAKE = "wake"
    EXPIRE = "expire"
    WORSEN = "worse"
    RESOLVE = "resolve"
    CLOSE = "close"


NEXT: Mapping[tuple[State, Event], State] = {
    (State.OPEN, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.OPEN, Event.SNOOZE): State.SNOOZED,
    (State.OPEN, Event.HAND_OVER): State.OPEN,
    (State.OPEN, Event.RESOLVE): State.RESOLVED,
    (State.OPEN, Event.CLOSE): State.CLOSED,
    (State.ACKNOWLEDGED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.ACKNOWLEDGED, Event.EXPIRE): State.OPEN,
    (State.ACKNOWLEDGED, Event.WORSEN): State.OPEN,
    (State.ACKNOWLEDGED, Event.SNOOZE): State.SNOOZED,
    (State.ACKNOWLEDGED, Event.HAND_OVER): State.OPEN,
    (State.ACKNOWLEDGED, Event.RESOLVE): State.RESOLVED,
    (State.ACKNOWLEDGED, Event.CLOSE): State.CLOSED,
    (State.SNOOZED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.SNOOZED, Event.HAND_OVER): State.OPEN,
    (State.SNOOZED, Event.WAKE): State.OPEN,
    (State.SNOOZED, Event.WORSEN): State.OPEN,
    (State.SNOOZED, Event.RESOLVE): State.RESOLVED,
    (State.SNOOZED, Event.CLOSE): State.CLOSED,
    (State.RESOLVED, Event.CLOSE): State.CLOSED,
}
LIVE = frozenset({State.OPEN, State.ACKNOWLEDGED, State.SNOOZED})
CALLS_AGAIN = frozenset({Event.HAND_OVER, Event.WAKE, Event.EXPIRE, Event.WORSEN})
"""Events after which calling begins anew: a hand-over at the level it names, the others at the first."""
ENDS = {State.ACKNOWLEDGED: Event.EXPIRE, State.SNOOZED: Event.WAKE}
"""What happens to an incident in a state that lasts *until* an instant, once that is over."""


class NotPossible(Exception):
    """The incident is in no state for this; whoever asked sees its page and chooses again."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as a source tells it. *subject*: the device or link, empty for a whole site or the town."""

    name: str
    site: str
    subject: str
    severity: str
    layer: str
    summary: str
    impact: str
    runbook: str
    starts_at: float
    cause: str = ""
    """What alerts of one cause share, where their layer does not say it."""

    @property
    def identity(self) -> str:
        """What it is about, whoever tells it."""
        return f"{self.name}/{self.site}/{self.subject}"


@dataclass(frozen=True, slots=True)
class Held:
    """An alert of an incident. *missing_since*: its source tells it no more; *ended_at*: it is over."""

    identity: str
    starts_at: float
    source: str
    missing_since: float | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """One cause. *round*: how often calling began anew, at *called_at*, from *level* on.

    *until*: so long nobody is called, because somebody has taken it or put it off; None: without an end.
    """

    number: int
    key: str
    title: str
    severity: str
    site: str
    state: State
    opened_at: float
    called_at: float
    round: int = 1
    level: int = 1
    until: float | None = None
    held: tuple[Held, ...] = ()
    layer: str = ""

    @property
    def live(self) -> bool:
        """Whether there still is something to do."""
        return self.state in LIVE


@dataclass(frozen=True, slots=True)
class Opened:
    """A new incident, with the alerts that make it: its root gives it its title, the gravest its severity."""

    key: str
    alerts: tuple[Alert, ...]

    @property
    def lead(self) -> Alert:
        """The alert that explains the others, of equals the gravest."""
        return root(self.worst, self.alerts)

    @property
    def worst(self) -> Alert:
        """The gravest alert, of equals the first told."""
        return max(self.alerts, key=lambda alert: (RANK.get(alert.severity, 0), -alert.starts_at))


@dataclass(frozen=True, slots=True)
class Joined:
    """An alert that belongs to an incident there is. *leads*: it explains the others, or is graver than they are."""

    number: int
    alert: Alert
    leads: bool = False


def key_of(alert: Alert) -> str:
    """What alerts of one cause share: its name, the layer at the site; a service or the monitoring: the alert itself.

    >>> key_of(Alert("LienCoupe", "msp", "fibre-msp", "page", "uplink", "", "", "", 0.0))
    'msp/uplink'
    """
    return f"{alert.site}/{alert.cause or (alert.layer if alert.layer in LAYERS_OF_ONE_CAUSE else alert.name)}"


def explains(one: Alert, other: Alert) -> bool:
    """Whether *one*, that somebody is called for, makes *other* nothing to be called for."""
    near = one.site == other.site or (not one.site and one.layer in WIDE)
    return near and one.severity in CALLING and silences(one.layer, other.layer)


def root(alert: Alert, standing: Iterable[Alert]) -> Alert:
    """The highest of *standing* that explains *alert*; itself when none does."""
    above = [one for one in standing if explains(one, alert)]
    return max(above, key=lambda one: sum(explains(one, other) for other in above), default=alert)


def unexplained(told: Sequence[Alert]) -> list[Alert]:
    """*told* less what another of them explains."""
    return [alert for alert in told if root(alert, told) is alert]


def after(incident: Incident, event: Event, now: float, *, until: float | None = None, level: int = 1) -> Incident:
    """The incident once *event* has happened; NotPossible when it cannot happen now.

    *until*: the end of a snooze or of an acknowledgement; *level*: from where calling begins anew after a hand-over.
    """
    state = NEXT.get((incident.state, event))
    if state is None:
        raise NotPossible(f"incident {incident.number} is {incident.state}: {event} is not possible")
    again = event in CALLS_AGAIN
    return replace(
        incident,
        state=state,
        until=until if state in ENDS else None,
        round=incident.round + again,
        called_at=now if again else incident.called_at,
        level=level if event is Event.HAND_OVER else 1 if again else incident.level,
    )


def ended(incident: Incident, now: float) -> Event | None:
    """What has happened to *incident* because its time is up at *now*."""
    return ENDS.get(incident.state) if incident.until is not None and incident.until <= now else None


def worsened(incident: Incident, severity: str, now: float) -> Incident:
    """*incident* with a graver *severity*; whoever slept over it, or took what called nobody, is called for this."""
    graver = replace(incident, severity=severity)
    asleep = incident.state is State.SNOOZED
    uncalled = incident.state is State.ACKNOWLEDGED and incident.severity not in CALLING
    return after(graver, Event.WORSEN, now) if severity in CALLING and (asleep or uncalled) else graver


def leapt(incident: Incident, seconds: float, now: float, longest: float) -> Incident:
    """*incident* after the clock was set by *seconds* to *now*.

    What somebody has taken stays taken for as long as it would have, *longest* at most. For what is open calling begins
    anew: when it was last called for, this clock does not tell. A snooze ends by the clock on the wall.
    """
    if incident.state is State.ACKNOWLEDGED and incident.until is not None:
        return replace(incident, until=min(incident.until + seconds, now + longest))
    if incident.state is State.OPEN and incident.severity in CALLING:
        return replace(incident, round=incident.round + 1, called_at=now)
    return incident


def absorb(
    alerts: Iterable[Alert],
    live: Sequence[Incident],
    known: set[tuple[str, float]],
    standing: Sequence[Alert] = (),
    *,
    near: float = JOIN_SECONDS,
) -> list[Opened | Joined]:
    """What new *alerts* become: incidents of their own, or parts of the *live* ones.

    *known*: identity and start of every alert taken before; such a one is no news. So is one a live incident holds.
    *standing*: what is wrong now though nobody may have told it yet. An alert that one of those explains waits: once
    that one is told they are one incident, and if it never is, the alert is told again. *near*: what begins within so
    many seconds is one cause.
    """
    told = sorted(alerts, key=lambda alert: alert.starts_at)
    holding = {held.identity for incident in live for held in incident.held if held.ended_at is None}
    found: list[Opened | Joined] = []
    fresh: dict[str, list[Alert]] = {}
    for alert in told:
        if (alert.identity, alert.starts_at) in known or alert.identity in holding:
            continue
        home = next((incident for incident in live if _belongs(alert, incident, near)), None)
        above = root(alert, [*told, *standing])
        if home is not None:
            graver = home.key == key_of(alert) and RANK.get(alert.severity, 0) > RANK.get(home.severity, 0)
            found.append(Joined(home.number, alert, leads=graver or _leads(alert, home, near)))
        elif above is not alert and above not in told:
            continue
        else:
            fresh.setdefault(key_of(above), []).append(alert)
        holding.add(alert.identity)
    return found + [Opened(key, tuple(group)) for key, group in fresh.items()]


def _belongs(alert: Alert, incident: Incident, within: float) -> bool:
    """The same cause, told again or within minutes; what the incident explains; or what explains the incident."""
    if incident.key == key_of(alert):
        same = any(held.identity == alert.identity for held in incident.held)
        return bool(alert.cause) or same or abs(alert.starts_at - incident.opened_at) <= within
    near = incident.site == alert.site or (not incident.site and incident.layer in WIDE)
    below = incident.severity in CALLING and silences(incident.layer, alert.layer)
    return (near and below) or _leads(alert, incident, within)


def _leads(alert: Alert, incident: Incident, within: float) -> bool:
    """Whether *alert* is the root of what *incident* was opened for a moment ago.

    It never is of an incident of the monitoring, which says nothing of the service and must not swallow what does. Nor
    of what somebody has put off, or has taken as the trouble of one site when it is the whole town's: they would not
    learn of it.
    """
    wide = not alert.site and alert.layer in WIDE
    if incident.layer == "monitoring" or incident.state is State.SNOOZED:
        return False
    if wide and incident.site and incident.state is not State.OPEN:
        return False
    near, below = wide or alert.site == incident.site, silences(alert.layer, incident.layer)
    return near and below and alert.severity in CALLING and alert.starts_at - incident.opened_at <= within


def vanished(held: Iterable[Held], opinion: Callable[[Held], bool | None], now: float, patience: float) -> list[Held]:
    """The alerts among *held* that change because their source does, or does not, tell them.

    *opinion*: whether an alert is there; None: nobody can tell, which is neither "here" nor "gone". An alert is over
    once it has not been told for *patience* seconds running: a restarted Alertmanager knows nothing for a while.
    """
    changed = []
    for one in held:
        if one.ended_at is not None:
            continue
        wanted = one
        if opinion(one) is not False:
            wanted = replace(one, missing_since=None)
        elif one.missing_since is None or one.missing_since > now:  # later than now: the clock was set back
            wanted = replace(one, missing_since=now)
        elif now - one.missing_since >= patience:
            wanted = replace(one, ended_at=now)
        if wanted != one:
            changed.append(wanted)
    return changed
