"""What is announced: work for which nobody is called, and access points that are dark by their hours. No I/O, no clock.

Times are Unix seconds. Announced work mutes calls; what it costs residents is measured all the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from monitor.targets import Kind, targets
from parvis.inventory import Town

DARK = "radio éteinte (horaire)"


@dataclass(frozen=True, slots=True)
class Work:
    """Announced work on *of* (sites, uplinks, devices; empty: the whole town) between *starts* and *ends*."""

    starts: float
    ends: float
    reason: str
    of: tuple[str, ...] = ()

    def facts(self) -> dict[str, Any]:
        """As it is kept on disk."""
        return {"starts": self.starts, "ends": self.ends, "reason": self.reason, "of": list(self.of)}

    @classmethod
    def of_facts(cls, facts: Mapping[str, Any]) -> "Work":
        """From what :meth:`facts` made."""
        return cls(float(facts["starts"]), float(facts["ends"]), str(facts["reason"]), tuple(facts["of"]))


def works(town: Town, added: Iterable[Work], since: float, before: float) -> list[Work]:
    """All work that touches the span, earliest first: the town's own, as often as it comes, and what was *added*."""
    zone = ZoneInfo(town.timezone)
    found = [
        Work(starts, ends, one.reason, one.of)
        for one in town.maintenance
        for starts, ends in one.times(zone, since, before)
    ]
    found += [work for work in added if work.ends > since and work.starts < before]
    return sorted(found, key=lambda work: (work.starts, work.ends, work.reason))


def touched(town: Town, work: Work) -> Iterator[str]:
    """The names of the targets *work* takes out: what it is on, and what stands behind that."""
    for target in targets(town):
        if not target.site:
            continue
        if not work.of or {target.name, target.site, *target.parents}.intersection(work.of):
            yield target.name


def muted(town: Town, now: float, going_on: Iterable[Work], dark: Iterable[str] = ()) -> dict[str, str]:
    """Target -> why nobody is called for it at *now*. *dark*: sites whose access points are off by their hours."""
    sites = set(dark)
    found = {t.name: DARK for t in targets(town) if t.kind is Kind.ACCESS_POINT and t.site in sites}
    for work in going_on:
        if work.starts <= now < work.ends:
            found |= dict.fromkeys(touched(town, work), work.reason)
    return found


def whole_sites(town: Town, planned: Mapping[str, str]) -> dict[str, str]:
    """Site -> reason, of each site all of which is muted: its gateway is."""
    return {site.site: planned[site.gateway.name] for site in town.sites if site.gateway.name in planned}
