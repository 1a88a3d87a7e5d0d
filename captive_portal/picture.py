"""What nftables holds of our tables apart from elements and counts: to see whether somebody altered the ruleset.

libnftables can list a table without its elements, but reads them all first: 2.6 s with 65,000 sessions, here 2 ms.
"""

import socket
from collections.abc import Iterator

from captive_portal import netlink as nl

GETTABLE, GETCHAIN, GETRULE, GETSET = (10 << 8 | number for number in (1, 4, 7, 10))
NAME = 1
"""The attribute that names the table, in all four kinds of answers."""
RULE_EXPRESSIONS = 4
GETOBJ = 10 << 8 | 19
OBJECT_NAME, OBJECT_TYPE, OBJECT_DATA = 2, 3, 4
COUNTER = (1).to_bytes(4, "big")
KEPT = {
    GETTABLE: {1, 2},  # name, flags (dormant)
    GETCHAIN: {1, 3, 4, 5, 7, 10},  # table, name, hook, policy, type, flags
    GETRULE: {1, 2, RULE_EXPRESSIONS, 7},  # table, chain, expressions, comment
    GETSET: {1, 2, 3, 4, 5, 6, 7, 11, 17, 18},  # table, name, flags, types and lengths, timeout, statements
}
"""Kind of question -> attributes that only an alteration changes: no handle, use or count (nf_tables.h)."""


def picture(channel: socket.socket, tables: dict[int, str]) -> list[bytes]:
    """Everything of *tables* (family -> name) but elements and counts, in the kernel's order. OSError."""
    return [
        kept
        for family, table in tables.items()
        for kind in KEPT
        for body in _dump(channel, kind, family)
        if (kept := _kept(body, kind, table))
    ]


def packets_counted(channel: socket.socket, family: int, table: str) -> dict[str, int]:
    """Packets, by the name of the ruleset's counter, of *table*."""
    found = {}
    for body in _dump(channel, GETOBJ, family):
        parts = {kind: (start, end) for kind, start, end in nl.attributes(body, nl.NFGENMSG.size)}
        if _text(body, *parts[NAME]) == table and body[slice(*parts[OBJECT_TYPE])] == COUNTER:
            for kind, start, end in nl.attributes(body, *parts[OBJECT_DATA]):
                if kind == nl.COUNTER_PACKETS:
                    found[_text(body, *parts[OBJECT_NAME])] = int.from_bytes(body[start:end], "big")
    return found


def _text(body: bytes, start: int, end: int) -> str:
    return body[start:end].rstrip(b"\0").decode()


def _dump(channel: socket.socket, kind: int, family: int) -> Iterator[bytes]:
    question = nl.NFGENMSG.pack(family, 0, 0)
    channel.send(nl.message(kind, nl.NLM_F_REQUEST | nl.NLM_F_DUMP, kind, question))
    while True:
        for answer, _, number, body in nl.messages(channel.recv(1 << 18)):
            if number != kind:
                continue
            if answer == nl.NLMSG_DONE:
                return
            if answer == nl.NLMSG_ERROR:
                raise OSError(nl.error(body), "the ruleset cannot be read")
            yield body


def _kept(body: bytes, kind: int, table: str) -> bytes:
    """The lasting attributes of one answer, empty when it is about another table."""
    kept = b""
    for attribute, start, end in nl.attributes(body, nl.NFGENMSG.size):
        if attribute == NAME and body[start:end].rstrip(b"\0") != table.encode():
            return b""
        if kind == GETRULE and attribute == RULE_EXPRESSIONS:
            kept += b"".join(_lasting(body, first, last) for _, first, last in nl.attributes(body, start, end))
        elif attribute in KEPT[kind]:
            kept += bytes([attribute]) + body[start:end]
    return kept


def _lasting(body: bytes, start: int, end: int) -> bytes:
    """One expression of a rule; of a counter only that it is one."""
    (_, first, last), *_ = nl.attributes(body, start, end)
    name = body[first:last]
    return name if name.rstrip(b"\0") == b"counter" else body[start:end]
