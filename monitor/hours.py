"""Opening hours and radio hours of every site, as they are now; reckoned anew once a minute at most."""

from dataclasses import dataclass, field

from parvis.inventory import Town
from parvis.opening import Opening

REFRESH_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Doors:
    """*open*: sites whose building is open; *dark*: those whose access points are off by their hours."""

    open: frozenset[str] = frozenset()
    dark: frozenset[str] = frozenset()


@dataclass(slots=True)
class Hours:
    """The hours of a town."""

    town: Town
    _building: dict[str, Opening] = field(init=False)
    _radio: dict[str, Opening] = field(init=False)
    _at: float = 0.0
    _doors: Doors = Doors()

    def __post_init__(self) -> None:
        zone = self.town.timezone
        self._building = {site.site: Opening(site.opening_hours, zone) for site in self.town.sites}
        self._radio = {site.site: Opening(site.radio_hours, zone) for site in self.town.sites if site.radio_hours}

    def at(self, now: float) -> Doors:
        """The doors at *now* (Unix time), at most some seconds late."""
        if not 0 <= now - self._at < REFRESH_SECONDS:
            opened = frozenset(site for site, hours in self._building.items() if hours.at(now)[0])
            dark = frozenset(site for site, hours in self._radio.items() if not hours.at(now)[0])
            self._at, self._doors = now, Doors(opened, dark)
        return self._doors
