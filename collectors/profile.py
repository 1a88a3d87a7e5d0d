"""Vendor knowledge as data: which devices a profile fits, what to ask them, and what the answers mean.

A profile is a YAML file of collectors/profiles/; written.py reads and checks it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Annotated, Any, Literal

from collectors import entity, optics, parts, ports
from collectors.column import EVERY_SECONDS, Column, ColumnSpec, Every, IndexSpec, Pattern
from collectors.snmp import ber
from parvis.shapes import Before, Closed, matching, within
from parvis.values import Oid

DEVICE_LABELS = ("town", "site", "device")
"""Labels every sample has beside those its profile gives it; a one-shot poll knows only the device."""
DERIVED = {
    "entity_sensor": entity.DERIVED,
    "part": parts.DERIVED,
    "port": ports.DERIVED,
    "bridge": ports.DERIVED,
    "huawei_optics": optics.DERIVED,
    "lldp": ports.LLDP_DERIVED,
    "cdp": ports.LLDP_DERIVED,
}
"""The columns each way of deriving adds to a table."""
SCALARS = "scalars"
"""The name under which a profile's scalars are its table of one row."""


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


@dataclass(frozen=True, slots=True)
class Condition(Closed):
    """Which values of a column let a row count; a row without the value passes *not_matches* and fails *matches*."""

    matches: Pattern | None = None
    not_matches: Pattern | None = None


@dataclass(frozen=True, slots=True)
class Picked(Closed):
    """Which rows are asked for, by name: those of table *of*, each followed by the number its column *by* says.

    *where*: only those whose columns there hold.
    """

    of: str
    by: str
    where: dict[str, Condition] = field(default_factory=dict)


@dataclass(frozen=True)
class Table(Closed):
    """Columns that share their index; *oid* is the entry their arcs are counted from.

    *own* is written instead by vendors who give every model the same tables in a branch of its own: what follows there
    the model's number, which in sysObjectID follows the match's object_id (``Profile.placed``). *index* makes columns
    of the index's places. *every*: how often it is asked; *changed* names a scalar that tells when it must be asked at
    once. *derive*: columns worked out from others (entity.py, parts.py, ports.py, optics.py). *private*: the rows are
    residents' devices, so that their index is shown nowhere. *unordered*: some agents give its rows in any order, each
    once. *picked*: it is too long to be read whole (picked.py). *rows*: more than any device has.
    """

    columns: dict[str, ColumnSpec]
    oid: Oid | None = None
    own: Annotated[str, matching(r"\d+(\.\d+)*")] | None = None
    index: dict[str, IndexSpec] = field(default_factory=dict)
    every: Every = "poll"
    changed: str | None = None
    private: bool = False
    unordered: bool = False
    picked: Picked | None = None
    rows: Annotated[int, within(1, 65536)] = 4096
    derive: Literal["entity_sensor", "part", "port", "huawei_optics", "lldp", "cdp", "bridge"] | None = None

    @property
    def names(self) -> set[str]:
        """Every column, read or derived."""
        return {*self.columns, *self.index, *(DERIVED[self.derive] if self.derive else ())}


@dataclass(frozen=True, slots=True)
class Label(Closed):
    """Where a label's value comes from; in a profile a bare word is a column and ``=word`` the word itself.

    *of* looks into another table: at the row with the same index, with the first *prefix* or the last *suffix* numbers
    of it, with its number *at* a place, or where the other table's *key* equals this row's *by*. *index* takes the n-th
    number of the row's index, counted from 0; *dotted* all of it. *before* is put in front of what was found.
    """

    text: str | None = None
    column: str | None = None
    of: str | None = None
    by: str | None = None
    key: str | None = None
    prefix: Annotated[int, within(1)] | None = None
    suffix: Annotated[int, within(1)] | None = None
    at: Annotated[int, within(0)] | None = None
    index: int | None = None
    dotted: bool = False
    before: str = ""


def _label(value: Any) -> Any:
    if isinstance(value, str):
        return {"text": value[1:]} if value.startswith("=") else {"column": value}
    return value


LabelSpec = Annotated[tuple[Annotated[Label, Before(_label)], ...], Before(_listed)]


@dataclass(frozen=True, slots=True)
class Rule(Closed):
    """One metric of a table: the first of *value*'s columns that has a value, or 1 when none is named.

    In a file, ``each: label`` makes one rule of every column of *value*, whose label is the column's name.
    *convert*: from a channel to ``hertz``, from light in watts to ``dbm``. *unless_told*: only series that no earlier
    rule gave. *amplified*: light of an amplifier, which may be stronger than that of any module. *licensed*: the
    frequency of a bridge outside the bands of Wi-Fi.
    """

    metric: str
    table: str = SCALARS
    value: Annotated[tuple[str, ...], Before(_listed)] = ()
    convert: Literal["hertz", "dbm"] | None = None
    labels: dict[str, LabelSpec] = field(default_factory=dict)
    where: dict[str, Condition] = field(default_factory=dict)
    combine: Literal["one", "sum", "first"] = "one"
    unless_told: bool = False
    amplified: bool = False
    licensed: bool = False

    @property
    def wider(self) -> bool:
        """Whether its values may be where those of other rules of its metric can't."""
        return self.amplified or self.licensed


