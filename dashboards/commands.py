"""``parvis rules``: write Prometheus's and Alertmanager's files."""

from pathlib import Path

import click

from dashboards.outputs import outputs
from parvis.cli import FOLDER, Faults, town_folder
from parvis.durable import write_whole
from parvis.inventory import InventoryError, load


@click.command()
@town_folder
@click.option("--into", type=FOLDER, required=True, help="Folder to write into; it is made if need be.")
@click.option(
    "--pace", type=click.FloatRange(0.01, 1), default=1.0, show_default=True, help="Makes every wait shorter: a demo."
)
def rules(town: Path, into: Path, pace: float) -> None:
    """Write prometheus.yml, rules.yml, alertmanager.yml, and a file of flags (*.args) for each program."""
    try:
        made = outputs(load(town), pace)
    except InventoryError as error:
        raise Faults(town, error.faults) from error
    into.mkdir(parents=True, exist_ok=True)
    for name, text in made.items():
        write_whole(into / Path(name).name, text)
        click.echo(into / Path(name).name)
