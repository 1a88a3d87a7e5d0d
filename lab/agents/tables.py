"""The vendors' tables: what a simulated device answers, as ``{OID: value}`` built from the model."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lab.agents import ber, model
from lab.agents.ber import Cell, Oid
from lab.agents.faults import IF_LAST_CHANGE
from lab.agents.model import USUAL_HOURS, Moment

Tree = dict[Oid, Cell]

ENTERPRISES = (1, 3, 6, 1, 4, 1)
SYSTEM = (1, 3, 6, 1, 2, 1, 1)
INTERFACES = (1, 3, 6, 1, 2, 1, 2)
HOST_UPTIME = (1, 3, 6, 1, 2, 1, 25, 1, 1, 0)
IF_X = (1, 3, 6, 1, 2, 1, 31, 1, 1, 1)
UNIFI = (*ENTERPRISES, 41112, 1, 6)
MIKROTIK = (*ENTERPRISES, 14988, 1, 1)
POE = (1, 3, 6, 1, 2, 1, 105, 1)
LLDP = (1, 0, 8802, 1, 1, 2, 1)
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
    hours: str = USUAL_HOURS


def _text(words: str) -> Cell:
    return ber.OCTETS, words.encode()


def _mac(about: About) -> Cell:
    return ber.OCTETS, bytes.fromhex(about.mac.replace(":", ""))


def _integer(value: int) -> Cell:
    return ber.INTEGER, value


def _counter(value: int) -> Cell:
    return ber.COUNTER32, value % COUNTER32


def _ticks(seconds: float) -> Cell:
    return ber.TICKS, int(seconds * 100) % COUNTER32


def _system(about: About, object_id: Oid, description: str, moment: Moment) -> Tree:
    values = {
        1: _text(description),
        2: (ber.OID, ber.oid(object_id)),
        3: _ticks(moment.now - moment.agent_started),
        4: _text("wifi@cachan.example"),
        5: _text(about.name),
        6: _text(about.place),
        7: _integer(2),
    }
    tree: Tree = {(*SYSTEM, arc, 0): value for arc, value in values.items()}
    tree[HOST_UPTIME] = _ticks(moment.seconds)
    return tree


def _interfaces(about: About, names: Iterable[tuple[int, str, int]], moment: Moment) -> Tree:
    """IF-MIB rows for (index, name, ifType)."""
    tree: Tree = {}
    mac = _mac(about)
    rows = list(names)
    tree[(*INTERFACES, 1, 0)] = _integer(len(rows))
    tree[IF_LAST_CHANGE] = _ticks(0)
    bands = iter(radio.band for radio in model.RADIOS)
    for index, name, kind in rows:
        works = kind != WIRELESS or next(bands) not in moment.dead_bands
        inward, outward = (model.octets(about.name, f"{name}-{way}", moment) for way in ("in", "out"))
        old = {1: _integer(index), 2: _text(name), 3: _integer(kind), 4: _integer(1500)}
        old |= {5: (ber.GAUGE32, 1_000_000_000), 6: mac, 7: _integer(1)}
        old |= {8: _integer(1 if works else 2), 9: _ticks(0)}
        old |= {10: _counter(inward), 16: _counter(outward)}
        old |= {arc: _counter(0) for arc in (13, 14, 19, 20)}
        new = {1: _text(name), 6: (ber.COUNTER64, inward), 10: (ber.COUNTER64, outward)}
        new |= {7: (ber.COUNTER64, inward // 900), 11: (ber.COUNTER64, outward // 900)}
        new |= {15: (ber.GAUGE32, 1000), 17: _integer(1), 18: _text(""), 19: _ticks(0)}
        tree |= {(*INTERFACES, 2, 1, arc, index): value for arc, value in old.items()}
        tree |= {(*IF_X, arc, index): value for arc, value in new.items()}
    return tree


def unifi(about: About, moment: Moment) -> Tree:
    """A UniFi access point: Net-SNMP's sysObjectID, UBNT-UniFi-MIB radio and virtual AP tables."""
    version = "6.6.55.15189"
    tree = _system(about, (*ENTERPRISES, 8072, 3, 2, 10), f"{about.model} {version}", moment)
    tree |= _interfaces(about, [(1, "eth0", ETHERNET), (2, "wifi0", WIRELESS), (3, "wifi1", WIRELESS)], moment)
    tree[(*UNIFI, 3, 3, 0)] = _text(about.model)
    tree[(*UNIFI, 3, 5, 0)] = _counter(int(moment.seconds))
    tree[(*UNIFI, 3, 6, 0)] = _text(version)
    row = 0
    for index, radio in enumerate(model.RADIOS, 1):
        busy = round(100 * model.busy_ratio(about.name, radio.band, moment))
        band = _text(UNIFI_BANDS[radio.band])
        columns = {1: _integer(index), 2: _text(f"wifi{index - 1}"), 3: band, 6: _integer(busy)}
        columns |= {7: _integer(busy // 3), 8: _integer(busy // 4), 9: _integer(busy // 3)}
        tree |= {(*UNIFI, 1, 1, 1, arc, index): value for arc, value in columns.items()}
        for ssid in SSIDS:
            row += 1
            tree |= _unifi_vap(about, row, radio, ssid, moment)
    return tree


def _unifi_vap(about: About, row: int, radio: model.Radio, ssid: str, moment: Moment) -> Tree:
    stations = model.clients(about.name, radio.band, ssid, moment)
    received, sent = (model.octets(about.name, f"vap{row}-{way}", moment) % COUNTER32 for way in ("in", "out"))
    columns = {
        1: _integer(row),
        2: _mac(about),
        3: _integer(900 + row),
        4: _integer(radio.channel),
        6: _text(ssid),
        7: _text(f"ath{row - 1}"),
        8: _integer(stations),
        9: _text(UNIFI_BANDS[radio.band]),
        10: _counter(received),
        16: _counter(sent),
        17: _counter(0),
        18: _counter(0),
        20: _counter(sent // 20_000),
        21: _integer(radio.power_dbm),
        22: _integer(2 if radio.band in moment.dead_bands else 1),
        23: _text("guest" if ssid == model.PUBLIC_SSID else "user"),
    }
    return {(*UNIFI, 1, 2, 1, arc, row): value for arc, value in columns.items()}


def mikrotik(about: About, moment: Moment) -> Tree:
    """A MikroTik access point: MIKROTIK-MIB's mtxrWlAp table, one row a virtual AP, and the health gauges."""
    names = [(1, "ether1", ETHERNET), (2, "wlan1", WIRELESS), (3, "wlan2", WIRELESS)]
    has_optic = "SFP" in about.model
    names += [(4, "sfp1", ETHERNET)] if has_optic else []
    tree = _system(about, (*ENTERPRISES, 14988, 1), f"RouterOS {about.model}", moment)
    tree |= _interfaces(about, names, moment)
    tree[(*MIKROTIK, 4, 4, 0)] = _text("7.15.3")
    tree[(*MIKROTIK, 7, 3, 0)] = _text(f"LAB{model.number(about.name):010d}")
    for index, radio in enumerate(model.RADIOS, 2):
        stations = model.clients(about.name, radio.band, model.PUBLIC_SSID, moment)
        columns = {
            2: (ber.GAUGE32, 130_000_000),
            3: (ber.GAUGE32, 86_000_000),
            4: _text(model.PUBLIC_SSID),
            5: _mac(about),
            6: _counter(stations),
            7: _integer(radio.frequency_mhz),
            8: _text("2ghz-n" if radio.band == "2.4" else "5ghz-ac"),
            9: _integer(-104 - index),
            10: _counter(90 + index),
            11: _counter(stations),
        }
        tree |= {(*MIKROTIK, 1, 3, 1, arc, index): value for arc, value in columns.items()}
    tree |= _mikrotik_optic(about, moment) if has_optic else {}
    health = {2: _text("cpu-temperature"), 3: _integer(model.celsius(about.name, moment)), 4: _integer(1)}
    return tree | {(*MIKROTIK, 3, 100, 1, arc, 13): value for arc, value in health.items()}


def _mikrotik_optic(about: About, moment: Moment) -> Tree:
    received, sent = (round(1000 * model.light_dbm(about.name, way, moment)) for way in ("rx", "tx"))
    columns = {2: _text("sfp1"), 3: _integer(0), 4: _integer(0), 5: (ber.GAUGE32, 131_000), 6: _integer(41)}
    columns |= {7: _integer(3290), 8: _integer(14), 9: _integer(sent), 10: _integer(received)}
    return {(*MIKROTIK, 19, 1, 1, arc, 4): value for arc, value in columns.items()}


def mikrotik_switch(about: About, moment: Moment) -> Tree:
    """A MikroTik switch with a fibre module in sfp1 and two ports that feed access points."""
    names = [(1, "ether1", ETHERNET), (2, "ether2", ETHERNET), (4, "sfp1", ETHERNET)]
    tree = _system(about, (*ENTERPRISES, 14988, 1), f"RouterOS {about.model}", moment)
    tree |= _interfaces(about, names, moment)
    tree[(*MIKROTIK, 4, 4, 0)] = _text("7.15.3")
    for index, tenths in ((1, 74), (2, 81)):
        feeding = {2: _text(f"ether{index}"), 3: _integer(3), 4: _integer(480), 5: _integer(150), 6: _integer(tenths)}
        tree |= {(*MIKROTIK, 15, 1, 1, arc, index): value for arc, value in feeding.items()}
    budget = {2: (ber.GAUGE32, 150), 3: _integer(1), 4: (ber.GAUGE32, 16)}
    tree |= {(*POE, 3, 1, 1, arc, 1): value for arc, value in budget.items()}
    tree[(*POE, 1, 1, 6, 1, 1)] = _integer(3)
    tree |= {(*LLDP, 3, 7, 1, 2, 1): _integer(5), (*LLDP, 3, 7, 1, 3, 1): _text("ether1")}
    neighbour = {4: _integer(7), 5: _text("borne"), 6: _integer(5), 7: _text("eth0"), 8: _text("eth0"), 9: _text("ap")}
    tree |= {(*LLDP, 4, 1, 1, arc, 0, 1, 1): value for arc, value in neighbour.items()}
    return tree | _mikrotik_optic(about, moment)


def aruba(about: About, moment: Moment) -> Tree:
    """An Aruba Instant access point: AI-AP-MIB's SSID, AP and radio tables, indexed by the MAC address."""
    number = about.model.removeprefix("AP-")
    description = f"ArubaOS (MODEL: {number}), Version 8.10.0.6-8.10.0.6"
    tree = _system(about, (*ENTERPRISES, 14823, 1, 2, 111), description, moment)
    tree |= _interfaces(about, [(1, "bond0", ETHERNET), (2, "radio0", WIRELESS), (3, "radio1", WIRELESS)], moment)
    mac = tuple(bytes.fromhex(about.mac.replace(":", "")))
    columns = {1: _mac(about), 2: _text(about.name), 3: (ber.ADDRESS, bytes(map(int, about.address.split("."))))}
    columns |= {4: _text(f"LAB{model.number(about.name):08X}"), 6: _text(about.model), 7: _integer(12)}
    columns |= {8: _integer(512 * 1024**2), 9: _ticks(moment.seconds)}
    columns |= {10: _integer(1024**3), 11: _integer(1)}
    tree |= {(*ARUBA, 2, 1, 1, arc, *mac): value for arc, value in columns.items()}
    for row, ssid in enumerate(SSIDS):
        total = sum(model.clients(about.name, radio.band, ssid, moment) for radio in model.RADIOS)
        columns = {1: _integer(row), 2: _text(ssid), 3: _integer(0), 4: (ber.GAUGE32, total)}
        tree |= {(*ARUBA, 1, 7, 1, arc, row): value for arc, value in columns.items()}
    for index, radio in enumerate(model.RADIOS):
        tree |= _aruba_radio(about, mac, index, radio, moment)
    return tree


def _aruba_radio(about: About, mac: Oid, index: int, radio: model.Radio, moment: Moment) -> Tree:
    stations = sum(model.clients(about.name, radio.band, ssid, moment) for ssid in SSIDS)
    columns = {
        1: _mac(about),
        2: _integer(index),
        3: _mac(about),
        4: _text(str(radio.channel) if radio.band == "2.4" else f"{radio.channel}E"),
        5: _integer(radio.power_dbm),
        6: _integer(92 + index),
        8: _integer(round(100 * model.busy_ratio(about.name, radio.band, moment))),
        20: _integer(2 if radio.band in moment.dead_bands else 1),
        21: _integer(stations),
    }
    return {(*ARUBA, 2, 2, 1, arc, *mac, index): value for arc, value in columns.items()}


BUILDERS: dict[str, Callable[[About, Moment], Tree]] = {
    "ubiquiti": unifi,
    "mikrotik": mikrotik,
    "mikrotik-switch": mikrotik_switch,
    "aruba": aruba,
}
"""By the vendor the inventory names; an unknown one is simulated as a UniFi."""


def build(vendor: str, about: About, moment: Moment) -> Tree:
    """Everything the device answers at *moment*."""
    return BUILDERS.get(vendor, unifi)(about, moment)