def _each(rules: Any) -> Any:
    """Rules as written, those with *each* spread over their columns; what is no list of rules is left to be refused."""
    if not isinstance(rules, list):
        return rules
    found: list[Any] = []
    for rule in rules:
        if not isinstance(rule, dict) or "each" not in rule:
            found.append(rule)
            continue
        whole = {key: value for key, value in rule.items() if key != "each"}
        labels = {**(whole.get("labels") or {})}
        names = _listed(rule.get("value", []))
        found += [{**whole, "value": name, "labels": {**labels, rule["each"]: f"={name}"}} for name in names]
    return found


@dataclass(frozen=True, slots=True)
class Match(Closed):
    """All that is given must hold: sysObjectID at or below, sysDescr with the pattern, something below *probe*."""

    object_id: Oid | None = None
    description: Pattern | None = None
    probe: Oid | None = None
    always: bool = False


@dataclass(frozen=True, slots=True)
class Quirks(Closed):
    """What is wrong with an agent.

    *clocks*: those that lie; *unordered*: rows come in any order, each once; *max_oids*: names it takes in a request.
    *hundredths*: light is always in 0.01 dBm, which others of its family mix with microwatts. *exos_light*: light is
    not in the unit its sensor says.
    """

    bulk: bool = True
    max_oids: Annotated[int, within(1, 100)] | None = None
    unordered: bool = False
    clocks: frozenset[Literal["agent", "engine", "host"]] = frozenset()
    hundredths: bool = False
    exos_light: bool = False


@dataclass(frozen=True)
class Profile(Closed):
    """What is known of one kind of device, or (*layer* base) of a MIB that any device may have.

    *inherit* names a profile whose scalars, tables and metrics this one has too.
    """

    profile: Annotated[str, matching(r"[a-z][a-z0-9_]*")]
    title: str
    match: tuple[Match, ...]
    layer: Literal["base", "device"] = "device"
    inherit: str | None = None
    quirks: Quirks = field(default_factory=Quirks)
    scalars: dict[str, ColumnSpec] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    metrics: Annotated[tuple[Rule, ...], Before(_each)] = ()

    def whole(self) -> "Profile":
        """Itself; what is folded up until it is needed (known.py) has the same name for it."""
        return self

    @cached_property
    def picked(self) -> tuple[str, ...]:
        """The tables of which only some rows are asked for, by name."""
        return tuple(name for name, table in self.tables.items() if table.picked)

    def placed(self, branch: str) -> "Profile":
        """This profile for the model whose branch is *branch*; itself when no table is in one."""
        own = {name: table for name, table in self.tables.items() if table.own}
        here = {name: replace(t, oid=f"{branch}.{t.own}", own=None) for name, t in own.items()}
        return replace(self, tables={**self.tables, **here}) if own else self

    def columns(self, table: str) -> Mapping[str, Column]:
        """The columns of *table*."""
        return self.scalars if table == SCALARS else self.tables[table].columns

    def root(self, table: str, column: str) -> ber.RawOid:
        """The encoded OID of a column, or of a scalar's instance."""
        spec = self.columns(table)[column]
        return ber.oid(spec.oid or f"{self.tables[table].oid}.{spec.arc}")

    def roots(self, table: str) -> list[ber.RawOid]:
        """Every OID to ask for *table*, each once."""
        return list(dict.fromkeys(self.root(table, column) for column in self.columns(table)))

    def keep_seconds(self, table: str, root: ber.RawOid) -> float:
        """How long the column of *table* that is asked under *root* may be remembered; 0: it is asked at each poll."""
        whole: Every = "poll" if table == SCALARS else self.tables[table].every
        columns = self.columns(table).items()
        return min(EVERY_SECONDS[column.every or whole] for name, column in columns if self.root(table, name) == root)


class Ambiguous(ValueError):
    """Two profiles give different meanings to one table; whoever wrote the newer one must rename."""


def combine(profiles: Iterable[Profile]) -> Profile:
    """One profile that asks and means everything *profiles* do; Ambiguous when two define a table differently.

    The name is that of the last, so put the device's own profile there.
    """
    chosen = list(profiles)
    tables: dict[str, Table] = {}
    scalars: dict[str, Column] = {}
    for each in chosen:
        for name, table in each.tables.items():
            if tables.setdefault(name, table) != table:
                raise Ambiguous(f"table {name} of profile {each.profile} differs from an earlier one")
        for name, column in each.scalars.items():
            if scalars.setdefault(name, column) != column:
                raise Ambiguous(f"scalar {name} of profile {each.profile} differs from an earlier one")
    last = chosen[-1]
    metrics = tuple(rule for each in chosen for rule in each.metrics)
    return replace(last, tables=tables, scalars=scalars, metrics=metrics)
