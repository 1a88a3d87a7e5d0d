"""What can be wrong with a simulated device, as data: each fault's name, what its value means, and its usual value.

Faults of the answers (late, lost, broken, from elsewhere) are carried out by the agent; faults of what is told (optics,
radios, counters, indexes) change the picture here.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from lab.agents import ber
from lab.agents.ber import Cell, Oid

Look = Callable[[Oid], Cell]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: what it does, its *usual* value, and what the value counts."""

    does: str
    usual: float = 0.0
    unit: str = ""


FAULTS: dict[str, Kind] = {
    "silent": Kind("answers nothing"),
    "delay": Kind("answers late", 1.0, "seconds"),
    "loss": Kind("loses requests or answers", 0.3, "part of them"),
    "garbage": Kind("answers octets that are no message"),
    "cut": Kind("answers the first half of its message"),
    "flood": Kind("repeats every answer, each copy under another number", 50, "copies"),
    "too-big": Kind("cannot put more into an answer", 5, "variables"),
    "disorder": Kind("sorts rows as text: 1, 10, 2"),
    "endless": Kind("has columns without end"),
    "repeat": Kind("answers GETNEXT with the same object again"),
    "other-port": Kind("answers from another port"),
    "other-address": Kind("answers from another address"),
    "request-id": Kind("answers under another number"),
    "community": Kind("answers with another community"),
    "zero-hmac": Kind("answers with an empty signature (v3)"),
    "engine-time": Kind("its engine's clock has jumped (v3)", 4000, "seconds"),
    "reboot": Kind("starts again: clocks and counters from zero"),
    "agent-restart": Kind("only its agent starts again: counters and the host's clock go on"),
    "wrap32": Kind("its 32-bit counters are about to wrap", 1000, "counts before"),
    "wrap64": Kind("its 64-bit counters are about to wrap", 1000, "counts before"),
    "renumber": Kind("gives its ports other indexes, and tells so in ifTableLastChange"),
    "dirty-optic": Kind("receives less light from hour to hour", 1.0, "dB an hour"),
    "no-light": Kind("receives no light"),
    "dead-radio": Kind("its 5 GHz radio is down"),
    "zombie": Kind("its radios work, yet nobody is associated"),
    "mains-cut": Kind("runs on its battery, which empties", 1.0, "minutes of battery a minute"),
    "dead-fan": Kind("its fan stands still"),
    "dead-supply": Kind("its power supply has failed"),
}
ONCE = frozenset(("reboot", "agent-restart"))
"""These happen at one moment; there is nothing to heal."""
DARKEST_DBM = -36.0

RX_POWER: dict[Oid, tuple[float, int]] = {
    (1, 3, 6, 1, 4, 1, 14988, 1, 1, 19, 1, 1, 10): (1000, -40_000),
    (1, 3, 6, 1, 4, 1, 2636, 3, 60, 1, 1, 1, 1, 5): (100, -4000),
    (1, 3, 6, 1, 4, 1, 25506, 2, 70, 1, 1, 1, 12): (100, 2_147_483_647),
    (1, 3, 6, 1, 4, 1, 11, 2, 14, 11, 5, 1, 82, 1, 1, 1, 1, 15): (1000, -99_999_999),
}
"""Columns of light received in dBm: what one dBm counts, and what the device shows without light."""
LOSS_OF_SIGNAL = (1, 3, 6, 1, 4, 1, 14988, 1, 1, 19, 1, 1, 3)
"""MikroTik's flag beside it."""
STATIONS: tuple[Oid, ...] = (
    (1, 3, 6, 1, 4, 1, 41112, 1, 6, 1, 2, 1, 8),
    (1, 3, 6, 1, 4, 1, 14988, 1, 1, 1, 3, 1, 6),
    (1, 3, 6, 1, 4, 1, 14988, 1, 1, 1, 3, 1, 11),
    (1, 3, 6, 1, 4, 1, 14823, 2, 3, 3, 1, 2, 2, 1, 21),
    (1, 3, 6, 1, 4, 1, 14823, 2, 3, 3, 1, 1, 7, 1, 4),
)
"""Columns of associated stations, for recorded walks."""
PARTS: Mapping[str, Oid] = {
    "dead-fan": (1, 3, 6, 1, 4, 1, 11, 2, 14, 11, 1, 2, 6, 1, 4, 1),
    "dead-supply": (1, 3, 6, 1, 4, 1, 11, 2, 14, 11, 1, 2, 6, 1, 4, 2),
}
"""The state of a part (HP-ICF-CHASSIS hpicfSensorStatus), 2 when it is bad, by the fault that breaks it."""
BATTERY_MINUTES, BATTERY_CHARGE, POWERED_BY = ((1, 3, 6, 1, 2, 1, 33, 1, *arcs, 0) for arcs in ((2, 3), (2, 4), (4, 1)))
"""UPS-MIB (RFC 1628): minutes and per cent left, and where the output comes from; 5 is the battery."""
IF_COLUMNS: tuple[Oid, ...] = ((1, 3, 6, 1, 2, 1, 2, 2, 1), (1, 3, 6, 1, 2, 1, 31, 1, 1, 1))
IF_INDEX = (*IF_COLUMNS[0], 1)
IF_LAST_CHANGE = (1, 3, 6, 1, 2, 1, 31, 1, 5, 0)
"""ifTableLastChange: sysUpTime when a port last came or went."""


