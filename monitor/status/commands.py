"""``parvis status``: make the public page, send it, say a ready sentence on it."""

import time
from pathlib import Path

import click

from monitor.command_line import duty_of
from monitor.history.recorder import HISTORY_FILE
from monitor.settings import MonitorSettings
from monitor.status.content import Notice
from monitor.status.files import overall
from monitor.status.publish import SECRET, NotPublished, of_duty, published
from monitor.store_history import History
from monitor.store_outages import Register
from monitor.web.words import say
from parvis.settings import SecretMissing
from parvis.settings import load as load_settings

SETTINGS = click.option(
    "--settings", "file", type=click.Path(path_type=Path, dir_okay=False), help="The monitor's TOML file of settings."
)


@click.group()
def status() -> None:
    """The public status page: static, French and English, without script."""


@status.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--push", help="Send it there too: rsync://, sftp://, webdavs://, https:// (else nowhere).")
@SETTINGS
def export(folder: Path, push: str | None, file: Path | None) -> None:
    """Write the page into FOLDER: pages, feeds, calendar, JSON. Each file is replaced whole."""
    settings = load_settings(MonitorSettings, file)
    duty = duty_of(file)
    register = Register(History(settings.state / HISTORY_FILE))
    made = of_duty(duty.roster.town, register, duty, time.time())
    try:
        secret = settings.secret(SECRET) if push else None
    except SecretMissing:
        secret = None
    try:
        paths = published(made, folder, push or "", settings.status_url, secret)
    except NotPublished as error:
        raise click.ClickException(str(error)) from error
    click.echo(overall(made, "en"))
    for path in paths:
        click.echo(path)
    if push:
        click.echo(f"sent to {push}")


@status.command("say")
@click.argument("site")
@click.argument("what", type=click.Choice([one.value for one in Notice]))
@SETTINGS
def said(site: str, what: str, file: Path | None) -> None:
    """Put a ready sentence (WHAT) under the incident of SITE on the public page."""
    settings = load_settings(MonitorSettings, file)
    town = duty_of(file).roster.town
    if site not in {one.site for one in town.sites}:
        raise click.ClickException(f"no site is called {site}; there are: {', '.join(one.site for one in town.sites)}")
    Register(History(settings.state / HISTORY_FILE)).say(site, what, time.time())
    click.echo(say(f"notice-{what}", "fr"))
    click.echo(say(f"notice-{what}", "en"))
