"""What a port is called: a name that is its own, because two ports of one name would be one series."""

from collections import Counter
from collections.abc import Iterable, Mapping

from collectors.snmp import ber

Read = str | float | None
Rows = Mapping[bytes, Mapping[str, Read]]

DERIVED = ("port",)
LLDP_DERIVED = ("local_port",)
LLDP_TABLES = ("lldp_remote", "lldp_v2_remote")
INTERFACE_NAME = 5
"""LldpPortIdSubtype interfaceName (IEEE 802.1AB-2009 section 8.5.3.2)."""


def derive(ports: Rows) -> dict[bytes, dict[str, Read]]:
    r"""The rows of ifTable with the column *port*: ifName or ifDescr, whichever is its own, else with ifIndex.

    >>> rows = {b"\x01": {"name": "lan"}, b"\x02": {"name": "lan"}, b"\x03": {"descr": "wan"}, b"\x04": {}}
    >>> [row["port"] for row in derive(rows).values()]
    ['lan #1', 'lan #2', 'wan', '4']
    """
    counts = {key: Counter(row.get(key) for row in ports.values()) for key in ("name", "descr")}
    found = {}
    for suffix, row in ports.items():
        named = [row[key] for key in ("name", "descr") if row.get(key)]
        own = [row[key] for key in ("name", "descr") if row.get(key) and counts[key][row[key]] == 1]
        index = ".".join(map(str, ber.index(suffix)))
        port = own[0] if own else f"{named[0]} #{index}" if named else index
        found[suffix] = {**row, "port": port}
    return found


def derive_lldp(remote: Rows, local: Rows, ports: Rows) -> dict[bytes, dict[str, Read]]:
    r"""LLDP's remote rows with *local_port*, the port here by the name it has in ifTable.

    The local number in the index is an ifIndex on many devices, but not on all: the local table comes first.

    >>> ports = {b"\x07": {"name": "lan7", "port": "lan7"}, b"\x09": {"name": "wan", "port": "wan"}}
    >>> local = {b"\x07": {"subtype": 5, "id": "wan"}}
    >>> [row["local_port"] for row in derive_lldp({b"\x00\x07\x01": {}, b"\x00\x09\x01": {}}, local, ports).values()]
    ['wan', 'wan']
    """
    own = {row[key]: row.get("port") for row in ports.values() for key in ("name", "descr") if row.get(key)}
    return {suffix: {**row, "local_port": _local_port(suffix, local, ports, own)} for suffix, row in remote.items()}


def derive_cdp(remote: Rows, ports: Rows, by_lldp: Iterable[Mapping[str, Read]]) -> dict[bytes, dict[str, Read]]:
    r"""CDP's rows with *local_port*, as far as LLDP knows nobody behind that port: most neighbours speak both.

    >>> ports = {b"\x07": {"port": "lan7"}, b"\x09": {"port": "wan"}}
    >>> rows = derive_cdp({b"\x07\x01": {}, b"\x09\x01": {}}, ports, [{"local_port": "wan"}])
    >>> [row["local_port"] for row in rows.values()]
    ['lan7', None]
    """
    known = {row.get("local_port") for row in by_lldp}
    found = {suffix: _named(next(iter(ber.index(suffix)), 0), ports) for suffix in remote}
    return {
        suffix: {**row, "local_port": None if (here := found[suffix]) in known else here}
        for suffix, row in remote.items()
    }


def derive_bridge(bridge: Rows, ports: Rows) -> dict[bytes, dict[str, Read]]:
    r"""A bridge's ports with *port*, the name they have in ifTable, else their ifIndex.

    >>> bridge, ports = {b"\x01": {"ifindex": 7}, b"\x02": {}}, {b"\x07": {"port": "lan7"}}
    >>> [row["port"] for row in derive_bridge(bridge, ports).values()]
    ['lan7', None]
    """
    return {suffix: {**row, "port": _named(row.get("ifindex"), ports)} for suffix, row in bridge.items()}


def _named(number: Read, ports: Rows) -> Read:
    if not isinstance(number, int | float) or number <= 0:
        return None
    return ports.get(ber.encode_index((int(number),)), {}).get("port") or str(int(number))


def _local_port(suffix: bytes, local: Rows, ports: Rows, own: Mapping[Read, Read]) -> Read:
    number = ber.index(suffix)[1:2]
    here = local.get(ber.encode_index(number), {})
    named = [
        str(here[key]).rpartition("/")[2] if "bridge" in str(here[key]) else here[key]
        for key in ("id", "description")
        if here.get(key)
    ]
    known = next((own[name] for name in named if name in own), None)
    by_index = ports.get(ber.encode_index(number), {}).get("port")
    if here.get("subtype") == INTERFACE_NAME and named:
        return known or named[0]
    return known or by_index or next(iter(named), ".".join(map(str, number)))
