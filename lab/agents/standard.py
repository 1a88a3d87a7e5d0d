"""What every simulated device answers: its system group, its ports, and how a value is written as a cell."""

from collections.abc import Iterable
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

ETHERNET, WIRELESS = 6, 71
COUNTER32 = 2**32


@dataclass(frozen=True, slots=True)
class About:
    """What a device says of itself. *behind*: what is plugged into a switch, as (port, name, address)."""

    name: str
    model: str
    address: str
    mac: str
    place: str
    hours: str = USUAL_HOURS
    behind: tuple[tuple[str, str, str], ...] = ()


def text(words: str) -> Cell:
    """An OCTET STRING."""
    return ber.OCTETS, words.encode()


def mac_of(about: About) -> Cell:
    """The device's hardware address."""
    return ber.OCTETS, bytes(mac_octets(about.mac))


def mac_octets(address: str) -> tuple[int, ...]:
    """The numbers of a hardware address, as an index has them."""
    return tuple(bytes.fromhex(address.replace(":", "")))


def integer(value: int) -> Cell:
    """An INTEGER."""
    return ber.INTEGER, value


def counter(value: int) -> Cell:
    """A Counter32, which wraps."""
    return ber.COUNTER32, value % COUNTER32


def ticks(seconds: float) -> Cell:
    """TimeTicks of *seconds*."""
    return ber.TICKS, int(seconds * 100) % COUNTER32


def system(about: About, object_id: Oid, description: str, moment: Moment) -> Tree:
    """SNMPv2-MIB's system group, and the host's own uptime."""
    values = {
        1: text(description),
        2: (ber.OID, ber.oid(object_id)),
        3: ticks(moment.now - moment.agent_started),
        4: text("wifi@cachan.example"),
        5: text(about.name),
        6: text(about.place),
        7: integer(2),
    }
    tree: Tree = {(*SYSTEM, arc, 0): value for arc, value in values.items()}
    tree[HOST_UPTIME] = ticks(moment.seconds)
    return tree


def interfaces(about: About, names: Iterable[tuple[int, str, int]], moment: Moment) -> Tree:
    """IF-MIB rows for (index, name, ifType)."""
    tree: Tree = {}
    mac = mac_of(about)
    rows = list(names)
    tree[(*INTERFACES, 1, 0)] = integer(len(rows))
    tree[IF_LAST_CHANGE] = ticks(0)
    bands = iter(radio.band for radio in model.RADIOS)
    for index, name, kind in rows:
        works = kind != WIRELESS or next(bands) not in moment.dead_bands
        inward, outward = (model.octets(about.name, f"{name}-{way}", moment) for way in ("in", "out"))
        old = {1: integer(index), 2: text(name), 3: integer(kind), 4: integer(1500)}
        old |= {5: (ber.GAUGE32, 1_000_000_000), 6: mac, 7: integer(1)}
        old |= {8: integer(1 if works else 2), 9: ticks(0)}
        old |= {10: counter(inward), 16: counter(outward)}
        old |= {arc: counter(0) for arc in (13, 14, 19, 20)}
        new = {1: text(name), 6: (ber.COUNTER64, inward), 10: (ber.COUNTER64, outward)}
        new |= {7: (ber.COUNTER64, inward // 900), 11: (ber.COUNTER64, outward // 900)}
        new |= {15: (ber.GAUGE32, 1000), 17: integer(1), 18: text(""), 19: ticks(0)}
        tree |= {(*INTERFACES, 2, 1, arc, index): value for arc, value in old.items()}
        tree |= {(*IF_X, arc, index): value for arc, value in new.items()}
    return tree
