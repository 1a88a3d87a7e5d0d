"""Sensors of ENTITY-SENSOR-MIB: real values, ports, and what is no reading."""

import pytest

from collectors import decode, entity
from collectors.profile import combine
from collectors.snmp import ber
from collectors.snmp.ber import Value
from collectors.written import profiles

ENTITY, ALIAS, SENSOR = "1.3.6.1.2.1.47.1.1.1.1", "1.3.6.1.2.1.47.1.3.2.1.2", "1.3.6.1.2.1.99.1.1.1"
Mib = dict[str, tuple[int, Value]]


def sensor(
    number: int, text: str, parent: int, kind: int, scale: int, precision: int, value: int, status: int = 1
) -> Mib:
    """One sensor entity and its reading."""
    return {
        f"{ENTITY}.2.{number}": (ber.OCTET_STRING, text.encode()),
        f"{ENTITY}.4.{number}": (ber.INTEGER, parent),
        f"{ENTITY}.5.{number}": (ber.INTEGER, 8),
        **{
            f"{SENSOR}.{arc}.{number}": (ber.INTEGER, part)
            for arc, part in enumerate((kind, scale, precision, value, status), 1)
        },
    }


PORTS: Mib = {
    "1.3.6.1.2.1.31.1.1.1.1.25": (ber.OCTET_STRING, b"sfp25"),
    "1.3.6.1.2.1.31.1.1.1.1.26": (ber.OCTET_STRING, b"sfp26"),
    f"{ENTITY}.4.500": (ber.INTEGER, 1),
    f"{ENTITY}.5.500": (ber.INTEGER, 10),
    f"{ENTITY}.4.510": (ber.INTEGER, 500),
    f"{ENTITY}.5.510": (ber.INTEGER, 9),
    f"{ALIAS}.500.0": (ber.OBJECT_IDENTIFIER, ber.oid("1.3.6.1.2.1.2.2.1.1.25")),
}


def readings(mib: Mib, *vendor: str) -> dict[tuple[str, str], float]:
    """For each metric and its port or sensor, the value."""
    known = {each.profile: each for each in profiles()}
    chosen = combine(known[name] for name in ("if_mib", "entity_sensor", *vendor))
    answers = decode.group(chosen, [(ber.oid(name), *cell) for name, cell in mib.items()])
    found = decode.samples(chosen, answers, {"device": "sw"}, 0)
    return {
        (s.metric, next(word for name, word in s.labels if name in {"port", "sensor", "fan"})): s.value
        for s in found
        if not s.metric.startswith(("port_", "optical_state", "device_info"))
    }


def test_s25_a_sensor_belongs_to_the_port_that_contains_it() -> None:
    mib = {
        **PORTS,
        **sensor(511, "Receive power", 510, entity.WATTS, 8, 4, 2210),
        **sensor(512, "Transmit power", 510, entity.WATTS, 6, 0, 500_000),
        **sensor(513, "Module temperature", 510, entity.CELSIUS, 9, 1, 415),
        **sensor(514, "Laser bias", 510, entity.AMPERES, 8, 2, 650),
        **sensor(515, "Supply voltage", 510, entity.VOLTS, 8, 0, 3300),
        **sensor(600, "Inlet", 1, entity.CELSIUS, 9, 0, 27),
        **sensor(601, "Fan 1", 1, entity.RPM, 9, 0, 4320),
        **sensor(602, "Fan 2", 1, entity.RPM, 9, 0, 0, status=3),
    }

    assert readings(mib) == {
        ("optical_rx_power_dbm", "sfp25"): -6.556,
        ("optical_tx_power_dbm", "sfp25"): -3.01,
        ("optical_temperature_celsius", "sfp25"): 41.5,
        ("optical_bias_amperes", "sfp25"): 0.0065,
        ("optical_voltage_volts", "sfp25"): 3.3,
        ("device_temperature_celsius", "Inlet"): 27,
        ("device_fan_rpm", "Fan 1"): 4320,
    }


def test_a_sensor_may_name_its_port() -> None:
    found = readings({**PORTS, **sensor(700, "DOM RX Power Sensor for sfp26", 1, entity.WATTS, 8, 4, 2210)})

    assert found == {("optical_rx_power_dbm", "sfp26"): -6.556}


def test_power_may_come_in_dbm_by_its_unit() -> None:
    mib = {**PORTS, **sensor(700, "sfp26 rx power", 1, 1, 9, 2, -1834), f"{SENSOR}.6.700": (ber.OCTET_STRING, b"dBm")}

    assert readings(mib) == {("optical_rx_power_dbm", "sfp26"): -18.34}


