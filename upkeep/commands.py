"""``parvis settle``, ``parvis doctor`` and what else looks after an installed machine."""

import json
import os
import sqlite3
import sys
import time
from dataclasses import asdict
from pathlib import Path

import click

from parvis.diagnosis import Diagnosis
from upkeep import doctor as looking
from upkeep import settle as settling
from upkeep.machine import ProgramFailed

SIGNS = {"ok": ("ok   ", "green"), "look": ("LOOK ", "yellow"), "wrong": ("WRONG", "red")}
AGAIN_SECONDS = 2.0


def only_root() -> None:
    """A sentence instead of a hundred refusals."""
    if os.geteuid():
        raise click.ClickException("it looks at what only root sees; run it with sudo")


@click.command()
@click.option("--check", is_flag=True, help="Only say what would be done; exit code 2 when something would.")
def settle(check: bool) -> None:
    """Start again, in order, what runs on older files than those on disk. Run it after a change by hand."""
    only_root()
    steps = settling.plan(settling.look())
    if check:
        for step in steps:
            click.echo(str(step))
        sys.exit(2 if steps else 0)
    try:
        for step in settling.carry_out(steps):
            click.echo(str(step))
    except ProgramFailed as error:
        raise click.ClickException(str(error)) from error


@click.command()
@click.option("--wait", metavar="SECONDS", type=float, default=0.0, help="Look again until all is well, for so long.")
@click.option("--brief", is_flag=True, help="Only what is not well.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def doctor(wait: float, brief: bool, as_json: bool) -> None:
    """Say what is wrong on this machine, in words, with the fix. Exit code 1 when something is."""
    only_root()
    deadline = time.monotonic() + wait
    while True:
        found = list(looking.diagnoses())
        if time.monotonic() >= deadline or not any(one.level == "wrong" for one in found):
            break
        time.sleep(AGAIN_SECONDS)
    for one in found:
        if not (brief and one.level == "ok"):
            click.echo(json.dumps(asdict(one), ensure_ascii=False) if as_json else told(one))
    sys.exit(1 if any(one.level == "wrong" for one in found) else 0)


def told(one: Diagnosis) -> str:
    """One line for people, and what to do below it."""
    sign, colour = SIGNS[one.level]
    fix = f"\n        → {one.fix}" if one.fix else ""
    return click.style(sign, fg=colour) + f"  {one.about}: {one.words}{fix}"


@click.command(hidden=True)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def keep(folder: Path) -> None:
    """Keep in FOLDER what this machine is, so that FOLDER/put-back can bring it back: before an upgrade."""
    from upkeep.keeping import keep as keep_all  # noqa: PLC0415 settle and doctor need no tar

    only_root()
    try:
        keep_all(folder)
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"what is there cannot be kept: {error}") from error
