"""``parvis dashboards``: write all that Grafana is provisioned with."""

from collections.abc import Collection
from pathlib import Path

import click

from dashboards.grafana.files import BOARDS_FOLDER, PLACE, SOURCES, files
from dashboards.words import LANGUAGES, Language
from parvis.cli import FOLDER, Faults, town_folder
from parvis.durable import write_whole
from parvis.inventory import InventoryError, load


@click.command()
@town_folder
@click.option("--into", type=FOLDER, required=True, help="Folder to write into; it is made if need be.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="fr", show_default=True, help="What they are read in."
)
@click.option(
    "--datasource", type=click.Choice(SOURCES), default="prometheus", show_default=True, help="What is asked."
)
@click.option("--place", default=PLACE, show_default=True, help="Where INTO will lie on Grafana's machine.")
def dashboards(town: Path, into: Path, language: Language, datasource: str, place: str) -> None:
    """Write Grafana's dashboards, and the files that provision them with their folder and datasources."""
    try:
        found = load(town)
    except InventoryError as error:
        raise Faults(town, error.faults) from error
    made = files(found, language, datasource, place)
    for name, text in made.items():
        path = into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
        click.echo(path)
    for left in _left(into, made):
        click.echo(f"{left}: of a run before this one; Grafana shows it until somebody removes it", err=True)


def _left(into: Path, made: Collection[str]) -> list[Path]:
    """Dashboards in our folder that this run has not written: of another datasource, or of a name there was."""
    return sorted(
        path for path in (into / BOARDS_FOLDER).glob("*.json") if path.relative_to(into).as_posix() not in made
    )
