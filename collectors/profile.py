"""Vendor knowledge as data: which devices a profile fits, what to ask them, and what the answers mean.

A profile is a YAML file of collectors/profiles/. It is checked when it is loaded: unknown keys, unknown metrics, labels
the catalogue does not list, columns that do not exist and broken regular expressions are errors, found before any poll.
"""

from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, model_validator

from collectors import entity, foreign, optics, ports
from collectors.column import EVERY_SECONDS, Column, ColumnSpec, Every, IndexSpec, Part, Pattern
from collectors.snmp import ber
from parvis.values import Oid

DEVICE_LABELS = ("town", "site", "device")
"""Labels every sample has beside those its profile gives it; a one-shot poll knows only the device."""
DERIVED = {
    "entity_sensor": entity.DERIVED,
    "port": ports.DERIVED,
    "bridge": ports.DERIVED,
    "huawei_optics": optics.DERIVED,
    "lldp": ports.LLDP_DERIVED,
}
"""The columns each way of deriving adds to a table."""
SCALARS = "scalars"
"""The name under which a profile's scalars are its table of one row."""


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


class Condition(Part):
    """Which values of a column let a row count; a row without the value passes *not_matches* and fails *matches*."""

    matches: Pattern | None = None
    not_matches: Pattern | None = None


class Picked(Part):
    """Which rows are asked for, by name: those of table *of*, each followed by the number its column *by* says.

    *where*: only those whose columns there hold.
    """

    of: str
    by: str
    where: dict[str, Condition] = Field(default_factory=dict)


class Table(Part):
    """Columns that share their index; *oid* is the entry their arcs are counted from.

    *own* is written instead by vendors who give every model the same tables in a branch of its own: what follows there
    the model's number, which in sysObjectID follows the match's object_id (``Profile.placed``). *index* makes columns
    of the index's places. *every*: how often it is asked; *changed* names a scalar that tells when it must be asked at
    once. *derive*: columns worked out from the others (entity.py, ports.py, optics.py). *private*: the rows are
    residents' devices, so that their index is shown nowhere. *unordered*: some agents give its rows in any order, each
    once. *picked*: it is too long to be read whole (picked.py). *rows*: more than any device has.
    """

    oid: Oid | None = None
    own: str | None = Field(default=None, pattern=r"^\d+(\.\d+)*$")
    columns: dict[str, ColumnSpec]
    index: dict[str, IndexSpec] = Field(default_factory=dict)
    every: Every = "poll"
    changed: str | None = None
    private: bool = False
    unordered: bool = False
    picked: Picked | None = None
    rows: int = Field(default=4096, ge=1, le=65536)
    derive: Literal["entity_sensor", "port", "huawei_optics", "lldp", "bridge"] | None = None

    @property
    def names(self) -> set[str]:
        """Every column, read or derived."""
        return {*self.columns, *self.index, *(DERIVED[self.derive] if self.derive else ())}


class Label(Part):
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
    prefix: int | None = Field(default=None, ge=1)
    suffix: int | None = Field(default=None, ge=1)
    at: int | None = Field(default=None, ge=0)
    index: int | None = None
    dotted: bool = False
    before: str = ""


def _label(value: Any) -> Any:
    if isinstance(value, str):
        return {"text": value[1:]} if value.startswith("=") else {"column": value}
    return value


LabelSpec = Annotated[tuple[Annotated[Label, BeforeValidator(_label)], ...], BeforeValidator(_listed)]


class Rule(Part):
    """One metric of a table: the first of *value*'s columns that has a value, or 1 when none is named.

    In a file, ``each: label`` makes one rule of every column of *value*, whose label is the column's name.
    *convert*: from a channel to ``hertz``, from light in watts to ``dbm``. *unless_told*: only series that no earlier
    rule gave.
    """

    metric: str
    table: str = SCALARS
    value: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    convert: Literal["hertz", "dbm"] | None = None
    labels: dict[str, LabelSpec] = Field(default_factory=dict)
    where: dict[str, Condition] = Field(default_factory=dict)
    combine: Literal["one", "sum", "first"] = "one"
    unless_told: bool = False


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


class Match(Part):
    """All that is given must hold: sysObjectID at or below, sysDescr with the pattern, something below *probe*."""

    object_id: Oid | None = None
    description: Pattern | None = None
    probe: Oid | None = None
    always: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> "Match":
        if not (self.object_id or self.description or self.probe or self.always):
            raise ValueError("a match must name an object_id, a description, a probe, or always")
        return self


class Quirks(Part):
    """What is wrong with an agent.

    *clocks*: those that lie; *unordered*: rows come in any order, each once; *max_oids*: names it takes in a request.
    *hundredths*: light is always in 0.01 dBm, which others of its family mix with microwatts. *exos_light*: light is
    not in the unit its sensor says.
    """

    bulk: bool = True
    max_oids: int | None = Field(default=None, ge=1, le=100)
    unordered: bool = False
    clocks: frozenset[Literal["agent", "engine", "host"]] = frozenset()
    hundredths: bool = False
    exos_light: bool = False


