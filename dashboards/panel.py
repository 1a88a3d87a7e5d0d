"""What a dashboard is made of, without a word on who draws it: a board asks a question, each panel answers a part."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dashboards.query import Query, all_along
from dashboards.words import Words
from parvis.catalogue import Levels, metric

Kind = Literal["text", "stat", "lines", "stack", "bars", "gauges", "table", "states", "grid", "heat", "map", "matrix"]
Colour = Literal["green", "blue", "yellow", "orange", "red", "grey"]
Fault = Literal[
    "fibre-cut", "ap-silent", "switch-silent", "radio-dead", "ap-deserted", "dirty-optic", "no-light", "ap-reboots",
    "collectors-dead", "influx-away", "portal-dead", "store-broken", "gatewayd-dead", "rules-flushed", "pool-full",
    "certificate-ending", "visitor-refused", "rogue-dhcp", "phone-dead", "beat-lost", "mains-cut", "link-loses",
    "link-flaps", "gateway-silent", "agent-silent", "dns-dead", "clock-off", "work-announced", "centre-isolated",
    "internet-cut", "fan-dead", "supply-dead",
]  # fmt: skip
"""What the drills break; a panel declares which of it one sees in it, and a test holds it to its word."""

INSTANT: frozenset[Kind] = frozenset(("stat", "gauges", "table", "map", "matrix"))
"""Panels that show what is now; the others show a span of time."""
NOTHING = Words("Aucune donnée", "No data")
MOST_ROWS = 24
"""More rows of a table no reader looks through; choosing fewer sites shows the others."""
_LABEL = re.compile(r"{{ *(\w+) *}}")
_LEVEL = re.compile(r"([<>]=?|==) *(-?[0-9.e+]+)")


@dataclass(frozen=True, slots=True)
class Saying:
    """A value put into words; colour alone says nothing to one reader in twelve."""

    words: Words
    colour: Colour


@dataclass(frozen=True, slots=True)
class Step:
    """From *at* upwards (None: from the bottom) a figure is *colour*."""

    at: float | None
    colour: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How figures are to be read. *of*: the metric whose unit and levels they have, all from the catalogue.

    *unit*: their unit where they are no metric's own, in the catalogue's words; *levels*: where the catalogue has none;
    *says*: what a value means in words.
    """

    of: str = ""
    unit: str = ""
    levels: Levels | None = None
    says: Mapping[float, Saying] = field(default_factory=dict)
    decimals: int | None = None

    @property
    def measure(self) -> str:
        """The unit, in the catalogue's words."""
        return self.unit or (metric(self.of).unit if self.of else "1")

    @property
    def steps(self) -> tuple[Step, ...]:
        """The colours of the figures from the bottom up; none where there is no limit.

        >>> [(step.at, step.colour) for step in Figures(of="optical_temperature_celsius").steps]
        [(None, 'green'), (70.0, 'orange')]
        """
        return steps(self.levels or (metric(self.of).levels if self.of else Levels()))

    @property
    def bounds(self) -> tuple[float, float]:
        """Between what any true figure lies, by its unit."""
        return BOUNDS.get(self.measure, (float("-inf"), float("inf")))


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Figures):
    """A column of a table, one for each query."""

    title: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel(Figures):
    """One question and the figures that answer it. *id* is for ever: links lead to it.

    *answers*: what one sees here, and what to do about it. *moved_by*: the faults one sees here. *link*: the uid of the
    board below. *keys* are a table's labels with their headings, *columns* its figures; of a matrix the first key makes
    the rows and the second the columns. *since*: how far back it
    looks whatever the board shows. Sizes are in Grafana's grid of 24 columns; 0: as its neighbours leave.
    """

    id: int
    kind: Kind
    title: Words
    answers: Words
    queries: tuple[Query, ...] = ()
    link: str = ""
    moved_by: frozenset[Fault] = frozenset()
    keys: Mapping[str, Words] = field(default_factory=dict)
    columns: tuple[Column, ...] = ()
    first: Literal["highest", "lowest"] | None = None
    """Which rows of a table come first, by its first figures: the worst; it shows ``MOST_ROWS`` of them."""
    names: Mapping[str, Mapping[str, Words]] = field(default_factory=dict)
    """Label -> value -> what a reader calls it: rows of a matrix, cells of a table, lines told apart by that label."""
    silence: Words = NOTHING
    since: str = ""
    width: int = 0
    height: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels its lines or rows are told apart by."""
        legends = (query.legend for query in self.queries if isinstance(query.legend, str))
        return tuple(dict.fromkeys([*self.keys, *(name for text in legends for name in _LABEL.findall(text))]))

    @property
    def promql(self) -> tuple[str, ...]:
        """Its queries for Prometheus."""
        asked = (query.promql for query in self.queries)
        return tuple(asked if self.kind in INSTANT else map(all_along, asked))


BOUNDS: Mapping[str, tuple[float, float]] = {
    "ratio": (0.0, 1.0),
    "dbm": (-110.0, 40.0),
    "celsius": (-40.0, 125.0),
    "seconds": (-1e9, 1e9),
    "bytes": (0.0, 1e15),
    "bytes per second": (0.0, 1.25e10),
    "bits per second": (0.0, 1e11),
    "1 per second": (0.0, 1e7),
    "watts": (0.0, 1e5),
    "amperes": (0.0, 10.0),
    "volts": (0.0, 60.0),
    "euros": (0.0, 1e6),
    "hertz": (0.0, 1e11),
}


def steps(levels: Levels) -> tuple[Step, ...]:
    """Levels as colours from the bottom up: orange to warn, red to call; red means "act now".

    >>> [(step.at, step.colour) for step in steps(Levels(warn="< -20", page="< -27"))]
    [(None, 'red'), (-27.0, 'orange'), (-20.0, 'green')]
    >>> [(step.at, step.colour) for step in steps(Levels(page="== 0"))]
    [(None, 'red'), (1.0, 'green')]
    >>> [(step.at, step.colour) for step in steps(Levels(page="== 1"))]
    [(None, 'green'), (1.0, 'red')]
    """
    told: list[tuple[str, float, Colour]] = []
    colours: tuple[tuple[str | None, Colour], ...] = ((levels.warn, "orange"), (levels.page, "red"))
    for text, colour in colours:
        if text:
            operator, number = _read(text)
            told.append((operator, number, colour))
    above = sorted((number, colour) for operator, number, colour in told if operator == ">")
    below = sorted((number, colour) for operator, number, colour in told if operator == "<")
    if not told:
        return ()
    if above and below:
        raise ValueError(f"{levels}: limits on both sides have no colours here")
    if above:
        return (Step(None, "green"), *(Step(number, colour) for number, colour in above))
    colours_up: list[Colour] = [*(colour for _, colour in below), "green"]
    return (Step(None, colours_up[0]), *(Step(at, up) for (at, _), up in zip(below, colours_up[1:], strict=True)))


def _read(level: str) -> tuple[str, float]:
    """A comparison as ``<`` or ``>`` and a number: of a truth, ``== 0`` is below 1 and ``== 1`` above."""
    found = _LEVEL.fullmatch(level.strip())
    if found is None:
        raise ValueError(f"{level!r} is no level that has colours; write <, > or == and a number")
    operator, number = found[1], float(found[2])
    if operator == "==":
        return ("<", 1.0) if number == 0 else (">", number)
    return operator[0], number


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """What a reader chooses: the values of *label* of *metric* where it *matches*.

    *influx* is a metric and a label of the collectors' that give the same choices; none: there is no such choice there.
    """

    name: str
    title: Words
    metric: str
    label: str
    matches: str = ""
    influx: tuple[str, str] | None = None
    open: bool = True
    """Whether "all" is everything, or only what can be chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard: *uid* is for ever. *rows* of panels from the top; the first answers the title's question."""

    uid: str
    title: Words
    purpose: Words
    level: int
    rows: tuple[tuple[Panel, ...], ...]
    below: str = ""
    """The uid of the board a level down, where panels lead that name no other."""
    variables: tuple[Variable, ...] = ()
    since: str = "now-6h"
    until: str = "now"
    refresh: str = "1m"

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Every panel, row by row."""
        return tuple(panel for row in self.rows for panel in row)
