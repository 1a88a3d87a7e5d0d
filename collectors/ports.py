"""What a port is called: a name that is its own, because two ports of one name would be one series."""

from collections import Counter
from collections.abc import Mapping

from collectors.snmp import ber

Read = str | float | None
Rows = Mapping[bytes, Mapping[str, Read]]

DERIVED = ("port",)


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
