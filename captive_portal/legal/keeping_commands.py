"""``parvis legal``: orders to keep, erasing, reports, checking that all is whole."""

import json
import sys
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from captive_portal.commands import FILE
from captive_portal.console.audit import Broken as JournalBroken
from captive_portal.legal import erasing, orders, report, sealing
from captive_portal.legal.clock_marks import Witness
from captive_portal.legal.commands import read_keys
from captive_portal.legal.desk import keeper, today, with_settings
from captive_portal.legal.ledger import newest_day
from captive_portal.legal.officers import journal_in
from captive_portal.legal.retention import Hold
from captive_portal.legal.segment import Store
from captive_portal.legal.settings import ArchiveSettings

DATE = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def hold() -> None:
    """Written orders to keep days beyond their time (conservation rapide)."""


@hold.command(name="add")
@click.argument("reference")
@click.option("--requester", required=True, help="Who ordered it.")
@click.option("--store", type=click.Choice([store.value for store in Store]), required=True)
@click.option("--from", "first", type=DATE, required=True, help="First UTC day kept.")
@click.option("--to", "last", type=DATE, required=True, help="Last UTC day kept.")
@click.option("--until", type=DATE, required=True, help="When it ends by itself, 90 days at most.")
@click.option("--gateway", default="", help="Only this gateway's.")
@with_settings
def hold_add(
    settings: ArchiveSettings,
    reference: str,
    requester: str,
    store: str,
    first: datetime,
    last: datetime,
    until: datetime,
    gateway: str,
) -> None:
    """Write down the order REFERENCE."""
    days = (first.date(), last.date(), until.date())
    made = Hold(reference, requester, Store(store), *days, gateway=gateway)
    orders.add(settings.holds(), made, today())
    journal_in(settings.journal()).note("parvis", "hold", about=reference, why=requester, how=f"store {store}")
    click.echo(f"{reference}: store {store}, {days[0]} to {days[1]}, is kept until {days[2]}")


@hold.command(name="release")
@click.argument("reference")
@with_settings
def hold_release(settings: ArchiveSettings, reference: str) -> None:
    """End the order REFERENCE today."""
    orders.release(settings.holds(), reference, today())
    journal_in(settings.journal()).note("parvis", "release", about=reference)
    click.echo(f"{reference}: released; what is over goes with the next purge")


@hold.command(name="list")
@with_settings
def hold_list(settings: ArchiveSettings) -> None:
    """Print every order."""
    for one in orders.read(settings.holds()):
        state = "in force" if today() <= one.until else "over"
        click.echo(f"{one.reference:30} store {one.store.value} {one.first} to {one.last} until {one.until} {state}")


@click.command()
@click.option(
    "--clock-is-right", "by", metavar="NAME", help="NAME has compared this clock with another one, and answers for it."
)
@with_settings
def purge(settings: ArchiveSettings, by: str | None) -> None:
    """Erase what is over, now: keys first, then files. parvis archive does the same every hour.

    By a clock that is not believed nothing is erased: a wrong year would destroy a year's keys.
    """
    gone = keeper(settings).purge(today(), by or "")
    for one in gone:
        click.echo(f"store {one.store.value} of {one.gateway}, {one.day}: erased")
    click.echo(f"{len(gone)} days of a store erased")


@click.command()
@with_settings
def clock(settings: ArchiveSettings) -> None:
    """Say what testifies for this machine's clock, and whether days may be erased by it. Exit code 1: they may not."""
    witness = Witness(settings.clock(), partial(newest_day, settings.folder()))
    now, last = witness.observed(), witness.last()
    click.echo(f"the clock says {datetime.fromtimestamp(now.wall / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC")
    click.echo(f"kept by NTP: {'yes' if now.synchronised else 'no'}; newest day sealed: {now.newest or 'none'}")
    if last is not None:
        answered = f", {last.by} answers for it" if last.by else ""
        click.echo(f"last believed: {datetime.fromtimestamp(last.wall / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC{answered}")
    if why := witness.doubts():
        raise click.ClickException(f"nothing is erased by it: {why}")
    click.echo("it is believed")


@click.command(name="report")
@with_settings
def report_(settings: ArchiveSettings) -> None:
    """Write and print today's signed retention report."""
    said = keeper(settings).report(today())
    for letter, one in said["stores"].items():
        click.echo(f"store {letter}: {one['days']} days, oldest {one['oldest'] or 'none'}, {one['bytes']} octets")
    for one in said["chains"]:
        state = one["broken"] or f"whole, {one['blocks']} blocks"
        click.echo(f"store {one['store']} of {one['gateway']}: {state}")


@click.command()
@click.option("--since", type=FILE, help="A report kept elsewhere: are the blocks it names still the same?")
@with_settings
def verify(settings: ArchiveSettings, since: Path | None) -> None:
    """Check every chain, every day's key and the journal. Exit code 1 when something does not hold."""
    wrong = [one.broken for one in report.chains(settings.folder(), today()) if one.broken]
    keys = {path.name.removesuffix(".key")[: len(str(path.name))] for path in settings.keys().glob("*.key")}
    for day in erasing.days_in(settings.folder(), settings.keys()):
        stem = f"{day.store.value}-{day.gateway}-{day.day.isoformat()}"
        if not any(key.startswith(stem) for key in keys):
            wrong.append(f"store {day.store.value} of {day.gateway}, {day.day}: files without their key")
    if since is not None:
        wrong += _against(settings, since)
    with _counted(wrong):
        lines, last = journal_in(settings.journal()).audit.verify()
        click.echo(f"journal: {lines} lines, whole; the last hash is {last}")
    for text in wrong:
        click.echo(text, err=True)
    if wrong:
        sys.exit(1)
    click.echo("every chain is whole, every day has its key")


def _against(settings: ArchiveSettings, path: Path) -> list[str]:
    whole = json.loads(path.read_text("utf-8"))
    said = whole["report"]
    data = json.dumps(said, ensure_ascii=False, sort_keys=True).encode()
    if not sealing.signed(read_keys(settings.holders).signer, data, b64decode(whole["signature"])):
        return [f"{path}: is not signed by this town"]
    return report.changed_since(settings.folder(), said)


@contextmanager
def _counted(wrong: list[str]) -> Iterator[None]:
    try:
        yield
    except JournalBroken as error:
        wrong.append(f"journal: broken at {error}")


COMMANDS = (hold, purge, clock, report_, verify)
