"""``parvis visit``: one walk of the resident that is a program, step by step."""

import json
import ssl
import sys
from dataclasses import asdict
from pathlib import Path

import click

from captive_portal.visit import Family, Step, Visitor


@click.command()
@click.argument("api")
@click.option("--ca", type=click.Path(path_type=Path, dir_okay=False, exists=True), help="Trust this CA too, PEM.")
@click.option("--ipv4-only", is_flag=True, help="The network has no IPv6.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a step, for a monitor.")
def visit(api: str, ca: Path | None, ipv4_only: bool, as_json: bool) -> None:
    """Find the portal as a phone does, accept, be online, leave, be captive again; run it where a phone would be.

    API is what the lease says (option 114): https://HOST/api/captive. Ends with 1 at the first step that goes wrong.
    """
    trust = ssl.create_default_context()
    if ca is not None:
        trust.load_verify_locations(str(ca))
    families: tuple[Family, ...] = (4,) if ipv4_only else (4, 6)
    wrong = False
    for step in Visitor(api, trust, families).walk():
        click.echo(json.dumps(asdict(step)) if as_json else _line(step))
        wrong = wrong or bool(step.wrong)
    sys.exit(int(wrong))


def _line(step: Step) -> str:
    """One step, for people."""
    return f"{'WRONG' if step.wrong else 'ok   '} {step.seconds * 1e3:7.1f} ms  {step.name}  {step.wrong}".rstrip()
