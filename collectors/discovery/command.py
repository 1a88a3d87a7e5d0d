"""``parvis discover``: which agents are in a network, written as inventory to review."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import click

from collectors.access import open_session
from collectors.device import Device, devices
from collectors.discovery.fragment import fragment
from collectors.discovery.networks import MOST, MOST_EVER, Address, NoNetwork, TooMany, addresses
from collectors.discovery.sweep import Answered, Found, Manner, Shut, Turns, Way, look, sweep
from collectors.settings import CollectorSettings
from collectors.snmp.pdu import Version
from collectors.snmp.session import CommunitySession, Session
from collectors.snmp.transport import Exchange, Patience
from parvis.inventory import CommunityCredential, InventoryError, Town, UserCredential
from parvis.inventory import load as load_town
from parvis.settings import SecretMissing, load


@click.command()
@click.argument("networks", metavar="NETWORK...", nargs=-1, required=True)
@click.option("--community", "communities", multiple=True, metavar="TEXT", help="A community to try; repeatable.")
@click.option("--auth", "names", multiple=True, metavar="NAME", help="A credential of the inventory; by default all.")
@click.option("--port", type=click.IntRange(1, 65535), default=161, show_default=True)
@click.option("--rate", type=click.FloatRange(1, 1000), default=50, show_default=True, help="Requests a second.")
@click.option("--timeout", type=click.FloatRange(0.05, 60), default=1, show_default=True, help="Seconds to wait.")
@click.option("--yes", is_flag=True, help=f"Ask more than {MOST} addresses (a /20).")
@click.option("--follow", is_flag=True, help="Ask LLDP neighbours outside the networks too, one hop.")
@click.option("--settings", "settings_file", type=click.Path(path_type=Path, dir_okay=False), help="TOML file.")
def discover(
    networks: tuple[str, ...],
    communities: tuple[str, ...],
    names: tuple[str, ...],
    port: int,
    rate: float,
    timeout: float,
    *,
    yes: bool,
    follow: bool,
    settings_file: Path | None,
) -> None:
    """Find SNMP agents in networks or at addresses, and print them as a piece of a site's file to review.

    What is found goes to standard output as YAML, everything else to standard error. Nothing outside NETWORK is asked
    without --follow. Exit code 0: an agent answered; 1: none did; 2: wrong usage.
    """
    settings = load(CollectorSettings, settings_file)
    hosts = _hosts(networks, bounded=not yes)
    town = _town(settings.town)
    ways = _ways(settings, town, communities, names)
    how = Manner(Turns(rate), Patience(timeout, 2))
    known = devices(town) if town else []
    found, shut, outside = asyncio.run(_find(hosts, port, ways, how, follow=follow))
    _report(found, shut, outside, known)
    click.echo(fragment(found, known), nl=False)
    sys.exit(0 if found else 1)


async def _find(
    hosts: Sequence[Address], port: int, ways: Sequence[Way], how: Manner, *, follow: bool
) -> tuple[list[Found], list[Shut], list[tuple[str, str]]]:
    exchange = Exchange()
    try:
        found, shut = await _round(exchange, hosts, port, ways, how)
        asked = {str(host) for host in hosts}
        outside = {host: each.answered.address for each in found for host in each.neighbours if host not in asked}
        if follow and outside:
            more, closed = await _round(exchange, [ip_address(host) for host in outside], port, ways, how)
            reached = {each.answered.address for each in more} | {each.address for each in closed}
            outside = {host: seen for host, seen in outside.items() if host not in reached}
            found, shut = [*found, *more], [*shut, *closed]
    finally:
        exchange.close()
    return found, shut, sorted(outside.items(), key=lambda item: ip_address(item[0]))


async def _round(
    exchange: Exchange, hosts: Sequence[Address], port: int, ways: Sequence[Way], how: Manner
) -> tuple[list[Found], list[Shut]]:
    """Sweep, then look closer at who answered, a few at a time; with a bar where somebody watches."""
    from rich.console import Console  # noqa: PLC0415 other commands need no bar (rich: 5 MB)
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        sweeping = bar.add_task("asking", total=len(hosts))
        heard = await sweep(exchange, hosts, port, ways, how, lambda: bar.advance(sweeping))
        answered = [each for each in heard if isinstance(each, Answered)]
        looking = bar.add_task("looking closer", total=len(answered))
        gate = asyncio.Semaphore(8)

        async def closer(each: Answered) -> Found:
            async with gate:
                await how.turns.wait()
                result = await look(each, port)
                bar.advance(looking)
                return result

        found = list(await asyncio.gather(*(closer(each) for each in answered)))
    return found, [each for each in heard if isinstance(each, Shut)]


def _report(
    found: Sequence[Found], shut: Sequence[Shut], outside: Sequence[tuple[str, str]], known: Sequence[Device]
) -> None:
    """On standard error: how many, who is known already, who refuses, who is beyond."""
    names = {device.host: device.name for device in known}
    old = [each.answered.address for each in found if each.answered.address in names]
    click.echo(f"{len(found)} agent(s) answered, {len(old)} of them in the inventory", err=True)
    for host in old:
        click.echo(f"known: {host} is {names[host]}", err=True)
    for refusal in shut:
        click.echo(f"refused: {refusal.address}: {refusal.reason}", err=True)
    for host, seen_by in outside:
        click.echo(f"neighbour outside: {host}, seen by {seen_by}; --follow asks it", err=True)


def _hosts(networks: Sequence[str], *, bounded: bool) -> list[Address]:
    try:
        return addresses(networks, MOST if bounded else MOST_EVER)
    except TooMany as error:
        raise click.UsageError(f"{error}; name smaller networks, or say --yes") from error
    except NoNetwork as error:
        raise click.BadParameter(str(error), param_hint="NETWORK") from error


def _town(folder: Path) -> Town | None:
    with suppress(InventoryError):
        return load_town(folder)
    return None


def _ways(
    settings: CollectorSettings, town: Town | None, communities: Sequence[str], names: Sequence[str]
) -> list[Way]:
    """Users first, because their agents say why they refuse; then communities. UsageError when there is no way."""
    credentials = [each for each in (town.credentials if town else ()) if not names or each.name in names]
    unknown = set(names) - {each.name for each in credentials}
    if unknown:
        raise click.BadParameter(f"no credential is called {', '.join(sorted(unknown))}", param_hint="--auth")
    if communities and not names:
        credentials = []
    ways: list[Way] = []
    older: list[Way] = []
    for each in sorted(credentials, key=lambda each: isinstance(each, CommunityCredential)):
        try:
            _secrets(settings, each)
        except SecretMissing as error:
            click.echo(f"not tried: {each.name}: {error}", err=True)
        else:
            ways.append(_credential(settings, each))
            older += [_older(ways[-1])] if each.version == "v2c" else []
    strangers = [_community(text) for text in communities]
    ways += strangers
    if not ways:
        raise click.UsageError("no credential can be tried: deliver secrets, or give --community")
    return ways + older + [_older(way) for way in strangers]


def _older(way: Way) -> Way:
    """The same community in SNMPv1, for whoever is silent to SNMPv2c."""

    def opened(exchange: Exchange, address: tuple[str, int], patience: Patience) -> Session:
        session = way.open(exchange, address, patience)
        return replace(session, version=Version.V1) if isinstance(session, CommunitySession) else session

    return replace(way, open=opened)


def _secrets(settings: CollectorSettings, each: CommunityCredential | UserCredential) -> None:
    for name in each.secrets:
        settings.secret(name)


def _credential(settings: CollectorSettings, each: CommunityCredential | UserCredential) -> Way:
    return Way(
        each.name,
        lambda exchange, address, patience: open_session(exchange, address, each, settings.secret, patience),
    )


def _community(text: str) -> Way:
    return Way(
        "discovered",
        lambda exchange, address, patience: CommunitySession(exchange, address, text.encode(), patience=patience),
        stranger=True,
    )
