"""``parvis dpo``: register, impact assessment, retention report, journal review."""

import json
import sqlite3
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from captive_portal.commands import FILE
from captive_portal.console.audit import Audit, Broken
from captive_portal.dpo import register as register_
from captive_portal.dpo.journal import review
from captive_portal.dpo.records import write_down
from captive_portal.dpo.retention import Kept, report
from captive_portal.dpo.settings import DpoSettings
from parvis.data_inventory import data_inventory
from parvis.papers import pdf
from parvis.service import town_or_exit
from parvis.settings import load

settings_option = click.option("--settings", "file", type=FILE, help="The settings, TOML; else $PARVIS_SETTINGS.")
MOST_ENTRIES = 1_000_000
SHOWN = ("kind", "basis", "kept", "readers")
"""The columns of the register's PDF, below each processing."""


@click.group()
def dpo() -> None:
    """The data protection officer's tools: register, retention, journal, incidents, letters."""


@dpo.command()
@click.argument("out", type=FILE)
@settings_option
def register(out: Path, file: Path | None) -> None:
    """Write the register of art. 30 to OUT: its ending says the format, .csv, .html or .pdf."""
    town, today = town_or_exit(load(DpoSettings, file)), datetime.now(UTC).date().isoformat()
    inventory = data_inventory()
    rows = list(register_.lines(inventory, town))
    if out.suffix == ".csv":
        out.write_text(register_.as_csv(rows), "utf-8-sig")
    elif out.suffix == ".html":
        out.write_text(register_.as_html(inventory, town, today), "utf-8")
    elif out.suffix == ".pdf":
        title = f"Registre des activités de traitement (RGPD, art. 30) - {town.title.fr}, {today}"
        header = [register_.HEAD[name] for name in SHOWN]
        tables = [
            (one.title, header, [[getattr(row, name) for name in SHOWN] for row in rows if row.processing == one.title])
            for one in inventory.processings.values()
        ]
        out.write_bytes(pdf(title, tables, [f"Responsable : {rows[0].controller}", f"DPO : {rows[0].dpo}"], wide=True))
    else:
        raise click.UsageError(f"{out}: write a name that ends in .csv, .html or .pdf")
    click.echo(f"{out}: {len(inventory.processings)} processings, {len(rows)} kinds of data")


@dpo.command()
@click.argument("out", type=FILE)
@settings_option
def assessment(out: Path, file: Path | None) -> None:
    """Write the light impact assessment (art. 35) to OUT, HTML, to be read and signed."""
    town, today = town_or_exit(load(DpoSettings, file)), datetime.now(UTC).date().isoformat()
    out.write_text(register_.assessment(data_inventory(), town, today), "utf-8")
    click.echo(f"{out}: written; the officer's opinion is still to be added")


@dpo.command()
@click.argument("folders", type=click.Path(path_type=Path, file_okay=False, exists=True), nargs=-1, required=True)
@click.option("--keep", is_flag=True, help="Keep the report among the officer's records.")
@settings_option
def retention(folders: tuple[Path, ...], keep: bool, file: Path | None) -> None:
    """Say what the state FOLDERS of our processes hold, and since when. Exit code 1 when something is over its time."""
    now = time.time()
    try:
        found = [kept for folder in folders for kept in report(data_inventory(), folder, now)]
    except sqlite3.Error as error:
        raise click.ClickException(f"a database cannot be read: {error}") from error
    for kept in found:
        click.echo(kept.says())
    if keep:
        _keep(load(DpoSettings, file), found, now)
    late = [kept for kept in found if kept.over]
    if late:
        raise click.ClickException(f"{len(late)} kind(s) of data are kept longer than the inventory allows")
    click.echo(f"{len(found)} place(s), nothing over its time")


def _keep(settings: DpoSettings, found: list[Kept], now: float) -> None:
    """Write the report down; the console erases it in time."""
    path = settings.folder("retention") / f"{datetime.fromtimestamp(now, UTC).date()}.json"
    write_down(path, json.dumps([asdict(kept) for kept in found], indent=1) + "\n")


@dpo.command()
@click.option("--month", metavar="2026-11", help="By default this month so far.")
@settings_option
def journal(month: str | None, file: Path | None) -> None:
    """Review what staff did in a month. Exit code 1 when the log's chain is broken."""
    settings = load(DpoSettings, file)
    town = town_or_exit(settings)
    folder = settings.audit or settings.state / "audit"
    if not folder.is_dir():
        raise click.ClickException(f"{folder}: no audit log there; say where in the setting audit")
    try:
        entries = Audit(folder).newest(MOST_ENTRIES)[::-1]
    except Broken as error:
        raise click.ClickException(f"{folder}: broken at {error}") from error
    found = review(entries, month or f"{datetime.now(UTC):%Y-%m}", ZoneInfo(town.timezone))
    click.echo("\n".join(found.lines()))
