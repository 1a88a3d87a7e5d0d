"""``parvis oncall``: who is on duty, what is going on, acknowledge, note, test a channel, the monthly statement."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from monitor.astreinte import Sheet, warnings
from monitor.duty import Duty
from monitor.engine import LinkUsed, Unknown, channels_of
from monitor.holidays_of_france import french_holidays
from monitor.incidents import LIVE, Event, NotPossible
from monitor.instruments import MonitorMetrics
from monitor.outside import outside_watch
from monitor.rota import NobodyOnCall
from monitor.settings import MonitorSettings
from monitor.statement import statement as make_statement
from monitor.statement_files import RatesFaulty, as_csv, as_pdf, rates
from monitor.store_oncall import BookFailed
from parvis import service
from parvis.inventory import InventoryError, load
from parvis.processes import MONITOR
from parvis.settings import load as load_settings

SETTINGS = click.option(
    "--settings", "file", type=click.Path(path_type=Path, dir_okay=False), help="The monitor's TOML file of settings."
)
ACTIONS = {"ack": Event.ACKNOWLEDGE, "snooze": Event.SNOOZE, "hand-over": Event.HAND_OVER, "close": Event.CLOSE}
MINUTE = click.DateTime(["%Y-%m-%dT%H:%M"])
Result = TypeVar("Result")


@click.group()
def oncall() -> None:
    """Who is on call and what is going on. Reads and writes the monitor's own file, beside the running monitor."""


def duty_of(file: Path | None) -> Duty:
    """The engine of the settings in *file*; a broken town or file is a sentence."""
    settings = load_settings(MonitorSettings, file)
    service.start_logging(MONITOR.name, "warning")
    try:
        town = load(settings.town)
        return Duty(town, settings, MonitorMetrics(town.town))
    except InventoryError as error:
        raise click.ClickException(f"{error}\nrun: parvis check {settings.town}") from error
    except (OSError, BookFailed) as error:
        text = f"{settings.state}: {error}; is the state folder the monitor's, and yours?"
        raise click.ClickException(text) from error


@oncall.command()
@SETTINGS
@click.option("--at", type=MINUTE, help="At this local time instead of now.")
def who(file: Path | None, at: datetime | None) -> None:
    """Print who is on duty at each level, and until when."""
    roster = duty_of(file).roster
    when = at.replace(tzinfo=roster.zone) if at else datetime.now(UTC)
    for level in range(1, roster.levels + 1):
        try:
            turn = roster.turn(when, level)
        except NobodyOnCall as error:
            click.echo(f"level {level}: nobody ({error})")
            continue
        click.echo(f"level {level}: {turn.person.name} ({turn.person.title}) until {turn.ends:%Y-%m-%d %H:%M}")


@oncall.command()
@SETTINGS
@click.option("--all", "everything", is_flag=True, help="Those that are over as well.")
def incidents(file: Path | None, everything: bool) -> None:
    """Print the incidents, newest first."""
    duty = duty_of(file)
    with duty.engine.book.page() as entries:
        rows = [row for row in entries.rows(200) if everything or row["state"] in LIVE]
    for row in rows:
        since = datetime.fromtimestamp(row["opened_at"], duty.roster.zone)
        owner = f" by {row['owner']}" if row["owner"] else ""
        facts = f"#{row['number']:<5} {row['state']:<12} {row['severity']:<10} {since:%d/%m %H:%M}"
        click.echo(f"{facts}  {row['title']}{owner}")
    if not rows:
        click.echo("no incident" if everything else "no incident; those that are over: --all")


@oncall.command()
@click.argument("number", type=int)
@click.option("--do", "action", type=click.Choice(list(ACTIONS)), default="ack", show_default=True)
@click.option("--as", "person", help="Name in the town's people; without it, who is on duty.")
@SETTINGS
def ack(number: int, action: str, person: str | None, file: Path | None) -> None:
    """Acknowledge incident NUMBER: nobody is called for it any more. Or snooze it, hand it over, close it."""
    duty = duty_of(file)
    name = _person(duty, person)
    changed = _done(lambda: duty.engine.act(number, ACTIONS[action], name, time.time()))
    click.echo(f"#{number} is {changed.state} ({name})")


@oncall.command()
@click.argument("number", type=int)
@click.argument("text")
@click.option("--as", "person", help="Name in the town's people; without it, who is on duty.")
@SETTINGS
def note(number: int, text: str, person: str | None, file: Path | None) -> None:
    """Add TEXT to the timeline of incident NUMBER."""
    duty = duty_of(file)
    _done(lambda: duty.engine.note(number, _person(duty, person), text, time.time()))
    click.echo(f"noted on #{number}")


@oncall.command()
@click.option("--person", help="Name in the town's people, on duty now; without it, level 1.")
@click.option("--channel", help="One channel; without it, each of the person's.")
@SETTINGS
def test(person: str | None, channel: str | None, file: Path | None) -> None:
    """Send a test to who is on duty, by each channel, and print what became of it. Exit code 1 when one fails."""
    duty = duty_of(file)
    name = _person(duty, person)
    names = channels_of(duty.engine.policy, name)
    if channel and channel not in names:
        raise click.ClickException(f"{name} has no channel {channel}; there are: {', '.join(names) or 'none'}")
    bad = 0
    for one in [channel] if channel else names:
        number = _done(partial(duty.engine.test, name, one, time.time()))
        duty.dispatcher.once()
        with duty.engine.book.page() as entries:
            tries = entries.attempts_of(number)
        result, detail = (tries[-1].result.value, tries[-1].detail) if tries else ("taken by the running monitor", "")
        bad += result == "failed"
        click.echo(f"{name} by {one}: {result}{f' ({detail})' if detail else ''}")
    sys.exit(1 if bad or not names else 0)


