"""From what a device answered to samples: a value or nothing.

Sentinels, nonsense and values out of bounds give no sample; a state never becomes a number. No I/O, no clock.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import isfinite

from collectors import entity, optics, parts, plausibility, ports, radio
from collectors.column import Column, IndexPart
from collectors.fibre import module
from collectors.known import known
from collectors.profile import DEVICE_LABELS, SCALARS, Label, Picked, Profile, Rule
from collectors.reading import Read, read, text
from collectors.sample import Labels, Sample
from collectors.snmp import ber
from collectors.snmp.ber import RawOid, VarBind
from collectors.snmp.walk import Cell

Answers = Mapping[RawOid, Mapping[bytes, Cell]]
"""For each column's OID, its cells by the encoded suffix of the row; a scalar's only suffix is empty."""
Row = dict[str, Read]
Rows = dict[str, dict[bytes, Row]]
"""For each table, its rows by suffix."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the answers say. *implausible*: by metric, how many values no such thing can have."""

    samples: list[Sample]
    implausible: Counter[str]


def samples(profile: Profile, answers: Answers, labels: Mapping[str, str], at: float) -> list[Sample]:
    """Everything *profile* can say from *answers*; *labels* name the device, *at* is Unix time in seconds."""
    return decoded(profile, answers, labels, at).samples


def decoded(profile: Profile, answers: Answers, labels: Mapping[str, str], at: float) -> Decoded:
    """Everything *profile* can say from *answers*, what no device can have taken out and counted."""
    tables = derived(profile, answers)
    base = tuple((name, labels[name]) for name in DEVICE_LABELS if name in labels)
    found: list[Sample] = []
    dark: list[tuple[str, Labels]] = []
    implausible: Counter[str] = Counter()
    for rule in profile.metrics:
        told = {each.labels for each in found if each.metric == rule.metric} if rule.unless_told else set()
        sifted = sift(rule, tables, base, told)
        found += [Sample(rule.metric, series, value, at) for series, value, _ in sifted.values]
        dark += [(rule.metric, series) for series in sifted.dark]
        implausible.update({rule.metric: sifted.implausible} if sifted.implausible else {})
    return Decoded(module.complete(found, dark, at), implausible)


@dataclass(frozen=True, slots=True)
class Sifted:
    """What one rule gives: series, value and row (None: of several rows); *dark*: series of light without a value."""

    values: list[tuple[Labels, float, bytes | None]]
    dark: list[Labels]
    implausible: int


def sift(rule: Rule, tables: Rows, base: Labels, told: AbstractSet[Labels] = frozenset()) -> Sifted:
    """The values of *rule* that can be true, without the series that were *told* already."""
    found: list[tuple[Labels, float, bytes | None]] = []
    dark: list[Labels] = []
    implausible = 0
    for series, value, row in apply(rule, tables, base):
        if series in told:
            continue
        doubt = None if value is None else plausibility.doubt(rule.metric, value, wider=rule.wider)
        if value is not None and doubt is None:
            found.append((series, value, row))
        elif doubt and not doubt.startswith(plausibility.NO_LIGHT):
            implausible += 1
        elif rule.metric in module.DIRECTIONS:
            dark.append(series)
    return Sifted(found, dark, implausible)


def derived(profile: Profile, answers: Answers) -> Rows:
    """Every table of *profile* as rows, with the columns that are worked out from others."""
    tables = {SCALARS: rows(profile, SCALARS, answers)}
    tables |= {name: rows(profile, name, answers) for name in profile.tables}
    _derive(profile, tables)
    return tables


def _derive(profile: Profile, tables: Rows) -> None:
    """Add the derived columns; ports first, because sensors are named after them."""
    for name, table in profile.tables.items():
        if table.derive == "port":
            tables[name] = ports.derive(tables[name])
    for name, table in profile.tables.items():
        if table.derive == "entity_sensor":
            entities, aliases, by_index = (tables.get(other, {}) for other in ("entity", "entity_alias", "port"))
            limits = entity.limits_of(tables.get("cisco_threshold", {}), tables.get("arista_threshold", {}))
            exos = profile.quirks.exos_light
            tables[name] = entity.derive(tables[name], entities, aliases, by_index, limits, exos=exos)
        elif table.derive == "part":
            tables[name] = parts.derive(tables[name], tables.get("entity", {}))
        elif table.derive == "bridge":
            tables[name] = ports.derive_bridge(tables[name], tables.get("port", {}))
        elif table.derive == "huawei_optics":
            tables[name] = optics.derive_huawei(tables[name], hundredths=profile.quirks.hundredths)
        elif table.derive == "lldp":
            tables[name] = ports.derive_lldp(tables[name], tables.get("lldp_local", {}), tables.get("port", {}))
    if "cdp_remote" in tables:
        others = (row for name in ports.LLDP_TABLES for row in tables.get(name, {}).values())
        tables["cdp_remote"] = ports.derive_cdp(tables["cdp_remote"], tables.get("port", {}), others)


def group(profile: Profile, varbinds: Iterable[VarBind]) -> dict[RawOid, dict[bytes, Cell]]:
    """Sort loose variables into the columns of *profile*, as a walk would have; what no column wants is left out."""
    roots = {root for table in (SCALARS, *profile.tables) for root in profile.roots(table)}
    lengths = sorted({len(root) for root in roots}, reverse=True)
    found: dict[RawOid, dict[bytes, Cell]] = {root: {} for root in roots}
    for name, tag, value in varbinds:
        for length in lengths:
            if name[:length] in roots:
                found[name[:length]][name[length:]] = (tag, value)
                break
    return found