def below(name: Oid, roots: Iterable[Oid]) -> Oid | None:
    """The one of *roots* that *name* lies below."""
    return next((root for root in roots if name[: len(root)] == root), None)


def dirty(look: Look, db: float) -> Look:
    """*look* with *db* less light received, until there is none to speak of."""

    def seen(name: Oid) -> Cell:
        tag, value = look(name)
        root = below(name, RX_POWER)
        if root is None or not isinstance(value, int):
            return tag, value
        counts, dark = RX_POWER[root]
        return tag, value if value == dark else max(round(value - db * counts), round(DARKEST_DBM * counts))

    return seen


def unlit(look: Look) -> Look:
    """*look* without light received."""

    def seen(name: Oid) -> Cell:
        tag, value = look(name)
        root = below(name, RX_POWER)
        if root:
            return tag, RX_POWER[root][1]
        return (tag, 1) if below(name, [LOSS_OF_SIGNAL]) else (tag, value)

    return seen


def deserted(look: Look) -> Look:
    """*look* with nobody associated."""

    def seen(name: Oid) -> Cell:
        tag, value = look(name)
        return tag, 0 if below(name, STATIONS) else value

    return seen


def broken(look: Look, part: Oid) -> Look:
    """*look* with *part* bad."""

    def seen(name: Oid) -> Cell:
        tag, value = look(name)
        return tag, 2 if name == part else value

    return seen


def on_battery(look: Look, minutes: float) -> Look:
    """*look* with so many *minutes* of the battery gone, until it is empty."""

    def seen(name: Oid) -> Cell:
        tag, value = look(name)
        if name == POWERED_BY:
            return tag, 5
        if name not in {BATTERY_MINUTES, BATTERY_CHARGE}:
            return tag, value
        _, whole = look(BATTERY_MINUTES)
        left = max(0.0, 1 - minutes / whole) if isinstance(whole, int) and whole else 0.0
        return tag, round(left * value) if isinstance(value, int) else value

    return seen


def wrapping(look: Look, offsets: Mapping[Oid, int]) -> Look:
    """*look* with counters moved on by *offsets*."""

    def seen(name: Oid) -> Cell:
        tag, value = look(name)
        if name not in offsets or not isinstance(value, int):
            return tag, value
        return tag, (value + offsets[name]) % ber.MODULUS[tag]

    return seen


def offsets(names: Iterable[Oid], look: Look, tag: int, before: float) -> dict[Oid, int]:
    """What brings each counter of *tag* so many counts *before* its end."""
    found = {}
    for name in names:
        kind, value = look(name)
        if kind == tag and isinstance(value, int):
            found[name] = ber.MODULUS[tag] - int(before) - value
    return found


def renumbered(names: Iterable[Oid], look: Look, ticks: int) -> tuple[list[Oid], Look]:
    """Names and values with the ports' indexes moved on by one, the last to the first: no index keeps its port.

    *ticks*: what ifTableLastChange tells of it, where the device has one.
    """
    listed = list(names)
    indexes = sorted({name[-1] for name in listed if name[:-1] == IF_INDEX})
    fresh = dict(zip(indexes, indexes[1:] + indexes[:1], strict=True))
    ports = (*IF_COLUMNS, *(root[:-1] for root in RX_POWER))
    moved = {_moved(name, fresh) if below(name, ports) else name: name for name in listed}

    def seen(name: Oid) -> Cell:
        tag, value = look(moved[name])
        if name == IF_LAST_CHANGE:
            return tag, ticks
        return tag, name[-1] if name[:-1] == IF_INDEX else value

    return list(moved), seen


def _moved(name: Oid, fresh: Mapping[int, int]) -> Oid:
    return (*name[:-1], fresh.get(name[-1], name[-1]))
