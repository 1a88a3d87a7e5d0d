"""The vendors' tables: what a simulated device answers, as ``{OID: value}`` built from the model."""

from collections.abc import Callable, Iterator, Mapping

from lab.agents import ber, model, wired
from lab.agents.ber import Oid
from lab.agents.model import Moment
from lab.agents.standard import (
    COUNTER32,
    ENTERPRISES,
    ETHERNET,
    WIRELESS,
    About,
    Tree,
    counter,
    integer,
    interfaces,
    mac_octets,
    mac_of,
    system,
    text,
    ticks,
)

MIKROTIK = (*ENTERPRISES, 14988, 1, 1)
UNIFI = (*ENTERPRISES, 41112, 1, 6)
ARUBA = (*ENTERPRISES, 14823, 2, 3, 3, 1)
NET_SNMP_LINUX = (*ENTERPRISES, 8072, 3, 2, 10)
SCRIPT_LINE = (*ENTERPRISES, 8072, 1, 3, 2, 3, 1, 1)
"""NET-SNMP-EXTEND-MIB nsExtendOutput1Line, indexed by a script's name with its length."""

SSIDS = (model.PUBLIC_SSID, model.STAFF_SSID)
UNIFI_BANDS = {"2.4": "ng", "5": "na"}
NOBODY = ""
"""What a script prints when there is nothing to tell."""