def test_light_of_no_known_port_is_named_after_the_module_that_holds_it() -> None:
    """IOS XR aliases nothing: only names tell what is light, and only their parents whose it is."""
    mib = {
        **PORTS,
        f"{ENTITY}.2.810": (ber.OCTET_STRING, b"Modules"),
        f"{ENTITY}.5.810": (ber.INTEGER, 3),
        f"{ENTITY}.7.820": (ber.OCTET_STRING, b"module mau 0/1/0/2"),
        f"{ENTITY}.5.820": (ber.INTEGER, 9),
        **sensor(821, "power Rx 0/1/0/2", 820, entity.WATTS, 8, 4, 2210),
        **sensor(822, "power Tx 0/1/0/2", 820, entity.WATTS, 8, 4, 5000),
        **sensor(823, "0/1-PORT-3-Tx Lane 0 Power", 820, entity.WATTS, 8, 4, 5000),
        **sensor(824, "0/1-PORT-3-Tx Lane 1 Power", 810, entity.WATTS, 8, 4, 5000),
    }

    assert readings(mib) == {
        ("optical_rx_power_dbm", "module mau 0/1/0/2"): -6.556,
        ("optical_tx_power_dbm", "module mau 0/1/0/2"): -3.01,
        ("optical_tx_power_dbm", "0/1-PORT-3-Tx Lane 1 Power"): -3.01,
    }


def test_light_of_two_modules_in_one_holder_keeps_the_names_of_its_sensors() -> None:
    mib = {
        f"{ENTITY}.7.830": (ber.OCTET_STRING, b"slot 1"),
        **sensor(831, "rx power a", 830, entity.WATTS, 8, 4, 2210),
        **sensor(832, "rx power b", 830, entity.WATTS, 8, 4, 5000),
    }

    assert readings(mib) == {
        ("optical_rx_power_dbm", "rx power a"): -6.556,
        ("optical_rx_power_dbm", "rx power b"): -3.01,
    }


def test_light_of_exos_is_not_what_its_unit_says() -> None:
    mib = {
        **PORTS,
        **sensor(511, "RX Power", 510, entity.WATTS, 7, 0, -12),
        **sensor(512, "TX Power", 510, entity.WATTS, 7, 0, 5012),
        **sensor(521, "sfp26 RX Power", 1, entity.WATTS, 7, 0, 0),
        **sensor(522, "sfp26 TX Power", 1, entity.WATTS, 7, 0, 7000, status=2),
    }

    assert readings(mib, "extreme_exos") == {
        ("optical_rx_power_dbm", "sfp25"): -12,
        ("optical_tx_power_dbm", "sfp25"): -3.0,
    }


@pytest.mark.parametrize(
    "broken",
    [
        sensor(511, "Receive power", 510, entity.WATTS, 8, 4, 0),  # no light
        sensor(511, "Receive power", 510, entity.WATTS, 8, 4, 1),  # the module's floor, -40 dBm
        sensor(511, "Receive power", 510, entity.WATTS, 8, 4, 2210, status=2),  # unavailable
        sensor(511, "Receive power", 510, entity.DBM, 9, 1, 0),
        sensor(511, "Receive power", 510, entity.DBM, 9, 0, -60),
        sensor(511, "Module temperature", 510, entity.CELSIUS, 9, 0, -866597556),
        sensor(511, "Power of neither direction", 510, entity.WATTS, 8, 4, 2210),
        sensor(511, "Board power", 1, entity.WATTS, 9, 0, 45),
        sensor(511, "Fan", 510, 10, 9, 0, 3000),
        sensor(511, "A scale there is none of", 510, entity.CELSIUS, 2147483647, 0, 5),
        sensor(511, "A precision there is none of", 510, entity.CELSIUS, 9, -2147483648, 5),
    ],
)
def test_what_is_no_measurement_gives_no_sample(broken: Mib) -> None:
    assert readings({**PORTS, **broken}) == {}


def test_entities_that_contain_each_other_end_somewhere() -> None:
    circle = {**PORTS, f"{ENTITY}.4.800": (ber.INTEGER, 801), f"{ENTITY}.4.801": (ber.INTEGER, 800)}

    assert readings({**circle, **sensor(802, "Inlet", 800, entity.CELSIUS, 9, 0, 20)}) == {
        ("device_temperature_celsius", "Inlet"): 20
    }


