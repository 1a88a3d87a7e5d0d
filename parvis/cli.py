"""``parvis …``: the kernel's commands, and those the rooms register under the entry-point group parvis.commands."""

import errno
import sys
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from parvis import outputs
from parvis.inventory import DEMO_TOWN, Fault, InventoryError, Town, examine, in_clear_text, load
from parvis.inventory.abeille import to_do
from parvis.settings import SettingsError

OTHERS, FULL = "run it as root, or as whom it belongs to", "make room there and run it again"
TO_DO = {errno.EACCES: OTHERS, errno.EPERM: OTHERS, errno.ENOSPC: FULL, errno.EDQUOT: FULL}
"""What helps where the system refuses a file."""
FOLDER = click.Path(path_type=Path, file_okay=False)


class RoomCommands(click.Group):
    """A group that finds the rooms' commands by entry point, and imports a room only when its command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, the kernel's and the rooms'."""
        return sorted({*super().list_commands(ctx), *entry_points(group="parvis.commands").names})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called *cmd_name*, None if there is none."""
        own = super().get_command(ctx, cmd_name)
        found = entry_points(group="parvis.commands", name=cmd_name)
        if own is not None or not found:
            return own
        command = next(iter(found)).load()
        return command if isinstance(command, click.Command) else None


@click.group(cls=RoomCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="parvis")
def parvis() -> None:
    """Parvis: a town's free public Wi-Fi, whole."""


def town_folder(command: "click.decorators.FC") -> "click.decorators.FC":
    """Add the argument TOWN: a folder, by default $PARVIS_TOWN, else the demo town."""
    return click.argument("town", type=FOLDER, envvar="PARVIS_TOWN", default=DEMO_TOWN)(command)


@parvis.command()
@town_folder
def check(town: Path) -> None:
    """Check a town folder: every fault at once, with file, line and path. Exit code 1 when there is one."""
    found, faults = examine(town, thorough=True)
    if found is not None:
        faults = [fault for faults_of in outputs.checks() for fault in faults_of(found)]
    for fault in faults:
        click.echo(str(fault))
    if faults or found is None:
        click.echo(f"{len(faults)} fault(s) in {town}", err=True)
        sys.exit(1)
    for duty in to_do(found):
        click.echo(f"sites/{duty.site}.yml: to do: {duty.words}")
    today = datetime.now(ZoneInfo(found.timezone)).date()
    for one in in_clear_text(found):
        colour = "red" if one.overdue(today) else None
        click.echo(click.style(f"sites/{one.site.site}.yml: exception: {one.words(today)}", fg=colour))
    devices = sum(1 for site in found.sites for _ in site.polled())
    click.echo(f"{found.title.fr}: {len(found.sites)} sites, {devices} devices, no fault")


@parvis.command()
@town_folder
def show(town: Path) -> None:
    """Print the town as a table: sites, networks, uplinks, equipment, people."""
    from parvis.showing import print_town  # noqa: PLC0415 long-running processes need no tables (rich: 5 MB)

    print_town(_load(town))


@parvis.command()
@click.argument("before", type=FOLDER)
@click.argument("after", type=FOLDER)
@click.option("--only", metavar="TEXT", default="", help="Show only outputs whose name contains TEXT.")
def plan(before: Path, after: Path, only: str) -> None:
    """Print what differs between two town folders in every generated output, as a unified diff.

    Exit code 0: nothing differs; 2: something does; 1: a town has faults.
    """
    differences = outputs.differences(outputs.generate(_load(before)), outputs.generate(_load(after)))
    shown = [difference for difference in differences if only in difference.name]
    for difference in shown:
        colours = {"+": "green", "-": "red", "@": "cyan"}
        for line in difference.lines:
            click.echo(click.style(line, fg=colours.get(line[:1])))
    verbs = [f"{sum(1 for d in shown if d.verb == verb)} {verb}" for verb in ("added", "changed", "removed")]
    click.echo(f"{len(shown)} output(s) differ: {', '.join(verbs)}", err=True)
    sys.exit(2 if shown else 0)


def _load(folder: Path) -> Town:
    try:
        return load(folder)
    except InventoryError as error:
        raise Faults(folder, error.faults) from error


class Faults(click.ClickException):
    """A town folder with faults."""

    def __init__(self, folder: Path, faults: list[Fault]) -> None:
        super().__init__("\n".join([*map(str, faults), f"{len(faults)} fault(s) in {folder}"]))


def main() -> None:
    """Run the command line; an error of the settings, or of a file, is a sentence and not a traceback."""
    try:
        parvis()
    except SettingsError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if not error.filename:
            raise
        todo = TO_DO.get(error.errno or 0)
        click.echo(f"Error: {error.filename}: {error.strerror}{f'; {todo}' if todo else ''}", err=True)
        sys.exit(1)
