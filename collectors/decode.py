"""From what a device answered to samples: a value or nothing.

Sentinels, nonsense and values out of bounds give no sample; a state never becomes a number. No I/O, no clock.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isfinite

from collectors import entity, ports
from collectors.profile import DEVICE_LABELS, SCALARS, Column, Label, Profile, Reading, Rule
from collectors.sample import Labels, Sample
from collectors.snmp import ber
from collectors.snmp.ber import RawOid, VarBind
from collectors.snmp.errors import Malformed
from collectors.snmp.walk import Cell
from parvis import catalogue

Answers = Mapping[RawOid, Mapping[bytes, Cell]]
"""For each column's OID, its cells by the encoded suffix of the row; a scalar's only suffix is empty."""
Read = str | float | None
"""A text, a number, or nothing."""
Row = dict[str, Read]
Rows = dict[str, dict[bytes, Row]]
"""For each table, its rows by suffix."""

MAX_TEXT = 128
MEGAHERTZ = 1_000_000
_MAC_OCTETS = 6


def samples(profile: Profile, answers: Answers, labels: Mapping[str, str], at: float) -> list[Sample]:
    """Everything *profile* can say from *answers*; *labels* name the device, *at* is Unix time in seconds."""
    tables = {SCALARS: rows(profile, SCALARS, answers)}
    tables |= {name: rows(profile, name, answers) for name in profile.tables}
    _derive(profile, tables)
    base = tuple((name, labels[name]) for name in DEVICE_LABELS if name in labels)
    return [sample for rule in profile.metrics for sample in _apply(rule, tables, base, at)]


def _derive(profile: Profile, tables: Rows) -> None:
    """Add the derived columns; ports first, because sensors are named after them."""
    for name, table in profile.tables.items():
        if table.derive == "port":
            tables[name] = ports.derive(tables[name])
    for name, table in profile.tables.items():
        if table.derive == "entity_sensor":
            others = (tables.get(other, {}) for other in ("entity", "entity_alias", "port"))
            tables[name] = entity.derive(tables[name], *others)


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
    return dict(sorted(found.items(), key=lambda item: ber.index(item[0])))


def scalar(profile: Profile, answers: Answers, name: str) -> Read:
    """One scalar of *profile*, or nothing."""
    cell = answers.get(profile.root(SCALARS, name), {}).get(b"")
    return read(profile.scalars[name], cell) if cell else None


# --- one variable


def read(column: Column, cell: Cell) -> Read:
    """What *cell* means under *column*: a number in the column's unit, a text, or nothing."""
    if cell[1] is None:
        return None
    if column.names:
        word = oid_or_text(cell)
        return next((name for pattern, name in column.matchers if pattern.fullmatch(word)), None)
    found = READ[column.read](cell)
    if found in column.absent:
        return None
    return _bounded(column, found) if isinstance(found, int | float) else found


def _bounded(column: Column, number: float) -> float | None:
    if column.scale != 1:
        number *= column.scale
    if column.range and not column.range[0] <= number <= column.range[1]:
        return None
    return number if column.cap is None else min(number, column.cap)


def number(cell: Cell) -> float | None:
    """An integer, or the number a text begins with, as some agents write them.

    >>> number((4, b"3.7 dBm")), number((4, b"-----")), number((65, 7))
    (3.7, None, 7)
    """
    tag, value = cell
    if isinstance(value, int):
        return value
    if tag != ber.OCTET_STRING or value is None:
        return None
    found = re.match(r"\s*([+-]?\d{1,18}(?:\.\d{1,9})?)(?![0-9A-Za-z:.])", text(value))
    return float(found[1]) if found else None


def negative(cell: Cell) -> float | None:
    """A number that is always below zero, whether or not the agent writes the sign.

    >>> negative((2, 95)), negative((2, -95)), negative((2, 0))
    (-95, -95, None)
    """
    found = number(cell)
    return -abs(found) if found else None


def text(octets: bytes) -> str:
    r"""UTF-8 (RFC 3411 SnmpAdminString) cleaned for display: no control characters, at most 128 characters.

    >>> text(b"Salle \xc3\xa9t\xe9\x00\n")
    'Salle \xe9t\ufffd'
    """
    decoded = octets.decode("utf-8", "replace")
    if not decoded.isprintable():
        decoded = "".join(char if char.isprintable() else " " for char in decoded)
    return " ".join(decoded.split())[:MAX_TEXT]


def oid_or_text(cell: Cell) -> str:
    """A text; an OBJECT IDENTIFIER in dotted form; a number in digits."""
    tag, value = cell
    if isinstance(value, bytes):
        try:
            return ber.oid_text(value) if tag == ber.OBJECT_IDENTIFIER else text(value)
        except Malformed:
            return ""
    return "" if value is None else str(value)


def mac(cell: Cell) -> str | None:
    """The hardware address of a port of the equipment itself, never of a client."""
    value = cell[1]
    return value.hex(":") if isinstance(value, bytes) and len(value) == _MAC_OCTETS else None


def channel(cell: Cell) -> int | None:
    """A channel number, also where a text adds the width: ``116E``, ``53S``, ``11+``.

    >>> channel((4, b"116E")), channel((2, 11)), channel((4, b"auto")), channel((2, 0))
    (116, 11, None, None)
    """
    value = cell[1]
    if isinstance(value, int):
        return value or None
    found = re.match(r"\d{1,3}", text(value)) if value else None
    return int(found[0]) or None if found else None


