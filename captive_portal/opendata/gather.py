"""What every site's portal says: the figures of a month, and how the service is now. Over the management API."""

from collections.abc import Mapping
from datetime import datetime

from captive_portal.console.sites import Facts, Found, Sites, SiteSays, SiteSilent, answers
from captive_portal.opendata.publication import Measured
from captive_portal.opendata.sites import Seen


def month(sites: Sites, name: str) -> dict[str, Measured | SiteSilent | SiteSays]:
    """What *name* (``2026-11``) was at each site, or why that is not known."""
    found = sites.everywhere(f"/v1/usage/{name}")
    return {site: measured(said) if isinstance(said, dict) else said for site, said in found.items()}


def measured(said: Facts) -> Measured:
    """A site's answer, read. ValueError when it is none."""
    try:
        days = tuple((int(devices), int(down), int(up)) for _day, devices, down, up in said["days"])
        median = said["median_seconds"]
        return Measured(days, int(said["sessions"]), None if median is None else float(median))
    except (KeyError, TypeError) as error:
        raise ValueError(f"a site's figures cannot be read: {error!r}") from error


def states(sites: Sites, closed: Mapping[str, bool], now: datetime) -> dict[str, Seen]:
    """How each site is; *closed*: whose door keeps the building's hours, and is shut by them at *now*."""
    found = sites.everywhere("/v1/site")
    silent = {name: Seen("Indisponible", now) for name in found}
    return silent | {name: judged(said, now, shut=closed.get(name, False)) for name, said in answers(found)}


def judged(said: Facts, now: datetime, *, shut: bool) -> Seen:
    """A site's answer as the public reads it.

    >>> at = datetime(2026, 11, 30)
    >>> judged({"uplink": True, "gateway": "", "portal": "", "orders": [{"kind": "closed"}]}, at, shut=False).state
    'En maintenance'
    """
    if any(order["kind"] == "closed" for order in said["orders"]):
        return Seen("En maintenance", now)
    if not said["uplink"] or said["gateway"] or said["portal"]:
        return Seen("Indisponible", now)
    return Seen("Fermé (horaires)" if shut else "Opérationnel", now)


def missing(found: Mapping[str, Found | Measured]) -> list[str]:
    """The sites that did not say."""
    return [name for name, said in found.items() if isinstance(said, Exception)]
