"""``parvis oncall``: intervention sheets, the rest they break, the monthly statement."""

import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import click

from monitor.astreinte import Sheet, Unconfirmed
from monitor.command_line import MINUTE, SETTINGS, duty_of, person_of
from monitor.duty import Duty
from monitor.holidays_of_france import french_holidays
from monitor.rest import warnings
from monitor.sheets import lift, rests_of, row_of, sheets_of
from monitor.statement import statement as make_statement
from monitor.statement_files import RatesFaulty, as_csv, as_pdf, rates


@click.command()
@click.argument("person")
@click.option("--from", "starts", type=MINUTE, required=True, help="Begin, local time: 2026-11-24T02:20.")
@click.option("--until", "ends", type=MINUTE, required=True, help="End, local time.")
@click.option("--travel", type=click.IntRange(0, 1440), default=0, help="Minutes of travel, there and back.")
@click.option("--back", type=click.IntRange(0, 1440), help="Of those, the way back; half of them when not given.")
@click.option("--called", type=MINUTE, help="When they were called; of an incident it is known.")
@click.option("--on-site/--remote", default=False, show_default=True)
@click.option("--incident", type=int, default=0, help="Its number, if there is one.")
@click.option("--note", "text", default="", help="What was done.")
@click.option("--result", default="", help="What came of it.")
@SETTINGS
def sheet(person: str, starts: datetime, ends: datetime, file: Path | None, incident: int, **told: object) -> None:
    """Write an intervention sheet of PERSON: working time, travel included. Says where rest is broken.

    Who is left without their weekly rest is off duty for the week that follows: see `parvis oncall rest`.
    """
    duty = duty_of(file)
    zone = duty.roster.zone
    if ends <= starts:
        raise click.ClickException("--until must be later than --from")
    began, ended = (moment.replace(tzinfo=zone) for moment in (starts, ends))
    made = _sheet(person_of(duty, person), began, ended, incident, told)
    with duty.engine.book.page() as entries:
        if incident and entries.row(incident) is None:
            raise click.ClickException(f"there is no incident {incident}; see: parvis oncall incidents --all")
        number = entries.add_sheet(**row_of(made, entries))
        if incident:
            entries.note(incident, time.time(), "sheet", made.person)
    click.echo(f"sheet {number} written")
    for line in warnings(sheets_of(duty.engine.book, zone, made.person), zone):
        click.echo(line)
    _tell_rests(duty, made.person)


def _sheet(person: str, starts: datetime, ends: datetime, incident: int, told: dict[str, object]) -> Sheet:
    travel, back, called = told["travel"], told["back"], told["called"]
    there_and_back = timedelta(minutes=travel if isinstance(travel, int) else 0)
    homeward = timedelta(minutes=back) if isinstance(back, int) else None
    if homeward is not None and homeward > there_and_back:
        raise click.ClickException("--back is a part of --travel; raise --travel")
    return Sheet(
        person,
        starts,
        ends,
        there_and_back,
        bool(told["on_site"]),
        incident,
        str(told["text"])[:1000],
        homeward,
        called.replace(tzinfo=starts.tzinfo) if isinstance(called, datetime) else None,
        str(told["result"])[:1000],
    )


@click.command()
@click.argument("person", required=False)
@click.option("--weekend", type=click.DateTime(["%Y-%m-%d"]), help="The Friday it began on.")
@click.option("--despite", metavar="REASON", help="Put PERSON on duty all the same; the reason is kept.")
@SETTINGS
def rest(person: str | None, weekend: datetime | None, despite: str | None, file: Path | None) -> None:
    """Print who is owed thirty-five hours of rest in a row, and is therefore not on duty. Exit code 1 when somebody is.

    With PERSON, --weekend and --despite: lift it, with the reason.
    """
    duty = duty_of(file)
    if despite is None:
        if _tell_rests(duty, person_of(duty, person) if person else ""):
            sys.exit(1)
        click.echo(f"{person} is owed no rest" if person else "nobody is owed a rest")
        return
    if person is None or weekend is None or not despite.strip():
        raise click.ClickException("say who, since which Friday, and why: AGENT --weekend 2026-06-05 --despite REASON")
    name, friday = person_of(duty, person), weekend.date()
    if (name, friday) not in {(one.person, one.friday) for one in rests_of(duty.engine.book, duty.roster.zone)}:
        raise click.ClickException(f"{name} is owed no rest for the weekend of {friday}; see: parvis oncall rest")
    lift(duty.engine.book, name, friday, despite.strip()[:300])
    click.echo(f"{name} is on duty as the rota says: {despite.strip()}")


def _tell_rests(duty: Duty, person: str) -> bool:
    """Print the rests owed, to *person* or to all; whether there is one."""
    owed = [one for one in rests_of(duty.engine.book, duty.roster.zone) if person in ("", one.person)]
    for one in owed:
        until = f"{one.ends:%Y-%m-%d %H:%M}"
        lift_it = f"parvis oncall rest {one.person} --weekend {one.friday} --despite REASON"
        click.echo(
            f"{one.person} is owed the rest of the weekend of {one.friday}: not on duty until {until}; {lift_it}"
        )
    return bool(owed)


@click.command()
@click.argument("person")
@click.argument("month", type=click.DateTime(["%Y-%m"]))
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder to write into.")
@click.option("--rates", "rates_file", type=click.Path(path_type=Path, dir_okay=False), help="YAML of dated rates.")
@click.option("--category", default="exploitation", show_default=True, help="Kind of astreinte, as in the rates.")
@click.option(
    "--rest", "as_rest", is_flag=True, help="They have chosen rest instead of money, where the rates let them."
)
@SETTINGS
def statement(
    person: str, month: datetime, into: Path, rates_file: Path | None, category: str, as_rest: bool, file: Path | None
) -> None:
    """Write the statement of PERSON for MONTH (2026-11): duties, units, interventions, amount or rest; CSV and PDF."""
    duty = duty_of(file)
    name, roster = person_of(duty, person), duty.roster
    first: date = month.date()
    try:
        known = rates(rates_file)
        own = sheets_of(duty.engine.book, roster.zone, name)
        made = make_statement(roster, name, first, own, known, category, french_holidays(), as_rest=as_rest)
    except (RatesFaulty, Unconfirmed, ValueError) as error:
        raise click.ClickException(str(error)) from error
    into.mkdir(parents=True, exist_ok=True)
    stem = into / f"astreinte-{name}-{month:%Y-%m}"
    stem.with_suffix(".csv").write_text(as_csv(made), "utf-8-sig")
    stem.with_suffix(".pdf").write_bytes(as_pdf(made, roster.town.title.fr))
    for what, count, remark in made.rows():
        click.echo(f"{what}: {count}{f' ({remark})' if remark else ''}")
    for line in (*made.warnings, f"{stem}.csv", f"{stem}.pdf"):
        click.echo(line)
