"""``parvis drill``: break the town in virtual time, and see who would be called."""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from monitor.drills.play import play
from monitor.drills.report import Verdict, judged, total
from monitor.drills.world import drill_town
from monitor.duty import BOOK_FILE
from monitor.store_oncall import Book
from parvis import service
from parvis.drills import drills
from parvis.inventory import DEMO_TOWN, load
from parvis.inventory.checks import suggestion


@click.command()
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every drill there is.")
@click.option(
    "--month",
    "days",
    is_flag=False,
    flag_value=30,
    type=click.IntRange(1, 366),
    metavar="DAYS",
    help="Instead, so many days of ordinary noise (30), in which nobody must be called.",
)
@click.option("--prometheus", is_flag=True, help="Let Prometheus and Alertmanager tell all of them, as in production.")
@click.option(
    "--seed", default=1, show_default=True, help="Draws lost echoes and noise; each run of a seed is the same."
)
def drill(names: tuple[str, ...], everything: bool, days: int | None, seed: int, prometheus: bool) -> None:
    """Play NAMES (or --all; without either they are listed) against the monitor's own decisions, in virtual time.

    The town is the demo town, with batteries and far ends. Exit code 1 when somebody was not called, or should not
    have been. In the lab's twin: `parvis lab drill`.
    """
    service.start_logging("drill", "error")
    if days:
        sys.exit(_noise(days, seed))
    known = drills()
    for name in names:
        if name not in known:
            raise click.BadParameter(f"no drill is called {name}; {suggestion(name, known)}")
    chosen = [one for one in known.values() if everything or one.name in names]
    if prometheus:
        chosen = [one.model_copy(update={"prometheus": True}) for one in chosen]
    if not chosen:
        for one in known.values():
            click.echo(f"{one.name:42} {one.title}")
        return
    town = drill_town(load(DEMO_TOWN))
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="parvis-drill-") as folder:
        book = Path(folder) / BOOK_FILE
        Book(book)
        for one in chosen:
            state = Path(folder) / one.name
            state.mkdir()
            shutil.copy(book, state)
            verdicts.append(judged(one, play(one, town, state, seed)))
            _tell(verdicts[-1])
    sys.exit(_sum(verdicts))


def _tell(verdict: Verdict) -> None:
    late = ", ".join(f"{second:.0f} s" for second in verdict.seconds)
    mark = "FAILED" if verdict.wrong else "ok"
    click.echo(f"{mark:7}{verdict.drill.name:42} {late or 'nobody is called'}")
    for words in verdict.wrong:
        click.echo(f"       {words}")


def _sum(verdicts: Sequence[Verdict]) -> int:
    """Print the figures; the exit code."""
    found = total(verdicts)
    click.echo(f"\n{found.drills} drills, {found.failed} failed; {found.causes} causes, {found.calls} calls")
    click.echo(
        f"recall {found.recall:.3f}  precision {found.precision:.3f}  calls per cause {found.calls_per_cause:.2f}"
    )
    click.echo(f"seconds to the call: median {found.median:.0f}, most {found.most:.0f}")
    return int(bool(found.failed))


def _noise(days: int, seed: int) -> int:
    from monitor.drills.noise import noisy  # noqa: PLC0415 for this option

    with tempfile.TemporaryDirectory(prefix="parvis-drill-") as folder:
        found = noisy(drill_town(load(DEMO_TOWN)), Path(folder), days, seed)
    click.echo(
        f"{days} days, {found.events} disturbances, {found.played.rounds} rounds: {len(found.played.calls)} calls"
    )
    for call in found.played.calls:
        click.echo(f"       {call.cause} after {call.elapsed / 3600:.1f} h")
    return int(bool(found.played.calls))
