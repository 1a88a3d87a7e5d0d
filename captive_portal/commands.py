"""``parvis gatewayd`` and ``parvis portal``: read everything, check everything, then become the small process."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from captive_portal import dhcp, proofreading, ruleset, urls
from captive_portal.forms import SHORTEST_KEY
from captive_portal.legal.clock_marks import Witness
from captive_portal.page_facts import page_facts
from captive_portal.session import Policy
from captive_portal.settings import GatewaydSettings, GatewaySettings, PortalSettings
from captive_portal.store import Store
from captive_portal.store_migration import migrate
from parvis.catalogue import definitions
from parvis.inventory import DEMO_TOWN, InventoryError, PortalPolicy, Site, Town
from parvis.inventory import load as load_town
from parvis.launch import become
from parvis.processes import GATEWAYD, PORTAL, Process
from parvis.service import start_logging, town_or_exit, warn_of_strangers
from parvis.settings import ProcessSettings, SettingsError, load

FIRST_HANDED = 3
"""SD_LISTEN_FDS_START."""
SHARED = "portal_shared_"
"""The metrics that only a portal which shares has."""
FILE = click.Path(path_type=Path, dir_okay=False)
settings_option = click.option("--settings", "file", type=FILE, help="The settings, TOML; else $PARVIS_SETTINGS.")
site_option = click.option("--site", metavar="NAME", help="The site this gateway serves.")


@click.command()
@site_option
@settings_option
def gatewayd(site: str | None, file: Path | None) -> None:
    """Run the gateway's daemon: ruleset, leases, sessions. Needs CAP_NET_ADMIN, for IPv6 CAP_NET_RAW at the start."""
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
        "pool": dhcp.pool_size(site),
        "uids": settings.allowed_uids(),
        "leases": str(settings.leases),
        "offer": _offer(town, site),
        "garden": _garden(town, site),
    }


def _garden(town: Town, site: Site) -> dict[str, Any] | None:
    """Which names the walled garden has, and who resolves them; None without one."""
    if not town.garden:
        return None
    families = [4, 6] if site.guest.ipv6 else [4]
    return {"names": list(town.garden), "resolver": str(site.guest.gateway_ipv4), "families": families}


def _offer(town: Town, site: Site) -> dict[str, str] | None:
    """What router advertisements say; None where IPv6 is closed."""
    if site.guest.ipv6 is None:
        return None
    api = urls.api(town.policy(site).host)
    return {"prefix": str(site.guest.ipv6), "resolver": str(site.guest.gateway_ipv6), "api": api}


@click.command()
@site_option
@settings_option
@click.option(
    "--clock-is-right", "by", metavar="NAME", help="Only note that NAME answers for this machine's clock, and end."
)
def portal(site: str | None, file: Path | None, by: str | None) -> None:
    """Run the captive portal: pages and API over HTTPS, the redirect of plain HTTP. Needs no capability."""
    settings = load(PortalSettings, file, site=site)
    if by:
        Witness(settings.clock(), Store(settings.database()).newest_day).remember(by)
        click.echo(f"{settings.clock()}: {by} answers for the clock; proofs that are over go within the hour")
        return
    start_logging(PORTAL.name, settings.log_level)
    warn_of_strangers(settings)
    facts = portal_facts(settings)
    migrate(settings.database())
    become("captive_portal.portal", facts)


def portal_facts(settings: PortalSettings) -> dict[str, Any]:
    """What the portal needs, and nothing more; SettingsError when a file, a text or the secret is missing."""
    town = town_or_exit(settings)
    site = site_or_error(town, settings)
    secret = long_enough(settings, "portal-key")
    for name, path in (("certificate", settings.certificate), ("key", settings.key)):
        if not path.is_file():
            raise SettingsError(f"{name}: {path} is no file; deliver it")
    shared, policy = settings.shared(), town.policy(site)
    return {
        **_common(settings, PORTAL),
        "metrics": [asdict(entry) for entry in definitions(PORTAL.name) if shared or SHARED not in entry.name],
        "policy": asdict(session_policy(policy)),
        "hours": opening_hours(town, site),
        "known": {known.mac.text: known.title for known in site.known_devices},
        "remember": policy.remember or (policy.session if shared else 0.0),
        "shared": shared,
        "facts": asdict(page_facts(town, site)),
        "uplink": site.gateway.uplink_interface,
        "resolvers": [str(address) for address in town.dns_upstream],
        "beyond": [str(address) for address in town.beyond(site)],
        "secret": secret,
        "certificate": str(settings.certificate),
        "key": str(settings.key),
        "bind": settings.bind,
        "https_port": settings.https_port,
        "http": handed_socket() or [settings.bind, settings.http_port],
        "database": str(settings.database()),
        "clock": str(settings.clock()),
        "management": management_facts(settings, site),
    }


def management_facts(settings: PortalSettings, site: Site) -> dict[str, Any] | None:
    """Where and how staff may ask this site; None without a certificate for it. SettingsError when half is there."""
    certificate, key = settings.management_certificate, settings.management_key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None or not certificate.is_file() or not key.is_file():
        raise SettingsError("management_certificate, management_key: name two files that are there, or neither")
    return {
        "address": [str(site.gateway.address), settings.management_port],
        "certificate": str(certificate),
        "key": str(key),
        "token": long_enough(settings, "management-token"),
    }


def long_enough(settings: ProcessSettings, name: str) -> str:
    """The secret *name*; SettingsError when it is too short to be random."""
    secret = settings.secret(name).reveal()
    if len(secret) < SHORTEST_KEY:
        raise SettingsError(f"secret {name}: shorter than {SHORTEST_KEY} characters; make it of random ones")
    return secret


def session_policy(policy: PortalPolicy) -> Policy:
    """What a session grants by the town's *policy*."""
    return Policy(
        session=policy.session,
        rate_down=policy.rate_down,
        rate_up=policy.rate_up,
        idle=policy.idle,
        quota=policy.quota,
        slow_down=policy.slow_down,
        slow_up=policy.slow_up,
        max_devices=policy.max_devices,
    )


def opening_hours(town: Town, site: Site) -> str | None:
    """The hours the door of *site* keeps, None when it keeps none; SettingsError when they cannot be read."""
    if town.policy(site).hours == "always":
        return None
    from parvis.opening import fault  # noqa: PLC0415 5 MB, only where a door keeps hours

    if found := fault(site.opening_hours, town.timezone):
        raise SettingsError(f"opening_hours of {site.site}: {found[0]}; {found[1]}")
    return site.opening_hours


def handed_socket() -> int | None:
    """The listening socket systemd hands over (sd_listen_fds(3)), None when there is none.

    It outlives the process: probes that come while the portal is restarted wait for it instead of failing.
    """
    mine = os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS", "0") != "0"
    return FIRST_HANDED if mine else None


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


@click.command()
@click.argument("town", type=click.Path(path_type=Path, file_okay=False), envvar="PARVIS_TOWN", default=DEMO_TOWN)
def proofread(town: Path) -> None:
    """Let nft, dnsmasq and Kea read what TOWN makes for them; nothing is applied. Exit code 1 when one refuses."""
    lacking = proofreading.missing()
    if lacking:
        raise click.ClickException(f"not installed here: {', '.join(lacking)}")
    try:
        found = load_town(town)
    except InventoryError as error:
        raise click.ClickException(str(error)) from error
    faults = proofreading.faults(found)
    for fault in faults:
        click.echo(str(fault))
    if faults:
        raise click.ClickException(f"{len(faults)} file(s) of {town} would be refused")
    click.echo(f"{len(found.sites)} gateways: every file is taken by its program")
