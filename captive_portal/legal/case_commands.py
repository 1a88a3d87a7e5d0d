"""``parvis legal``, what needs named people: the secrecy notice, cases, searches, the journal."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from captive_portal.commands import FILE
from captive_portal.console.accounts import Account
from captive_portal.console.roles import Role
from captive_portal.legal import requisition, sealing
from captive_portal.legal.cases import BASES, Case, CaseError, Cases
from captive_portal.legal.desk import ask_shares, office, officers, today, with_settings
from captive_portal.legal.ledger import names_in
from captive_portal.legal.officers import NOTICE, NOTICE_VERSION, Refused, journal_in
from captive_portal.legal.reading import blocks, records_in
from captive_portal.legal.search import AtMoment, OfDevice, OfSession, Question, Unlawful, is_long
from captive_portal.legal.segment import Store
from captive_portal.legal.settings import ArchiveSettings
from parvis.addresses import MacAddress
from parvis.durable import write_whole
from parvis.service import town_or_exit

REQUISITION = frozenset({Role.REQUISITION, Role.REQUISITION_B})
TRAFFIC = frozenset({Role.REQUISITION_B})
DPO = frozenset({Role.DPO})
SECURITY = frozenset({Role.SECURITY})


def sign_in(
    settings: ArchiveSettings,
    did: str,
    roles: frozenset[Role],
    title: str = "",
    about: str = "",
    *,
    notice: bool = True,
) -> Account:
    """Ask who is there; Refused, and journaled, when it may not be."""
    prefix = f"{title}: " if title else ""
    name = str(click.prompt(f"{prefix}name"))
    password = str(click.prompt(f"{prefix}password", hide_input=True))
    code = str(click.prompt(f"{prefix}code of the phone"))
    found = officers(settings)
    account = found.sign_in(name, password, code, did, roles, about)
    if notice:
        found.must_have_read(account, did)
    return account


@click.command()
@with_settings
def acknowledge(settings: ArchiveSettings) -> None:
    """Read the secrecy notice and say so; nothing else works before."""
    account = sign_in(settings, "acknowledge", frozenset(Role), notice=False)
    click.echo(NOTICE)
    if click.prompt("Tapez « lu et compris » / type « lu et compris »").strip().lower() != "lu et compris":
        raise click.ClickException("not acknowledged; nothing was written")
    officers(settings).acknowledge(account)
    click.echo(f"{account.name}: notice {NOTICE_VERSION} acknowledged")


@click.group()
def case() -> None:
    """Cases: without one nobody reads."""


@case.command(name="open")
@click.option("--authority", required=True, help="Who asks, such as 'Commissariat du Kremlin-Bicêtre'.")
@click.option("--basis", type=click.Choice(list(BASES)), required=True, help="The legal basis.")
@click.option("--reference", required=True, help="The order's own reference.")
@click.option("--dated", type=click.DateTime(formats=["%Y-%m-%d"]), required=True, help="The order's date.")
@click.option("--order", type=click.Path(path_type=Path, dir_okay=False, exists=True), required=True, help="Its scan.")
@with_settings
def case_open(
    settings: ArchiveSettings, authority: str, basis: str, reference: str, dated: datetime, order: Path
) -> None:
    """Open a case for an order on paper; somebody else approves it."""
    account = sign_in(settings, "case open", REQUISITION)
    here = office(settings)
    number = here.cases.new_id(today())
    digest = requisition.order_digest(order)
    made = Case(number, authority, basis, reference, f"{dated:%Y-%m-%d}", digest, account.name, today().isoformat())
    here.cases.save(made)
    words = f"parvis case {number} order"
    sealed = sealing.seal(here.public.stores[Store.SOURCE], order.read_bytes(), words)
    write_whole(here.cases.place(number) / "order.sealed", sealed, 0o600)
    here.journal.note(account, "case open", about=f"case {number}", why=basis)
    click.echo(f"case {number} is open; a second person approves it: parvis legal case approve {number}")


@case.command(name="approve")
@click.argument("number")
@click.option("--wide", is_flag=True, help="Also for windows of more than 24 hours.")
@with_settings
def case_approve(settings: ArchiveSettings, number: str, wide: bool) -> None:
    """Approve case NUMBER, as somebody else than who opened it."""
    cases = Cases(settings.cases())
    found = cases.find(number)
    account = sign_in(settings, "case approve", REQUISITION, about=f"case {number}")
    journal = journal_in(settings.journal())
    try:
        approved = found.approved(account.name, wide=wide)
    except CaseError:
        journal.note(account, "case approve", about=f"case {number}", how="refused: the same person")
        raise
    cases.save(approved)
    journal.note(account, "case approve", about=f"case {number}", how="more than 24 hours" if wide else "")
    click.echo(f"case {number} is approved{' for more than 24 hours' if wide else ''}")


@case.command(name="close")
@click.argument("number")
@with_settings
def case_close(settings: ArchiveSettings, number: str) -> None:
    """Close case NUMBER; a year later all but its lines in the journal is removed."""
    cases = Cases(settings.cases())
    found = cases.find(number)
    account = sign_in(settings, "case close", REQUISITION, about=f"case {number}")
    cases.save(replace(found, closed=today().isoformat()))
    journal_in(settings.journal()).note(account, "case close", about=f"case {number}")
    click.echo(f"case {number} is closed")


@case.command(name="list")
@with_settings
def case_list(settings: ArchiveSettings) -> None:
    """Print the cases: numbers, bases, who acted. What was asked and answered is not shown."""
    for one in Cases(settings.cases()).all():
        state = "closed" if one.closed else "approved" if one.approved_by else "waits for approval"
        click.echo(f"{one.id} {one.opened} {one.basis:15} {one.reference:30} {state}")


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of a search, as typed."""

    address: str | None
    port: int | None
    at: str | None
    tolerance: int
    mac: str | None
    first: str | None
    last: str | None
    session: str | None
    on: str | None

    def question(self, zone: ZoneInfo) -> Question:
        """The one question they make; Unlawful when they make none, or more than one."""
        ways = [self.address is not None, self.mac is not None, self.session is not None]
        if sum(ways) != 1:
            raise Unlawful(
                "ask one question: --address with --port and --at, or --mac with --from and --to, or --session"
            )
        if self.address is not None:
            return AtMoment(_address(self.address), self.port, _second(self.at, "--at", zone), self.tolerance)
        if self.mac is not None:
            return OfDevice(_mac(self.mac), _second(self.first, "--from", zone), _second(self.last, "--to", zone))
        site, _, number = str(self.session).partition("/")
        if not number.isdecimal():
            raise Unlawful("a session is written SITE/NUMBER")
        return OfSession(site, int(number), _second(self.on and f"{self.on}T00:00:00Z", "--on", zone))


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError as error:
        raise Unlawful(f"{text} is no IP address; networks and wildcards cannot be asked for") from error


