"""``parvis backup`` and ``parvis restore``."""

import sys
from pathlib import Path

import click

from upkeep import backup as backing
from upkeep import settle as settling
from upkeep.commands import only_root
from upkeep.machine import ProgramFailed, ask

FOLDER = Path("/var/backups/parvis")


@click.command()
@click.option("--recipient", required=True, help="For whom it is encrypted: a public key of age (age-keygen).")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), default=FOLDER, show_default=True)
@click.option(
    "--days", type=click.IntRange(1, 365), default=14, show_default=True, help="Erase backups older than this."
)
@click.option("--sessions", is_flag=True, help="With living sessions and leases: to move to another machine now.")
def backup(recipient: str, into: Path, days: int, sessions: bool) -> None:
    """Write one encrypted backup, and erase old ones. Without --sessions it holds no resident's address."""
    only_root()
    try:
        made = backing.make(into, recipient, sessions=sessions)
    except (ProgramFailed, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{made}: {made.stat().st_size / 1e6:.1f} MB")
    for old in backing.expire(into, days):
        click.echo(f"{old.name}: erased, older than {days} days")


@click.command()
@click.argument("archive", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--identity", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=True, help="The key."
)
def restore(archive: Path, identity: Path) -> None:
    """Make this machine what ARCHIVE holds, start it, say whether it is well. Needs Debian and this package."""
    only_root()
    try:
        about = backing.restore(archive, identity)
        click.echo(f"{about.host}, {about.made_at}, version {about.version}: put in place")
        for step in settling.carry_out(settling.plan(settling.look())):
            click.echo(str(step))
    except (ProgramFailed, OSError) as error:
        raise click.ClickException(str(error)) from error
    verdict = ask("parvis", "doctor", "--wait", "90", "--brief")
    click.echo(verdict.text, nl=False)
    sys.exit(verdict.code)
