"""Simulated agents on the loopback address: one that serves a MIB from memory, and several that misbehave."""

import socket
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread

from collectors.snmp import ber, pdu
from collectors.snmp.ber import Value
from collectors.snmp.pdu import Kind, Pdu, Version

Answer = Callable[[bytes], list[bytes]]
"""What an agent says to one datagram."""


@contextmanager
def agent(answer: Answer, host: str = "127.0.0.1", port: int = 0) -> Iterator[tuple[str, int]]:
    """An agent that answers with *answer* on *port*, or a free one, until the block is left."""
    stop = Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((host, port))
        opened.settimeout(0.02)

        def serve() -> None:
            while not stop.is_set():
                try:
                    data, source = opened.recvfrom(65535)
                except TimeoutError:
                    continue
                for reply in answer(data):
                    opened.sendto(reply, source)

        thread = Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield opened.getsockname()
        finally:
            stop.set()
            thread.join()


def mute(_data: bytes) -> list[bytes]:
    return []


def babbling(_data: bytes) -> list[bytes]:
    return [b"HTTP/1.1 400 Bad Request\r\n\r\n"]


@dataclass
class MemoryAgent:
    """Serves *mib* (dotted OID to tag and value) in SNMPv1 and v2c; *too_big* is how many variables fit a reply."""

    mib: Mapping[str, tuple[int, Value]]
    community: bytes = b"public"
    too_big: int = 10_000
    versions: tuple[Version, ...] = (Version.V1, Version.V2C)
    knows_bulk: bool = True
    asked: list[Pdu] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._cells = {ber.oid(name): cell for name, cell in self.mib.items()}
        self._order = sorted(self._cells, key=ber.index)
        self._keys = [ber.index(name) for name in self._order]

    def __call__(self, data: bytes) -> list[bytes]:
        version, community, request = pdu.decode_message(data)
        if community != self.community or version not in self.versions:
            return []
        if request.kind is Kind.GET_BULK and not self.knows_bulk:
            return []
        self.asked.append(request)
        return [pdu.encode_message(version, community, self.answer(request, version))]

    def answer(self, request: Pdu, version: Version) -> Pdu:
        names = [name for name, _, _ in request.varbinds]
        if request.kind is Kind.GET:
            found = [(name, *self._cells.get(name, (ber.NO_SUCH_INSTANCE, None))) for name in names]
        else:
            once = request.error_status if request.kind is Kind.GET_BULK else 0  # non-repeaters
            rounds = request.max_repetitions if request.kind is Kind.GET_BULK else 1
            found = self._following(names[:once], 1) + self._following(names[once:], rounds)
        if len(found) > self.too_big:
            return Pdu(Kind.RESPONSE, request.request_id, 1, 0, [])
        missing = [i for i, (_, tag, _) in enumerate(found, 1) if tag in ber.VALUELESS]
        if missing and version is Version.V1:
            return Pdu(Kind.RESPONSE, request.request_id, 2, missing[0], request.varbinds)
        return Pdu(Kind.RESPONSE, request.request_id, 0, 0, found)

    def _following(self, names: list[bytes], rounds: int) -> list[ber.VarBind]:
        found: list[ber.VarBind] = []
        for _ in range(rounds):
            row = []
            for name in names:
                at = bisect_right(self._keys, ber.index(name))
                following = self._order[at] if at < len(self._order) else None
                row.append((following, *self._cells[following]) if following else (name, ber.END_OF_MIB_VIEW, None))
            found += row
            names = [name for name, _, _ in row]
        return found


def table(entry: str, columns: Mapping[int, list[Value]], tags: Mapping[int, int]) -> dict[str, tuple[int, Value]]:
    """The variables of a table whose rows are numbered from 1; a missing value is left out."""
    return {
        f"{entry}.{arc}.{row}": (tags.get(arc, ber.INTEGER), value)
        for arc, values in columns.items()
        for row, value in enumerate(values, 1)
        if value is not None
    }


SYSTEM = {
    "1.3.6.1.2.1.1.1.0": (ber.OCTET_STRING, b"UAP-AC-Pro 6.5.28"),
    "1.3.6.1.2.1.1.2.0": (ber.OBJECT_IDENTIFIER, ber.oid("1.3.6.1.4.1.8072.3.2.10")),
    "1.3.6.1.2.1.1.3.0": (ber.TIME_TICKS, 360000),
    "1.3.6.1.2.1.1.5.0": (ber.OCTET_STRING, b"ap"),
}

RADIOS = table(
    "1.3.6.1.4.1.41112.1.6.1.1.1",
    {2: [b"wifi0", b"wifi1"], 3: [b"ng", b"na"], 6: [42, 101], 7: [10, 1], 8: [5, 2], 9: [27, 0]},
    {2: ber.OCTET_STRING, 3: ber.OCTET_STRING},
)
VAPS = table(
    "1.3.6.1.4.1.41112.1.6.1.2.1",
    {
        4: [6, 6, 157, 157],
        6: [b"Wifi-Cachan", b"vwire-0123", b"Wifi-Cachan", b"Agents"],
        8: [4, 9, 14, 3],
        9: [b"ng", b"ng", b"na", b"na"],
        21: [23, 23, 26, 26],
    },
    {6: ber.OCTET_STRING, 9: ber.OCTET_STRING},
)
UNIFI_NAMES = {
    "1.3.6.1.4.1.41112.1.6.3.3.0": (ber.OCTET_STRING, b"UAP-AC-Pro"),
    "1.3.6.1.4.1.41112.1.6.3.6.0": (ber.OCTET_STRING, b"6.5.28"),
}
PORTS = {
    **table(
        "1.3.6.1.2.1.2.2.1",
        {2: [b"lo", b"eth0"], 5: [10_000_000, 4294967295], 7: [1, 1], 8: [1, 2], 10: [7, 8], 16: [9, 10]},
        {2: ber.OCTET_STRING, 5: ber.GAUGE32, 10: ber.COUNTER32, 16: ber.COUNTER32},
    ),
    **table(
        "1.3.6.1.2.1.31.1.1.1",
        {1: [b"lo", b"eth0"], 6: [None, 2**53 + 5], 15: [0, 10_000]},
        {1: ber.OCTET_STRING, 6: ber.COUNTER64, 15: ber.GAUGE32},
    ),
}
UNIFI = {**SYSTEM, **RADIOS, **VAPS, **UNIFI_NAMES, **PORTS}
"""An access point as UBNT-UniFi-MIB and IF-MIB describe it, with a mesh network and one impossible utilisation."""
