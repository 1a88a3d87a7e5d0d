"""``parvis support``."""

from pathlib import Path

import click

from upkeep import support as supporting
from upkeep.commands import only_root


@click.command()
@click.option(
    "--into", type=click.Path(path_type=Path, dir_okay=False), default=Path("parvis-support.tar.gz"), show_default=True
)
def support(into: Path) -> None:
    """Write a bundle for whoever helps from outside: no resident, no person, no secret is in it."""
    only_root()
    into.write_bytes(supporting.bundle())
    into.chmod(0o600)
    click.echo(f"{into}: look into it before you send it (tar tzf {into})")
