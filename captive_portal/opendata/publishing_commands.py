"""``parvis opendata push`` and ``parvis opendata serve``: what becomes of an export folder."""

import json
from contextlib import closing
from pathlib import Path

import click
from prometheus_client import CollectorRegistry

from captive_portal.opendata.commands import opendata, published_by, settings_option
from captive_portal.opendata.datasets import Row, datasets
from captive_portal.opendata.explore import create_app
from captive_portal.opendata.push import NotPushed, Step, session, to_data_gouv, to_opendatasoft
from captive_portal.opendata.settings import OpenDataSettings
from parvis.durable import write_whole
from parvis.endpoint import Endpoint
from parvis.running import hold
from parvis.service import town_or_exit
from parvis.settings import load

PUSHED = "pushed.json"
"""In the state folder: what was pushed last, by resource."""
EXISTING = click.Path(path_type=Path, file_okay=False, exists=True)


@opendata.command()
@click.argument("folder", type=EXISTING)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@settings_option
def push(folder: Path, dry_run: bool, file: Path | None) -> None:
    """Push the export in FOLDER where town.yml says; only what changed. Exit code 1 when a portal refused."""
    settings = load(OpenDataSettings, file)
    data = published_by(town_or_exit(settings))
    if not data.pushed():
        raise click.ClickException("town.yml: open_data names no portal; write opendatasoft or data_gouv")
    known, refused = _known(settings), []
    with closing(session()) as http:
        steps: list[Step] = []
        try:
            if data.opendatasoft:
                steps += to_opendatasoft(http, data.opendatasoft, folder, settings.secret, known)
            if data.data_gouv:
                steps += to_data_gouv(http, data.data_gouv, folder, settings.secret)
        except FileNotFoundError as error:
            raise click.ClickException(f"{error.filename} is missing; run parvis opendata export first") from error
        except NotPushed as error:
            refused.append(str(error))
        for step in steps:
            click.echo(f"{'would do: ' if dry_run else ''}{step.words}")
            try:
                step.do() if not dry_run else None
            except NotPushed as error:
                refused.append(str(error))
    if not dry_run:
        _remember(settings, known)
    if refused:
        raise click.ClickException("\n".join(refused))
    click.echo("nothing to do" if not steps else f"{len(steps)} step(s){' not done' if dry_run else ' done'}")


def _known(settings: OpenDataSettings) -> dict[str, str]:
    path = settings.state / PUSHED
    try:
        found: dict[str, str] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    except ValueError:
        return {}  # all is pushed again, which changes nothing there
    return found


def _remember(settings: OpenDataSettings, known: dict[str, str]) -> None:
    settings.state.mkdir(parents=True, exist_ok=True)
    write_whole(settings.state / PUSHED, json.dumps(known, indent=1))


@opendata.command()
@click.argument("folder", type=EXISTING)
@click.option("--bind", default="127.0.0.1", show_default=True, help="Address; put a TLS server before it.")
@click.option("--port", type=click.IntRange(0, 65535), default=9280, show_default=True, help="Port.")
@settings_option
def serve(folder: Path, bind: str, port: int, file: Path | None) -> None:
    """Serve the export in FOLDER and a read-only subset of the Explore API v2.1 over it."""
    town = town_or_exit(load(OpenDataSettings, file))
    app = create_app(lambda: rows_of(folder), folder, town.title.fr)
    hold([Endpoint((bind, port), CollectorRegistry(), app=app)], folder=str(folder), port=port)


def rows_of(folder: Path) -> dict[str, list[Row]]:
    """The rows of each dataset of an export, points as (latitude, longitude)."""
    found = {}
    for name, dataset in datasets().items():
        path = folder / f"{name}.json"
        rows: list[Row] = json.loads(path.read_text("utf-8")) if path.exists() else []
        points = [key for key, column in dataset.fields_.items() if column.type == "geopoint"]
        for row in rows:
            row.update({key: (row[key]["lat"], row[key]["lon"]) for key in points if row[key]})
        found[name] = rows
    return found
