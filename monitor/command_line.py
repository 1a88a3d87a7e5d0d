"""What the commands that work beside the running monitor share: its settings, its engine, sentences for refusals."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click

from monitor.duty import Duty
from monitor.engine import LinkUsed, Unknown
from monitor.incidents import NotPossible
from monitor.instruments import MonitorMetrics
from monitor.rota import NobodyOnCall
from monitor.settings import MonitorSettings
from monitor.store_file import BookFailed
from parvis import service
from parvis.inventory import InventoryError, load
from parvis.processes import MONITOR
from parvis.settings import load as load_settings

SETTINGS = click.option(
    "--settings", "file", type=click.Path(path_type=Path, dir_okay=False), help="The monitor's TOML file of settings."
)
MINUTE = click.DateTime(["%Y-%m-%dT%H:%M"])
Result = TypeVar("Result")


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


def person_of(duty: Duty, given: str | None) -> str:
    """The person called *given*, without it who is on duty; what is wrong is a sentence."""
    try:
        return duty.roster.person(given).name if given else duty.roster.turn(datetime.now(UTC)).person.name
    except KeyError as error:
        known = ", ".join(person.name for person in duty.roster.town.people)
        raise click.ClickException(f"nobody is called {given}; there are: {known}") from error
    except NobodyOnCall as error:
        raise click.ClickException(f"{error}; say who with --as") from error


def done(what: Callable[[], Result]) -> Result:
    """What *what* returns; what it refuses is a sentence."""
    try:
        return what()
    except (Unknown, NotPossible, LinkUsed) as error:
        raise click.ClickException(f"{error}; see: parvis oncall incidents --all") from error
