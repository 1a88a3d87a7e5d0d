"""``parvis sla``: outages of the uplinks with their five instants, the operator's ticket, the monthly report."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
from rich.console import Console
from rich.table import Table

from monitor.history.recorder import HISTORY_FILE
from monitor.settings import MonitorSettings
from monitor.sla.desk import Desk
from monitor.sla.files import written
from monitor.sla.hours import month_of
from monitor.sla.outages import Cause, Freeze, Outage, OutOfOrder, check_order
from monitor.sla.words import CAUSES, EXTENTS, at, number, percent, spell, ticket
from monitor.store_history import History
from monitor.store_migration import MigrationFailed
from monitor.store_outages import Register, Unknown
from parvis.inventory import InventoryError, Site, load
from parvis.settings import load as load_settings

SETTINGS = click.option(
    "--settings", "file", type=click.Path(path_type=Path, dir_okay=False), help="The monitor's TOML file of settings."
)
MINUTE = click.DateTime(["%Y-%m-%dT%H:%M"])
Result = TypeVar("Result")


@click.group()
def sla() -> None:
    """What operators owe: outages, their tickets, GTR, IMS, availability. Reads and writes the monitor's own file."""


def desk_of(file: Path | None) -> Desk:
    """The desk of the settings in *file*; a broken town or file is a sentence."""
    settings = load_settings(MonitorSettings, file)
    try:
        town = load(settings.town)
        settings.state.mkdir(parents=True, exist_ok=True)
        history = History(settings.state / HISTORY_FILE)
    except InventoryError as error:
        raise click.ClickException(f"{error}\nrun: parvis check {settings.town}") from error
    except (OSError, MigrationFailed) as error:
        text = f"{settings.state}: {error}; is the state folder the monitor's, and yours?"
        raise click.ClickException(text) from error
    return Desk(town, history, Register(history))


@sla.command("outages")
@click.option("--month", type=click.DateTime(["%Y-%m"]), help="Those of one month (2026-11); else of thirty days.")
@SETTINGS
def listed(month: datetime | None, file: Path | None) -> None:
    """List outages: what is needed to give one its ticket, its cause, its end."""
    desk, now = desk_of(file), time.time()
    start, end = month_of(month.date(), desk.zone) if month else (now - 30 * 86400, now)
    table = Table(box=None, header_style="bold")
    for column in ("N°", "Link", "Extent", "Detected", "Signalled", "Restored", "Verified", "Lasted", "Cause"):
        table.add_column(column, no_wrap=True)
    found = desk.register.outages(start, end)
    for one in found:
        began, over = one.span(now)
        table.add_row(
            str(one.number),
            one.uplink,
            EXTENTS[one.extent(now)],
            at(one.detected_at, desk.zone),
            " ".join(filter(None, (at(one.signalled_at, desk.zone), one.ticket))),
            at(one.restored_at, desk.zone),
            at(one.verified_at, desk.zone) or "goes on",
            spell(over - began),
            CAUSES[one.cause],
        )
    Console(width=200, soft_wrap=True).print(table if found else "no outage")


@sla.command()
@click.argument("number_", metavar="NUMBER", type=int)
@click.argument("reference", metavar="TICKET")
@click.option("--at", "moment", type=MINUTE, help="Local time; without it, now.")
@SETTINGS
def signal(number_: int, reference: str, moment: datetime | None, file: Path | None) -> None:
    """Note that outage NUMBER was told to the operator, under TICKET: most contracts count from then on."""
    desk = desk_of(file)
    changed = _change(desk, number_, signalled_at=_instant(moment, desk.zone), ticket=reference[:80])
    click.echo(f"outage {number_}: signalled {at(changed.signalled_at, desk.zone)}, ticket {changed.ticket}")


@sla.command()
@click.argument("number_", metavar="NUMBER", type=int)
@click.option("--at", "moment", type=MINUTE, help="Local time; without it, now.")
@SETTINGS
def restored(number_: int, moment: datetime | None, file: Path | None) -> None:
    """Note when the operator said that NUMBER works again; what the monitor saw stands beside it."""
    desk = desk_of(file)
    changed = _change(desk, number_, restored_at=_instant(moment, desk.zone))
    seen = at(changed.verified_at, desk.zone) or "not yet"
    click.echo(f"outage {number_}: restored {at(changed.restored_at, desk.zone)}, verified {seen}")


