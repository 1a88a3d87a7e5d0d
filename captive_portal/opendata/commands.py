"""``parvis opendata``: export the folder, serve it, push it to portals, read the log of releases."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from captive_portal.commands import FILE, long_enough
from captive_portal.console.sites import Site as Asked
from captive_portal.console.sites import Sites
from captive_portal.opendata import gather
from captive_portal.opendata.datasets import AVAILABILITY, SITES, USAGE, Row
from captive_portal.opendata.export import contents, write
from captive_portal.opendata.inputs import BadInput, availability, month_before, states
from captive_portal.opendata.publication import Measured
from captive_portal.opendata.releases import NotYet, Releases
from captive_portal.opendata.settings import OpenDataSettings
from captive_portal.opendata.sites import Seen, availability_rows, sites_rows
from captive_portal.opendata.told_months import kept
from parvis.inventory import OpenData, Town
from parvis.service import town_or_exit
from parvis.settings import load

settings_option = click.option("--settings", "file", type=FILE, help="The settings, TOML; else $PARVIS_SETTINGS.")
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def opendata() -> None:
    """Publish the town's open data: sites, monthly usage that identifies nobody, availability."""


@opendata.command()
@click.argument("folder", type=FOLDER)
@click.option("--month", metavar="2026-11", help="The month to publish; by default the last that is over.")
@click.option(
    "--without", multiple=True, metavar="SITE", help="Publish the month without SITE, whose figures are lost."
)
@click.option(
    "--availability", "told", metavar="FILE|URL", help="Availability by site and month, JSON; by default the settings'."
)
@click.option(
    "--states", "seen", metavar="FILE|URL", help="How each site is now, JSON; by default its portal is asked."
)
@settings_option
def export(
    folder: Path, month: str | None, without: tuple[str, ...], told: str | None, seen: str | None, file: Path | None
) -> None:
    """Write every dataset in every format into FOLDER, with schemas, DCAT-AP catalogue and map page."""
    settings = load(OpenDataSettings, file)
    town = town_or_exit(settings)
    data = published_by(town)
    now = datetime.now(ZoneInfo(town.timezone))
    asked = sites_of(town, settings)
    try:
        releases = Releases(settings.published())
        if asked is not None:
            _publish(releases, asked, month or month_before(now.date()), without, now.date())
        elif month:
            raise click.UsageError("--month asks the sites; the settings name no authority to ask them with")
        rows = _rows(town, asked, seen, now) | {
            USAGE: releases.rows(),
            AVAILABILITY: _availability(town, settings, told),
        }
    except (BadInput, NotYet, ValueError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        if asked is not None:
            asked.close()
    first = min((str(line["released"]) for line in releases.log()), default=now.date().isoformat())
    changed = write(folder, contents(town, data, rows, date.fromisoformat(first), now.date()))
    click.echo(f"{folder}: {len(changed)} file(s) new or changed")


def published_by(town: Town) -> OpenData:
    """What the town says of its open data; a sentence when it says nothing."""
    if town.open_data is None:
        raise click.ClickException("town.yml: open_data is missing; write open_data: {commune: …, insee: …, page: …}")
    return town.open_data


def sites_of(town: Town, settings: OpenDataSettings) -> Sites | None:
    """The way to every site's portal; None when the settings give none."""
    if settings.authority is None:
        return None
    port = settings.management_port
    known = [Asked(s.site, s.title.by_language(), str(s.gateway.address), port) for s in town.sites]
    return Sites(known, settings.authority, long_enough(settings, "management-token"))


def _publish(releases: Releases, asked: Sites, month: str, without: Sequence[str], today: date) -> None:
    """Publish *month* unless it was; NotYet names the sites that did not answer."""
    if month in releases.months():
        return
    found = gather.month(asked, month)
    strange = set(without) - set(found)
    if strange:
        raise click.UsageError(f"--without: no site is called {', '.join(sorted(strange))}")
    silent = [site for site in gather.missing(found) if site not in without]
    if silent:
        raise NotYet(f"{month}: no figures from {', '.join(silent)}; try again, or give them up: --without SITE")
    kept = {site: said if isinstance(said, Measured) and site not in without else None for site, said in found.items()}
    if releases.freeze(month, kept, today):
        click.echo(f"{month}: published, for good")


def _rows(town: Town, asked: Sites | None, told: str | None, now: datetime) -> dict[str, list[Row]]:
    seen: dict[str, Seen] = {}
    if told is not None:
        seen = states(told)
    elif asked is not None:
        seen = gather.states(asked, _shut(town, now.timestamp()), now.astimezone(UTC))
    return {SITES: sites_rows(town, seen)}


def _shut(town: Town, wall: float) -> dict[str, bool]:
    """The sites whose door keeps the building's hours: whether it is shut by them."""
    from parvis.opening import Opening  # noqa: PLC0415 4 MB, for this command only

    kept = [site for site in town.sites if town.policy(site).hours == "building"]
    return {site.site: not Opening(site.opening_hours, town.timezone).at(wall)[0] for site in kept}


def _availability(town: Town, settings: OpenDataSettings, told: str | None) -> list[Row]:
    """Every month that was ever told; what is told of a site the town does not have is refused."""
    place = told or settings.availability
    try:
        said = availability(place) if place else []
        for one in said:
            town.site(one.site)
    except KeyError as error:
        raise BadInput(f"{place}: {error.args[0]}") from error
    return availability_rows(kept(settings.published(), said))


@opendata.command()
@settings_option
def releases(file: Path | None) -> None:
    """Print the log of releases: which month, when, how many rows, how many held back. Exit code 1 when one changed."""
    found = Releases(load(OpenDataSettings, file).published())
    for line in found.log():
        click.echo(f"{line['month']}  released {line['released']}  {line['rows']} rows, {line['held_back']} held back")
    if changed := found.changed():
        raise click.ClickException(f"changed after their release: {', '.join(changed)}")
