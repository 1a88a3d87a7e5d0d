"""``parvis maintenance``: announce work on the spot, end it, see what is announced."""

import time
from datetime import UTC, datetime
from pathlib import Path

import click

from monitor.command_line import MINUTE, SETTINGS, duty_of
from monitor.duty import Duty
from monitor.planned import Work
from monitor.targets import targets
from parvis.inventory.checks import suggestion
from parvis.inventory.planned import MOST_SECONDS
from parvis.values import duration_seconds


@click.group()
def maintenance() -> None:
    """Announced work: nobody is called for what it is on, nor for what stands behind that."""


@maintenance.command("list")
@SETTINGS
@click.option("--days", default=14, show_default=True, type=click.IntRange(1, 400), help="How far ahead to look.")
def listed(file: Path | None, days: int) -> None:
    """Print the work going on and announced, also what comes again."""
    duty, now = duty_of(file), time.time()
    found = duty.works(now, now + days * 86400)
    for work in found:
        mark = "now " if work.starts <= now else "    "
        click.echo(f"{mark}{_span(duty, work)}  {', '.join(work.of) or 'the whole town'}  {work.reason}")
    if not found:
        click.echo(f"no work is announced for the next {days} days")


@maintenance.command()
@SETTINGS
@click.argument("names", nargs=-1)
@click.option("--for", "lasting", required=True, metavar="DURATION", help="How long: 90min, 2h, 1d.")
@click.option("--from", "starts", type=MINUTE, help="From this local time on instead of now.")
@click.option("--reason", required=True, help="Why; the wall and the public page show it.")
def begin(file: Path | None, names: tuple[str, ...], lasting: str, starts: datetime | None, reason: str) -> None:
    """Announce work on NAMES (sites, uplinks or devices; none: the whole town)."""
    duty, now = duty_of(file), time.time()
    try:
        seconds = duration_seconds(lasting)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from error
    if not 0 < seconds <= MOST_SECONDS:
        raise click.BadParameter("work lasts between a moment and 14 days", param_hint="--for")
    if not 3 <= len(reason) <= 120:  # noqa: PLR2004 as in the inventory
        raise click.BadParameter("say why in 3 to 120 letters", param_hint="--reason")
    _refuse_unknown(duty, names)
    begins = starts.replace(tzinfo=duty.roster.zone).timestamp() if starts else now
    work = Work(begins, begins + seconds, reason, names)
    duty.announce(work, now)
    click.echo(f"announced: {_span(duty, work)}  {', '.join(names) or 'the whole town'}")


@maintenance.command()
@SETTINGS
@click.argument("names", nargs=-1)
def end(file: Path | None, names: tuple[str, ...]) -> None:
    """End now what was announced with `begin` on exactly NAMES and is going on."""
    duty, now = duty_of(file), time.time()
    going = [work for work in duty.added() if work.of == names and work.starts <= now < work.ends]
    if not going:
        raise click.ClickException("no work announced with begin is going on there; see: parvis maintenance list")
    for work in going:
        duty.announce(Work(work.starts, now, work.reason, work.of), now)
        click.echo(f"ended: {work.reason}")


def _span(duty: Duty, work: Work) -> str:
    begins, ends = (datetime.fromtimestamp(at, UTC).astimezone(duty.roster.zone) for at in (work.starts, work.ends))
    return (
        f"{begins:%Y-%m-%d %H:%M} - {ends:%H:%M}"
        if begins.date() == ends.date()
        else (f"{begins:%Y-%m-%d %H:%M} - {ends:%Y-%m-%d %H:%M}")
    )


def _refuse_unknown(duty: Duty, names: tuple[str, ...]) -> None:
    town = duty.roster.town
    known = {t.name for t in targets(town) if t.site} | {site.site for site in town.sites}
    for name in names:
        if name not in known:
            raise click.ClickException(f"nothing in the town is called {name}; {suggestion(name, known)}")
