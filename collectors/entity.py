"""Sensors of ENTITY-SENSOR-MIB (RFC 3433) and Cisco's twin: real values, and which port a sensor belongs to.

A profile's table with ``derive: entity_sensor`` gets some columns more: *what* is measured, its *reading* in the base
unit (dBm for light), the *port* (or the sensor's own name), the *lane* of modules with several, the kind of *module*
that contains the sensor, and its limits (rx_low_warn and the like).
"""

import re
from collections import Counter
from collections.abc import Mapping

from collectors import plausibility
from collectors.optics import dbm
from collectors.snmp import ber

Read = str | float | None
Row = Mapping[str, Read]
Rows = Mapping[bytes, Row]

LIMITS = ("low_alarm", "low_warn", "high_warn", "high_alarm")
DERIVED = ("what", "reading", "port", "lane", "module", *(f"{way}_{name}" for way in ("rx", "tx") for name in LIMITS))
VOLTS, AMPERES, WATTS, CELSIUS, RPM, DBM = 4, 5, 6, 8, 10, 14
"""entPhySensorType; 14 is Cisco's."""
UNITS_SCALE = 9
"""entPhySensorScale "units": 10^0; each step is a factor of 1000."""
SCALES, PRECISIONS = (1, 17), (-8, 9)
"""What EntitySensorDataScale and EntitySensorPrecision may be (RFC 3433); 10 to another power is no measurement."""
SENSOR_CLASS, PORT_CLASS = 8, 10
WHOLE_CLASSES = {3, 11}
"""Chassis and stack."""
OF_A_MODULE = {"rx", "tx", "bias", "voltage", "optic_temperature"}
_MAX_DEPTH = 10
NOTHING = (None, None)
OPTIC_BOUNDS = {
    VOLTS: ("voltage", plausibility.MODULE_VOLTS),
    AMPERES: ("bias", plausibility.BIAS_AMPERES),
    CELSIUS: ("optic_temperature", plausibility.CELSIUS),
}
"""What else an optical module tells, and between which bounds it can be true."""
_OPTIC = re.compile(r"\b(q?sfp\w*|xfp|ddm|dom|xcvr|transceiver|optic\w*|laser|bias|mau|lane)\b", re.IGNORECASE)
_RECEIVED = re.compile(r"\b(rx|recei\w+)|rx(power|pwr)", re.IGNORECASE)
_SENT = re.compile(r"\b(tx|transmit\w*)|tx(power|pwr)", re.IGNORECASE)
_KIND = re.compile(r"base|q?sfp|xfp|gpon|glc-", re.IGNORECASE)
_LANE = re.compile(r"\b(?:lane|channel)[ #:]*(\d+)", re.IGNORECASE)


def real_value(value: float, scale: float, precision: float) -> float:
    """What a sensor shows, in the unit of its type (RFC 3433 section 3).

    >>> real_value(2210, 8, 4)  # milliwatts with four decimals
    0.000221
    """
    return round(value * 10 ** (3 * (scale - UNITS_SCALE) - precision), 12)


def derive(
    sensors: Rows, entities: Rows, aliases: Rows, ports: Rows, limits: Rows, *, exos: bool = False
) -> dict[bytes, dict[str, Read]]:
    """The rows of a sensor table with the derived columns; a sensor that is not operational has no reading.

    *limits* are by sensor, in its unit and with its scale. *exos*: light is not in the unit its sensor says.
    """
    index_of = {ber.index(suffix)[0]: row.get("ifindex") for suffix, row in aliases.items() if suffix}
    names = {str(row[key]): str(row["port"]) for row in ports.values() for key in ("name", "descr") if row.get(key)}
    own, found, homeless = _own_names(entities), {}, []
    for suffix, row in sensors.items():
        entity = entities.get(suffix, {})
        text = " ".join(str(entity[key]) for key in ("descr", "name") if entity.get(key))
        port = _port_above(suffix, entities, index_of, ports) or _port_named(text, names)
        what, reading = _measured(row, text, has_port=port is not None)
        if exos and what in {"rx", "tx"}:
            reading = _light_of_exos(what, row)
        if port is None and what in OF_A_MODULE:
            homeless.append(suffix)
        lane = _LANE.search(text)
        extra: dict[str, Read] = {"what": what, "reading": reading, "port": port or own.get(suffix)}
        if what in {"rx", "tx"}:
            told = {f"{what}_{name}": _light(row, limits.get(suffix, {}).get(name)) for name in LIMITS}
            extra |= {name: limit for name, limit in told.items() if limit is not None}
            extra["module"] = _module(suffix, entities)
        found[suffix] = {**row, **extra, "lane": lane[1] if lane else None}
    _name_after_modules(found, homeless, entities)
    return found


def _name_after_modules(found: dict[bytes, dict[str, Read]], homeless: list[bytes], entities: Rows) -> None:
    """Call what a module of no known port measures after what holds the sensor, where it holds one such sensor only."""
    holders = {suffix: _holder(suffix, entities) for suffix in homeless}
    keys = {suffix: (found[suffix]["what"], found[suffix]["lane"], holders[suffix]) for suffix in homeless}
    counts = Counter(keys.values())
    for suffix, key in keys.items():
        if holders[suffix] and counts[key] == 1:
            found[suffix]["port"] = holders[suffix]


