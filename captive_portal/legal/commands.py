"""``parvis evidence`` and ``parvis archive``: read everything, check everything, then become the small process."""

from base64 import b64encode
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from captive_portal.commands import long_enough, settings_option, site_option
from captive_portal.legal import injunction, town_keys
from captive_portal.legal.clock_marks import Witness
from captive_portal.legal.injunction import NotChosen
from captive_portal.legal.ledger import newest_day
from captive_portal.legal.settings import ArchiveSettings, EvidenceSettings
from captive_portal.legal.town_keys import TownKeys
from parvis.catalogue import definitions
from parvis.inventory import Site
from parvis.launch import become
from parvis.processes import ARCHIVE, EVIDENCE, EVIDENCE_TOKEN
from parvis.service import start_logging, town_or_exit, warn_of_strangers
from parvis.settings import SettingsError, load

PRIVATE_FOLDER = 0o700


@click.command()
@site_option
@settings_option
@click.option(
    "--clock-is-right", "by", metavar="NAME", help="Only note that NAME answers for this machine's clock, and end."
)
def evidence(site: str | None, file: Path | None, by: str | None) -> None:
    """Record, sealed, who had which address and ports. Needs CAP_NET_ADMIN and a choice about the injunction."""
    settings = load(EvidenceSettings, file, site=site)
    if by:
        Witness(settings.clock(), partial(newest_day, settings.folder())).remember(by)
        click.echo(f"{settings.clock()}: {by} answers for the clock; what is over goes within ten minutes")
        return
    start_logging(EVIDENCE.name, settings.log_level)
    warn_of_strangers(settings)
    facts = evidence_facts(settings)
    for folder in (settings.folder(), settings.keys()):
        folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    become("captive_portal.legal.evidence", facts)


def evidence_facts(settings: EvidenceSettings) -> dict[str, Any]:
    """What the recorder needs, and nothing more; SettingsError when something is missing or not chosen."""
    town = town_or_exit(settings)
    try:
        site = town.site(settings.site)
    except KeyError as error:
        raise SettingsError(f"site: {error.args[0]}") from error
    keys = read_keys(settings.holders)
    choice = _choice(settings.choice, keys)
    guest = site.guest
    return {
        "log_level": settings.log_level,
        "town": str(settings.town),
        "site": site.site,
        "gateway": site.gateway.name,
        "listen": settings.listen,
        "port": settings.port or EVIDENCE.port,
        "metrics": [asdict(entry) for entry in definitions(EVIDENCE.name)],
        "folder": str(settings.folder()),
        "keys": str(settings.keys()),
        "clock": str(settings.clock()),
        "reserve": settings.reserve_megabytes * 1_000_000,
        "masters": {store.value: b64encode(key).decode() for store, key in keys.stores.items()},
        "choice": asdict(choice),
        "about": {"site": site.site, "guest": str(guest.ipv4), "public": str(site.uplink.address)},
        "guest6": str(guest.ipv6) if guest.ipv6 else None,
        "gateway6": str(guest.gateway_ipv6) if guest.ipv6 else None,
        "terms": town.policy(site).terms_version,
        "handing": _handing(settings, site),
    }


def read_keys(path: Path) -> TownKeys:
    """The public file of the key ceremony; SettingsError."""
    try:
        return town_keys.read(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"holders: {path}: {error.strerror}; make it with parvis legal ceremony") from error
    except ValueError as error:
        raise SettingsError(f"holders: {path} {error}") from error


def _choice(path: Path, keys: TownKeys) -> injunction.Choice:
    try:
        made = injunction.read(path.read_text("utf-8"), keys.signer)
    except OSError as error:
        words = "nobody has chosen yet whether communications are recorded; the person responsible does"
        raise SettingsError(f"choice: {path}: {error.strerror}: {words} (parvis legal injunction)") from error
    except NotChosen as error:
        raise SettingsError(f"choice: {path} {error}") from error
    if made.enabled and not made.in_force(datetime.now(UTC).date()):
        click.echo(f"choice: {path}: the injunction is not in force today; communications are not recorded", err=True)
    return made


def _handing(settings: EvidenceSettings, site: Site) -> dict[str, Any] | None:
    certificate, key = settings.certificate, settings.key
    if certificate is None and key is None:
        return None
    if certificate is None or key is None or not certificate.is_file() or not key.is_file():
        raise SettingsError("certificate, key: name two files that are there, or neither")
    return {
        "address": str(site.gateway.address),
        "port": settings.shared_port,
        "certificate": str(certificate),
        "key": str(key),
        "token": long_enough(settings, EVIDENCE_TOKEN),
    }


@click.command()
@settings_option
def archive(file: Path | None) -> None:
    """Collect what the gateways seal, erase what is over, report. Needs no privilege and no key of the holders'."""
    settings = load(ArchiveSettings, file)
    start_logging(ARCHIVE.name, settings.log_level)
    warn_of_strangers(settings)
    facts = archive_facts(settings)
    for folder in (settings.folder(), settings.keys()):
        folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    become("captive_portal.legal.archive", facts)


def archive_facts(settings: ArchiveSettings) -> dict[str, Any]:
    """What the archive needs, and nothing more; SettingsError when something is missing."""
    town = town_or_exit(settings)
    read_keys(settings.holders)
    signer = settings.private() / "signer.key"
    if not signer.is_file():
        raise SettingsError(f"{signer} is missing; make it with parvis legal ceremony")
    port = settings.shared_port
    return {
        "log_level": settings.log_level,
        "name": town.town,
        "listen": settings.listen,
        "port": settings.port or ARCHIVE.port,
        "metrics": [asdict(entry) for entry in definitions(ARCHIVE.name)],
        "folder": str(settings.folder()),
        "keys": str(settings.keys()),
        "clock": str(settings.clock()),
        "holds": str(settings.holds()),
        "cases": str(settings.cases()),
        "reports": str(settings.reports()),
        "journal": str(settings.journal()),
        "signer": b64encode(signer.read_bytes()).decode(),
        "authority": str(settings.authority) if settings.authority else None,
        "seconds": settings.collect_seconds,
        "token": long_enough(settings, EVIDENCE_TOKEN),
        "gateways": [
            {"site": site.site, "name": site.gateway.name, "address": str(site.gateway.address), "port": port}
            for site in town.sites
        ],
    }