def _mac(text: str) -> MacAddress:
    try:
        return MacAddress.parse(text)
    except ValueError as error:
        raise Unlawful(f"{error}; a part of one cannot be asked for") from error


def _second(text: str | None, option: str, zone: ZoneInfo) -> int:
    """A moment in Unix seconds; without an offset it is the town's time, and must be unambiguous."""
    if text is None:
        raise Unlawful(f"{option} is missing; write it as 2026-11-30T18:04:59+01:00, or with Z for UTC")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Unlawful(f"{option}: {text} is no moment such as 2026-11-30T18:04:59+01:00") from error
    if moment.tzinfo is None:
        local = moment.replace(tzinfo=zone)
        if local.utcoffset() != local.replace(fold=1).utcoffset():
            raise Unlawful(f"{option}: {text} happened twice, or never, when the clocks changed; write the offset")
        moment = local
    return int(moment.timestamp())


@click.command()
@click.argument("number")
@click.option("--address", help="The public address, IPv4 or IPv6.")
@click.option("--port", type=click.IntRange(1, 65535), help="The source port, of TCP or UDP.")
@click.option("--at", help="The moment, such as 2026-11-30T18:04:59+01:00.")
@click.option("--tolerance", default=0, show_default=True, help="Seconds before and after, 300 at most.")
@click.option("--mac", help="A device's MAC address.")
@click.option("--from", "first", help="The window's first moment.")
@click.option("--to", "last", help="The window's last moment.")
@click.option("--session", help="A session, SITE/NUMBER.")
@click.option("--on", help="The session's UTC day.")
@click.option("--traffic", is_flag=True, help="Communications too (store B); for the role requisition-b.")
@click.option("--into", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where the answer goes.")
@with_settings
def search(settings: ArchiveSettings, /, number: str, traffic: bool, into: Path, **asked: object) -> None:
    """Answer within case NUMBER: one question, two people signed in, two holders' shares."""
    here, question = office(settings), _question(settings, asked)
    question.check()
    found = here.cases.find(number)
    roles, about = (TRAFFIC if traffic else REQUISITION), f"case {number}"
    first = sign_in(settings, "search", roles, "first person", about)
    second = sign_in(settings, "search", roles, "second person", about)
    if first.name == second.name:
        here.journal.note(first, "search", about, how="refused: the same person twice")
        raise Refused("403: two people are needed; one signed in twice")
    try:
        found.allows(wide=is_long(question))
    except CaseError:
        here.journal.note(first, "search", about, how="refused: the case does not allow it")
        raise
    shares = ask_shares(settings, Store.SOURCE)
    more = ask_shares(settings, Store.TRAFFIC) if traffic else []
    key = requisition.opened(here.public, shares, more)
    made = requisition.answer(here, found, question, (first, second), key)
    into.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, data in made.items():
        (into / name).write_bytes(data)
    rows = len(made["reponse.csv"].splitlines()) - 1
    click.echo(f"{rows} rows; {into}: {', '.join(sorted(made))}")


def _question(settings: ArchiveSettings, asked: dict[str, object]) -> Question:
    return Asked(**asked).question(ZoneInfo(town_or_exit(settings).timezone))  # type: ignore[arg-type]


@click.command()
@click.option("--day", type=click.DateTime(formats=["%Y-%m-%d"]), required=True, help="The UTC day.")
@with_settings
def security(settings: ArchiveSettings, day: datetime) -> None:
    """Print store C of a day, for the role security: devices kept out, and when."""
    account = sign_in(settings, "security", SECURITY)
    journal_in(settings.journal()).note(account, "security", about=f"{day:%Y-%m-%d}")
    private = (settings.private() / "security.key").read_bytes()
    for name in names_in(settings.folder(), Store.SECURITY):
        if name.day == day.date():
            for block in blocks(settings.folder(), settings.keys(), name, [private]):
                for line in records_in(block):
                    at = datetime.fromtimestamp(line["at"] / 1000, UTC).isoformat(timespec="seconds")
                    click.echo(f"{at} {name.gateway} {line['mac']} {'kept out' if line['on'] else 'let in again'}")


@click.command()
@click.option("--month", help="Only this month, such as 2026-11: the DPO's monthly review.")
@click.option("--into", type=FILE, help="Write the review there.")
@with_settings
def journal(settings: ArchiveSettings, month: str | None, into: Path | None) -> None:
    """Review who read what, in which case, and who was refused; for the DPO."""
    account = sign_in(settings, "journal", DPO)
    log = journal_in(settings.journal())
    count, last = log.audit.verify()
    lines = [one for one in reversed(log.audit.newest(count)) if not month or one.at.startswith(month)]
    listed = [f"{one.at} {one.who:20} {one.role:14} {one.did:14} {one.about:16} {one.why} {one.how}" for one in lines]
    searches = sum(1 for one in lines if one.did == "search" and one.how.endswith(("rows", "communications")))
    refused = sum(1 for one in lines if one.how.startswith("refused"))
    total = f"{len(lines)} lines, {searches} readings, {refused} refused; chain whole, {count} lines, last hash {last}"
    text = "\n".join([*(one.rstrip() for one in listed), total])
    if into is not None:
        into.write_text(text + "\n", "utf-8")
    click.echo(text)
    log.note(account, "journal", about=month or "everything", how=f"{len(lines)} lines")


COMMANDS = (acknowledge, case, search, security, journal)
