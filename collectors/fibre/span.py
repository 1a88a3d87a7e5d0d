"""A fibre link: its two ends as the inventory pairs them, and what the fibre between them loses. No I/O, no clock."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from collectors.fibre.history import Light

if TYPE_CHECKING:
    from parvis.inventory import Town

LEAST_LOSS_DB, MOST_LOSS_DB = -1.0, 60.0
"""A fibre does not amplify; two modules' meters may differ by a decibel."""


class End(NamedTuple):
    """The module at one end."""

    device: str
    port: str


class Link(NamedTuple):
    """A site's uplink; *far* is None where the other end is the operator's."""

    town: str
    site: str
    name: str
    near: End
    far: End | None


class Loss(NamedTuple):
    """What is lost on the way *into* the site or *out* of it, lane by lane."""

    direction: str
    lane: str
    db: float


def links(town: "Town") -> list[Link]:
    """Every uplink of the town."""
    return [
        Link(
            town.town,
            site.site,
            site.uplink.name,
            End(site.uplink.switch, site.uplink.port),
            End(site.uplink.far.device, site.uplink.far.port) if site.uplink.far else None,
        )
        for site in town.sites
    ]


def losses(link: Link, now: Mapping[Light, float]) -> Iterator[Loss]:
    """What left one end less what arrived at the other; nothing where an end is dark or says what cannot be.

    >>> a, b = End("sw-a", "25"), End("sw-b", "1")
    >>> now = {Light(*a, "", "tx"): -2.0, Light(*b, "", "rx"): -7.5, Light(*b, "", "tx"): -2.0}
    >>> list(losses(Link("t", "s", "u", a, b), now))
    [Loss(direction='out', lane='', db=5.5)]
    """
    if link.far is None:
        return
    for direction, source, sink in (("in", link.far, link.near), ("out", link.near, link.far)):
        for light, sent in now.items():
            if light[:2] == source and light.direction == "tx":
                arrived = now.get(Light(*sink, light.lane, "rx"))
                lost = None if arrived is None else round(sent - arrived, 3)
                if lost is not None and LEAST_LOSS_DB <= lost <= MOST_LOSS_DB:
                    yield Loss(direction, light.lane, lost)