@sla.command()
@click.argument("number_", metavar="NUMBER", type=int)
@click.argument("why", metavar="CAUSE", type=click.Choice([cause.value for cause in Cause]))
@click.option("--announced", type=click.DateTime(["%Y-%m-%d"]), help="Of planned works: the day they were announced.")
@click.option("--note", default="", help="In words: it stands in the report's annex.")
@SETTINGS
def cause(number_: int, why: str, announced: datetime | None, note: str, file: Path | None) -> None:
    """Say whose outage NUMBER is; until then it is presumed the operator's."""
    desk = desk_of(file)
    values: dict[str, Any] = {"cause": why}
    if announced:
        values["announced_at"] = announced.replace(tzinfo=desk.zone).timestamp()
    if note:
        values["note"] = note[:1000]
    changed = _change(desk, number_, **values)
    click.echo(f"outage {number_}: {CAUSES[changed.cause]}")


@sla.command()
@click.argument("number_", metavar="NUMBER", type=int)
@click.option("--from", "starts", type=MINUTE, required=True, help="Begin, local time: 2026-11-24T02:20.")
@click.option("--until", "ends", type=MINUTE, required=True, help="End, local time.")
@click.option("--why", required=True, help="No access to the site, nobody to let the technician in …")
@SETTINGS
def freeze(number_: int, starts: datetime, ends: datetime, why: str, file: Path | None) -> None:
    """Note a time that does not run against the operator (gel)."""
    desk = desk_of(file)
    began, over = _instant(starts, desk.zone), _instant(ends, desk.zone)
    if over <= began:
        raise click.ClickException("--until must be later than --from")
    _done(partial(desk.register.freeze, number_, Freeze(began, over, why)))
    click.echo(f"outage {number_}: {spell(over - began)} do not count")


@sla.command("ticket")
@click.argument("number_", metavar="NUMBER", type=int)
@SETTINGS
def sheet(number_: int, file: Path | None) -> None:
    """Print the sheet to read to the operator, or to send: who, where, since when, what was tried."""
    desk = desk_of(file)
    outage = _done(partial(desk.register.outage, number_))
    click.echo(ticket(desk.town, _site(desk, outage.uplink), outage, time.time(), desk.zone), nl=False)


@sla.command("report")
@click.argument("month", type=click.DateTime(["%Y-%m"]))
@click.option("--link", "link", help="One link by its name; without it all of them.")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder to write into.")
@SETTINGS
def reported(month: datetime, link: str | None, into: Path, file: Path | None) -> None:
    """Write the report of MONTH (2026-11) for each link: HTML, PDF, CSV."""
    desk, now = desk_of(file), time.time()
    for site in [_site(desk, link)] if link else desk.town.sites:
        made = desk.report(site, month.date(), now)
        try:
            paths = written(made, desk.town, into, desk.zone)
        except OSError as error:
            raise click.ClickException(f"{into}: {error.strerror}; give another folder with --into") from error
        known = percent(made.contract.ratio)
        owed = sum(one.percent for one in made.owed)
        click.echo(
            f"{site.uplink.name}: {known}, {len(made.total)} outage(s), GTR {made.gtr_kept}/{made.gtr_judged}, "
            f"penalties {number(float(owed))} % of a month"
        )
        for path in paths:
            click.echo(f"  {path}")
    click.echo(f"faults told to operators, by link: {number(desk.fault_rate(month.date(), now), 2)}")


@sla.command()
@SETTINGS
def availability(file: Path | None) -> None:
    """Print the months that are over as open data need them (JSON): what the monitor shows at /availability.json."""
    click.echo(json.dumps(desk_of(file).months(time.time()), indent=1))


def _change(desk: Desk, number_: int, **values: Any) -> Outage:
    """Write *values*, if the instants still follow each other."""

    def work() -> Outage:
        old = desk.register.outage(number_)
        signalled, told = values.get("signalled_at", old.signalled_at), values.get("restored_at", old.restored_at)
        check_order(replace(old, signalled_at=signalled, restored_at=told), time.time())
        return desk.register.change(number_, **values)

    return _done(work)


def _instant(moment: datetime | None, zone: ZoneInfo) -> float:
    return time.time() if moment is None else moment.replace(tzinfo=zone).timestamp()


def _site(desk: Desk, uplink: str) -> Site:
    for site in desk.town.sites:
        if site.uplink.name == uplink:
            return site
    known = ", ".join(site.uplink.name for site in desk.town.sites)
    raise click.ClickException(f"no link is called {uplink}; there are: {known}")


def _done(what: Callable[[], Result]) -> Result:
    """What *what* returns; what it refuses is a sentence."""
    try:
        return what()
    except Unknown as error:
        raise click.ClickException(f"{error}; see: parvis sla outages") from error
    except OutOfOrder as error:
        raise click.ClickException(f"{error}; check the hour, --at is local time") from error
