"""Why a device's answers mean what they mean: for each value the raw variable, the rule, and what came of it.

Re-does what ``decode`` does, in slow motion and for people. No I/O, no clock.
"""

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from collectors import decode, plausibility, reading
from collectors.column import Column
from collectors.decode import Answers, Row, Rows
from collectors.known import known
from collectors.profile import Profile, Rule
from collectors.sample import Labels
from collectors.snmp import ber
from collectors.snmp.walk import Cell

MAX_RAW = 60
GIVEN = "the same series was given before"


@dataclass(frozen=True, slots=True)
class Line:
    """One value: where it came from, what was done with it, and what it became; *value* None: it was dropped."""

    metric: str
    labels: Labels
    value: float | None
    why: str
    oid: str = ""
    raw: str = ""
    profile: str = ""
    column: str = ""
    verb: str = ""


def explain(profile: Profile, answers: Answers) -> list[Line]:
    """Every value *profile* takes from *answers*, those it drops, and those that are concluded from others."""
    tables = decode.derived(profile, answers)
    files = _files()
    lines: list[Line] = []
    told: Counter[tuple[str, Labels]] = Counter()
    for rule in profile.metrics:
        taken = set(told) if rule.unless_told else set()
        for suffix, row in tables[rule.table].items():
            for line in _line(rule, profile, tables, suffix, row, answers, files.get(id(rule), profile.profile)):
                series = (line.metric, line.labels)
                given = line.value is not None and series in (taken if rule.combine == "sum" else told)
                lines.append(replace(line, value=None, why=GIVEN) if given else line)
                told[series] += lines[-1].value is not None
    sums = {series for series, count in told.items() if count > 1}
    return [*lines, *_concluded(set(+told) - sums, profile, answers)]


def _files() -> dict[int, str]:
    """In which profile each rule stands; an heir's rules stand where they were written."""
    written = sorted((each.whole() for each in known().profiles), key=lambda each: each.inherit is not None)
    found: dict[int, str] = {}
    for each in written:
        for rule in each.metrics:
            found.setdefault(id(rule), each.profile)
    return found


def _line(
    rule: Rule, profile: Profile, tables: Rows, suffix: bytes, row: Row, answers: Answers, file: str
) -> Iterator[Line]:
    name = next((each for each in rule.value if row.get(each) is not None), None)
    answered = [each for each in rule.value if each in row]
    if rule.value and not answered:
        return
    name = name or next(iter(answered), None)
    labels = decode.labels_of(rule, tables, suffix, row)
    order = [(each, labels[each]) for each in known().metrics[rule.metric].labels if labels.get(each)]
    value, why = _verdict(rule, row, labels)
    oid, raw, verb, reason = _source(profile, rule.table, name, suffix, answers)
    verb = ", ".join(part for part in (verb, f"convert {rule.convert}" if rule.convert else "") if part)
    column = f"{rule.table}.{name}" if name else rule.table
    if value is None and not why:
        why = reason or "nothing to read"
    elif value is not None and rule.combine == "sum":
        why = "added to others of its series"
    yield Line(rule.metric, tuple(order), value, why, oid, raw, f"{file}.yml", column, verb)


def _verdict(rule: Rule, row: Row, labels: Mapping[str, str]) -> tuple[float | None, str]:
    """The rule's value for a row and, where there is none, why; no reason when its column has no value."""
    if not decode.counts(rule, row):
        return None, f"state: the row does not count, {_conditions(rule, row)}"
    value = decode.value_of(rule, row, labels)
    if value is not None:
        doubt = plausibility.doubt(rule.metric, value, wider=rule.wider)
        return (None, doubt) if doubt else (value, "")
    if rule.convert and any(row.get(name) is not None for name in rule.value):
        return None, f"no {rule.convert} can be made of it" + ("" if labels.get("band") else ", no band is known")
    return None, ""


def _conditions(rule: Rule, row: Row) -> str:
    """The conditions of the rule, each with the value the row has."""
    shown = []
    for name, condition in rule.where.items():
        wanted = (
            f"must match {condition.matches!r}" if condition.matches else f"must not match {condition.not_matches!r}"
        )
        shown.append(f"{name} = {row.get(name)!r} {wanted}")
    return "; ".join(shown)


def _source(
    profile: Profile, table: str, name: str | None, suffix: bytes, answers: Answers
) -> tuple[str, str, str, str]:
    """Of a column's cell in a row: its OID, its raw value, the verb that reads it, and why that gave nothing."""
    columns = profile.columns(table)
    whole = profile.tables.get(table)
    private = bool(whole and whole.private)
    index = "*" if private else ".".join(map(str, ber.index(suffix)))
    if name is None:
        return "", f"row {index}" if suffix else "", "a row is there", ""
    if name not in columns:
        return _worked_out(profile, table, name, suffix, answers, index)
    root = profile.root(table, name)
    cell = answers.get(root, {}).get(suffix, (0, None))
    oid = ber.oid_text(root) + (f".{index}" if suffix else "")
    return oid, raw(cell), verb(columns[name]), reading.judged(columns[name], cell)[1]