def limits(vendor: str, mib: Mib) -> dict[str, float]:
    """The limits and the margin of the only module, and its kind."""
    chosen = combine(each for each in profiles() if each.profile in {"if_mib", "entity_sensor", *vendor.split()})
    answers = decode.group(chosen, [(ber.oid(name), *cell) for name, cell in mib.items()])
    found = [(s.metric, dict(s.labels), s.value) for s in decode.samples(chosen, answers, {"device": "sw"}, 0)]
    return {
        " ".join((metric, labels.get("which") or labels.get("type") or "")): value
        for metric, labels, value in found
        if metric.startswith(("optical_threshold", "optical_margin", "optical_module"))
    }


MODULE: Mib = {
    f"{ENTITY}.2.510": (ber.OCTET_STRING, b"SFP-10GBase-LR"),
    **sensor(511, "Receive power", 510, entity.WATTS, 8, 4, 2210),
}


def test_the_limits_of_arista_have_their_sensors_unit_and_scale() -> None:
    arista = "1.3.6.1.4.1.30065.3.12.1.1.1"
    told = {f"{arista}.{arc}.511": (ber.INTEGER, value) for arc, value in enumerate((890, 709, 6310, 7940), 1)}

    assert limits("arista", {**PORTS, **MODULE, **told}) == {
        "optical_module_info SFP-10GBase-LR": 1,
        "optical_threshold_dbm rx_low_warn": -10.506,
        "optical_threshold_dbm rx_low_alarm": -11.494,
        "optical_threshold_dbm rx_high_warn": -2.0,
        "optical_threshold_dbm rx_high_alarm": -1.002,
        "optical_margin_db rx_low_warn": 3.95,
        "optical_margin_db rx_high_warn": 4.556,
    }


def test_the_limits_of_cisco_are_rows_of_severity_and_relation() -> None:
    threshold = "1.3.6.1.4.1.9.9.91.1.2.1.1"
    ours = {name.replace(SENSOR, "1.3.6.1.4.1.9.9.91.1.1.1.1"): cell for name, cell in MODULE.items()}
    ours["1.3.6.1.4.1.9.9.91.1.1.1.1.1.511"] = (ber.INTEGER, entity.DBM)
    ours["1.3.6.1.4.1.9.9.91.1.1.1.1.2.511"] = (ber.INTEGER, 9)
    ours["1.3.6.1.4.1.9.9.91.1.1.1.1.3.511"] = (ber.INTEGER, 1)
    ours["1.3.6.1.4.1.9.9.91.1.1.1.1.4.511"] = (ber.INTEGER, -65)
    rows = ((30, 3, 20), (10, 3, 5), (10, 1, -144), (30, 1, -184))
    for row, cells in enumerate(rows, 1):
        ours |= {f"{threshold}.{arc}.511.{row}": (ber.INTEGER, value) for arc, value in enumerate(cells, 2)}

    assert limits("cisco_sensor", {**PORTS, **ours}) == {
        "optical_module_info SFP-10GBase-LR": 1,
        "optical_threshold_dbm rx_low_warn": -14.4,
        "optical_threshold_dbm rx_low_alarm": -18.4,
        "optical_threshold_dbm rx_high_warn": 0.5,
        "optical_threshold_dbm rx_high_alarm": 2,
        "optical_margin_db rx_low_warn": 7.9,
        "optical_margin_db rx_high_warn": 7,
    }


def test_limits_a_device_does_not_tell_are_those_of_the_modules_kind() -> None:
    assert limits("", {**PORTS, **MODULE})["optical_threshold_dbm rx_low_warn"] == -14.4


@pytest.mark.parametrize(
    ("kind", "scale", "precision", "value", "counted"),
    [
        (entity.DBM, 9, 0, 25, {"optical_rx_power_dbm": 1}),
        (entity.WATTS, 8, 0, 316, {"optical_rx_power_dbm": 1}),
        (entity.DBM, 9, 0, -40, {}),
        (entity.WATTS, 7, 0, 0, {}),
        (entity.WATTS, 6, 1, 1, {}),
        (entity.DBM, 9, 0, -12, {}),
    ],
)
def test_light_beyond_any_module_is_counted_and_a_dark_fibre_is_not(
    kind: int, scale: int, precision: int, value: int, counted: dict[str, int]
) -> None:
    known = {each.profile: each for each in profiles()}
    chosen = combine(known[name] for name in ("if_mib", "entity_sensor"))
    mib = {**PORTS, **sensor(511, "Receive power", 510, kind, scale, precision, value)}
    answers = decode.group(chosen, [(ber.oid(name), *cell) for name, cell in mib.items()])

    assert decode.decoded(chosen, answers, {"device": "sw"}, 0).implausible == counted
