"""What the public sees: each place's state, ninety days, what happened, announced work. No I/O, no clock.

Made from what was seen of whole places; whatever is finer stays inside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from monitor.planned import Work
from monitor.sla.hours import Span, days_of, elapsed, merged, overlaps
from parvis.inventory import Site, Text, Town

DAYS = 90
SHOWN_SECONDS = 300.0
"""Shorter disturbances are in the day's figures, not in the list of what happened."""
JOIN_SECONDS = 900.0
"""Disturbances of a place with less than this between them are told as one."""
FRESH_SECONDS = 300.0
"""What was last seen longer ago is not known any more."""
PLANNED_DAYS = 60


class Condition(StrEnum):
    """How a place is, or was on a day."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


class Notice(StrEnum):
    """What staff may say of an incident: sentences, no free words, so that nothing slips out."""

    INVESTIGATING = "investigating"
    OPERATOR = "operator"
    POWER = "power"
    REPAIRING = "repairing"
    WATCHING = "watching"


@dataclass(frozen=True, slots=True)
class Seen:
    """A place was seen in *state* from *starts* to *ends* (Unix seconds)."""

    state: str
    starts: float
    ends: float


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a place. *up* and *down*: seconds; *measured*: of which; *ratio* None: nothing was measured."""

    day: date
    condition: Condition
    measured: float
    down: float
    degraded: float

    @property
    def ratio(self) -> float | None:
        """In service, disturbed or not, of what was measured."""
        return None if self.measured <= 0 else max(0.0, 1 - self.down / self.measured)


@dataclass(frozen=True, slots=True)
class Happened:
    """An incident of a place; *ends* None: it goes on. *notices*: (when, what was said)."""

    site: str
    title: Text
    condition: Condition
    starts: float
    ends: float | None
    notices: tuple[tuple[float, Notice], ...] = ()

    @property
    def key(self) -> str:
        """What it is called in addresses: it never changes."""
        return f"{self.site}-{self.starts:.0f}"


