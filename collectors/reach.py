"""What of a profile depends on what: which cells of a table only ever become the value of one series. No I/O, no clock.

A counter's cell changes at every poll, but it gives only its own series a new value. A name, a state that lets rows
count, a sensor's scale: any of these may change labels, or which series there are. The first kind is *plain*, the
second is the *context* of its table; as long as that is the same to the octet, plain cells become values directly.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from collectors.column import Column
from collectors.fibre.module import DIRECTIONS
from collectors.ports import LLDP_TABLES
from collectors.profile import SCALARS, Profile, Rule
from collectors.snmp.ber import RawOid

PORT_CONTEXT = frozenset(("name", "descr"))
"""All that ports.derive, and whoever looks into its table, takes of a port's row (beside what labels name)."""
DERIVED_FROM = {
    "port": (),
    "huawei_optics": (),
    "entity_sensor": ("entity", "entity_alias", "port", "cisco_threshold", "arista_threshold"),
    "part": ("entity",),
    "lldp": ("lldp_local", "port"),
    "cdp": ("port", "lldp_local", *LLDP_TABLES),
    "bridge": ("port",),
}
"""The other tables a way of deriving looks into; see decode.tables."""


@dataclass(frozen=True, slots=True)
class Reach:
    """For each table its context's columns; for each rule the tables it depends on, and whether it is plain."""

    context: dict[str, frozenset[str]]
    tables: tuple[frozenset[str], ...]
    is_plain: tuple[bool, ...]
    joint: frozenset[int]
    """The rules about optical modules, which are concluded from together."""
    after: dict[str, frozenset[int]]
    """For each metric the rules that only tell what no earlier rule told of it."""
    clusters: tuple[tuple[str, ...], ...]
    """The tables, those that share columns together: a column is asked once."""


def reach(profile: Profile) -> Reach:
    """What depends on what in *profile*."""
    context = {name: set(_own_context(profile, name)) for name in (SCALARS, *profile.tables)}
    for rule in profile.metrics:
        _add_labels(rule, context)
    is_plain = [_may_be_plain(profile, rule) for rule in profile.metrics]
    has_changed = True
    while has_changed:
        has_changed = False
        for place, rule in enumerate(profile.metrics):
            if not is_plain[place] or context[rule.table].intersection(rule.value):
                is_plain[place] = False
                has_changed |= not context[rule.table].issuperset(rule.value)
                context[rule.table].update(rule.value)
    joint = frozenset(place for place, rule in enumerate(profile.metrics) if _is_joint(rule))
    tables = [_tables(profile, rule) for rule in profile.metrics]
    together = frozenset().union(*(tables[place] for place in joint))
    return Reach(
        {name: frozenset(columns) for name, columns in context.items()},
        tuple(together if place in joint else found for place, found in enumerate(tables)),
        tuple(is_plain),
        joint,
        {metric: _unless_told(profile, metric) for metric in {rule.metric for rule in profile.metrics}},
        tuple(_clusters(profile)),
    )


def _unless_told(profile: Profile, metric: str) -> frozenset[int]:
    return frozenset(place for place, rule in enumerate(profile.metrics) if rule.metric == metric and rule.unless_told)


def _clusters(profile: Profile) -> list[tuple[str, ...]]:
    found: list[tuple[set[RawOid], tuple[str, ...]]] = []
    for name in profile.tables:
        if name in profile.picked:
            continue
        roots = set(profile.roots(name))
        shared = [cluster for cluster in found if not cluster[0].isdisjoint(roots)]
        found = [cluster for cluster in found if cluster[0].isdisjoint(roots)]
        together = sum((names for _, names in shared), ())
        found.append((roots.union(*(others for others, _ in shared)), (*together, name)))
    return [names for _, names in found]


def _is_joint(rule: Rule) -> bool:
    return rule.metric in DIRECTIONS or rule.metric.startswith("optical_")


def is_as_it_stands(column: Column) -> bool:
    """Whether an integer of *column* is the value, unread."""
    return column.read == "number" and not (
        column.extract
        or column.names
        or column.absent
        or column.offset
        or column.range
        or column.item is not None
        or column.bit is not None
        or column.cap is not None
        or column.scale != 1
    )


def _own_context(profile: Profile, table: str) -> Iterable[str]:
    derive = None if table == SCALARS else profile.tables[table].derive
    if derive == "port":
        return PORT_CONTEXT
    if derive == "part":  # its rows alone count
        return ()
    looked_into = {
        other for each in profile.tables.values() if each.derive for other in _looks_into(profile, each.derive)
    }
    return profile.columns(table) if derive or table in looked_into else ()


def _looks_into(profile: Profile, derive: str) -> Iterable[str]:
    return DERIVED_FROM.get(derive, profile.tables)


def _add_labels(rule: Rule, context: dict[str, set[str]]) -> None:
    context[rule.table].update(rule.where)
    for sources in rule.labels.values():
        for source in sources:
            if source.of is None:
                context[rule.table].update([source.column] if source.column else ())
                continue
            context[rule.table].update([source.by] if source.by else ())
            context.setdefault(source.of, set()).update(name for name in (source.column, source.key) if name)


def _may_be_plain(profile: Profile, rule: Rule) -> bool:
    read = profile.columns(rule.table)
    is_one = rule.combine == "one" and not (rule.convert or rule.unless_told or _is_joint(rule))
    return is_one and bool(rule.value) and all(name in read for name in rule.value)


def _tables(profile: Profile, rule: Rule) -> frozenset[str]:
    """The table of a rule, those its labels look into, and those they are derived from."""
    found = {rule.table, *(source.of for sources in rule.labels.values() for source in sources if source.of)}
    for name in sorted(found):
        derive = None if name == SCALARS or name not in profile.tables else profile.tables[name].derive
        found.update(_looks_into(profile, derive) if derive else ())
    return frozenset(found)
