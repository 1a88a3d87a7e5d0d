"""``parvis oncall``: who is on duty, what is going on, acknowledge, note, test a channel, watch from outside.

Sheets and statements are in :mod:`monitor.astreinte_commands`.
"""

import re
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from monitor.astreinte_commands import rest, sheet, statement
from monitor.command_line import MINUTE, SETTINGS, done, duty_of, person_of
from monitor.duty import Duty
from monitor.incidents import LIVE, Event
from monitor.instruments import MonitorMetrics
from monitor.outside import outside_watch
from monitor.rota import NobodyOnCall
from monitor.settings import MonitorSettings
from monitor.web.review import review
from monitor.web.words import Language
from parvis import service
from parvis.processes import MONITOR
from parvis.settings import load as load_settings

ACTIONS = {"ack": Event.ACKNOWLEDGE, "snooze": Event.SNOOZE, "hand-over": Event.HAND_OVER, "close": Event.CLOSE}


@click.group()
def oncall() -> None:
    """Who is on call and what is going on. Reads and writes the monitor's own file, beside the running monitor."""


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
    with duty.engine.book.look() as entries:
        rows = [row for row in entries.rows(200) if everything or row["state"] in LIVE]
    for row in rows:
        since = datetime.fromtimestamp(row["opened_at"], duty.roster.zone)
        owner = f" by {row['owner']}" if row["owner"] else ""
        until = datetime.fromtimestamp(row["until"], duty.roster.zone) if row["until"] is not None else None
        owner += f", calls again {until:%d/%m %H:%M}" if until else ""
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
    """Acknowledge incident NUMBER, or snooze it, hand it over, close it.

    Nobody is called for what is acknowledged, for as long as the rota says; acknowledged again, for as long again.
    """
    duty = duty_of(file)
    name = person_of(duty, person)
    changed = done(lambda: duty.engine.act(number, ACTIONS[action], name, time.time()))
    until = datetime.fromtimestamp(changed.until, duty.roster.zone) if changed.until is not None else None
    click.echo(f"#{number} is {changed.state} ({name}){f', calls again {until:%d/%m %H:%M}' if until else ''}")


@oncall.command()
@click.argument("number", type=int)
@click.argument("text")
@click.option("--as", "person", help="Name in the town's people; without it, who is on duty.")
@SETTINGS
def note(number: int, text: str, person: str | None, file: Path | None) -> None:
    """Add TEXT to the timeline of incident NUMBER."""
    duty = duty_of(file)
    done(lambda: duty.engine.note(number, person_of(duty, person), text, time.time()))
    click.echo(f"noted on #{number}")


@oncall.command("review")
@click.argument("number", type=int)
@click.option("--lang", type=click.Choice(["fr", "en"]), default="fr", show_default=True)
@SETTINGS
def paper(number: int, lang: Language, file: Path | None) -> None:
    """Print incident NUMBER as Markdown, for the meeting after it: course, messages, sheets, what is left to say."""
    text = review(duty_of(file), number, lang)
    if text is None:
        raise click.ClickException(f"there is no incident {number}; see: parvis oncall incidents --all")
    click.echo(text, nl=False)


@oncall.command()
@click.option("--person", help="Name in the town's people, on duty now; without it, level 1.")
@click.option("--channel", help="One channel; without it, each of the person's.")
@SETTINGS
def test(person: str | None, channel: str | None, file: Path | None) -> None:
    """Send a test to who is on duty, by each channel, and print what became of it. Exit code 1 when one fails."""
    duty = duty_of(file)
    name = person_of(duty, person)
    names = duty.engine.policy.channels_of(name)
    if channel and channel not in names:
        raise click.ClickException(f"{name} has no channel {channel}; there are: {', '.join(names) or 'none'}")
    bad = 0
    for one in [channel] if channel else names:
        number = done(partial(duty.engine.test, name, one, time.time()))
        duty.dispatcher.once()
        with duty.engine.book.look() as entries:
            tries = entries.attempts_of(number)
        result, detail = (tries[-1].result.value, tries[-1].detail) if tries else ("taken by the running monitor", "")
        bad += result == "failed"
        click.echo(f"{name} by {one}: {result}{f' ({detail})' if detail else ''}")
    sys.exit(1 if bad or not names else 0)


def web_address(_context: click.Context, _parameter: click.Parameter, given: str) -> str:
    """*given*, if it can be asked: a watch that asks nobody would call somebody every night."""
    if not re.fullmatch(r"https?://[^\s/]\S*", given):
        raise click.BadParameter(f"{given} cannot be asked; write https://NAME or http://NAME:{MONITOR.port}")
    return given


@oncall.command()
@click.argument("url", callback=web_address)
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


for command in (sheet, statement, rest):
    oncall.add_command(command)
