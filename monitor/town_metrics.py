"""What the inventory says, as metrics: dashboards draw a contract's rate and a site's place beside what is measured."""

from monitor.instruments import MonitorMetrics
from parvis.inventory import Site, Town
from parvis.inventory.abeille import DUTIES, ToDo, to_do


def show_town(town: Town, metrics: MonitorMetrics) -> None:
    """Show what *town* says of its sites; it stays as it is until the process starts again."""
    left = to_do(town)
    for site in town.sites:
        for duty in DUTIES:
            metrics.set("site_to_do", float(ToDo(site.site, duty) in left), site.site, duty)
        link = site.uplink
        metrics.set("uplink_capacity_bits_per_second", link.capacity, site.site, link.name, link.switch, link.port)
        metrics.set("uplink_contract_info", 1, site.site, link.name, link.operator, link.contract)
        if site.location:
            place = f"{site.location.latitude:.4f}", f"{site.location.longitude:.4f}"
            metrics.set("site_location_info", 1, site.site, *place)
        _show_promise(site, metrics)


def _show_promise(site: Site, metrics: MonitorMetrics) -> None:
    """What the contract promises and costs, as far as the inventory says."""
    link, line = site.uplink.name, site.uplink.line
    if line is None:
        return
    fee, sla = line.monthly_fee, line.sla
    metrics.set("uplink_monthly_fee_euros", None if fee is None else float(fee), site.site, link)
    if sla is not None:
        metrics.set("uplink_promised_repair_seconds", sla.gtr, site.site, link)
        period = sla.availability_period
        metrics.set("uplink_promised_availability_ratio", sla.availability, site.site, link, period)
