"""Where an intruder on the residents' network is: switch, port, access point. No I/O, no clock."""

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.guests import Hazard
from parvis.inventory import Site


@dataclass(frozen=True, slots=True)
class Place:
    """*hazard* comes from behind *port* of the switch *device*; *behind*: the access point on it, empty: none."""

    site: str
    hazard: str
    device: str
    port: str
    behind: str

    @property
    def labels(self) -> tuple[str, str, str, str, str]:
        """Of guest_hazard_place_info, beside the town."""
        return self.site, self.hazard, self.device, self.port, self.behind

    @property
    def words(self) -> str:
        """For whoever is called.

        >>> Place("b", "rogue-dhcp", "sw-b", "2", "ap-b").words, Place("b", "rogue-dhcp", "sw-b", "9", "").words
        ('ap-b (sw-b, port 2)', 'sw-b, port 9')
        """
        here = f"{self.device}, port {self.port}"
        return f"{self.behind} ({here})" if self.behind else here


def place_of(site: Site, hazard: Hazard, device: str, port: str) -> Place:
    """The place of the inventory that is behind *port*: the port's name, or the number at its end."""
    points = {(point.switch, point.port): point.name for point in site.access_points}
    behind = points.get((device, port)) or points.get((device, _last(port)), "")
    return Place(site.site, hazard.value, device, port, behind)


def nearest(site: Site, places: Iterable[Place]) -> list[Place]:
    """*places*, each once, less the ports by which a switch only hears of it: the one that leads to the gateway."""
    wire = site.uplink.switch, _last(site.uplink.port)
    found = list(dict.fromkeys(place for place in places if (place.device, _last(place.port)) != wire))
    named = {place.hazard for place in found if place.behind}
    return [place for place in found if place.behind or place.hazard not in named]


def _last(port: str) -> str:
    """The number at the end of a port's name.

    >>> _last("Gi1/0/2"), _last("lan7"), _last("uplink")
    ('2', '7', 'uplink')
    """
    digits = len(port) - len(port.rstrip("0123456789"))
    return port[-digits:] if digits else port
