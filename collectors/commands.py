"""``parvis poll``: ask one device now. ``parvis collectors``: the service that polls the whole town."""

import asyncio
import json
import pickle
import re
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import click

from collectors import explain as why
from collectors import prometheus
from collectors.access import open_session
from collectors.board import Standing
from collectors.decode import Answers
from collectors.device import Device, Failed, Outcome, Polled, devices
from collectors.first_step import start
from collectors.poll import Target, Witness
from collectors.poller import Pacing, attempt, failure
from collectors.profile import Profile
from collectors.schedule import Breaker
from collectors.settings import CollectorSettings
from collectors.snmp.errors import SnmpError
from collectors.snmp.session import CommunitySession, Session
from collectors.snmp.slow_lane import slow
from collectors.snmp.sockets import Address, resolve
from collectors.snmp.transport import Exchange, Patience
from parvis.inventory import CommunityCredential, InventoryError, Town, UserCredential
from parvis.inventory import load as load_town
from parvis.launch import become_with
from parvis.processes import COLLECTORS
from parvis.service import start_logging, town_or_exit, warn_of_strangers
from parvis.settings import SecretMissing, load

_TARGET = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.%\w]+)\]|(?P<host>[^:\s]+))(?::(?P<port>\d{1,5}))?")
_BARE_IPV6 = re.compile(r"(?P<six>[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)(?P<host>)(?P<port>)")
_MAX_PORT = 65535
_SETTINGS = click.option(
    "--settings", "settings_file", type=click.Path(path_type=Path, dir_okay=False), help="TOML file of settings."
)


@dataclass(frozen=True, slots=True)
class Access:
    """How a one-shot poll authenticates: as a credential of the inventory, or with a literal community."""

    credential: CommunityCredential | UserCredential | None
    community: str = ""


@click.command()
@click.argument("target", metavar="HOST[:PORT]")
@click.option("--community", metavar="NAME", help="A v1 or v2c credential of the inventory, else the community itself.")
@click.option("--auth", metavar="NAME", help="A credential of the inventory; its secrets must be delivered to us.")
@click.option(
    "--format", "form", type=click.Choice(["table", "prometheus", "json"]), default="table", show_default=True
)
@click.option("--timeout", type=float, help="Seconds to wait for the first answer.")
@click.option(
    "--explain", is_flag=True, help="For each value: raw variable, rule, result; and what was dropped, and why."
)
@click.option("--slow-lane", is_flag=True, help="Ask by pysnmp instead of our own core, to tell whose fault it is.")
@_SETTINGS
def poll(
    target: str,
    community: str | None,
    auth: str | None,
    form: Literal["table", "prometheus", "json"],
    timeout: float | None,
    explain: bool,
    slow_lane: bool,
    settings_file: Path | None,
) -> None:
    """Ask one device now, by SNMP: print what it says, and which profile gives it its meaning.

    HOST is an address, a host name, or a device's name in the inventory, whose credential is then used. Exit code 0:
    the device answered; 1: it did not, and one line on standard error names the reason; 2: wrong usage.
    """
    if community and auth:
        raise click.UsageError("give --community or --auth, not both")
    settings = load(CollectorSettings, settings_file, snmp_timeout=timeout)
    device = _device(target, settings.town)
    device = replace(device, slow_lane=device.slow_lane or slow_lane)
    access = _access(device, community, auth, settings.town)
    counts: Counter[str] = Counter()
    asked: list[tuple[Profile, Answers]] = []
    started = time.monotonic()
    outcome = asyncio.run(poll_once(device, access, settings, counts, lambda *seen: asked.append(seen)))
    duration = time.monotonic() - started
    if isinstance(outcome, Failed):
        click.echo(f"{outcome.reason}: {device.host}:{device.port}: {outcome.detail}; {outcome.advice}", err=True)
        sys.exit(1)
    lines = why.explain(*asked[-1]) if explain else []
    if form == "prometheus":
        click.echo(_as_prometheus(device, outcome, duration), nl=False)
    elif form == "json":
        click.echo(_as_json(device, outcome, why.records(lines) if explain else None))
    else:
        from collectors.table import print_poll  # noqa: PLC0415 the service needs no tables (rich: 5 MB)

        print_poll(outcome, f"{device.name} ({device.host}:{device.port})")
        if explain:
            click.echo(why.text(lines), nl=False)
        click.echo(f"{len(outcome.samples)} samples, {counts['sent']} requests, {duration:.2f} s")


