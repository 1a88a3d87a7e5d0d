"""``parvis dpo incident`` and ``parvis dpo arcom``: records, their clocks, what is sent."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
from pydantic import BaseModel, ValidationError

from captive_portal.dpo.arcom import Letter
from captive_portal.dpo.commands import dpo, settings_option
from captive_portal.dpo.duties import CLOSED, over
from captive_portal.dpo.incident import NAMES, Incident, clocks, late, notice, parameters
from captive_portal.dpo.records import NoRecord, Records
from captive_portal.dpo.settings import DpoSettings
from parvis.inventory import Town
from parvis.kept import kept_days
from parvis.service import town_or_exit
from parvis.settings import load

Made = TypeVar("Made", bound=BaseModel)
AT = {"metavar": "2026-11-30T14:05", "help": "In the town's time."}


class Desk:
    """What the commands of one kind of record need."""

    def __init__(self, file: Path | None) -> None:
        settings = load(DpoSettings, file)
        self.town: Town = town_or_exit(settings)
        self.zone = ZoneInfo(self.town.timezone)
        self.now = datetime.now(UTC).astimezone(self.zone)
        self.incidents = Records(settings.folder("incidents"), Incident)
        self.letters = Records(settings.folder("arcom"), Letter)

    def at(self, text: str | None) -> datetime | None:
        """A moment as people write it, in the town's time where it says no other."""
        if text is None:
            return None
        try:
            found = datetime.fromisoformat(text)
        except ValueError as error:
            raise click.UsageError(f"{text!r} is no moment; write it as 2026-11-30T14:05") from error
        return found if found.tzinfo else found.replace(tzinfo=self.zone)

    def incident(self, number: str) -> Incident:
        """The record *number*; a sentence when there is none."""
        try:
            return self.incidents.read(number)
        except NoRecord as error:
            raise click.ClickException(str(error)) from error

    def tell_if_over(self, folder: str, record: BaseModel) -> None:
        """Say so when *record*, of the kind kept in *folder*, may be kept no longer: it is not listed for ever."""
        kind, closed = CLOSED[folder]
        if over(closed(record.model_dump(mode="json")), kept_days(kind), self.now.astimezone(UTC).date()):
            click.echo("  its time is over: the console erases it within the hour, once it believes its clock")


def checked(make: Callable[[], Made], town: Town | None = None) -> Made:
    """What *make* makes; a sentence for each value that cannot be."""
    try:
        made = make()
        for name in getattr(made, "sites", ()) if town else ():
            town.site(name) if town else None
    except ValidationError as error:
        words = [
            f"{'.'.join(map(str, one['loc'])) or 'record'}: {one['msg']}" for one in error.errors(include_url=False)
        ]
        raise click.ClickException("\n".join(words)) from error
    except KeyError as error:
        raise click.ClickException(str(error.args[0])) from error
    return made


@dpo.group()
def incident() -> None:
    """Incidents: the five parameters of D.98-5, and who must be told by when."""


def facts_options(command: Callable[..., None]) -> Callable[..., None]:
    """What may be said of an incident when it is opened, and later."""
    for option in (
        click.option("--ended", **AT),  # type: ignore[arg-type]
        click.option("--users", type=click.IntRange(0), help="Users affected; leave out while it is not known."),
        click.option("--measures", help="What has been done."),
        click.option(
            "--personal-data/--no-personal-data", default=None, help="Personal data were seen, lost or changed."
        ),
        click.option("--high-risk/--no-high-risk", default=None, help="For the people concerned (art. 34)."),
        click.option("--cyber/--no-cyber", default=None, help="An attack: ANSSI is told."),
    ):
        command = option(command)
    return command


@incident.command(name="open")
@click.option("--title", required=True, help="In a few words.")
@click.option("--began", required=True, **AT)  # type: ignore[arg-type]
@click.option(
    "--aware", help="When the town knew; the clocks run from then. By default now.", metavar="2026-11-30T14:05"
)
@click.option("--site", "sites", multiple=True, required=True, help="A site touched; several times for several.")
@click.option(
    "--degree", type=click.Choice(["total", "partial", "none"]), required=True, help="How far the service failed."
)
@click.option("--impact", required=True, help="What follows for residents.")
@facts_options
@settings_option
def open_(file: Path | None, began: str, aware: str | None, ended: str | None, **said: Any) -> None:
    """Write a new incident down; prints its number and its clocks."""
    desk = Desk(file)
    number = desk.incidents.next_number(desk.now.year)
    times = {"began": desk.at(began), "aware": desk.at(aware) or desk.now, "ended": desk.at(ended)}
    given = {key: value for key, value in said.items() if value is not None}
    made = checked(lambda: Incident.model_validate({"number": number, **given, **times}), desk.town)
    desk.incidents.write(number, made)
    _show(made, desk)