@oncall.command()
@click.argument("person")
@click.option("--from", "starts", type=MINUTE, required=True, help="Begin, local time: 2026-11-24T02:20.")
@click.option("--until", "ends", type=MINUTE, required=True, help="End, local time.")
@click.option("--travel", type=click.IntRange(0, 1440), default=0, help="Minutes of travel, there and back.")
@click.option("--on-site/--remote", default=False, show_default=True)
@click.option("--incident", type=int, default=0, help="Its number, if there is one.")
@click.option("--note", "text", default="", help="What was done.")
@SETTINGS
def sheet(
    person: str,
    starts: datetime,
    ends: datetime,
    travel: int,
    on_site: bool,
    incident: int,
    text: str,
    file: Path | None,
) -> None:
    """Write an intervention sheet of PERSON: working time, travel included. Says where rest is broken."""
    duty = duty_of(file)
    name, zone = _person(duty, person), duty.roster.zone
    if ends <= starts:
        raise click.ClickException("--until must be later than --from")
    began, ended = (moment.replace(tzinfo=zone).timestamp() for moment in (starts, ends))
    values = {"incident": incident, "person": name, "on_site": on_site, "began_at": began, "ended_at": ended}
    with duty.engine.book.page() as entries:
        if incident and entries.row(incident) is None:
            raise click.ClickException(f"there is no incident {incident}; see: parvis oncall incidents --all")
        number = entries.add_sheet(**values, travel_minutes=travel, note=text[:1000])
        if incident:
            entries.note(incident, time.time(), "sheet", name)
    click.echo(f"sheet {number} written")
    for line in warnings(sheets_of(duty, name), zone):
        click.echo(line)


@oncall.command()
@click.argument("person")
@click.argument("month", type=click.DateTime(["%Y-%m"]))
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder to write into.")
@click.option("--rates", "rates_file", type=click.Path(path_type=Path, dir_okay=False), help="YAML of dated rates.")
@click.option("--category", default="exploitation", show_default=True, help="Kind of astreinte, as in the rates.")
@SETTINGS
def statement(
    person: str, month: datetime, into: Path, rates_file: Path | None, category: str, file: Path | None
) -> None:
    """Write the statement of PERSON for MONTH (2026-11): duties, units, interventions, amount; CSV and PDF."""
    duty = duty_of(file)
    name = _person(duty, person)
    try:
        known = rates(rates_file)
        own = sheets_of(duty, name)
        made = make_statement(duty.roster, name, month.date(), own, known, category, french_holidays())
    except (RatesFaulty, ValueError) as error:
        raise click.ClickException(str(error)) from error
    except KeyError as error:
        raise click.ClickException(f"the rates know no category {error}") from error
    into.mkdir(parents=True, exist_ok=True)
    stem = into / f"astreinte-{name}-{month:%Y-%m}"
    stem.with_suffix(".csv").write_text(as_csv(made), "utf-8-sig")
    stem.with_suffix(".pdf").write_bytes(as_pdf(made, duty.roster.town.title.fr))
    for what, count, remark in made.rows():
        click.echo(f"{what}: {count}{f' ({remark})' if remark else ''}")
    for line in (*made.warnings, f"{stem}.csv", f"{stem}.pdf"):
        click.echo(line)


def sheets_of(duty: Duty, person: str) -> list[Sheet]:
    """The intervention sheets of *person*."""
    zone = duty.roster.zone
    with duty.engine.book.page() as entries:
        rows = entries.sheets(person=person)
    return [
        Sheet(
            row["person"],
            datetime.fromtimestamp(row["began_at"], zone),
            datetime.fromtimestamp(row["ended_at"], zone),
            timedelta(minutes=row["travel_minutes"]),
            row["on_site"],
            row["incident"],
            row["note"],
        )
        for row in rows
    ]


@oncall.command()
@click.argument("url")
@click.option("--every", type=click.FloatRange(1, 3600), default=30.0, show_default=True, help="Seconds.")
@click.option("--patience", type=click.FloatRange(5, 86400), default=180.0, show_default=True, help="Seconds.")
@SETTINGS
def watch(url: str, every: float, patience: float, file: Path | None) -> None:
    """On another machine, outside the town: call who is on duty when the monitor at URL gives no sign of life.

    It needs the town's folder, channels that do not pass through the town, and a state folder of its own.
    """
    settings = load_settings(MonitorSettings, file).model_copy(update={"alertmanager_url": ""})
    service.start_logging(MONITOR.name, settings.log_level)
    town = service.town_or_exit(settings)
    settings.state.mkdir(parents=True, exist_ok=True)
    duty = Duty(town, settings, MonitorMetrics(town.town), misses_beat=False)
    parts = outside_watch(town, duty, url, every, patience)
    sys.exit(service.run(MONITOR, settings, parts))


def _person(duty: Duty, given: str | None) -> str:
    try:
        return duty.roster.person(given).name if given else duty.roster.turn(datetime.now(UTC)).person.name
    except KeyError as error:
        known = ", ".join(person.name for person in duty.roster.town.people)
        raise click.ClickException(f"nobody is called {given}; there are: {known}") from error
    except NobodyOnCall as error:
        raise click.ClickException(f"{error}; say who with --as") from error


def _done(what: Callable[[], Result]) -> Result:
    """What *what* returns; what it refuses is a sentence."""
    try:
        return what()
    except (Unknown, NotPossible, LinkUsed) as error:
        raise click.ClickException(f"{error}; see: parvis oncall incidents --all") from error