def _holder(suffix: bytes, entities: Rows) -> str | None:
    """The name of the entity that holds a sensor, unless that is the whole chassis or stack."""
    parent = _whole(entities.get(suffix, {}).get("parent"))
    holder = entities.get(ber.encode_index((parent,)), {}) if parent > 0 else {}
    named = str(holder.get("name") or holder.get("descr") or "")
    return None if holder.get("class") in WHOLE_CLASSES else named or None


def _light_of_exos(what: str, row: Row) -> float | None:
    """Extreme's EXOS says microwatts, but sends whole dBm for what is received, and tenths of it for what is sent."""
    value = float(row.get("value") or 0)
    return dbm(value * 1e-7) if what == "tx" else value if value < 0 else None


def limits_of(cisco: Rows, arista: Rows) -> dict[bytes, dict[str, Read]]:
    r"""The limits of each sensor: from Cisco's rows, one a limit, or from Arista's, one a sensor.

    >>> rows = {b"\x07\x01": {"severity": 30, "relation": 1, "value": -200}}
    >>> limits_of(rows, {})
    {b'\x07': {'low_alarm': -200}}
    """
    found = {suffix: dict(row) for suffix, row in arista.items()}
    for suffix, row in cisco.items():
        side = {1: "low", 2: "low", 3: "high", 4: "high"}.get(_whole(row.get("relation")))
        kind = {10: "warn", 20: "warn", 30: "alarm"}.get(_whole(row.get("severity")))
        if side and kind:
            found.setdefault(ber.encode_index(ber.index(suffix)[:1]), {})[f"{side}_{kind}"] = row.get("value")
    return found


def _whole(value: Read) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _light(row: Row, limit: Read) -> float | None:
    """A limit in dBm, whichever unit the sensor has."""
    powers = _powers(row)
    if not isinstance(limit, int | float) or limit == 0 or powers is None:
        return None
    real = real_value(limit, *powers)
    return dbm(real) if row.get("type") == WATTS else real


def _powers(row: Row) -> tuple[float, float] | None:
    """The scale and precision of a sensor; None when they are not those of a measurement."""
    scale, precision = float(row.get("scale") or UNITS_SCALE), float(row.get("precision") or 0)
    is_sound = SCALES[0] <= scale <= SCALES[1] and PRECISIONS[0] <= precision <= PRECISIONS[1]
    return (scale, precision) if is_sound else None


def _module(suffix: bytes, entities: Rows) -> str | None:
    """The model or description of the module that contains a sensor."""
    numbers = ber.index(suffix)
    for _ in range(_MAX_DEPTH):
        entity = entities.get(ber.encode_index(numbers[:1]), {})
        texts = (str(entity[key]) for key in ("descr", "model") if entity.get(key))
        named = next((text for text in texts if _KIND.search(text)), None)
        if named and entity.get("class") != SENSOR_CLASS:
            return named
        parent = entity.get("parent")
        numbers = (int(parent),) if isinstance(parent, int | float) and parent > 0 else ()
        if not numbers:
            return None
    return None


def _own_names(entities: Rows) -> dict[bytes, str]:
    """What each entity is called; with its number where others are called the same. One without index is none."""
    called = {suffix: str(row.get("name") or row.get("descr") or "") for suffix, row in entities.items() if suffix}
    counts = Counter(called.values())
    return {
        suffix: f"{name} #{ber.index(suffix)[0]}" if counts[name] > 1 else name
        for suffix, name in called.items()
        if name
    }


def _measured(row: Row, text: str, *, has_port: bool) -> tuple[str | None, float | None]:
    kind, value, powers = row.get("type"), row.get("value"), _powers(row)
    if not isinstance(kind, int | float) or not isinstance(value, int | float) or powers is None:
        return None, None
    if row.get("status", 1) != 1:
        return None, None
    real = real_value(value, *powers)
    is_optic = has_port or bool(_OPTIC.search(text))
    if kind == DBM or str(row.get("units", "")).lower() == "dbm":
        return _direction(text), real or None
    if kind == WATTS:
        return _direction(text), dbm(real)
    if not is_optic:
        return {CELSIUS: ("temperature", _plausible(real, plausibility.CELSIUS)), RPM: ("fan", real)}.get(
            int(kind), NOTHING
        )
    what, bounds = OPTIC_BOUNDS.get(int(kind), (None, None))
    return what, _plausible(real, bounds) if bounds else None


def _plausible(real: float, bounds: plausibility.Bounds) -> float | None:
    """The reading, unless it is exactly 0, as absent modules say, or no such thing can be measured."""
    return real if real and bounds.hold(real) else None


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
    """The port whose name, with or without a lane after it, stands as a word in a sensor's description."""
    words = [word for word in re.split(r"[\s,:;()]+", text) if word]
    whole = next((names[word] for word in words if word in names), None)
    return whole or next((names[left] for word in words if (left := word.rpartition("/")[0]) in names), None)
