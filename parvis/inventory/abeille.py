"""Loi Abeille (2015-136, art. 7): no Wi-Fi where children under three are, hours in primary schools, a sign."""

from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple, get_args

from parvis.inventory.model import Site, Town
from parvis.inventory.places import CHILDREN, SiteKind
from parvis.inventory.yaml_lines import Fault, Path_

Duty = Literal["pictogram", "school-council", "location"]
DUTIES: tuple[Duty, ...] = get_args(Duty)
WORDS: Mapping[Duty, str] = {
    "pictogram": "no pictogram at the entrance: put one up and write pictogram: {installed: DATE}",
    "school-council": "the school council is not told: write school_council_informed: DATE when it is",
    "location": "no location: the site is in no map and its place not in the open data",
}


class ToDo(NamedTuple):
    """A duty that *site* has not done yet."""

    site: str
    duty: Duty

    @property
    def words(self) -> str:
        """What is missing and what to write when it is there."""
        return WORDS[self.duty]


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


def to_do(town: Town) -> list[ToDo]:
    """What is still to be done, site by site: none of it keeps a site from working."""
    return [ToDo(site.site, duty) for site in town.sites for duty in DUTIES if _is_open(duty, site, town)]


def _is_open(duty: Duty, site: Site, town: Town) -> bool:
    match duty:
        case "pictogram":
            return site.pictogram is None
        case "school-council":
            return site.kind in CHILDREN - {SiteKind.NURSERY} and site.school_council_informed is None
        case "location":
            return site.location is None and town.open_data is not None
