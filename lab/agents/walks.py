"""Recorded walks as devices: ``snmpwalk -On`` or ``-Oxn`` output, and the .snmprec lines of snmpsim.

Counters and clocks move on from what was recorded; all else stays as it was.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from lab.agents import ber, model
from lab.agents.ber import Cell, Oid
from lab.agents.model import Moment

TYPES = {
    "INTEGER": ber.INTEGER,
    "STRING": ber.OCTETS,
    "Hex-STRING": ber.OCTETS,
    "BITS": ber.OCTETS,
    "OID": ber.OID,
    "IpAddress": ber.ADDRESS,
    "Network Address": ber.ADDRESS,
    "Counter32": ber.COUNTER32,
    "Gauge32": ber.GAUGE32,
    "Unsigned32": ber.GAUGE32,
    "Timeticks": ber.TICKS,
    "Opaque": ber.OPAQUE,
    "Counter64": ber.COUNTER64,
}
"""Net-SNMP's words for the types of values."""
COUNTERS = frozenset((ber.COUNTER32, ber.COUNTER64))
NUMERIC = frozenset((ber.INTEGER, *ber.MODULUS))
HOST_UPTIME = (1, 3, 6, 1, 2, 1, 25, 1, 1, 0)
CLOCKS = {(1, 3, 6, 1, 2, 1, 1, 3, 0): 100, HOST_UPTIME: 100, (1, 3, 6, 1, 6, 3, 10, 2, 1, 3, 0): 1}
"""sysUpTime, hrSystemUptime and snmpEngineTime, and how often a second each counts."""
BUSIEST_PER_SECOND = 40_000
"""What a recorded counter moves by in a full house; each by a part of it that is its own."""
_LINE = re.compile(r"\.?(\d+(?:\.\d+)+) = (?:(Network Address|[A-Za-z][\w-]*): ?)?(.*)", re.DOTALL)


class BadWalk(ValueError):
    """A line of a recording cannot be read; the text says where and why. Whoever made the file must act."""


class Walk:
    """A recorded device: what it answers at a moment."""

    def __init__(self, recorded: dict[Oid, Cell], name: str) -> None:
        self.recorded = recorded
        self.uptime_seconds = next(
            (int(recorded[oid][1] or 0) / per for oid, per in CLOCKS.items() if oid in recorded), 0
        )
        self._name = name
        self._pace = {oid: self._own_pace(oid) for oid, cell in recorded.items() if cell[0] in COUNTERS}

    def look(self, moment: Moment, loaded: float) -> Callable[[Oid], Cell]:
        """The value of each object at *moment*; *loaded* is when what was recorded held."""
        since = max(moment.booted, loaded)
        people = model.visited(moment.hours, moment.now) - model.visited(moment.hours, since)

        def value(oid: Oid) -> Cell:
            tag, content = self.recorded[oid]
            if oid in CLOCKS:
                started = moment.booted if oid == HOST_UPTIME else moment.agent_started
                return tag, int((moment.now - started) * CLOCKS[oid]) % 2**32
            if oid in self._pace and isinstance(content, int):
                base = content if moment.booted <= loaded else 0
                return tag, (base + int(people * self._pace[oid])) % ber.MODULUS[tag]
            return tag, content

        return value

    def _own_pace(self, oid: Oid) -> float:
        """Counts a second in a full house; what stood at zero stays there, as counters of errors mostly do."""
        tag, content = self.recorded[oid]
        return model.number(self._name, oid, tag) % BUSIEST_PER_SECOND if content else 0.0


def load(file: Path, name: str) -> Walk:
    """The device recorded in *file*; BadWalk when a line is none of the known forms."""
    text = file.read_bytes().decode("utf-8", "surrogateescape")
    read = _snmprec if file.suffix == ".snmprec" else _snmpwalk
    recorded = {}
    for place, line in enumerate(read(text), 1):
        try:
            found = _recorded(line) if file.suffix == ".snmprec" else _walked(line)
        except ValueError as error:
            raise BadWalk(f"{file}: line {place}: {error}; write it as snmpwalk -On or snmpsim does") from error
        if found:
            recorded[found[0]] = found[1]
    if not recorded:
        raise BadWalk(f"{file}: no object in it; make it with: snmpwalk -On … > {file.name}")
    return Walk(recorded, name)


def _snmprec(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line and not line.startswith("#"))


def _snmpwalk(text: str) -> Iterator[str]:
    """The objects of a walk: a value may go over several lines."""
    whole = ""
    for line in text.splitlines():
        if _LINE.fullmatch(line) and whole:
            yield whole
            whole = line
        else:
            whole = f"{whole}\n{line}" if whole else line
    if whole:
        yield whole


def _recorded(line: str) -> tuple[Oid, Cell]:
    """One line of .snmprec: ``OID|TAG|VALUE``; ``x``: in hexadecimal; ``:module``: the value as it stands.

    Published recordings have masked values in columns of numbers and in hexadecimal ones; those become texts.
    """
    name, tag, value = line.split("|", 2)
    digits = tag.partition(":")[0].rstrip("xe")
    number = int(digits)
    try:
        return _oid(name), _cell(number, _octets(value, tag.partition(":")[0].removeprefix(digits)))
    except ValueError:
        return _oid(name), (ber.OCTETS, value.encode("utf-8", "surrogateescape"))


def _octets(value: str, form: str) -> bytes:
    if form.startswith("x"):
        return bytes.fromhex(value)
    octets = value.encode("utf-8", "surrogateescape")
    return octets.decode("unicode_escape").encode("latin-1") if form == "e" else octets


def _walked(line: str) -> tuple[Oid, Cell] | None:
    """One object of ``snmpwalk -On``: ``.1.3.6.1… = Counter32: 5``; None where there was none."""
    match = _LINE.fullmatch(line)
    if not match:
        raise ValueError(f"{line[:60]!r} is no object")
    name, kind, value = match.groups()
    if kind is None:
        return (_oid(name), (ber.OCTETS, b"")) if value == '""' else None
    tag = TYPES.get(kind)
    if tag is None:
        return None  # such as "No more variables left"
    if kind in {"Hex-STRING", "BITS"}:
        digits = re.match(r"(?:[0-9A-Fa-f]{2}\s*)*", value)
        return _oid(name), (tag, bytes.fromhex(digits[0]) if digits else b"")
    if kind == "STRING":
        text = value[1:-1].replace('\\"', '"').replace("\\\\", "\\") if value.startswith('"') else value
        return _oid(name), (tag, text.encode("utf-8", "surrogateescape"))
    return _oid(name), _cell(tag, value.encode("utf-8", "surrogateescape"))


def _cell(tag: int, value: bytes) -> Cell:
    """The value of a text form; numbers may have names or units: ``up(1)``, ``(4711) 0:00:47.11``, ``5 kB``."""
    if tag in NUMERIC:
        found = re.search(rb"\((-?\d+)\)", value) or re.match(rb"\s*(-?\d+)", value)
        if not found:
            raise ValueError(f"{value[:40]!r} is no number")
        number = int(found[1])
        return tag, number % ber.MODULUS[tag] if tag in ber.MODULUS else number
    if tag == ber.OID:
        return tag, ber.oid(_oid(value.decode()))
    if tag == ber.ADDRESS and value.count(b".") == 3:  # noqa: PLR2004 IPv4
        return tag, bytes(int(part) for part in value.split(b"."))
    return tag, value


def _oid(text: str) -> Oid:
    return tuple(map(int, text.strip().lstrip(".").split(".")))
