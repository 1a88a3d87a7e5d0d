"""The commissioning reference: the light of a link on the day it was taken over, to which all later light is held.

References are lines of a file that only grows: the last one of a module counts, the others are its history.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from collectors.fibre.history import Light
from collectors.fibre.span import LEAST_LOSS_DB, MOST_LOSS_DB, Link
from collectors.plausibility import LIGHT_DBM
from parvis.durable import append_text

FILE = "references.jsonl"
MOST_SPREAD_DB = 1.0
"""Between readings taken seconds apart; more is a connector that moves."""
MOST_CHANGE_DB = 1.0
"""Against the reference before; more needs a reason."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The light of one direction of one module at Unix time *at*; *because*: why the one before was replaced."""

    at: float
    device: str
    port: str
    lane: str
    direction: str
    dbm: float
    because: str = ""

    @property
    def light(self) -> Light:
        """Whose light it is."""
        return Light(self.device, self.port, self.lane, self.direction)


class ReferenceFault(Exception):
    """A line of the file of references is not one; it says which. The good lines are in *good*."""

    def __init__(self, message: str, good: list[Reference]) -> None:
        super().__init__(message)
        self.good = good


def load(folder: Path) -> list[Reference]:
    """Every reference, oldest first; ReferenceFault names the first bad line."""
    path = folder / FILE
    if not path.exists():
        return []
    found: list[Reference] = []
    fault = ""
    for number, line in enumerate(path.read_text("utf-8").removesuffix("\n").split("\n"), 1):
        try:
            found.append(_parsed(line))
        except (ValueError, TypeError) as error:
            fault = fault or f"{path}:{number}: not a reference ({error}); restore the line or remove it"
    if fault:
        raise ReferenceFault(fault, found)
    return found


def _parsed(line: str) -> Reference:
    reference = Reference(**json.loads(line))
    numbers = isinstance(reference.at, int | float) and isinstance(reference.dbm, int | float)
    if not numbers or not LIGHT_DBM.hold(reference.dbm):
        raise ValueError(f"{reference.dbm!r} at {reference.at!r}")
    return reference


def latest(found: Iterable[Reference]) -> dict[Light, Reference]:
    """For each module's direction, the reference that counts."""
    return {reference.light: reference for reference in found}


def append(folder: Path, new: Iterable[Reference]) -> None:
    """Add references to the file, on disk before this returns."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    lines = [json.dumps(asdict(each), ensure_ascii=False) + "\n" for each in new]
    append_text(folder / FILE, "".join(lines))


@dataclass(frozen=True, slots=True)
class Taken:
    """What is to become a reference: several readings of each light, the low warning of each receiver, states."""

    readings: Mapping[Light, list[float]]
    low_warnings: Mapping[Light, float]
    states: Mapping[tuple[str, str], set[str]]


def objections(
    link: Link, taken: Taken, medians: Mapping[Light, float], before: Mapping[Light, Reference], because: str
) -> Iterator[str]:
    """Why these readings must not become the reference of *link*; nothing when they may."""
    for end in filter(None, (link.near, link.far)):
        for direction in ("rx", "tx"):
            lit = [light for light in medians if light[:2] == end and light.direction == direction]
            if not lit:
                told = ", ".join(sorted(taken.states.get(end, ()))) or "no such reading"
                yield f"{end.device} port {end.port} shows no {direction} light ({told})"
    for light, dbm in medians.items():
        yield from _objections_to_one(light, dbm, taken, before, because)
    for lane, lost in _gains(link, medians):
        yield f"{link.name}{f' lane {lane}' if lane else ''} would lose {lost:g} dB: are the ends mixed up?"


def _objections_to_one(
    light: Light, dbm: float, taken: Taken, before: Mapping[Light, Reference], because: str
) -> Iterator[str]:
    where = f"{light.device} port {light.port}{f' lane {light.lane}' if light.lane else ''} {light.direction}"
    spread = max(taken.readings[light]) - min(taken.readings[light])
    if spread > MOST_SPREAD_DB:
        yield f"{where} moves by {spread:.1f} dB within seconds: a loose connector?"
    warning = taken.low_warnings.get(light)
    if warning is not None and dbm < warning:
        yield f"{where} is {dbm:g} dBm, below its low warning of {warning:g}: clean the connectors first"
    old = before.get(light)
    if old and abs(dbm - old.dbm) > MOST_CHANGE_DB and not because:
        yield f"{where} was {old.dbm:g} dBm and is {dbm:g}: say --because what was changed"


def _gains(link: Link, medians: Mapping[Light, float]) -> Iterator[tuple[str, float]]:
    """Lanes of which more would arrive than was sent, or next to nothing."""
    if link.far is None:
        return
    for source, sink in ((link.far, link.near), (link.near, link.far)):
        for light, sent in medians.items():
            arrived = medians.get(Light(*sink, light.lane, "rx"))
            if light[:2] == source and light.direction == "tx" and arrived is not None:
                lost = round(sent - arrived, 2)
                if not LEAST_LOSS_DB <= lost <= MOST_LOSS_DB:
                    yield light.lane, lost
