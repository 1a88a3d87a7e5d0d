"""Print the town as tables a person reads."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from parvis.inventory import AccessPoint, Site, Switch, Town

READABLE_WIDTH = 200
"""Columns a table may take; on a narrower terminal its lines go on, which reads better than folded words."""


def print_town(town: Town, console: Console | None = None) -> None:
    """Print sites, equipment and people."""
    screen = console or Console(width=READABLE_WIDTH, soft_wrap=True)
    screen.print(f"[bold]{town.title.fr}[/bold] ({town.town}), {town.timezone}, portal https://{town.portal.host}/")
    for table in (_sites(town), _networks(town), _equipment(town), _people(town)):
        screen.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _sites(town: Town) -> Table:
    table = _table("\nSites", "Site", "Name", "Class", "Uplink", "Operator", "Contract", "Mbit/s", "Opening hours")
    for site in town.sites:
        link = site.uplink
        mbit = str(link.capacity // 10**6)
        row = (site.site, site.title.fr, site.site_class, link.name, link.operator, link.contract, mbit)
        table.add_row(*row, site.opening_hours)
    return table


def _networks(town: Town) -> Table:
    table = _table(
        "\nNetworks", "Site", "Gateway", "Guests IPv4", "Guests IPv6", "Management", "Uplink IPv4", "Uplink IPv6"
    )
    for site in town.sites:
        guest, link = site.guest, site.uplink
        gateway = f"{site.gateway.name} ({site.gateway.address})"
        addresses = (str(guest.ipv4), str(guest.ipv6 or "closed"), str(site.management.ipv4))
        table.add_row(site.site, gateway, *addresses, str(link.address), str(link.ipv6 or "none"))
    return table


def _equipment(town: Town) -> Table:
    table = _table("\nEquipment", "Site", "Device", "Vendor", "Model", "Address", "SNMP", "Where")
    for site in town.sites:
        for device, where in _placed(site):
            credential = town.credential(device.snmp.credential)
            snmp = f"{credential.version} {credential.name}"
            table.add_row(site.site, device.name, device.vendor, device.model, str(device.address), snmp, where)
    return table


def _placed(site: Site) -> Iterator[tuple[Switch | AccessPoint, str]]:
    for switch in site.switches:
        yield switch, f"fibre on port {site.uplink.port}" if site.uplink.switch == switch.name else ""
    for point in site.access_points:
        yield point, f"{point.place.fr}, {point.switch} port {point.port}"


def _people(town: Town) -> Table:
    table = _table("\nOn call, in turn", "Turn", "Name", "Who", "Telephone")
    by_name = {person.name: person for person in town.people}
    for turn, name in enumerate(town.rota.order, 1):
        table.add_row(str(turn), name, by_name[name].title, by_name[name].phone)
    return table
