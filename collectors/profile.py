"""Vendor knowledge as data: which devices a profile fits, what to ask them, and what the answers mean.

A profile is a YAML file of collectors/profiles/. It is checked when it is loaded: unknown keys, unknown metrics, labels
the catalogue does not list, columns that do not exist and broken regular expressions are errors, found before any poll.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib.resources import files
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from collectors import entity, optics, ports
from collectors.snmp import ber
from parvis import catalogue
from parvis.values import Duration, Oid

DEVICE_LABELS = ("town", "site", "device")
"""Labels every sample has beside those its profile gives it; a one-shot poll knows only the device."""
DERIVED = {
    "entity_sensor": entity.DERIVED,
    "port": ports.DERIVED,
    "huawei_optics": optics.DERIVED,
    "lldp": ports.LLDP_DERIVED,
}
"""The columns each way of deriving adds to a table."""
SCALARS = "scalars"
"""The name under which a profile's scalars are its table of one row."""


def _compiles(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    return text


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _captures(text: str) -> str:
    if re.compile(text).groups != 1:
        raise ValueError(f"{text!r} must have one group, which says what to take")
    return text


Pattern = Annotated[str, AfterValidator(_compiles)]
CapturingPattern = Annotated[Pattern, AfterValidator(_captures)]
Reading = Literal[
    "number",
    "negative",
    "signed_octet",
    "text",
    "mac",
    "mac_or_text",
    "channel",
    "band_of_megahertz",
    "channel_of_megahertz",
    "band_of_channel",
]
"""How the octets of a variable become a number or a text; see collectors.reading.READ."""


class Part(BaseModel):
    """A part of a profile: frozen, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Part):
    """One object: where it is and how its raw value is read. A raw or read value out of bounds is no value.

    *item* takes the n-th of a comma list, counted from 0; *extract* what the pattern's first group captures. *names*
    maps whole raw texts (regular expressions) to the word used here; what matches none has no value. *absent* lists
    read values that mean "none"; then *offset* is added and *scale* multiplied; *range* is inclusive, in the unit
    after *scale*; *cap* cuts off above.
    """

    oid: Oid | None = None
    arc: int | None = Field(default=None, ge=1)
    item: int | None = Field(default=None, ge=0)
    extract: CapturingPattern | None = None
    read: Reading = "number"
    offset: float = 0
    scale: float = 1
    absent: tuple[int | str, ...] = ()
    names: dict[Pattern, str] = {}
    range: tuple[float, float] | None = None
    cap: float | None = None

    @cached_property
    def matchers(self) -> list[tuple[re.Pattern[str], str]]:
        """*names* compiled, in order."""
        return [(re.compile(pattern), name) for pattern, name in self.names.items()]


ColumnSpec = Annotated[Column, BeforeValidator(lambda v: {"arc": v} if isinstance(v, int) else v)]


class IndexPart(Part):
    """What one place of a row's index says.

    *at* counts from 0, or from the end if negative. A ``text`` begins there with its length; a ``rest`` is the text of
    all that follows (IMPLIED, RFC 2578 section 7.7). *extract* takes what the pattern's group captures of a text.
    """

    at: int
    read: Literal["number", "text", "rest"] = "number"
    extract: CapturingPattern | None = None


IndexSpec = Annotated[IndexPart, BeforeValidator(lambda v: {"at": v} if isinstance(v, int) else v)]


class Table(Part):
    """Columns that share their index; *oid* is the entry their arcs are counted from.

    *index* makes columns of the index's places. *keep*: seconds the table may be remembered instead of read, while the
    device runs on. *derive*: columns worked out from the others (entity.py, ports.py, optics.py).
    """

    oid: Oid | None = None
    columns: dict[str, ColumnSpec]
    index: dict[str, IndexSpec] = {}
    keep: Duration = 0
    derive: Literal["entity_sensor", "port", "huawei_optics", "lldp"] | None = None

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


class Condition(Part):
    """Which values of a column let a row count; a row without the value passes *not_matches* and fails *matches*."""

    matches: Pattern | None = None
    not_matches: Pattern | None = None


class Rule(Part):
    """One metric of a table: the first of *value*'s columns that has a value, or 1 when none is named.

    *convert*: from a channel to ``hertz``, from light in watts to ``dbm``.
    """

    metric: str
    table: str = SCALARS
    value: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()
    convert: Literal["hertz", "dbm"] | None = None
    labels: dict[str, LabelSpec] = {}
    where: dict[str, Condition] = {}
    combine: Literal["one", "sum", "first"] = "one"


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
    """What is wrong with an agent. *clocks*: those that lie; *unordered*: rows come in any order, each once."""

    bulk: bool = True
    unordered: bool = False
    clocks: frozenset[Literal["agent", "engine", "host"]] = frozenset()


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
    scalars: dict[str, ColumnSpec] = {}
    tables: dict[str, Table] = {}
    metrics: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _holds_together(self) -> "Profile":
        for rule in self.metrics:
            _check_rule(self, rule)
        for name, table in (*self.tables.items(), (SCALARS, Table(columns=self.scalars))):
            for column_name, column in table.columns.items():
                if (column.oid is None) == (column.arc is None) or (column.arc and not table.oid):
                    raise ValueError(f"{name}.{column_name}: give its oid, or its arc below the table's oid")
        return self

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


def _check_rule(profile: Profile, rule: Rule) -> None:
    """ValueError unless the rule's metric, labels and columns exist."""
    try:
        metric = catalogue.metric(rule.metric)
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


class ProfileError(Exception):
    """A profile file is wrong; whoever edits it must act. The message names the file."""


def parse(text: str, name: str) -> Profile:
    """A profile from YAML; ProfileError names the file and everything wrong with it."""
    try:
        return Profile.model_validate(yaml.safe_load(text))
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
