"""``parvis gatewayd`` and ``parvis portal``: read everything, check everything, then become the small process."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from captive_portal import ruleset
from captive_portal.launch import become
from captive_portal.settings import GatewaydSettings, GatewaySettings
from parvis.catalogue import definitions
from parvis.inventory import Site, Town
from parvis.processes import GATEWAYD, Process
from parvis.service import start_logging, town_or_exit, warn_of_strangers
from parvis.settings import SettingsError, load

FILE = click.Path(path_type=Path, dir_okay=False)
settings_option = click.option("--settings", "file", type=FILE, help="The settings, TOML; else $PARVIS_SETTINGS.")
site_option = click.option("--site", metavar="NAME", help="The site this gateway serves.")


@click.command()
@site_option
@settings_option
def gatewayd(site: str | None, file: Path | None) -> None:
    """Run the gateway's daemon: ruleset, leases, sessions. Needs CAP_NET_ADMIN and nothing else."""
    settings = load(GatewaydSettings, file, site=site)
    start_logging(GATEWAYD.name, settings.log_level)
    warn_of_strangers(settings)
    become("captive_portal.gatewayd", gatewayd_facts(settings))


def gatewayd_facts(settings: GatewaydSettings) -> dict[str, Any]:
    """What gatewayd needs, and nothing more."""
    town = town_or_exit(settings)
    site = site_or_error(town, settings)
    return {
        **_common(settings, GATEWAYD),
        "ruleset": ruleset.text(town, site),
        "interface": site.gateway.guest_interface,
        "uids": settings.allowed_uids(),
        "leases": str(settings.leases),
    }


def site_or_error(town: Town, settings: GatewaySettings) -> Site:
    """The site of *settings*; SettingsError with the names there are."""
    try:
        return town.site(settings.site)
    except KeyError as error:
        raise SettingsError(f"site: {error.args[0]}") from error


def _common(settings: GatewaySettings, process: Process) -> dict[str, Any]:
    return {
        "log_level": settings.log_level,
        "town": str(settings.town),
        "site": settings.site,
        "listen": settings.listen,
        "port": settings.port or process.port,
        "socket": str(settings.socket_path()),
        "metrics": [asdict(entry) for entry in definitions(process.name)],
    }
