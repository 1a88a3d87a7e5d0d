"""``parvis lab …``: build the twin, look at it, break it, remove it."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click

from lab import drills, reports, state
from lab.agents import faults as simulated
from lab.building import Options
from lab.naming import LabError
from lab.network import CommandFailed
from lab.processes import DidNotStart
from lab.rooms import Pace
from lab.town import AlreadyUp, Lab
from parvis.inventory import DEMO_TOWN, InventoryError
from parvis.values import duration_seconds

FOLDER_VARIABLE = "PARVIS_LAB_DIR"
FAULTS: dict[str, Callable[[Lab, str], None]] = {
    "cut-fibre": Lab.cut_fibre,
    "restore": Lab.restore_fibre,
    "ap-off": Lab.device_off,
    "ap-on": Lab.device_on,
    "flush-nft": Lab.flush_nft,
}
"""What can go wrong on request; the first two take a site, the last a gateway, the others a device.

A simulated access point has the faults of lab.agents.faults beside.
"""
REFUSALS = (
    CommandFailed,
    DidNotStart,
    InventoryError,
    KeyError,
    LabError,
    ValueError,
    state.LabBusy,
    state.NotOurs,
)
"""Errors that tell a person what to do."""


class Seconds(click.ParamType[float, str]):
    """A duration such as ``5s`` or ``2min``."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds; click's own error for anything else."""
        try:
            return duration_seconds(str(value) if isinstance(value, str) else float(str(value)))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Telling(click.Group):
    """A group whose errors are sentences, not tracebacks."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what the lab refuses becomes exit code 1."""
        try:
            return super().invoke(ctx)
        except REFUSALS as error:
            raise click.ClickException(str(error.args[0]) if isinstance(error, KeyError) else str(error)) from error


@click.group(cls=Telling)
@click.option(
    "--dir",
    "folder",
    envvar=FOLDER_VARIABLE,
    default=state.DEFAULT_FOLDER,
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help=f"Where the lab keeps its state (or ${FOLDER_VARIABLE}).",
)
@click.pass_context
def lab(ctx: click.Context, folder: Path) -> None:
    """A whole town on this machine, in network namespaces; the host's own network stays as it is."""
    ctx.obj = Lab(folder)


@lab.command()
@click.argument(
    "town", type=click.Path(path_type=Path, file_okay=False, exists=True), envvar="PARVIS_TOWN", default=DEMO_TOWN
)
@click.option("--site", "sites", multiple=True, metavar="SITE", help="Only this site; may be given again.")
@click.option("--residents", default=2, show_default=True, type=click.IntRange(0, 200), help="Residents a site.")
@click.option("--poll", type=Seconds(), default="5s", show_default=True, help="Between two SNMP polls.")
@click.option("--probe", type=Seconds(), default="1s", show_default=True, help="Between two rounds of echoes.")
@click.option("--pace", default=0.2, show_default=True, type=click.FloatRange(0.01, 1), help="Factor of alerts' waits.")
@click.option("--without", default="", metavar="NAME,…", help="Leave out: portal, gatewayd, monitor, prometheus …")
@click.option("--prefix", default="pv-", show_default=True, help="What the namespaces' names begin with.")
@click.option("--windows/--no-windows", default=True, help="Open the pages and the proxy on the host's loopback.")
@click.option(
    "--walks",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder of recordings: NAME.snmprec or NAME.walk is what the access point NAME answers.",
)
@click.option("--shared", is_flag=True, help="Gateways share acceptances through a PostgreSQL in the machine room.")
@click.option("--evidence", is_flag=True, help="Record evidence, sealed to three holders drawn for this town.")
@click.pass_obj
def up(
    twin: Lab,
    town: Path,
    sites: tuple[str, ...],
    residents: int,
    poll: float,
    probe: float,
    pace: float,
    without: str,
    prefix: str,
    windows: bool,
    walks: Path | None,
    shared: bool,
    evidence: bool,
) -> None:
    """Build TOWN (the demo town by default) and start everything. On a running lab it changes nothing."""
    left_out = frozenset(filter(None, without.split(",")))
    options = Options(
        town,
        sites,
        residents,
        prefix,
        left_out,
        windows,
        Pace(poll=poll, probe=probe, alerts=pace),
        shared,
        evidence,
        walks,
    )
    try:
        seconds = twin.up(options, say=click.echo)
    except AlreadyUp as running:
        click.echo(str(running))
        return
    click.echo(f"The town is up after {seconds:.1f} s.")
    reports.print_windows(twin)
    if windows and "console" not in left_out:
        reports.print_account(*twin.demo_account())


