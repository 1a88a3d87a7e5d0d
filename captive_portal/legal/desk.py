"""What the commands of ``parvis legal`` work with: the archive's folders, the town's keys, the people."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial, update_wrapper
from typing import Any
from zoneinfo import ZoneInfo

import click

from captive_portal.console.accounts import Accounts
from captive_portal.legal.archive import Keeper
from captive_portal.legal.cases import Cases
from captive_portal.legal.clock_marks import Witness
from captive_portal.legal.commands import read_keys
from captive_portal.legal.ledger import newest_day
from captive_portal.legal.officers import Officers, journal_in
from captive_portal.legal.requisition import Office
from captive_portal.legal.segment import Store
from captive_portal.legal.settings import ArchiveSettings
from parvis.service import town_or_exit
from parvis.settings import load


def with_settings(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the settings first, read when it runs: whoever asks for --help needs none."""

    @click.pass_context
    def run(ctx: click.Context, /, *args: object, **options: object) -> object:
        return ctx.invoke(command, load(ArchiveSettings, ctx.obj), *args, **options)

    return update_wrapper(run, command)


def officers(settings: ArchiveSettings) -> Officers:
    """The accounts and the journal."""
    settings.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    accounts = Accounts(settings.accounts_file())
    return Officers(accounts, settings.state / "acknowledged", journal_in(settings.journal()))


def office(settings: ArchiveSettings) -> Office:
    """Where requisitions are answered."""
    town = town_or_exit(settings)
    return Office(
        settings.folder(),
        settings.keys(),
        Cases(settings.cases()),
        journal_in(settings.journal()),
        read_keys(settings.holders),
        signer(settings),
        town.title.fr,
        ZoneInfo(town.timezone),
    )


def keeper(settings: ArchiveSettings) -> Keeper:
    """Who erases and reports."""
    for folder in (settings.folder(), settings.keys()):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    places = (settings.folder(), settings.keys(), settings.holds())
    journal, clock = journal_in(settings.journal()), Witness(settings.clock(), partial(newest_day, settings.folder()))
    return Keeper(*places, Cases(settings.cases()), settings.reports(), journal, signer(settings), clock)


def signer(settings: ArchiveSettings) -> bytes:
    """The town's private key for signing."""
    path = settings.private() / "signer.key"
    if not path.is_file():
        raise click.ClickException(f"{path} is missing; parvis legal ceremony makes it")
    return path.read_bytes()


def today() -> date:
    """The UTC day."""
    return datetime.now(UTC).date()


def ask_shares(settings: ArchiveSettings, store: Store) -> list[str]:
    """As many holders' shares of *store* as are needed, typed or scanned in, never shown."""
    needed = read_keys(settings.holders).needed
    return [str(click.prompt(f"Share {n + 1} of store {store.value}", hide_input=True)) for n in range(needed)]