# --- radio arithmetic (IEEE 802.11-2020 annex E, 802.11ax for 6 GHz)

BANDS = {"2.4GHz": (2400, 2500), "5GHz": (4900, 5925), "6GHz": (5925, 7125), "60GHz": (57000, 71000)}
"""Edges in MHz; the lower belongs to the band."""
CHANNELS = {"2.4GHz": (2407, 1, 13), "5GHz": (5000, 7, 177), "6GHz": (5950, 1, 233)}
"""For each band the frequency of its channel 0 in MHz, and its first and last channel; channels are 5 MHz apart."""
ODD_CHANNELS: dict[tuple[str | None, float], int] = {("2.4GHz", 14): 2484, ("6GHz", 2): 5935}


def channel_hertz(number: float, band: str | None) -> float | None:
    """The centre frequency of a 20 MHz channel, in hertz; without its band a number alone says nothing.

    >>> channel_hertz(6, "2.4GHz"), channel_hertz(157, "5GHz"), channel_hertz(5, "6GHz"), channel_hertz(36, None)
    (2437000000, 5785000000, 5975000000, None)
    """
    exception = ODD_CHANNELS.get((band, number))
    if exception:
        return exception * MEGAHERTZ
    start, first, last = CHANNELS.get(band or "", (0, 1, 0))
    return (start + 5 * number) * MEGAHERTZ if first <= number <= last else None


def band_of_megahertz(cell: Cell) -> str | None:
    """The band a frequency in MHz lies in.

    >>> band_of_megahertz((2, 5180))
    '5GHz'
    """
    found = number(cell)
    return next((band for band, (low, high) in BANDS.items() if found is not None and low <= found < high), None)


def channel_of_megahertz(cell: Cell) -> int | None:
    """The channel whose centre a frequency in MHz is.

    >>> channel_of_megahertz((2, 2437)), channel_of_megahertz((2, 5785)), channel_of_megahertz((2, 5935))
    (6, 157, 2)
    """
    found, band = number(cell), band_of_megahertz(cell)
    if found is None or band not in {"2.4GHz", "5GHz", "6GHz"}:
        return None
    return next((n for n in range(1, 234) if channel_hertz(n, band) == found * MEGAHERTZ), None)


READ: dict[Reading, Callable[[Cell], Read]] = {
    "number": number,
    "negative": negative,
    "text": oid_or_text,
    "mac": mac,
    "channel": channel,
    "band_of_megahertz": band_of_megahertz,
    "channel_of_megahertz": channel_of_megahertz,
}
"""How a profile's ``read`` words read one variable."""


# --- one rule over one table


def _apply(rule: Rule, tables: Rows, base: Labels, at: float) -> Iterator[Sample]:
    order = catalogue.metric(rule.metric).labels
    combined: dict[Labels, float] = {}
    for suffix, row in tables[rule.table].items():
        if not _counts(rule, row):
            continue
        labels = _labels(rule, tables, suffix, row)
        found = _value(rule, row, labels)
        if found is None:
            continue
        whole = base + tuple((name, labels[name]) for name in order if labels.get(name))
        if rule.combine == "one":
            yield Sample(rule.metric, whole, found, at)
        elif rule.combine == "sum":
            combined[whole] = combined.get(whole, 0) + found
        else:
            combined.setdefault(whole, found)
    for whole, total in combined.items():
        yield Sample(rule.metric, whole, total, at)


def _counts(rule: Rule, row: Row) -> bool:
    for name, condition in rule.where.items():
        word = "" if row.get(name) is None else str(row[name])
        if condition.matches and (row.get(name) is None or not re.search(condition.matches, word)):
            return False
        if condition.not_matches and name in row and re.search(condition.not_matches, word):
            return False
    return True


def _value(rule: Rule, row: Row, labels: Mapping[str, str]) -> float | None:
    if not rule.value:
        return 1
    raw = next((row[name] for name in rule.value if row.get(name) is not None), None)
    try:
        found = float(raw) if isinstance(raw, str) else raw
    except ValueError:
        return None
    if found is not None and rule.convert == "hertz":
        found = channel_hertz(found, labels.get("band"))
    return found if found is not None and isfinite(found) else None


def _labels(rule: Rule, tables: Rows, suffix: bytes, row: Row) -> dict[str, str]:
    found = {}
    for name, sources in rule.labels.items():
        words = (_word(source, tables, suffix, row) for source in sources)
        word = next((each for each in words if each not in {None, ""}), None)
        if word is not None:
            found[name] = str(word)
    return found


def _word(source: Label, tables: Rows, suffix: bytes, row: Row) -> Read:
    if source.text is not None:
        return source.text
    if source.index is not None:
        numbers = ber.index(suffix)
        return str(numbers[source.index]) if source.index < len(numbers) else None
    if source.of is None:
        return row.get(source.column or "")
    other = tables.get(source.of, {})
    if source.by and source.key:
        matching = [each for each in other.values() if each.get(source.key) == row.get(source.by)]
        return matching[0].get(source.column or "") if len(matching) == 1 else None
    where = ber.encode_index(ber.index(suffix)[: source.prefix]) if source.prefix else suffix
    return other.get(where, {}).get(source.column or "")
