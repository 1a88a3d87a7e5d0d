"""``parvis legal``: the town's keys, its choice about the injunction, its accounts."""

import itertools
import os
import sys
from datetime import datetime
from pathlib import Path

import click

from captive_portal.commands import FILE
from captive_portal.console.roles import Role
from captive_portal.legal import ceremony, injunction
from captive_portal.legal.commands import read_keys
from captive_portal.legal.desk import ask_shares, officers, signer, today, with_settings
from captive_portal.legal.officers import journal_in
from captive_portal.legal.segment import Store
from captive_portal.legal.settings import ArchiveSettings
from parvis.durable import write_whole
from parvis.service import town_or_exit

DATE = click.DateTime(formats=["%Y-%m-%d"])


@click.command(name="ceremony")
@click.option("--holder", "names", multiple=True, required=True, help="A key holder; three are a good number.")
@click.option("--needed", default=2, show_default=True, type=click.IntRange(2, 16), help="How many must agree.")
@click.option(
    "--shares-into", type=click.Path(path_type=Path, file_okay=False), help="A file a holder, not the screen."
)
@click.option(
    "--renew", is_flag=True, help="Replace the keys there are: for holders who leave. Old days need old shares."
)
@with_settings
def ceremony_(
    settings: ArchiveSettings, names: tuple[str, ...], needed: int, shares_into: Path | None, renew: bool
) -> None:
    """Make the town's keys and hand each holder a share, in words for a sealed envelope."""
    if settings.holders.exists() and not renew:
        raise click.ClickException(f"{settings.holders} is there; --renew replaces the keys, for holders who leave")
    try:
        made = ceremony.hold(names, today().isoformat(), needed)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    private = settings.private()
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, key in (("signer.key", made.signer), ("security.key", made.security)):
        _set_aside(private / name, f"{name}.until-{today().isoformat()}")
        _secret_file(private / name, key)
    for name in names:
        _hand_over(name, made.shares[name], shares_into)
    holders = settings.holders  # days sealed until now open with the shares of these
    _set_aside(holders, f"{holders.stem}.until-{today().isoformat()}", holders.suffix)
    write_whole(settings.holders, made.public.text().encode())
    settings.holders.chmod(0o644)
    for what, digits in made.public.prints().items():
        click.echo(f"{what:12} {digits}")
    journal_in(settings.journal()).note("parvis", "ceremony", how=f"{len(names)} holders, {needed} needed")
    click.echo(
        f"{settings.holders}: copy it to every gateway. Try the shares now: parvis legal try A, parvis legal try B"
    )


def _set_aside(path: Path, stem: str, suffix: str = "") -> None:
    """Give the file its former place; a second renewal on one day overwrites nothing."""
    if path.exists():
        places = (path.with_name(f"{stem}{f'.{n}' if n else ''}{suffix}") for n in itertools.count())
        path.rename(next(place for place in places if not place.exists()))


def _hand_over(name: str, shares: dict[Store, str], into: Path | None) -> None:
    text = "".join(f"{name}, store {store.value}: {words}\n" for store, words in shares.items())
    if into is not None:
        into.mkdir(parents=True, exist_ok=True, mode=0o700)
        _secret_file(into / f"{name}.txt", text.encode())
        return
    click.prompt(f"Only {name} looks at the screen; press Enter", default="", show_default=False)
    click.echo(text)
    click.prompt("Written down and read again? Press Enter", default="", show_default=False)
    click.clear()


def _secret_file(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400), "wb") as file:
        file.write(data)


@click.command(name="try")
@click.argument("store", type=click.Choice(["A", "B"]))
@with_settings
def try_(settings: ArchiveSettings, store: str) -> None:
    """Test whether two shares of STORE open it; reads nothing."""
    ceremony.opened(ask_shares(settings, Store(store)), read_keys(settings.holders).stores[Store(store)])
    journal_in(settings.journal()).note("parvis", "try", about=f"store {store}", how="the shares open it")
    click.echo(f"store {store}: these shares open it")


@click.command(name="injunction")
@click.option("--on/--off", "enabled", required=True, help="Whether communications are recorded (store B).")
@click.option("--by", required=True, help="Who chooses: name and office.")
@click.option("--decree", default="", help="The decree, such as 'décret n° 2025-980'.")
@click.option("--from", "begins", type=DATE, help="First UTC day.")
@click.option("--to", "ends", type=DATE, help="Last UTC day.")
@click.option("--into", type=FILE, required=True, help="The file to copy to every gateway.")
@with_settings
def injunction_(
    settings: ArchiveSettings,
    enabled: bool,
    by: str,
    decree: str,
    begins: datetime | None,
    ends: datetime | None,
    into: Path,
) -> None:
    """Write down a named person's choice whether communications are recorded; gateways do not start without one."""
    days = [moment.date().isoformat() if moment else "" for moment in (begins, ends)]
    choice = injunction.Choice(enabled, by, today().isoformat(), decree, *days)
    if wrong := choice.faults():
        raise click.ClickException(f"the choice {wrong}")
    words = f"on, {decree}, {days[0]} to {days[1]}" if enabled else "off"
    journal_in(settings.journal()).note("parvis", "injunction", why=by, how=words)
    write_whole(into, choice.text(signer(settings)).encode())
    click.echo(f"{into}: communications are {'recorded, ' + words if enabled else 'not recorded'}; chosen by {by}")


@click.command()
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True, help="What NAME may do.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_settings
def account(settings: ArchiveSettings, name: str, role: str, password_stdin: bool) -> None:
    """Make an account: a password and a code from the phone (TOTP)."""
    import segno  # noqa: PLC0415 only here

    given = sys.stdin.readline().rstrip("\n") if password_stdin else _new_password()
    made = officers(settings).accounts.add(name, Role(role), given)
    journal_in(settings.journal()).note("parvis", "account", how=f"{name}, {role}")
    segno.make(made.uri(town_or_exit(settings).title.fr)).terminal(compact=True)
    click.echo(f"{made.name} ({made.role.value}): scan the code above, or type this secret: {made.totp}")


def _new_password() -> str:
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


COMMANDS = (ceremony_, try_, injunction_, account)
