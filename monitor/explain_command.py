"""``parvis explain``: why an alert is there or is not, and why somebody was called for it or nobody."""

import http.client
import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import click

from monitor.command_line import duty_of
from monitor.explain import Asked, Part, asked, explanation
from monitor.explaining import known
from monitor.settings import MonitorSettings
from parvis.alerts import alerts
from parvis.inventory import Town, load
from parvis.processes import MONITOR
from parvis.settings import load as load_settings

POLL_SECONDS = 60
MOST_BYTES = 2_000_000


@click.command()
@click.argument("alert")
@click.option("--site", default="", help="Of this site.")
@click.option("--subject", default="", help="Of this device or uplink.")
@click.option(
    "--poll/--no-poll", default=True, show_default=True, help="Ask the device now: raw values and conversion."
)
@click.option("--settings", "file", type=click.Path(path_type=Path, dir_okay=False), help="The monitor's settings.")
def explain(alert: str, site: str, subject: str, poll: bool, file: Path | None) -> None:
    """Explain ALERT: rule, path, state, last samples, messages, and why somebody was called or nobody.

    Asks the running monitor; without one, says what its files know. Reads only.
    """
    settings = load_settings(MonitorSettings, file)
    town = load(settings.town)
    what = _asked(town, alert, site, subject)
    found = _from_monitor(settings, what)
    if found is None:
        click.echo("The monitor does not answer: this is what its files know.", err=True)
        duty = duty_of(file)
        found = explanation(town, what, known(duty, what, time.time(), (), (), {}))
    for part in found:
        click.secho(part.title, bold=True)
        for name, value in part.rows:
            click.echo(f"  {name} : {value}" if name else f"  {value}")
    if poll and what.subject in {device.name for one in town.sites for device in one.polled()}:
        click.secho("Valeurs brutes, conversion (parvis poll --explain)", bold=True)
        sys.stdout.flush()
        _poll(what.subject)


def _asked(town: Town, alert: str, site: str, subject: str) -> Asked:
    try:
        return asked(town, alert, site, subject)
    except KeyError as error:
        known_ = ", ".join(alerts()) if alert not in alerts() else ", ".join(one.site for one in town.sites)
        raise click.ClickException(f"unknown: {error.args[0]}; there are: {known_}") from error


def _from_monitor(settings: MonitorSettings, what: Asked) -> list[Part] | None:
    """What the running monitor says; None when it does not answer."""
    connection = http.client.HTTPConnection(settings.listen, settings.port or MONITOR.port, timeout=5)
    query = urlencode({"site": what.site, "subject": what.subject})
    try:
        connection.request("GET", f"/explain/{what.name}.json?{query}", headers={"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read(MOST_BYTES)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    if answer.status != http.client.OK:
        return None
    return [Part(part["title"], tuple((row[0], row[1]) for row in part["rows"])) for part in json.loads(body)["parts"]]


def _poll(device: str) -> None:
    """Ask the device by the collectors' own command; what it says stands below."""
    command = str(Path(sys.argv[0])) if Path(sys.argv[0]).name == "parvis" else "parvis"
    try:
        subprocess.run([command, "poll", device, "--explain"], timeout=POLL_SECONDS, check=False)  # noqa: S603 our own
    except (OSError, subprocess.TimeoutExpired) as error:
        click.echo(f"  {type(error).__name__}: parvis poll {device} --explain says more", err=True)
