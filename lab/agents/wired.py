"""What stands in the cabinet: switches that carry a fibre's module and feed access points, and the battery."""

from lab.agents import ber, model
from lab.agents.model import Moment
from lab.agents.standard import (
    ENTERPRISES,
    ETHERNET,
    About,
    Tree,
    counter,
    integer,
    interfaces,
    mac_octets,
    system,
    text,
)

POE = (1, 3, 6, 1, 2, 1, 105, 1)
LLDP = (1, 0, 8802, 1, 1, 2, 1)
BRIDGE = (1, 3, 6, 1, 2, 1, 17)
DOT3_STATS = (1, 3, 6, 1, 2, 1, 10, 7, 2, 1)
UPS = (1, 3, 6, 1, 2, 1, 33, 1)
HP = (*ENTERPRISES, 11, 2, 14, 11)
HP_TRANSCEIVER = (*HP, 5, 1, 82, 1, 1, 1, 1)
HP_POE = (*HP, 1, 9, 1, 1, 1)
HP_SENSOR = (*HP, 1, 2, 6, 1)

FIBRE_PORT = 25
"""Of a switch with 24 ports of copper, of which it tells the first four: the others are switched off."""
LIMITS_DBM = {30: -2.0, 31: -12.0, 32: -3.0, 33: -11.0, 34: -2.0, 35: -24.0, 36: -3.0, 37: -22.0}
"""By column: what a 1000BASE-LX module has programmed in it, sent (30 to 33) and received (34 to 37)."""
FED_MILLIWATTS = (6400, 7400, 8100, 9300)
BUDGET_WATTS = 195
BATTERY_MINUTES = 42
SENSORS = {1: ("Fan Sensor", 4), 2: ("Power Supply Sensor", 4), 3: ("Redundant Power Supply Sensor", 5)}
"""HP-ICF-CHASSIS: what each sensor is about, and its state: 4 good, 5 not there."""


def procurve(about: About, moment: Moment) -> Tree:
    """An HPE (Aruba AOS-S) switch: HP-ICF-TRANSCEIVER-MIB with the module's limits, watts by port, bridge, LLDP."""
    ports = (*range(1, 5), FIBRE_PORT)
    names = [(port, str(port), ETHERNET) for port in ports]
    tree = system(about, (*ENTERPRISES, 11, 2, 3, 7, 11, 160), f"HP {about.model}, revision YA.16.11.0012", moment)
    tree |= interfaces(about, names, moment)
    tree |= _procurve_module(about, moment)
    for row, (name, state) in SENSORS.items():
        tree |= {(*HP_SENSOR, 4, row): integer(state), (*HP_SENSOR, 7, row): text(name)}
    for place, (port, name, address) in enumerate(about.behind):
        tree |= _fed(int(port), FED_MILLIWATTS[place % len(FED_MILLIWATTS)])
        tree |= _neighbour(place + 1, int(port), name)
        tree[(*BRIDGE, 4, 3, 1, 2, *mac_octets(address))] = integer(int(port))
    tree |= {(*BRIDGE, 1, 4, 1, 2, port): integer(port) for port in ports}
    watts = sum(FED_MILLIWATTS[place % len(FED_MILLIWATTS)] for place in range(len(about.behind))) // 1000
    budget = {2: (ber.GAUGE32, BUDGET_WATTS), 3: integer(1), 4: (ber.GAUGE32, watts)}
    tree |= {(*POE, 3, 1, 1, arc, 1): value for arc, value in budget.items()}
    dirt = {3: counter(0), 2: counter(0), 18: counter(0)}
    return tree | {(*DOT3_STATS, arc, FIBRE_PORT): value for arc, value in dirt.items()}


def _procurve_module(about: About, moment: Moment) -> Tree:
    """The module of the fibre: thousandths of degrees and dBm, tenths of millivolts, microamperes; limits in 0.1 uW."""
    received, sent = (round(1000 * model.light_dbm(about.name, way, moment)) for way in ("rx", "tx"))
    warmth = 1000 * (38 + model.number(about.name, "module") % 6)
    columns = {5: text("1000LX"), 11: integer(warmth), 12: (ber.GAUGE32, 32_900), 13: (ber.GAUGE32, 14_200)}
    columns |= {14: integer(sent), 15: integer(received)}
    columns |= {arc: (ber.GAUGE32, round(10_000 * 10 ** (dbm / 10))) for arc, dbm in LIMITS_DBM.items()}
    return {(*HP_TRANSCEIVER, arc, FIBRE_PORT): value for arc, value in columns.items()}


def _fed(port: int, milliwatts: int) -> Tree:
    """A port that delivers power (RFC 3621, HP-ICF-POE-MIB)."""
    return {(*POE, 1, 1, 6, 1, port): integer(3), (*HP_POE, 3, 1, port): integer(milliwatts)}


def _neighbour(number: int, port: int, name: str) -> Tree:
    """An access point that announces itself on *port* (LLDP-MIB)."""
    told = {4: integer(7), 5: text(name), 6: integer(5), 7: text("eth0"), 8: text("eth0"), 9: text(name)}
    tree: Tree = {(*LLDP, 3, 7, 1, 2, port): integer(5), (*LLDP, 3, 7, 1, 3, port): text(str(port))}
    return tree | {(*LLDP, 4, 1, 1, arc, 0, port, number): value for arc, value in told.items()}


def ups(about: About, moment: Moment) -> Tree:
    """A battery (UPS-MIB, RFC 1628) that is charged, on the mains."""
    tree = system(about, (*ENTERPRISES, 318, 1, 3, 27), f"UPS {about.model}", moment)
    tree |= interfaces(about, [(1, "eth0", ETHERNET)], moment)
    told = {(1, 1, 0): text("Batterie"), (1, 2, 0): text(about.model), (2, 1, 0): integer(2), (2, 2, 0): integer(0)}
    told |= {(2, 3, 0): integer(BATTERY_MINUTES), (2, 4, 0): integer(100), (4, 1, 0): integer(3)}
    return tree | {(*UPS, *arcs): value for arcs, value in told.items()}
