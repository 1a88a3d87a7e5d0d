"""Loi Abeille (2015-136, art. 7): no Wi-Fi where children under three are, hours in primary schools, a sign."""

from collections.abc import Callable, Iterator

from parvis.inventory.model import Site, Town
from parvis.inventory.places import CHILDREN, SiteKind
from parvis.inventory.yaml_lines import Fault, Path_


def faults(town: Town, locate: Callable[[Site | None, Path_, str, str], Fault]) -> Iterator[Fault]:
    """What the law forbids."""
    for site in town.sites:
        for i, point in enumerate(site.access_points):
            if point.under_threes or (site.kind is SiteKind.NURSERY and point.under_threes is None):
                message = "an access point may not stand where children under three are (loi 2015-136, art. 7)"
                fix = "take it away; in a nursery's office or staff room write under_threes: false"
                yield locate(site, ("access_points", i, "under_threes"), message, fix)
        if site.kind is SiteKind.PRIMARY_SCHOOL and site.radio_hours is None and not site.radio_switch:
            message = "a primary school's Wi-Fi is off when no lesson needs it (loi 2015-136, art. 7)"
            fix = "write radio_hours, or radio_switch: true where the teacher has a switch"
            yield locate(site, ("radio_hours",), message, fix)


def to_do(town: Town) -> list[tuple[str, str]]:
    """(site, what is still to be done there): what does not keep a site from working."""
    found = []
    for site in town.sites:
        if site.pictogram is None:
            found.append((site.site, "no pictogram at the entrance: put one up and write pictogram: {installed: DATE}"))
        if site.kind in CHILDREN - {SiteKind.NURSERY} and site.school_council_informed is None:
            found.append((site.site, "the school council is not told: write school_council_informed: DATE when it is"))
        if site.location is None and town.open_data is not None:
            found.append((site.site, "no location: the site is in no map and its place not in the open data"))
    return found