def _worked_out(
    profile: Profile, table: str, name: str, suffix: bytes, answers: Answers, index: str
) -> tuple[str, str, str, str]:
    """The source of a column that no variable holds: a place of the index, or a derivation from the row's others."""
    whole = profile.tables[table]
    if name in whole.index:
        return "", f"index {index}", f"place {whole.index[name].at} of the index", ""
    inputs = {each: answers.get(profile.root(table, each), {}).get(suffix) for each in whole.columns}
    main = next((each for each in (name.removesuffix("_dbm"), "value") if inputs.get(each)), next(iter(inputs), ""))
    told = ", ".join(f"{each}={raw(cell)}" for each, cell in inputs.items() if cell and each != main)
    oid = f"{ber.oid_text(profile.root(table, main))}.{index}"
    cell = inputs.get(main) or (0, None)
    return oid, raw(cell), f"derive {whole.derive}" + (f" ({told})" if told else ""), "no reading comes of it"


def verb(column: Column) -> str:
    """What a column does to a raw value, in the words of the profile.

    >>> verb(Column(arc=1, scale=0.01, absent=(0,)))
    'read number, absent [0], scale 0.01'
    """
    given = {
        "item": column.item,
        "extract": column.extract,
        "bit": column.bit,
        "names": dict(column.names) or None,
        "read": None if column.names else column.read,
        "absent": list(column.absent) or None,
        "offset": f"{column.offset:g}" if column.offset else None,
        "scale": f"{column.scale:g}" if column.scale != 1 else None,
        "range": "{:g} to {:g}".format(*column.range) if column.range else None,
        "cap": None if column.cap is None else f"{column.cap:g}",
    }
    return ", ".join(f"{name} {value}" for name, value in given.items() if value is not None)


def raw(cell: Cell) -> str:
    """A variable as the agent sent it.

    >>> raw((4, b"3.7 dBm")), raw((2, -230)), raw((4, bytes([0, 255])))
    ('"3.7 dBm"', '-230', '0x00ff')
    """
    tag, value = cell
    if value is None:
        return "nothing"
    if isinstance(value, int):
        return str(value)
    if tag == ber.OBJECT_IDENTIFIER:
        return reading.oid_or_text(cell)
    is_text = re.fullmatch(rb"[\x20-\x7e]*", value)
    shown = f'"{value.decode("ascii")}"' if is_text else f"0x{value.hex()}"
    return shown if len(shown) <= MAX_RAW else f"{shown[:MAX_RAW]}... ({len(value)} octets)"


def _concluded(told: set[tuple[str, Labels]], profile: Profile, answers: Answers) -> Iterator[Line]:
    """Samples no row gives alone: sums, and an optical module's limits, margins and state."""
    for sample in decode.samples(profile, answers, {}, at=0.0):
        if (sample.metric, sample.labels) not in told:
            is_module = sample.metric.startswith("optical_")
            why = "concluded from the module's values" if is_module else "the sum of these rows"
            yield Line(sample.metric, sample.labels, sample.value, why)


def text(lines: list[Line], width: int = 80) -> str:
    """The lines for a technician: what is told, then what was dropped, in *width* columns."""
    told = [line for line in lines if line.value is not None]
    dropped = [line for line in lines if line.value is None]
    parts = [_paragraph(line, width) for line in told]
    if dropped:
        parts += [f"Dropped: {len(dropped)} values", *(_paragraph(line, width) for line in dropped)]
    return "\n".join(parts) + "\n"


def _paragraph(line: Line, width: int) -> str:
    labels = ", ".join(f'{name}="{value}"' for name, value in line.labels if name != "device")
    value = "dropped" if line.value is None else f"{line.value:.10g}"
    place = f"{line.profile} {line.column}" if line.profile else ""
    said = (
        f"{line.metric}{{{labels}}} = {value}",
        f"  {line.oid} = {line.raw}" if line.oid else f"  {line.raw}" if line.raw else "",
        f"  {place}: {line.verb}" if place else "",
        f"  {line.why}" if line.why else "",
    )
    return "\n".join(textwrap.fill(each, width, subsequent_indent="    ") for each in said if each)


def records(lines: list[Line]) -> list[dict[str, Any]]:
    """The lines for a program."""
    return [{**asdict(line), "labels": dict(line.labels)} for line in lines]