def unifi(about: About, moment: Moment) -> Tree:
    """A UniFi access point: Net-SNMP's sysObjectID, UBNT-UniFi-MIB radio and virtual AP tables."""
    version = "6.6.55.15189"
    tree = system(about, NET_SNMP_LINUX, f"{about.model} {version}", moment)
    tree |= interfaces(about, [(1, "eth0", ETHERNET), (2, "wifi0", WIRELESS), (3, "wifi1", WIRELESS)], moment)
    tree[(*UNIFI, 3, 3, 0)] = text(about.model)
    tree[(*UNIFI, 3, 5, 0)] = counter(int(moment.seconds))
    tree[(*UNIFI, 3, 6, 0)] = text(version)
    row = 0
    for index, radio in enumerate(model.RADIOS, 1):
        busy = round(100 * model.busy_ratio(about.name, radio.band, moment))
        band = text(UNIFI_BANDS[radio.band])
        columns = {1: integer(index), 2: text(f"wifi{index - 1}"), 3: band, 6: integer(busy)}
        columns |= {7: integer(busy // 3), 8: integer(busy // 4), 9: integer(busy // 3)}
        tree |= {(*UNIFI, 1, 1, 1, arc, index): value for arc, value in columns.items()}
        for ssid in SSIDS:
            row += 1
            tree |= _unifi_vap(about, row, radio, ssid, moment)
    return tree


def _unifi_vap(about: About, row: int, radio: model.Radio, ssid: str, moment: Moment) -> Tree:
    stations = model.clients(about.name, radio.band, ssid, moment)
    received, sent = (model.octets(about.name, f"vap{row}-{way}", moment) % COUNTER32 for way in ("in", "out"))
    columns = {
        1: integer(row),
        2: mac_of(about),
        3: integer(900 + row),
        4: integer(radio.channel),
        6: text(ssid),
        7: text(f"ath{row - 1}"),
        8: integer(stations),
        9: text(UNIFI_BANDS[radio.band]),
        10: counter(received),
        16: counter(sent),
        17: counter(0),
        18: counter(0),
        20: counter(sent // 20_000),
        21: integer(radio.power_dbm),
        22: integer(2 if radio.band in moment.dead_bands else 1),
        23: text("guest" if ssid == model.PUBLIC_SSID else "user"),
    }
    return {(*UNIFI, 1, 2, 1, arc, row): value for arc, value in columns.items()}


def mikrotik(about: About, moment: Moment) -> Tree:
    """A MikroTik access point: MIKROTIK-MIB's mtxrWlAp table, one row a virtual AP, and the health gauges."""
    names = [(1, "ether1", ETHERNET), (2, "wlan1", WIRELESS), (3, "wlan2", WIRELESS)]
    has_optic = "SFP" in about.model
    names += [(4, "sfp1", ETHERNET)] if has_optic else []
    tree = system(about, (*ENTERPRISES, 14988, 1), f"RouterOS {about.model}", moment)
    tree |= interfaces(about, names, moment)
    tree[(*MIKROTIK, 4, 4, 0)] = text("7.15.3")
    tree[(*MIKROTIK, 7, 3, 0)] = text(f"LAB{model.number(about.name):010d}")
    for index, radio in enumerate(model.RADIOS, 2):
        stations = model.clients(about.name, radio.band, model.PUBLIC_SSID, moment)
        columns = {
            2: (ber.GAUGE32, 130_000_000),
            3: (ber.GAUGE32, 86_000_000),
            4: text(model.PUBLIC_SSID),
            5: mac_of(about),
            6: counter(stations),
            7: integer(radio.frequency_mhz),
            8: text("2ghz-n" if radio.band == "2.4" else "5ghz-ac"),
            9: integer(-104 - index),
            10: counter(90 + index),
            11: counter(stations),
        }
        tree |= {(*MIKROTIK, 1, 3, 1, arc, index): value for arc, value in columns.items()}
    tree |= _mikrotik_optic(about, moment) if has_optic else {}
    health = {2: text("cpu-temperature"), 3: integer(model.celsius(about.name, moment)), 4: integer(1)}
    return tree | {(*MIKROTIK, 3, 100, 1, arc, 13): value for arc, value in health.items()}


def _mikrotik_optic(about: About, moment: Moment) -> Tree:
    received, sent = (round(1000 * model.light_dbm(about.name, way, moment)) for way in ("rx", "tx"))
    columns = {2: text("sfp1"), 3: integer(0), 4: integer(0), 5: (ber.GAUGE32, 131_000), 6: integer(41)}
    columns |= {7: integer(3290), 8: integer(14), 9: integer(sent), 10: integer(received)}
    return {(*MIKROTIK, 19, 1, 1, arc, 4): value for arc, value in columns.items()}


def aruba(about: About, moment: Moment) -> Tree:
    """An Aruba Instant access point: AI-AP-MIB's SSID, AP and radio tables, indexed by the MAC address."""
    number = about.model.removeprefix("AP-")
    version = "8.10.0.6-8.10.0.6"
    description = f"ArubaOS (MODEL: {number}), Version {version}"
    tree = system(about, (*ENTERPRISES, 14823, 1, 2, 111), description, moment)
    tree |= interfaces(about, [(1, "bond0", ETHERNET), (2, "radio0", WIRELESS), (3, "radio1", WIRELESS)], moment)
    tree[(*ARUBA, 1, 4, 0)] = text(version)
    mac = mac_octets(about.mac)
    columns = {1: mac_of(about), 2: text(about.name), 3: (ber.ADDRESS, bytes(map(int, about.address.split("."))))}
    columns |= {4: text(f"LAB{model.number(about.name):08X}"), 6: text(about.model), 7: integer(12)}
    columns |= {8: integer(512 * 1024**2), 9: ticks(moment.seconds)}
    columns |= {10: integer(1024**3), 11: integer(1)}
    tree |= {(*ARUBA, 2, 1, 1, arc, *mac): value for arc, value in columns.items()}
    for row, ssid in enumerate(SSIDS):
        total = sum(model.clients(about.name, radio.band, ssid, moment) for radio in model.RADIOS)
        columns = {1: integer(row), 2: text(ssid), 3: integer(0), 4: (ber.GAUGE32, total)}
        tree |= {(*ARUBA, 1, 7, 1, arc, row): value for arc, value in columns.items()}
    for index, radio in enumerate(model.RADIOS):
        tree |= _aruba_radio(about, mac, index, radio, moment)
    return tree


def _aruba_radio(about: About, mac: Oid, index: int, radio: model.Radio, moment: Moment) -> Tree:
    stations = sum(model.clients(about.name, radio.band, ssid, moment) for ssid in SSIDS)
    columns = {
        1: mac_of(about),
        2: integer(index),
        3: mac_of(about),
        4: text(str(radio.channel) if radio.band == "2.4" else f"{radio.channel}E"),
        5: integer(radio.power_dbm),
        6: integer(92 + index),
        8: integer(round(100 * model.busy_ratio(about.name, radio.band, moment))),
        20: integer(2 if radio.band in moment.dead_bands else 1),
        21: integer(stations),
    }
    return {(*ARUBA, 2, 2, 1, arc, *mac, index): value for arc, value in columns.items()}


def openwrt(about: About, moment: Moment) -> Tree:
    """An OpenWrt access point: Net-SNMP with scripts that count a radio's clients and measure their signal."""
    tree = system(about, NET_SNMP_LINUX, f"Linux OpenWrt 5.15.150 {about.model}", moment)
    tree |= interfaces(about, [(1, "eth0", ETHERNET), (2, "wlan0", WIRELESS), (3, "wlan1", WIRELESS)], moment)
    lines: dict[str, str] = {}
    everybody = 0
    for place, radio in enumerate(model.RADIOS):
        stations = model.clients(about.name, radio.band, model.PUBLIC_SSID, moment)
        everybody += stations
        lines |= {f"{what}-wlan{place}{stat}": line for (what, stat), line in _script(about, radio, stations, moment)}
    lines["clients-wlan"] = str(everybody)
    return tree | {(*SCRIPT_LINE, len(name), *name.encode()): text(line) for name, line in lines.items()}


def _script(about: About, radio: model.Radio, stations: int, moment: Moment) -> Iterator[tuple[tuple[str, str], str]]:
    """What each script prints of *radio*; no noise of one that is dark, no signal of clients that are not there."""
    lit = radio.band not in moment.dead_bands
    yield ("clients", ""), str(stations)
    yield ("frequency", ""), str(radio.frequency_mhz)
    yield ("noise-floor", ""), str(model.noise_dbm(about.name, radio.band, moment)) if lit else NOBODY
    for stat, decibels in model.snr_db(about.name, radio.band, stations, moment).items():
        yield ("snr", f"-{stat}"), str(decibels) if stations else NOBODY


BUILDERS: Mapping[str, Callable[[About, Moment], Tree]] = {
    "ubiquiti": unifi,
    "mikrotik": mikrotik,
    "aruba": aruba,
    "openwrt": openwrt,
    "hpe": wired.procurve,
    "ups": wired.ups,
}
"""By the vendor the inventory names; an unknown one is simulated as a UniFi."""


def build(vendor: str, about: About, moment: Moment) -> Tree:
    """Everything the device answers at *moment*."""
    return BUILDERS.get(vendor, unifi)(about, moment)
