"""What the inventory says, as metrics: dashboards draw a contract's rate and opening hours beside what is measured."""

from monitor.instruments import MonitorMetrics
from parvis.inventory import Town
from parvis.opening import Opening


class TownMetrics:
    """Shows the town of *metrics*; what changes with the hour is shown anew each round."""

    def __init__(self, town: Town, metrics: MonitorMetrics) -> None:
        self._metrics = metrics
        self._hours = {site.site: Opening(site.opening_hours, town.timezone) for site in town.sites}
        self._change: dict[str, float] = {}
        for site in town.sites:
            link = site.uplink
            name = "uplink_capacity_bits_per_second"
            metrics.set(name, link.capacity, site.site, link.name, link.switch, link.port)
            if site.location:
                place = f"{site.location.latitude:.4f}", f"{site.location.longitude:.4f}"
                metrics.set("site_location_info", 1, site.site, *place)
            metrics.set("uplink_contract_info", 1, site.site, link.name, link.operator, link.contract)

    def show(self, now: float) -> None:
        """Show which buildings are open at *now*; the hours are only read again where they change."""
        for site, hours in self._hours.items():
            if self._change.get(site, 0.0) <= now:
                opened, change = hours.at(now)
                self._change[site] = float("inf") if change is None else change
                self._metrics.set("site_open", float(opened), site)
