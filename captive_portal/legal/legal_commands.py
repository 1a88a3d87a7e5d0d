"""``parvis legal``: all its commands in one group."""

from pathlib import Path

import click

from captive_portal.commands import settings_option
from captive_portal.console.accounts import AccountError
from captive_portal.console.audit import Broken as JournalBroken
from captive_portal.console.audit import NotWritten
from captive_portal.legal import case_commands, keeping_commands, town_commands
from captive_portal.legal.cases import CaseError
from captive_portal.legal.clock_marks import ClockDoubted
from captive_portal.legal.holders import WrongShares
from captive_portal.legal.injunction import NotChosen
from captive_portal.legal.officers import Refused
from captive_portal.legal.orders import OrderError
from captive_portal.legal.reading import Erased
from captive_portal.legal.sealing import NotOurs
from captive_portal.legal.search import Unlawful
from captive_portal.legal.segment import Broken

WORDS = (
    AccountError, Broken, CaseError, ClockDoubted, Erased, JournalBroken, NotWritten, OrderError, Refused, Unlawful,
    WrongShares, NotChosen, NotOurs,
)  # fmt: skip
"""Errors that tell a person what to do."""


class Telling(click.Group):
    """A group whose errors are sentences, not tracebacks."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what is refused becomes exit code 1."""
        try:
            return super().invoke(ctx)
        except WORDS as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Telling)
@settings_option
@click.pass_context
def legal(ctx: click.Context, file: Path | None) -> None:
    """The evidence the law asks for: keys, choices, cases, erasure. Settings are those of parvis archive."""
    ctx.obj = file


for _module in (town_commands, case_commands, keeping_commands):
    for _command in _module.COMMANDS:
        legal.add_command(_command)
