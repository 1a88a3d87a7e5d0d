"""The profiles as they are written: read from YAML and checked, all of it before any poll.

Unknown keys, unknown metrics, labels the catalogue does not list, columns that do not exist and broken regular
expressions are errors. What comes of them (profile.py) needs none of the libraries used here.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

import yaml
from pydantic import TypeAdapter

from collectors import foreign, plausibility
from collectors.profile import SCALARS, Profile, Rule, Table, combine

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""In C where there is one: a tenth of the time, which is what a start takes."""


class ProfileError(Exception):
    """A profile file is wrong; whoever edits it must act. The message names the file."""


def parse(text: str, name: str) -> Profile:
    """A profile from YAML; ProfileError names the file and everything wrong with it."""
    try:
        return checked(_as_written().validate_python(yaml.load(text, Loader=_LOADER)))  # noqa: S506 it is the safe one
    except (ValueError, yaml.YAMLError) as error:
        raise ProfileError(f"{name}: {error}") from error


@cache
def _as_written() -> TypeAdapter[Profile]:
    return TypeAdapter(Profile)


def checked(profile: Profile) -> Profile:
    """*profile*, if it holds together; else ValueError."""
    for match in profile.match:
        if not (match.object_id or match.description or match.probe or match.always):
            raise ValueError("a match must name an object_id, a description, a probe, or always")
    for rule in profile.metrics:
        _check_rule(profile, rule)
    for name, table in (*profile.tables.items(), (SCALARS, Table(columns=profile.scalars))):
        _check_table(profile, name, table)
    return profile


def _check_rule(profile: Profile, rule: Rule) -> None:
    """ValueError unless the rule's metric, labels and columns exist."""
    try:
        metric = foreign.metric(rule.metric)
    except KeyError as error:
        raise ValueError(str(error)) from None
    strangers = set(rule.labels) - set(metric.labels)
    if strangers:
        raise ValueError(f"{rule.metric}: the catalogue gives it no label {', '.join(sorted(strangers))}")
    if rule.amplified and rule.metric not in plausibility.DARK:
        raise ValueError(f"{rule.metric}: amplified is said of light in dBm")
    if rule.licensed and rule.metric != plausibility.FREQUENCY:
        raise ValueError(f"{rule.metric}: licensed is said of {plausibility.FREQUENCY}")
    if rule.table != SCALARS and rule.table not in profile.tables:
        raise ValueError(f"{rule.metric}: no table {rule.table!r}")
    if rule.table != SCALARS and profile.tables[rule.table].private:
        _check_privacy(rule)
    own = [label.column for spec in rule.labels.values() for label in spec if label.column and not label.of]
    known = set(profile.scalars) if rule.table == SCALARS else profile.tables[rule.table].names
    unknown = {*rule.value, *rule.where, *own} - known
    if unknown:
        raise ValueError(f"{rule.metric}: table {rule.table} has no column {', '.join(sorted(unknown))}")


def _check_privacy(rule: Rule) -> None:
    """ValueError where a rule would tell a series of each resident's device, or show its address."""
    shown = [name for name, spec in rule.labels.items() if any(each.dotted or each.index is not None for each in spec)]
    if rule.combine == "one" or shown:
        raise ValueError(f"{rule.metric}: rows of table {rule.table} are private: sum them, and show no index")


def _check_table(profile: Profile, name: str, table: Table) -> None:
    if table.changed and table.changed not in profile.scalars:
        raise ValueError(f"{name}: changed: there is no scalar {table.changed!r}")
    if table.picked:
        there = set(profile.tables[table.picked.of].columns) if table.picked.of in profile.tables else set()
        lacking = {table.picked.by, *table.picked.where} - there
        if lacking:
            raise ValueError(f"{name}: picked: table {table.picked.of!r} has no column {', '.join(sorted(lacking))}")
    for column_name, column in table.columns.items():
        if (column.oid is None) == (column.arc is None) or (column.arc and not (table.oid or table.own)):
            raise ValueError(f"{name}.{column_name}: give its oid, or its arc below the table's oid")


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