@dataclass(frozen=True, slots=True)
class Announced:
    """Announced work at *sites* (titles; empty: the whole town)."""

    starts: float
    ends: float
    sites: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A place now, and its last ninety days, oldest first."""

    site: str
    title: Text
    condition: Condition
    days: tuple[Day, ...]

    @property
    def ratio(self) -> float | None:
        """In service over the ninety days, of what was measured; None: nothing was."""
        measured = sum(day.measured for day in self.days)
        return None if measured <= 0 else max(0.0, 1 - sum(day.down for day in self.days) / measured)


@dataclass(frozen=True, slots=True)
class Status:
    """The whole page, as of *made_at*."""

    town: Text
    made_at: float
    zone: ZoneInfo
    places: tuple[Place, ...]
    happened: tuple[Happened, ...]
    announced: tuple[Announced, ...]

    @property
    def condition(self) -> Condition:
        """The worst of all places; work and what is unknown only when nothing is wrong."""
        order = (Condition.DOWN, Condition.DEGRADED, Condition.UNKNOWN, Condition.MAINTENANCE)
        found = {place.condition for place in self.places}
        return next((one for one in order if one in found), Condition.UP)


Notices = Mapping[str, Sequence[tuple[float, Notice]]]


def status(
    town: Town, seen: Mapping[str, Sequence[Seen]], works: Sequence[Work], notices: Notices, now: float
) -> Status:
    """The public status at *now*. *seen*: by site, oldest first; *works*: announced work, also to come."""
    zone = ZoneInfo(town.timezone)
    places, happened = [], []
    for site in town.sites:
        own, planned = seen.get(site.site, ()), _of_site(site, works)
        places.append(Place(site.site, site.title, _now(own, planned, now), _days(own, planned, zone, now)))
        happened += _happened(site, own, planned, notices.get(site.site, ()), now)
    return Status(
        town.title,
        now,
        zone,
        tuple(places),
        tuple(sorted(happened, key=lambda one: -one.starts)),
        tuple(_announced(town, work) for work in works if work.ends > now and work.starts < now + PLANNED_DAYS * 86400),
    )


def _of_site(site: Site, works: Sequence[Work]) -> list[Span]:
    """When all of a place is under announced work: its uplink, its gateway, itself or the whole town."""
    whole = {site.site, site.uplink.name, site.gateway.name}
    return merged((work.starts, work.ends) for work in works if not work.of or whole.intersection(work.of))


def _now(own: Sequence[Seen], planned: Sequence[Span], now: float) -> Condition:
    working = any(start <= now < end for start, end in planned)
    if not own or now - own[-1].ends > FRESH_SECONDS:
        return Condition.MAINTENANCE if working else Condition.UNKNOWN
    state = Condition(own[-1].state)
    return Condition.MAINTENANCE if working and state is not Condition.UP else state


def _days(own: Sequence[Seen], planned: Sequence[Span], zone: ZoneInfo, now: float) -> tuple[Day, ...]:
    span = (now - (DAYS - 1) * 86400, now)
    return tuple(_day(day, whole, own, planned) for day, whole in days_of(span, zone))[-DAYS:]


def _day(day: date, whole: Span, own: Sequence[Seen], planned: Sequence[Span]) -> Day:
    spans = {
        state: overlaps([whole], merged((one.starts, one.ends) for one in own if one.state == state))
        for state in ("up", "degraded", "down")
    }
    down, degraded = elapsed(spans["down"]), elapsed(spans["degraded"])
    measured = down + degraded + elapsed(spans["up"])
    expected = elapsed(overlaps(spans["down"], planned))
    return Day(day, _condition(measured, down, degraded, expected), measured, down, degraded)


def _condition(measured: float, down: float, degraded: float, expected: float) -> Condition:
    if measured <= 0:
        return Condition.UNKNOWN
    if down - expected >= SHOWN_SECONDS:
        return Condition.DOWN
    if degraded + down - expected >= SHOWN_SECONDS:
        return Condition.DEGRADED
    return Condition.MAINTENANCE if expected >= SHOWN_SECONDS else Condition.UP


def _happened(
    site: Site,
    own: Sequence[Seen],
    planned: Sequence[Span],
    notices: Sequence[tuple[float, Notice]],
    now: float,
) -> list[Happened]:
    bad = [one for one in own if one.state in ("down", "degraded")]
    runs: list[list[Seen]] = []
    for one in bad:
        if runs and one.starts - runs[-1][-1].ends <= JOIN_SECONDS:
            runs[-1].append(one)
        else:
            runs.append([one])
    return [made for run in runs if (made := _incident(site, run, planned, notices, now)) is not None]


def _incident(
    site: Site, run: Sequence[Seen], planned: Sequence[Span], notices: Sequence[tuple[float, Notice]], now: float
) -> Happened | None:
    starts, last = run[0].starts, run[-1].ends
    lasted = elapsed(merged((one.starts, one.ends) for one in run))
    if lasted < SHOWN_SECONDS:
        return None
    ends = None if now - last <= FRESH_SECONDS and run[-1].state in ("down", "degraded") else last
    worst = Condition.DOWN if any(one.state == "down" for one in run) else Condition.DEGRADED
    covered = elapsed(overlaps([(starts, last)], planned)) >= last - starts
    said = tuple((at, what) for at, what in notices if starts <= at <= (ends or now) + JOIN_SECONDS)
    return Happened(site.site, site.title, Condition.MAINTENANCE if covered else worst, starts, ends, said)


def _announced(town: Town, work: Work) -> Announced:
    """Work with the places it touches; of what, and why, is nobody's business outside."""
    titles = [
        site.title
        for site in town.sites
        if not work.of or set(work.of) & {site.site, site.uplink.name, site.gateway.name, *_devices(site)}
    ]
    return Announced(work.starts, work.ends, () if len(titles) == len(town.sites) else tuple(titles))


def _devices(site: Site) -> set[str]:
    return {device.name for device in site.polled()}


def local(at: float, zone: ZoneInfo) -> datetime:
    """An instant by the town's clock."""
    return datetime.fromtimestamp(at, zone)
