"""``parvis optics``: the light of a site's fibre now, and the reference it is held to."""

import asyncio
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click

from collectors.commands import Access, poll_once
from collectors.device import Device, Failed, devices
from collectors.fibre import reference
from collectors.fibre.history import Light, Unreadable
from collectors.fibre.module import DIRECTIONS, STATE, THRESHOLD
from collectors.fibre.reference import Reference, ReferenceFault, Taken
from collectors.fibre.report import Facts, report
from collectors.fibre.span import Link, links
from collectors.fibre.trend import median, trend
from collectors.fibre.watch import read_history
from collectors.sample import Sample
from collectors.settings import CollectorSettings
from parvis.inventory import InventoryError, Town
from parvis.inventory import load as load_town
from parvis.settings import load

READINGS = 3
BETWEEN_SECONDS = 2.0
_SETTINGS = click.option(
    "--settings", "settings_file", type=click.Path(path_type=Path, dir_okay=False), help="TOML file of settings."
)


@dataclass(slots=True)
class Seen:
    """What several polls of a link's ends told."""

    readings: dict[Light, list[float]] = field(default_factory=lambda: defaultdict(list))
    limits: dict[tuple[str, str], dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    states: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def take(self, sample: Sample, ports: set[tuple[str, str]]) -> None:
        """Note what concerns one of *ports*."""
        labels = dict(sample.labels)
        end = (labels.get("device", ""), labels.get("port", ""))
        if end not in ports:
            return
        if sample.metric in DIRECTIONS:
            self.readings[Light(*end, labels.get("lane", ""), DIRECTIONS[sample.metric])].append(sample.value)
        elif sample.metric == THRESHOLD:
            self.limits[end][labels["which"]] = sample.value
        elif sample.metric == STATE:
            self.states[end].add(labels["state"])

    def medians(self) -> dict[Light, float]:
        """The middle of the readings of each light."""
        return {light: round(median(found), 3) for light, found in self.readings.items()}


@click.group()
def optics() -> None:
    """The light in a site's fibre: what it is now, what it was when the fibre was taken over, where it goes."""


@optics.command("reference")
@click.argument("site")
@click.option(
    "--because", default="", metavar="WORDS", help="What was changed, when light differs from the reference before."
)
@_SETTINGS
def take_reference(site: str, because: str, settings_file: Path | None) -> None:
    """Store the light of SITE's fibre now as its reference, at both ends where the inventory names both.

    The ends are read three times. Nothing is stored, and the exit code is 1, when an end is silent or dark, when light
    moves, is below its low warning or arrives stronger than it was sent, and when it differs from the reference before
    by more than 1 dB and no reason is given.
    """
    settings = load(CollectorSettings, settings_file)
    town, link = _link(settings.town, site)
    seen = _look(town, link, settings, READINGS)
    folder = settings.state / "optics"
    before = reference.latest(_references(folder))
    medians = seen.medians()
    low = {
        light: seen.limits[light.device, light.port]["rx_low_warn"]
        for light in medians
        if light.direction == "rx" and "rx_low_warn" in seen.limits[light.device, light.port]
    }
    wrong = list(reference.objections(link, Taken(seen.readings, low, seen.states), medians, before, because))
    if wrong:
        click.echo("\n".join(f"refused: {each}" for each in wrong), err=True)
        sys.exit(1)
    now = time.time()
    new = [Reference(now, *light, dbm=dbm, because=because) for light, dbm in sorted(medians.items())]
    reference.append(folder, new)
    for each in new:
        click.echo(f"{each.device} port {each.port} {each.direction} {each.lane}".rstrip() + f": {each.dbm:g} dBm")
    click.echo(f"reference of {link.name} stored, {datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M} UTC")


@optics.command()
@click.argument("site")
@_SETTINGS
def show(site: str, settings_file: Path | None) -> None:
    """Show the light of SITE's fibre now: limits, loss, change since the reference, trend, and what it suggests."""
    settings = load(CollectorSettings, settings_file)
    town, link = _link(settings.town, site)
    seen = _look(town, link, settings, 1)
    folder = settings.state / "optics"
    try:
        history = read_history(folder)
    except Unreadable as error:
        raise click.ClickException(f"the days of the optics in {folder} cannot be read: {error}") from error
    now = seen.medians()
    trends = {light: trend(history.points(light)) for light in now}
    facts = Facts(now, seen.limits, seen.states, reference.latest(_references(folder)), trends)
    click.echo(report(link, facts))


def _link(folder: Path, site: str) -> tuple[Town, Link]:
    try:
        town = load_town(folder)
        town.site(site)
    except InventoryError as error:
        raise click.UsageError(f"the inventory {folder} has faults; run: parvis check {folder}\n{error}") from error
    except KeyError as error:
        raise click.BadParameter(str(error.args[0]), param_hint="SITE") from error
    return town, next(link for link in links(town) if link.site == site)


def _references(folder: Path) -> list[Reference]:
    try:
        return reference.load(folder)
    except ReferenceFault as error:
        raise click.ClickException(str(error)) from error


def _look(town: Town, link: Link, settings: CollectorSettings, times: int) -> Seen:
    """Poll the ends of *link*; the process ends with a line naming the reason when one does not answer."""
    known: Mapping[str, Device] = {device.name: device for device in devices(town)}
    ends = {end for end in (link.near, link.far) if end}
    seen = Seen()
    for turn in range(times):
        if turn:
            time.sleep(BETWEEN_SECONDS)
        for name in sorted({end.device for end in ends}):
            device = known[name]
            access = Access(town.credential(device.credential))
            outcome = asyncio.run(poll_once(device, access, settings, Counter()))
            if isinstance(outcome, Failed):
                click.echo(f"{outcome.reason}: {name}: {outcome.detail}; {outcome.advice}", err=True)
                sys.exit(1)
            for sample in outcome.samples:
                seen.take(sample, {(end.device, end.port) for end in ends})
    return seen
