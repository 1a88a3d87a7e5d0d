"""``parvis console``: the staff console, its accounts, its audit log."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from captive_portal.commands import FILE, long_enough
from captive_portal.console.accounts import Account, AccountError, Accounts
from captive_portal.console.audit import Audit, Broken
from captive_portal.console.roles import Role
from captive_portal.legal.clock_marks import Witness
from captive_portal.settings import ConsoleSettings
from parvis.catalogue import definitions
from parvis.launch import become
from parvis.processes import CONSOLE
from parvis.service import start_logging, town_or_exit, warn_of_strangers
from parvis.settings import SettingsError, load

settings_option = click.option("--settings", "file", type=FILE, help="The settings, TOML; else $PARVIS_SETTINGS.")
password_option = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group(invoke_without_command=True)
@settings_option
@click.option(
    "--clock-is-right", "by", metavar="NAME", help="Only note that NAME answers for this machine's clock, and end."
)
@click.pass_context
def console(ctx: click.Context, file: Path | None, by: str | None) -> None:
    """Run the staff console; or, with a command, look after its accounts and its audit log."""
    ctx.obj = file
    if by:
        settings = load(ConsoleSettings, file)
        Witness(settings.clock(), Audit(settings.audit()).newest_day).remember(by)
        click.echo(f"{settings.clock()}: {by} answers for the clock; what is over goes within the hour")
        ctx.exit()
    if ctx.invoked_subcommand is None:
        settings = load(ConsoleSettings, file)
        start_logging(CONSOLE.name, settings.log_level)
        warn_of_strangers(settings)
        become("captive_portal.console.process", console_facts(settings))


def console_facts(settings: ConsoleSettings) -> dict[str, Any]:
    """What the console needs, and nothing more; SettingsError when a file or a secret is missing."""
    town = town_or_exit(settings)
    for name in ("certificate", "key", "authority"):
        if not getattr(settings, name).is_file():
            raise SettingsError(f"{name}: {getattr(settings, name)} is no file; deliver it")
    port = settings.management_port
    return {
        "log_level": settings.log_level,
        "town": str(settings.town),
        "listen": settings.listen,
        "port": settings.port or CONSOLE.port,
        "metrics": [asdict(entry) for entry in definitions(CONSOLE.name)],
        "title": town.title.by_language(),
        "timezone": town.timezone,
        "sites": [
            {
                "name": site.site,
                "title": site.title.by_language(),
                "address": str(site.gateway.address),
                "port": port,
            }
            for site in town.sites
        ],
        "token": long_enough(settings, "management-token"),
        "authority": str(settings.authority),
        "certificate": str(settings.certificate),
        "key": str(settings.key),
        "bind": settings.bind,
        "https_port": settings.https_port,
        "accounts": str(settings.accounts()),
        "audit": str(settings.audit()),
        "clock": str(settings.clock()),
        "records": str(settings.records()),
        "acknowledged": str(settings.acknowledged()),
        "oidc": oidc_facts(settings),
    }


def oidc_facts(settings: ConsoleSettings) -> dict[str, Any] | None:
    """The town's sign-in service; None when there is none. SettingsError when it is half described."""
    if not settings.oidc_issuer:
        return None
    if not (settings.oidc_client and settings.oidc_return and settings.oidc_roles):
        raise SettingsError("oidc_issuer: wants oidc_client, oidc_return and oidc_roles beside it")
    return {
        "issuer": settings.oidc_issuer,
        "client": settings.oidc_client,
        "secret": settings.secret("console-oidc").reveal(),
        "back": settings.oidc_return,
        "claim": settings.oidc_claim,
        "roles": settings.oidc_roles,
    }


@console.group()
def account() -> None:
    """Local accounts: a password and a code from the phone (TOTP)."""


@account.command()
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True, help="What NAME may do.")
@password_option
@click.pass_obj
def add(file: Path | None, name: str, role: str, password_stdin: bool) -> None:
    """Make an account; prints the code to scan with an authenticator."""
    settings = load(ConsoleSettings, file)
    _show(_or_sentence(lambda: _accounts(settings).add(name, Role(role), _password(password_stdin))), settings)


@account.command()
@click.argument("name")
@password_option
@click.pass_obj
def reset(file: Path | None, name: str, password_stdin: bool) -> None:
    """Give NAME a new password and a new code; its sessions end."""
    settings = load(ConsoleSettings, file)
    _show(_or_sentence(lambda: _accounts(settings).reset(name, _password(password_stdin))), settings)


@account.command()
@click.argument("name")
@click.pass_obj
def disable(file: Path | None, name: str) -> None:
    """Refuse NAME from now on; its sessions end."""
    _or_sentence(lambda: _accounts(load(ConsoleSettings, file)).disable(name))
    click.echo(f"{name}: disabled")


@account.command(name="list")
@click.pass_obj
def list_(file: Path | None) -> None:
    """Print every account, its role, and whether it is disabled."""
    for found in _or_sentence(lambda: _accounts(load(ConsoleSettings, file)).all()).values():
        click.echo(f"{found.name:40} {found.role.value:14}{' disabled' if found.disabled else ''}".rstrip())


@console.group()
def audit() -> None:
    """What staff did."""


@audit.command()
@click.pass_obj
def verify(file: Path | None) -> None:
    """Check the log's chain; prints the number of lines and the last hash. Exit code 1 when it is broken."""
    path = load(ConsoleSettings, file).audit()
    try:
        count, digest = Audit(path).verify()
    except Broken as error:
        click.echo(f"{path}: broken at {error}", err=True)
        sys.exit(1)
    click.echo(f"{path}: {count} lines, whole; the last hash is {digest}")


def _accounts(settings: ConsoleSettings) -> Accounts:
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Accounts(settings.accounts())


def _or_sentence(work: Any) -> Any:
    try:
        return work()
    except AccountError as error:
        raise click.ClickException(str(error)) from error


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


def _show(made: Account, settings: ConsoleSettings) -> None:
    """What the phone scans; shown once."""
    import segno  # noqa: PLC0415 only here

    uri = made.uri(town_or_exit(settings).title.fr)
    segno.make(uri).terminal(compact=True)
    click.echo(f"{made.name} ({made.role.value}): scan the code above, or type this secret: {made.totp}")