@incident.command()
@click.argument("number")
@click.option("--impact", help="What follows for residents.")
@facts_options
@settings_option
def update(number: str, file: Path | None, ended: str | None, **said: Any) -> None:
    """Say what is known now of the incident NUMBER."""
    desk = Desk(file)
    given = {key: value for key, value in said.items() if value is not None}
    given |= {"ended": desk.at(ended)} if ended else {}
    old = desk.incident(number).model_dump()
    made = checked(lambda: Incident.model_validate(old | given))
    desk.incidents.write(number, made)
    _show(made, desk)


@incident.command()
@click.argument("number")
@click.argument("authority", type=click.Choice(list(NAMES)))
@click.option("--at", **AT)  # type: ignore[arg-type]
@settings_option
def told(number: str, authority: str, at: str | None, file: Path | None) -> None:
    """Write down that AUTHORITY was told of the incident NUMBER; its clock stops."""
    desk = Desk(file)
    old = desk.incident(number)
    if authority not in {clock.authority for clock in clocks(old)}:
        raise click.ClickException(f"{number}: {authority} has no clock here; update the incident first")
    when = desk.at(at) or desk.now
    made = checked(lambda: Incident.model_validate(old.model_dump() | {"told": {**old.told, authority: when}}))
    desk.incidents.write(number, made)
    _show(made, desk)


@incident.command(name="notice")
@click.argument("number")
@settings_option
def notice_(number: str, file: Path | None) -> None:
    """Print the notice of the incident NUMBER, filled in."""
    desk = Desk(file)
    click.echo(notice(desk.incident(number), desk.town, desk.now), nl=False)


@incident.command(name="list")
@settings_option
def list_(file: Path | None) -> None:
    """Print every incident and its clocks. Exit code 1 when a clock has run out."""
    desk = Desk(file)
    overdue = 0
    for number in desk.incidents.numbers():
        one = desk.incident(number)
        _show(one, desk)
        desk.tell_if_over("incidents", one)
        overdue += bool(late(one, desk.now))
    if overdue:
        raise click.ClickException(f"{overdue} incident(s) with somebody who should have been told")


def _show(one: Incident, desk: Desk) -> None:
    click.echo(f"{one.number}  {one.title}")
    for name, words in parameters(one, desk.town, desk.now).items():
        click.echo(f"  {name} : {words}")
    for clock in clocks(one):
        click.echo(f"  {NAMES[clock.authority]} : {clock.says(desk.now)}")


@dpo.group()
def arcom() -> None:
    """Letters from Arcom about an infringement: what is in place, and the year in which a second one counts."""


@arcom.command()
@click.option("--received", required=True, metavar="2026-11-30", help="The day it came.")
@click.option("--reference", required=True, help="Arcom's reference.")
@click.option(
    "--alleged", required=True, metavar="2026-11-02T21:14", help="When the infringement is said to have been."
)
@click.option("--measure", "measures", multiple=True, required=True, help="What is in place against it; several times.")
@settings_option
def received(received: str, alleged: str, file: Path | None, **said: Any) -> None:
    """Write a letter down; prints until when a second one would count."""
    desk = Desk(file)
    number = desk.letters.next_number(desk.now.year)
    facts = {"number": number, "received": received, "alleged": desk.at(alleged), **said}
    letter = checked(lambda: Letter.model_validate(facts))
    desk.letters.write(number, letter)
    click.echo(f"{number}  {letter.reference}: a second letter counts until {letter.watch_ends}")


@arcom.command(name="list")
@settings_option
def letters(file: Path | None) -> None:
    """Print every letter."""
    desk = Desk(file)
    today = desk.now.date()
    try:
        found = desk.letters.all()
    except NoRecord as error:
        raise click.ClickException(str(error)) from error
    for letter in found:
        state = f"watched until {letter.watch_ends}" if letter.watched(today) else f"the year ended {letter.watch_ends}"
        click.echo(f"{letter.number}  {letter.reference}  received {letter.received}  {state}")
        for measure in letter.measures:
            click.echo(f"  {measure}")
        desk.tell_if_over("arcom", letter)
