"""Print the town as tables a person reads."""

from rich.console import Console
from rich.table import Table

from parvis.inventory import Site, Town


def print_town(town: Town, console: Console | None = None) -> None:
    """Print sites, equipment and people; a narrow terminal folds cells, it loses none."""
    screen = console or Console()
    screen.print(f"[bold]{town.title.fr}[/bold] · {town.timezone} · https://{town.portal.host}/")
    screen.print(_sites(town))
    screen.print(_equipment(town))
    screen.print(_people(town))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _sites(town: Town) -> Table:
    table = _table("Sites", "Site", "Class", "Guests IPv4", "Guests IPv6", "Gateway", "Uplink", "Contract", "Capacity")
    for site in town.sites:
        guest, uplink = site.guest, site.uplink
        table.add_row(
            f"{site.title.fr}\n{site.site}",
            site.site_class,
            str(guest.ipv4),
            str(guest.ipv6 or "closed"),
            f"{site.gateway.name}\n{site.gateway.address}",
            f"{uplink.name}\n{uplink.operator}",
            uplink.contract,
            f"{uplink.capacity // 10**6} Mbit/s",
        )
    return table


def _equipment(town: Town) -> Table:
    table = _table("Equipment", "Site", "Device", "Vendor and model", "Address", "SNMP", "Where")
    for site in town.sites:
        for row in _devices(town, site):
            table.add_row(*row)
        table.add_section()
    return table


def _devices(town: Town, site: Site) -> list[tuple[str, ...]]:
    def snmp(credential: str) -> str:
        return f"{town.credential(credential).version} ({credential})"

    rows = [
        (site.site, switch.name, f"{switch.vendor} {switch.model}", str(switch.address), snmp(switch.snmp.credential), "")
        for switch in site.switches
    ]
    rows += [
        (site.site, ap.name, f"{ap.vendor} {ap.model}", str(ap.address), snmp(ap.snmp.credential), f"{ap.place.fr} · {ap.switch}/{ap.port}")
        for ap in site.access_points
    ]
    return rows


def _people(town: Town) -> Table:
    table = _table("On call, in turn", "Turn", "Who", "Telephone")
    by_name = {person.name: person for person in town.people}
    for turn, name in enumerate(town.rota.order, 1):
        table.add_row(str(turn), f"{by_name[name].title} ({name})", by_name[name].phone)
    return table
