"""``parvis visitor``: read everything, check everything, then become the small process."""

from pathlib import Path
from typing import Any

import click

from monitor.visitor.settings import PlaceSettings, VisitorSettings
from parvis.inventory import Site, Town
from parvis.launch import become
from parvis.namespaces import NAMESPACES
from parvis.processes import VISITOR_TOKEN
from parvis.service import start_logging, town_or_exit, warn_of_strangers
from parvis.settings import SettingsError, load

RESOLVERS = Path("/etc/netns")


@click.command()
@click.option("--settings", "file", type=click.Path(path_type=Path, dir_okay=False), help="TOML file of settings.")
def visitor(file: Path | None) -> None:
    """Be a resident at each place, every minute: lease, portal, acceptance, internet, leave; watch for intruders."""
    settings = load(VisitorSettings, file)
    start_logging("visitor", settings.log_level)
    warn_of_strangers(settings)
    become("monitor.visitor.process", facts(town_or_exit(settings), settings))


def facts(town: Town, settings: VisitorSettings) -> dict[str, Any]:
    """What the small process needs; SettingsError when there is nothing to visit, or a place is not there."""
    if not settings.places:
        raise SettingsError("places: none; name a site, a namespace and an interface")
    return {
        "places": [_place(town, place, settings.visit_ca) for place in settings.places],
        "interval": settings.visit_interval,
        "monitor_url": settings.monitor_url,
        "token": settings.secret(VISITOR_TOKEN).reveal(),
        "log_level": settings.log_level,
    }


def _place(town: Town, place: PlaceSettings, ca: Path | None) -> dict[str, Any]:
    try:
        site = town.site(place.site)
    except KeyError as error:
        raise SettingsError(f"places: {error.args[0]}") from error
    resolver = RESOLVERS / place.namespace / "resolv.conf"
    if not (NAMESPACES / place.namespace).exists():
        raise SettingsError(f"places: {place.site}: no namespace {place.namespace}; ip netns add {place.namespace}")
    if not resolver.is_file():
        raise SettingsError(f"places: {place.site}: {resolver} is missing; without it a visit would change this host's")
    return {
        "site": site.site,
        "namespace": place.namespace,
        "interface": place.interface,
        "orders": {
            "interface": place.interface,
            "resolver": str(resolver),
            "addresses": _own(site),
            "ipv6": site.guest.ipv6 is not None,
            "ca": str(ca) if ca else "",
        },
    }


def _own(site: Site) -> list[str]:
    """The gateway's addresses on the residents' network, IPv4 first."""
    guest = site.guest
    return [str(guest.gateway_ipv4), *([str(guest.gateway_ipv6)] if guest.gateway_ipv6 else [])]