def rows(profile: Profile, table: str, answers: Answers) -> dict[bytes, Row]:
    """The rows of *table* in the order of their index, each with the columns that have a value."""
    found: dict[bytes, Row] = {}
    for name, column in profile.columns(table).items():
        for suffix, cell in answers.get(profile.root(table, name), {}).items():
            found.setdefault(suffix, {})[name] = read(column, cell)
    if table == SCALARS:
        return {b"": {name: value for row in found.values() for name, value in row.items()}}
    parts = profile.tables[table].index
    for suffix in found if parts else ():
        found[suffix] |= _index_columns(parts, ber.index(suffix))
    return dict(sorted(found.items(), key=lambda item: ber.index(item[0])))


def _index_columns(parts: Mapping[str, IndexPart], numbers: tuple[int, ...]) -> Row:
    """What a row's index says: the number at a place, or the text whose length stands there (RFC 2578 section 7.7)."""
    found: Row = {}
    for name, part in parts.items():
        if not -len(numbers) <= part.at < len(numbers):
            continue
        first = numbers[part.at]
        if part.read == "number":
            found[name] = first
        else:
            octets = numbers[part.at + 1 :][:first] if part.read == "text" else numbers[part.at :]
            found[name] = _captured(part.extract, text(bytes(octet & 0xFF for octet in octets)))
    return found


def _captured(pattern: str | None, whole: str) -> str | None:
    if pattern is None:
        return whole
    found = re.search(pattern, whole)
    return found[1] if found else None


def scalar(profile: Profile, answers: Answers, name: str) -> Read:
    """One scalar of *profile*, or nothing."""
    cell = answers.get(profile.root(SCALARS, name), {}).get(b"")
    return read(profile.scalars[name], cell) if cell else None


# --- one rule over one table


def apply(rule: Rule, tables: Rows, base: Labels) -> Iterator[tuple[Labels, float | None, bytes | None]]:
    """The series of *rule*, their values (None: the device answered, but not with a value) and rows (None: several)."""
    order = known().metrics[rule.metric].labels
    combined: dict[Labels, float] = {}
    for suffix, row in tables[rule.table].items():
        if not counts(rule, row):
            continue
        labels = labels_of(rule, tables, suffix, row)
        found = value_of(rule, row, labels)
        whole = base + tuple((name, labels[name]) for name in order if labels.get(name))
        if rule.combine == "one":
            if found is not None or any(name in row for name in rule.value):
                yield whole, found, suffix
        elif found is not None:
            combined[whole] = combined.get(whole, 0) + found if rule.combine == "sum" else combined.get(whole, found)
    yield from ((whole, total, None) for whole, total in combined.items())


def counts(rule: Rule | Picked, row: Row) -> bool:
    """Whether the rule's conditions hold for a row."""
    for name, condition in rule.where.items():
        word = "" if row.get(name) is None else str(row[name])
        if condition.matches and (row.get(name) is None or not re.search(condition.matches, word)):
            return False
        if condition.not_matches and name in row and re.search(condition.not_matches, word):
            return False
    return True


def value_of(rule: Rule, row: Row, labels: Mapping[str, str]) -> float | None:
    """What the rule makes of a row; 1 where it names no column."""
    if not rule.value:
        return 1
    raw = next((row[name] for name in rule.value if row.get(name) is not None), None)
    try:
        found = float(raw) if isinstance(raw, str) else raw
    except ValueError:
        return None
    if found is not None and rule.convert:
        found = _CONVERT[rule.convert](found, labels)
    return found if found is not None and isfinite(found) else None


def plain(column: Column, cell: Cell) -> float | None:
    """What a cell alone gives a rule that takes it as its value, without conversion."""
    found = read(column, cell)
    try:
        found = float(found) if isinstance(found, str) else found
    except ValueError:
        return None
    return found if found is not None and isfinite(found) else None


_CONVERT: dict[str, Callable[[float, Mapping[str, str]], float | None]] = {
    "hertz": lambda value, labels: radio.channel_hertz(value, labels.get("band")),
    "dbm": lambda value, _labels: optics.dbm(value),
}
"""How a rule's ``convert`` turns a column's value into the metric's: a channel, light in watts."""


def labels_of(rule: Rule, tables: Rows, suffix: bytes, row: Row) -> dict[str, str]:
    """The labels the rule gives a row's series; those without a word are left out."""
    found = {}
    for name, sources in rule.labels.items():
        words = (_word(source, tables, suffix, row) for source in sources)
        word = next((each for each in words if each not in {None, ""}), None)
        if word is not None:
            found[name] = str(word)
    return found


def _word(source: Label, tables: Rows, suffix: bytes, row: Row) -> Read:
    word = _bare_word(source, tables, suffix, row)
    return f"{source.before}{word}" if source.before and word not in {None, ""} else word


def _bare_word(source: Label, tables: Rows, suffix: bytes, row: Row) -> Read:
    if source.text is not None:
        return source.text
    if source.index is not None or source.dotted:
        numbers = ber.index(suffix)
        if source.dotted:
            return ".".join(map(str, numbers))
        at = source.index or 0
        return str(numbers[at]) if at < len(numbers) else None
    if source.of is None:
        return row.get(source.column or "")
    other = tables.get(source.of, {})
    if source.by and source.key:
        matching = [each for each in other.values() if each.get(source.key) == row.get(source.by)]
        return matching[0].get(source.column or "") if len(matching) == 1 else None
    return other.get(_there(source, suffix), {}).get(source.column or "")


def _there(source: Label, suffix: bytes) -> bytes:
    """The index of the row meant in another table."""
    if source.prefix:
        return ber.encode_index(ber.index(suffix)[: source.prefix])
    if source.suffix:
        return ber.encode_index(ber.index(suffix)[-source.suffix :])
    if source.at is not None:
        return ber.encode_index(ber.index(suffix)[source.at : source.at + 1])
    return suffix