@click.command()
@_SETTINGS
def collectors(settings_file: Path | None) -> None:
    """Poll every device of the town on its own clock, and show the last samples on /metrics and /devices.json."""
    settings = load(CollectorSettings, settings_file)
    start_logging(COLLECTORS.name, settings.log_level)
    warn_of_strangers(settings)
    become_with("collectors.process", pickle.dumps(start(settings, town_or_exit(settings))))


async def poll_once(
    device: Device, access: Access, settings: CollectorSettings, counts: Counter[str], witness: Witness | None = None
) -> Outcome:
    """Ask *device* now; *counts* takes what happened on the socket, *witness* is shown the answers."""
    exchange = Exchange()
    pacing = Pacing(deadline_seconds=60, timeout_seconds=settings.snmp_timeout, tries=settings.snmp_tries)
    try:
        address = await resolve(device.host, device.port)
        session = _session(exchange, device, address, access, settings, pacing.patience)
        return await attempt(Target(device, session, witness=witness), pacing, Breaker())
    except (SnmpError, SecretMissing) as error:
        return failure(error)
    finally:
        counts.update(exchange.counts)
        exchange.close()


def _session(
    exchange: Exchange,
    device: Device,
    address: Address,
    access: Access,
    settings: CollectorSettings,
    patience: Patience,
) -> Session:
    if access.credential is None:
        session = CommunitySession(exchange, address, access.community.encode(), patience=patience)
        return slow(session) if device.slow_lane else session
    return open_session(exchange, address, access.credential, settings.secret, patience, device)


def _as_prometheus(device: Device, outcome: Polled, duration: float) -> str:
    now = time.time()
    standing = Standing(device).after(outcome, now, duration, 0)
    own = prometheus.blocks(replace(standing, budget=None).own_samples(now))
    return prometheus.page([own.blocks, standing.blocks()])


def _as_json(device: Device, outcome: Polled, explained: list[dict[str, Any]] | None) -> str:
    samples = [
        {"metric": each.metric, "labels": dict(each.labels), "value": each.value, "at": each.at}
        for each in outcome.samples
    ]
    found = {"device": device.name, "profile": outcome.profile, "why": outcome.why, "samples": samples}
    return json.dumps(found | ({} if explained is None else {"explained": explained}), indent=2, ensure_ascii=False)


def _device(target: str, folder: Path) -> Device:
    """The device meant by *target*: one of the inventory by name or address, else a stranger."""
    match = _TARGET.fullmatch(target) or _BARE_IPV6.fullmatch(target)
    if not match or int(match["port"] or 0) > _MAX_PORT:
        raise click.BadParameter(f"{target!r} is not HOST or HOST:PORT", param_hint="HOST[:PORT]")
    host = match["six"] or match["host"]
    stranger = Device(name=host, host=host, port=int(match["port"] or 161))
    with suppress(InventoryError):
        for known in devices(load_town(folder)):
            if host == known.name or (host == known.host and stranger.port == known.port):
                port = stranger.port if match["port"] else known.port
                return replace(known, port=port, town="", site="")
    return stranger


def _access(device: Device, community: str | None, auth: str | None, folder: Path) -> Access:
    if community:
        with suppress(InventoryError, KeyError):
            found = load_town(folder).credential(community)
            if isinstance(found, CommunityCredential):
                return Access(found)
        return Access(None, community)
    name = auth or device.credential
    if not name:
        raise click.UsageError(f"{device.host} is not in the inventory; say how to ask it: --community or --auth")
    return Access(_named(_town(folder), name))


def _named(town: Town, name: str) -> CommunityCredential | UserCredential:
    try:
        return town.credential(name)
    except KeyError as error:
        raise click.BadParameter(str(error.args[0]), param_hint="--auth") from error


def _town(folder: Path) -> Town:
    try:
        return load_town(folder)
    except InventoryError as error:
        raise click.UsageError(f"the inventory {folder} has faults; run: parvis check {folder}\n{error}") from error
