"""Days of ordinary noise: what disturbs a town and is nobody's emergency. Nobody must be called for any of it."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from monitor.drills.play import Played, Player
from parvis.drills import Step
from parvis.inventory import Site, Town

DAY = 86400.0
BEGINS = datetime(2026, 11, 2, 6, 0)  # noqa: DTZ001 local time of the town, a Monday
A_DAY = 14
"""Disturbances, on average."""
AFTERWARDS = 120.0
"""Looked at round by round for so long after each; more while anything is suspected."""


@dataclass(frozen=True, slots=True)
class Noise:
    """What came of it, and how many disturbances there were."""

    played: Played
    events: int


def disturbances(town: Town, days: float, chance: random.Random) -> list[Step]:
    """The noise of *days*, in order."""
    found: list[Step] = []
    for _ in range(round(days * A_DAY)):
        kind = chance.choices(list(KINDS), weights=[weight for weight, _ in KINDS.values()])[0]
        site = chance.choice(town.sites)
        found += KINDS[kind][1](site, chance.uniform(0, days * DAY), chance)
    return sorted(found, key=lambda step: step.after)


def noisy(town: Town, folder: Path, days: float, seed: int = 1) -> Noise:
    """Play *days* of noise; quiet time, in which each round would be as the last, is passed over."""
    chance = random.Random(seed)  # noqa: S311 a run is to be repeated
    todo = disturbances(town, days, chance)
    events = len(todo)
    at = BEGINS.replace(tzinfo=ZoneInfo(town.timezone)).timestamp()
    player = Player(town, folder, at, seed=seed)
    looked = 0.0
    while player.elapsed < days * DAY:
        while todo and todo[0].after <= player.elapsed:
            player.do(todo.pop(0))
            looked = player.elapsed
        player.round()
        until = min(todo[0].after if todo else days * DAY, days * DAY)
        if player.calm and player.elapsed - looked > AFTERWARDS and until - player.elapsed > AFTERWARDS:
            player.skip(until - player.elapsed - 30.0)
    return Noise(player.run((), player.elapsed), events)


def _for(do: str, undo: str, least: float, most: float, value: tuple[float, float] | None = None) -> "Make":
    def make(site: Site, at: float, chance: random.Random) -> list[Step]:
        drawn = chance.uniform(*value) if value else None
        on = _on(do, site, chance)
        return [
            Step(after=at, do=do, where=on, value=drawn),
            Step(after=at + chance.uniform(least, most), do=undo, where=on),
        ]

    return make


def _on(do: str, site: Site, chance: random.Random) -> str:
    if do in {"device-off", "no-snmp"}:
        return chance.choice(site.access_points).name
    if do == "stop":
        return f"{site.site}.{chance.choice(('portal', 'gatewayd'))}"
    if do == "fail-step":
        return f"{site.site}.{chance.choice(('page', 'accept', 'internet-ipv4'))}"
    return "" if do.startswith(("collectors", "isolate")) else site.site


def _work(site: Site, at: float, chance: random.Random) -> list[Step]:
    """Announced work that cuts the site, and is over in time."""
    lasting = chance.uniform(300, 1500)
    return [
        Step(after=at, do="announce", where=site.site, value=lasting + 600),
        Step(after=at + 60, do="cut-fibre", where=site.site),
        Step(after=at + 60 + lasting, do="restore", where=site.site),
    ]


Make = Callable[[Site, float, random.Random], Sequence[Step]]
KINDS: dict[str, tuple[float, Make]] = {
    "micro-cut": (4, _for("cut-fibre", "restore", 2, 18)),
    "loss": (3, _for("loss", "no-loss", 60, 300, (0.01, 0.06))),
    "access point restarts": (3, _for("device-off", "device-on", 60, 240)),
    "agent silent": (2, _for("no-snmp", "snmp", 60, 900)),
    "process restarts": (2, _for("stop", "start", 3, 20)),
    "internet blinks": (2, _for("internet-off", "internet-on", 2, 20)),
    "one visit fails": (2, _for("fail-step", "heal-step", 5, 50)),
    "mains blinks": (1, _for("mains-off", "mains-on", 1, 10, (900, 901))),
    "collectors restart": (1, _for("collectors-off", "collectors-on", 3, 20)),
    "centre blinks": (1, _for("isolate", "reconnect", 2, 15)),
    "announced work": (1, _work),
}
"""Each kind with how often it comes, relatively."""