@lab.command()
@click.option("--prefix", default="", help="Also remove namespaces called so whose folder is gone.")
@click.pass_obj
def down(twin: Lab, prefix: str) -> None:
    """End and remove everything: processes, namespaces, files."""
    click.echo("The lab is down; nothing is left." if twin.down(prefix) else "No lab was up.")


@lab.command()
@click.pass_obj
def status(twin: Lab) -> None:
    """Print sites, processes with their memory, residents and whether they are online."""
    reports.print_status(twin)


@lab.command(name="exec", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_obj
def execute(twin: Lab, name: str, argv: tuple[str, ...]) -> NoReturn:
    """Run a command as the resident NAME (SITE/1 or gw-short-r1), or on a device, ``centre`` or ``inet``."""
    command = twin.command(name, argv)
    sys.stdout.flush()
    os.execvp(command[0], command)  # noqa: S606 no shell is wanted


@lab.command()
@click.argument("target")
@click.argument("fault", type=click.Choice([*FAULTS, *simulated.FAULTS]), metavar="FAULT")
@click.option("--for", "seconds", type=Seconds(), help="Until then; a simulated device only.")
@click.option("--value", type=float, help="How much; a simulated device only.")
@click.pass_obj
def fault(twin: Lab, target: str, fault: str, seconds: float | None, value: float | None) -> None:
    """Break something, or mend it: TARGET is a site, an access point, a switch or a gateway.

    `parvis lab faults` lists what can be wrong.
    """
    if fault in FAULTS:
        if seconds is not None or value is not None:
            raise click.UsageError(f"{fault} knows neither --for nor --value; they are for simulated devices")
        FAULTS[fault](twin, target)
    else:
        twin.fault(target, fault, value, seconds)
    click.echo(f"{target}: {fault}" + (f" for {seconds:g} s" if seconds is not None else ""))


@lab.command()
@click.argument("device")
@click.pass_obj
def heal(twin: Lab, device: str) -> None:
    """End every fault of a simulated access point."""
    twin.heal(device)
    click.echo(f"{device}: healed")


@lab.command()
def faults() -> None:
    """List what can be wrong: with a site, a device, a gateway; and with a simulated access point."""
    click.echo(f"sites, devices, gateways: {', '.join(FAULTS)}\nsimulated access points:")
    for name, kind in simulated.FAULTS.items():
        usual = f" ({kind.usual:g} {kind.unit})" if kind.unit else ""
        click.echo(f"  {name:14} {kind.does}{usual}")


@lab.command("drill")
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every drill the twin can play.")
@click.pass_obj
def drill(twin: Lab, names: tuple[str, ...], everything: bool) -> None:
    """Play drills in the running twin: break it, wait for the monitor's message, make it well again."""
    picked = drills.chosen(names, everything=everything)
    if not picked:
        for one in drills.playable():
            click.echo(f"{one.name:42} {one.title}")
        return
    failed = 0
    for one in picked:
        found = drills.play(twin, one)
        failed += bool(found.wrong)
        late = "nobody is called" if found.seconds is None else f"{found.seconds:.0f} s"
        click.echo(f"{'FAILED' if found.wrong else 'ok':7}{one.name:42} {late}")
        for words in found.wrong:
            click.echo(f"       {words}")
    sys.exit(int(bool(failed)))


@lab.command()
@click.argument("name")
@click.option("--lines", type=click.IntRange(1), help="Only the last lines.")
@click.pass_obj
def logs(twin: Lab, name: str, lines: int | None) -> None:
    """Print what a process has written (gw-msp.portal, collectors, gw-msp-r1 …)."""
    click.echo(twin.log(name, lines))


@lab.command()
@click.argument("resident")
@click.pass_obj
def browse(twin: Lab, resident: str) -> None:
    """Let the host's HTTP proxy leave through RESIDENT."""
    port = twin.browse(resident)
    click.echo(f"chromium --proxy-server=127.0.0.1:{port} now sees what {resident} sees")


@lab.command()
@click.argument("process")
@click.pass_obj
def stop(twin: Lab, process: str) -> None:
    """End a process (gw-msp.portal, collectors, sw-msp.snmpd …) and leave it ended."""
    twin.stop(process)
    click.echo(f"{process}: ended")


@lab.command()
@click.argument("process")
@click.pass_obj
def start(twin: Lab, process: str) -> None:
    """Start a process that was ended."""
    twin.start(process)
    click.echo(f"{process}: started")


@lab.command()
@click.argument("process")
@click.pass_obj
def restart(twin: Lab, process: str) -> None:
    """End a process and start it again."""
    twin.restart(process)
    click.echo(f"{process}: restarted")