class Profile(Part):
    """What is known of one kind of device, or (*layer* base) of a MIB that any device may have.

    *inherit* names a profile whose scalars, tables and metrics this one has too.
    """

    profile: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    layer: Literal["base", "device"] = "device"
    match: tuple[Match, ...]
    inherit: str | None = None
    quirks: Quirks = Quirks()
    scalars: dict[str, ColumnSpec] = Field(default_factory=dict)
    tables: dict[str, Table] = Field(default_factory=dict)
    metrics: Annotated[tuple[Rule, ...], BeforeValidator(_each)] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> "Profile":
        for rule in self.metrics:
            _check_rule(self, rule)
        for name, table in (*self.tables.items(), (SCALARS, Table(columns=self.scalars))):
            if table.changed and table.changed not in self.scalars:
                raise ValueError(f"{name}: changed: there is no scalar {table.changed!r}")
            if table.picked and (lacking := {table.picked.by, *table.picked.where} - self._columns_of(table.picked.of)):
                raise ValueError(
                    f"{name}: picked: table {table.picked.of!r} has no column {', '.join(sorted(lacking))}"
                )
            for column_name, column in table.columns.items():
                if (column.oid is None) == (column.arc is None) or (column.arc and not (table.oid or table.own)):
                    raise ValueError(f"{name}.{column_name}: give its oid, or its arc below the table's oid")
        return self

    @cached_property
    def picked(self) -> tuple[str, ...]:
        """The tables of which only some rows are asked for, by name."""
        return tuple(name for name, table in self.tables.items() if table.picked)

    def placed(self, branch: str) -> "Profile":
        """This profile for the model whose branch is *branch*; itself when no table is in one."""
        own = {name: table for name, table in self.tables.items() if table.own}
        here = {name: t.model_copy(update={"oid": f"{branch}.{t.own}", "own": None}) for name, t in own.items()}
        return self.model_copy(update={"tables": {**self.tables, **here}}) if own else self

    def tells(self, metric: str) -> bool:
        """Whether any rule gives *metric*."""
        return metric in self._told

    @cached_property
    def _told(self) -> frozenset[str]:
        return frozenset(rule.metric for rule in self.metrics)

    def _columns_of(self, table: str) -> set[str]:
        return set(self.tables[table].columns) if table in self.tables else set()

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


def _check_rule(profile: Profile, rule: Rule) -> None:
    """ValueError unless the rule's metric, labels and columns exist."""
    try:
        metric = foreign.metric(rule.metric)
    except KeyError as error:
        raise ValueError(str(error)) from None
    strangers = set(rule.labels) - set(metric.labels)
    if strangers:
        raise ValueError(f"{rule.metric}: the catalogue gives it no label {', '.join(sorted(strangers))}")
    if rule.table != SCALARS and rule.table not in profile.tables:
        raise ValueError(f"{rule.metric}: no table {rule.table!r}")
    own = [label.column for spec in rule.labels.values() for label in spec if label.column and not label.of]
    known = set(profile.scalars) if rule.table == SCALARS else profile.tables[rule.table].names
    unknown = {*rule.value, *rule.where, *own} - known
    if unknown:
        raise ValueError(f"{rule.metric}: table {rule.table} has no column {', '.join(sorted(unknown))}")


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
    return last.model_copy(update={"tables": tables, "scalars": scalars, "metrics": metrics})


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""In C where there is one: a tenth of the time, which is what a start takes."""


class ProfileError(Exception):
    """A profile file is wrong; whoever edits it must act. The message names the file."""


def parse(text: str, name: str) -> Profile:
    """A profile from YAML; ProfileError names the file and everything wrong with it."""
    try:
        return Profile.model_validate(yaml.load(text, Loader=_LOADER))  # noqa: S506 it is the safe one
    except (ValueError, yaml.YAMLError) as error:
        raise ProfileError(f"{name}: {error}") from error


@cache
def profiles() -> tuple[Profile, ...]:
    """Every profile of collectors/profiles/, by name."""
    folder = files("collectors") / "profiles"
    found = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yml")), key=lambda e: e.name)
    return heirs(parse(entry.read_text("utf-8"), entry.name) for entry in found)


def heirs(written: Iterable[Profile]) -> tuple[Profile, ...]:
    """Profiles with what they inherit; ProfileError when the named one is missing, or an heir itself."""
    known = {profile.profile: profile for profile in written}
    return tuple(_heir(profile, known) for profile in known.values())


def _heir(profile: Profile, known: Mapping[str, Profile]) -> Profile:
    if profile.inherit is None:
        return profile
    parent = known.get(profile.inherit)
    if parent is None or parent.inherit:
        raise ProfileError(f"{profile.profile}: inherit: {profile.inherit!r} is no profile that stands for itself")
    return combine((parent, profile))
