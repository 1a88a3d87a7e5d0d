"""Sensors of ENTITY-SENSOR-MIB (RFC 3433) and Cisco's twin: real values, and which port a sensor belongs to.

A profile's table with ``derive: entity_sensor`` gets four columns more: *what* is measured, its *reading* in the base
unit (dBm for light), the *port* (or the sensor's own name), and the *lane* of modules with several.
"""

import re
from collections import Counter
from collections.abc import Mapping

from collectors.optics import DARK_DBM, MAX_DBM, dbm
from collectors.snmp import ber

Read = str | float | None
Row = Mapping[str, Read]
Rows = Mapping[bytes, Row]

DERIVED = ("what", "reading", "port", "lane")
VOLTS, AMPERES, WATTS, CELSIUS, DBM = 4, 5, 6, 8, 14
"""entPhySensorType; 14 is Cisco's."""
UNITS_SCALE = 9
"""entPhySensorScale "units": 10^0; each step is a factor of 1000."""
SCALES, PRECISIONS = (1, 17), (-8, 9)
"""What EntitySensorDataScale and EntitySensorPrecision may be (RFC 3433); 10 to another power is no measurement."""
PORT_CLASS = 10
_MAX_DEPTH = 10
OPTIC_BOUNDS = {VOLTS: ("voltage", 0.5, 15), AMPERES: ("bias", 0, 1)}
"""What else an optical module tells, and between which bounds it can be true."""
_OPTIC = re.compile(r"\b(q?sfp\w*|xfp|ddm|dom|xcvr|transceiver|optic\w*|laser|bias)\b", re.IGNORECASE)
_RECEIVED = re.compile(r"\b(rx|recei\w+)|rx(power|pwr)", re.IGNORECASE)
_SENT = re.compile(r"\b(tx|transmit\w*)|tx(power|pwr)", re.IGNORECASE)
_LANE = re.compile(r"\b(?:lane|channel)[ #:]*(\d+)", re.IGNORECASE)


def real_value(value: float, scale: float, precision: float) -> float:
    """What a sensor shows, in the unit of its type (RFC 3433 section 3).

    >>> real_value(2210, 8, 4)  # milliwatts with four decimals
    0.000221
    """
    return round(value * 10 ** (3 * (scale - UNITS_SCALE) - precision), 12)


def derive(sensors: Rows, entities: Rows, aliases: Rows, ports: Rows) -> dict[bytes, dict[str, Read]]:
    """The rows of a sensor table with the derived columns; a sensor that is not operational has no reading."""
    index_of = {ber.index(suffix)[0]: row.get("ifindex") for suffix, row in aliases.items() if suffix}
    names = {str(row[key]): str(row["port"]) for row in ports.values() for key in ("name", "descr") if row.get(key)}
    own, found = _own_names(entities), {}
    for suffix, row in sensors.items():
        entity = entities.get(suffix, {})
        text = " ".join(str(entity[key]) for key in ("descr", "name") if entity.get(key))
        port = _port_above(suffix, entities, index_of, ports) or _port_named(text, names)
        what, reading = _measured(row, text, has_port=port is not None)
        lane = _LANE.search(text)
        extra: dict[str, Read] = {"what": what, "reading": reading, "port": port or own.get(suffix)}
        found[suffix] = {**row, **extra, "lane": lane[1] if lane else None}
    return found


def _own_names(entities: Rows) -> dict[bytes, str]:
    """What each entity is called; with its number where others are called the same."""
    called = {suffix: str(row.get("name") or row.get("descr") or "") for suffix, row in entities.items()}
    counts = Counter(called.values())
    return {
        suffix: f"{name} #{ber.index(suffix)[0]}" if counts[name] > 1 else name
        for suffix, name in called.items()
        if name
    }


def _measured(row: Row, text: str, *, has_port: bool) -> tuple[str | None, float | None]:
    kind, scale, precision, value = (row.get(name) for name in ("type", "scale", "precision", "value"))
    if row.get("status", 1) != 1 or not isinstance(kind, int | float) or not isinstance(value, int | float):
        return None, None
    powers = (float(scale or UNITS_SCALE), float(precision or 0))
    if not (SCALES[0] <= powers[0] <= SCALES[1] and PRECISIONS[0] <= powers[1] <= PRECISIONS[1]):
        return None, None
    real = real_value(value, *powers)
    is_optic = has_port or bool(_OPTIC.search(text))
    if kind == DBM or str(row.get("units", "")).lower() == "dbm":
        return _direction(text), real if real and DARK_DBM < real <= MAX_DBM else None
    if kind == WATTS:
        return (_direction(text), dbm(real)) if is_optic else (None, None)
    if kind == CELSIUS:
        return ("optic_temperature" if is_optic else "temperature"), _plausible(real, -60, 150)
    what, low, high = OPTIC_BOUNDS.get(int(kind), (None, 0, 0))
    return (what, _plausible(real, low, high)) if is_optic else (None, None)


def _plausible(real: float, low: float, high: float) -> float | None:
    """The reading, unless it is exactly 0, as absent modules say, or no such thing can be measured."""
    return real if real and low <= real <= high else None


def _direction(text: str) -> str | None:
    received, sent = bool(_RECEIVED.search(text)), bool(_SENT.search(text))
    return None if received == sent else "rx" if received else "tx"


def _port_above(suffix: bytes, entities: Rows, index_of: Mapping[int, Read], ports: Rows) -> str | None:
    """The name of the port that contains the sensor: through entAliasMapping, else the name of a port entity."""
    numbers = ber.index(suffix)
    for _ in range(_MAX_DEPTH):
        if not numbers:
            return None
        alias = str(index_of.get(numbers[0]) or "").rpartition(".")[2]
        if alias.isdigit():
            port = ports.get(ber.encode_index((int(alias),)), {})
            return str(port.get("port") or alias)
        entity = entities.get(ber.encode_index(numbers[:1]), {})
        if entity.get("class") == PORT_CLASS and (entity.get("name") or entity.get("descr")):
            return str(entity.get("name") or entity.get("descr"))
        parent = entity.get("parent")
        numbers = (int(parent),) if isinstance(parent, int | float) and parent > 0 else ()
    return None


def _port_named(text: str, names: Mapping[str, str]) -> str | None:
    """The port whose name stands as a word in a sensor's description."""
    return next((names[word] for word in re.split(r"[\s,:;()]+", text) if word in names), None)
