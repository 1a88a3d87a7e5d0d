"""The vendors' tables: what a simulated device answers, as ``{OID: value}`` built from the model."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from pysnmp.proto import rfc1902

from lab.agents import model

Oid = tuple[int, ...]
Tree = dict[Oid, Any]

ENTERPRISES = (1, 3, 6, 1, 4, 1)
SYSTEM = (1, 3, 6, 1, 2, 1, 1)
INTERFACES = (1, 3, 6, 1, 2, 1, 2)
IF_X = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
UNIFI = (*ENTERPRISES, 41112, 1, 6)
MIKROTIK = (*ENTERPRISES, 14988, 1, 1)
ARUBA = (*ENTERPRISES, 14823, 2, 3, 3, 1)

ETHERNET, WIRELESS = 6, 71
COUNTER32 = 2**32
SSIDS = (model.PUBLIC_SSID, model.STAFF_SSID)
UNIFI_BANDS = {"2.4": "ng", "5": "na"}


@dataclass(frozen=True, slots=True)
class About:
    """What a device says of itself."""

    name: str
    model: str
    address: str
    mac: str
    place: str


def _text(words: str) -> Any:
    return rfc1902.OctetString(words.encode())


def _integer(value: int) -> Any:
    return rfc1902.Integer32(value)


def _system(about: About, object_id: Oid, description: str, seconds: float) -> Tree:
    values = {
        1: _text(description),
        2: rfc1902.ObjectIdentifier(object_id),
        3: rfc1902.TimeTicks(int(seconds * 100) % COUNTER32),
        4: _text("wifi@cachan.example"),
        5: _text(about.name),
        6: _text(about.place),
        7: _integer(2),
    }
    return {(*SYSTEM, arc, 0): value for arc, value in values.items()}


def _interfaces(about: About, names: Iterable[tuple[int, str, int]], seconds: float) -> Tree:
    """IF-MIB rows for (index, name, ifType)."""
    tree: Tree = {}
    mac = rfc1902.OctetString(hexValue=about.mac.replace(":", ""))
    rows = list(names)
    tree[(*INTERFACES, 1, 0)] = _integer(len(rows))
    for index, name, kind in rows:
        inward, outward = (model.octets(about.name, f"{name}-{way}", seconds) for way in ("in", "out"))
        old = {1: _integer(index), 2: _text(name), 3: _integer(kind), 4: _integer(1500)}
        old |= {5: rfc1902.Gauge32(1_000_000_000), 6: mac, 7: _integer(1), 8: _integer(1), 9: rfc1902.TimeTicks(0)}
        old |= {10: rfc1902.Counter32(inward % COUNTER32), 16: rfc1902.Counter32(outward % COUNTER32)}
        old |= {arc: rfc1902.Counter32(0) for arc in (13, 14, 19, 20)}
        new = {1: _text(name), 6: rfc1902.Counter64(inward), 10: rfc1902.Counter64(outward)}
        new |= {7: rfc1902.Counter64(inward // 900), 11: rfc1902.Counter64(outward // 900)}
        new |= {15: rfc1902.Gauge32(1000), 17: _integer(1), 18: _text(""), 19: rfc1902.TimeTicks(0)}
        tree |= {(*INTERFACES, 2, 1, arc, index): value for arc, value in old.items()}
        tree |= {(*IF_X, arc, index): value for arc, value in new.items()}
    return tree


def unifi(about: About, seconds: float) -> Tree:
    """A UniFi access point: Net-SNMP's sysObjectID, UBNT-UniFi-MIB radio and virtual AP tables."""
    version = "6.6.55.15189"
    tree = _system(about, (*ENTERPRISES, 8072, 3, 2, 10), f"{about.model} {version}", seconds)
    tree |= _interfaces(about, [(1, "eth0", ETHERNET), (2, "wifi0", WIRELESS), (3, "wifi1", WIRELESS)], seconds)
    tree[(*UNIFI, 3, 3, 0)] = _text(about.model)
    tree[(*UNIFI, 3, 5, 0)] = rfc1902.Counter32(int(seconds))
    tree[(*UNIFI, 3, 6, 0)] = _text(version)
    row = 0
    for index, radio in enumerate(model.RADIOS, 1):
        busy = round(100 * model.busy_ratio(about.name, radio.band, seconds))
        band = _text(UNIFI_BANDS[radio.band])
        columns = {1: _integer(index), 2: _text(f"wifi{index - 1}"), 3: band, 6: _integer(busy)}
        columns |= {7: _integer(busy // 3), 8: _integer(busy // 4), 9: _integer(busy // 3)}
        tree |= {(*UNIFI, 1, 1, 1, arc, index): value for arc, value in columns.items()}
        for ssid in SSIDS:
            row += 1
            tree |= _unifi_vap(about, row, radio, ssid, seconds)
    return tree


def _unifi_vap(about: About, row: int, radio: model.Radio, ssid: str, seconds: float) -> Tree:
    stations = model.clients(about.name, radio.band, ssid, seconds)
    received, sent = (model.octets(about.name, f"vap{row}-{way}", seconds) % COUNTER32 for way in ("in", "out"))
    columns = {
        1: _integer(row),
        2: rfc1902.OctetString(hexValue=about.mac.replace(":", "")),
        3: _integer(900 + row),
        4: _integer(radio.channel),
        6: _text(ssid),
        7: _text(f"ath{row - 1}"),
        8: _integer(stations),
        9: _text(UNIFI_BANDS[radio.band]),
        10: rfc1902.Counter32(received),
        16: rfc1902.Counter32(sent),
        17: rfc1902.Counter32(0),
        18: rfc1902.Counter32(0),
        20: rfc1902.Counter32(sent // 20_000),
        21: _integer(radio.power_dbm),
        22: _integer(1),
        23: _text("guest" if ssid == model.PUBLIC_SSID else "user"),
    }
    return {(*UNIFI, 1, 2, 1, arc, row): value for arc, value in columns.items()}


def mikrotik(about: About, seconds: float) -> Tree:
    """A MikroTik access point: MIKROTIK-MIB's mtxrWlAp table, one row a virtual AP, and the health gauges."""
    names = [(1, "ether1", ETHERNET), (2, "wlan1", WIRELESS), (3, "wlan2", WIRELESS)]
    tree = _system(about, (*ENTERPRISES, 14988, 1), f"RouterOS {about.model}", seconds)
    tree |= _interfaces(about, names, seconds)
    tree[(*MIKROTIK, 4, 4, 0)] = _text("7.15.3")
    tree[(*MIKROTIK, 7, 3, 0)] = _text(f"LAB{model.number(about.name):010d}")
    for index, radio in enumerate(model.RADIOS, 2):
        stations = model.clients(about.name, radio.band, model.PUBLIC_SSID, seconds)
        columns = {
            2: rfc1902.Gauge32(130_000_000),
            3: rfc1902.Gauge32(86_000_000),
            4: _text(model.PUBLIC_SSID),
            5: rfc1902.OctetString(hexValue=about.mac.replace(":", "")),
            6: rfc1902.Counter32(stations),
            7: _integer(radio.frequency_mhz),
            8: _text("2ghz-n" if radio.band == "2.4" else "5ghz-ac"),
            9: _integer(-104 - index),
            10: rfc1902.Counter32(90 + index),
            11: rfc1902.Counter32(stations),
        }
        tree |= {(*MIKROTIK, 1, 3, 1, arc, index): value for arc, value in columns.items()}
    health = {2: _text("cpu-temperature"), 3: _integer(model.celsius(about.name, seconds)), 4: _integer(1)}
    return tree | {(*MIKROTIK, 3, 100, 1, arc, 13): value for arc, value in health.items()}


def aruba(about: About, seconds: float) -> Tree:
    """An Aruba Instant access point: AI-AP-MIB's SSID, AP and radio tables, indexed by the MAC address."""
    number = about.model.removeprefix("AP-")
    description = f"ArubaOS (MODEL: {number}), Version 8.10.0.6-8.10.0.6"
    tree = _system(about, (*ENTERPRISES, 14823, 1, 2, 111), description, seconds)
    tree |= _interfaces(about, [(1, "bond0", ETHERNET), (2, "radio0", WIRELESS), (3, "radio1", WIRELESS)], seconds)
    mac = tuple(bytes.fromhex(about.mac.replace(":", "")))
    columns = {1: rfc1902.OctetString(bytes(mac)), 2: _text(about.name), 3: rfc1902.IpAddress(about.address)}
    columns |= {4: _text(f"LAB{model.number(about.name):08X}"), 6: _text(about.model), 7: _integer(12)}
    columns |= {8: _integer(512 * 1024**2), 9: rfc1902.TimeTicks(int(seconds * 100) % COUNTER32)}
    columns |= {10: _integer(1024**3), 11: _integer(1)}
    tree |= {(*ARUBA, 2, 1, 1, arc, *mac): value for arc, value in columns.items()}
    for row, ssid in enumerate(SSIDS):
        total = sum(model.clients(about.name, radio.band, ssid, seconds) for radio in model.RADIOS)
        columns = {1: _integer(row), 2: _text(ssid), 3: _integer(0), 4: rfc1902.Gauge32(total)}
        tree |= {(*ARUBA, 1, 7, 1, arc, row): value for arc, value in columns.items()}
    for index, radio in enumerate(model.RADIOS):
        tree |= _aruba_radio(about, mac, index, radio, seconds)
    return tree


def _aruba_radio(about: About, mac: Oid, index: int, radio: model.Radio, seconds: float) -> Tree:
    stations = sum(model.clients(about.name, radio.band, ssid, seconds) for ssid in SSIDS)
    columns = {
        1: rfc1902.OctetString(bytes(mac)),
        2: _integer(index),
        3: rfc1902.OctetString(bytes(mac)),
        4: _text(str(radio.channel) if radio.band == "2.4" else f"{radio.channel}E"),
        5: _integer(radio.power_dbm),
        6: _integer(92 + index),
        8: _integer(round(100 * model.busy_ratio(about.name, radio.band, seconds))),
        20: _integer(1),
        21: _integer(stations),
    }
    return {(*ARUBA, 2, 2, 1, arc, *mac, index): value for arc, value in columns.items()}


BUILDERS: dict[str, Callable[[About, float], Tree]] = {"ubiquiti": unifi, "mikrotik": mikrotik, "aruba": aruba}
"""By the vendor the inventory names; an unknown one is simulated as a UniFi."""


def build(vendor: str, about: About, seconds: float) -> Tree:
    """Everything the device answers *seconds* after it started."""
    return BUILDERS.get(vendor, unifi)(about, seconds)
