"""What a device may try, and whether anything of it arrives beyond the uplink. Used by the leak tests."""

import os
import socket
import struct
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from door_twin import Inside, Twin

ETH_P_ALL, ETH_P_IP, ETH_P_IPV6, ETH_P_ARP = 0x0003, 0x0800, 0x86DD, 0x0806
PACKET_OUTGOING = 4
SENTINEL = 9
"""UDP "discard": the gateway's own packet, after which nothing older can arrive."""
NEIGHBOUR_DISCOVERY = {*range(130, 138), 143}
ANSWER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Packet:
    """What arrived, as far as judging it needs."""

    family: int
    protocol: int
    port: int
    target: str

    @property
    def housekeeping(self) -> bool:
        """The gateway's own: neighbour discovery, and its resolver's questions."""
        if self.protocol == socket.IPPROTO_ICMPV6 and self.port >> 8 in NEIGHBOUR_DISCOVERY:
            return True
        return self.port == 53 and self.target == "203.0.113.53"


class FarSide(AbstractContextManager["FarSide"]):
    """Listens to everything that comes out of the gateway's uplink."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        with Inside(twin.name("inet")):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self._socket.bind(("wan1", ETH_P_ALL))
        self._socket.settimeout(5)
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def arrived(self) -> list[Packet]:
        """What has come since the last call, without the gateway's own housekeeping."""
        self._number += 1
        mark = f"sentinel {os.getpid()} {self._number}".encode()
        with Inside(self._twin.name("gw")), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
            channel.sendto(mark, (str(self._twin.site.uplink.peer), SENTINEL))
        found = []
        while True:
            frame, (_, _, direction, _, _) = self._socket.recvfrom(1 << 16)
            if frame.endswith(mark):
                return found
            packet = read(frame)
            if direction != PACKET_OUTGOING and packet and not packet.housekeeping:
                found.append(packet)


def read(frame: bytes) -> Packet | None:
    """The packet in an Ethernet frame; None for ARP."""
    (kind,) = struct.unpack_from("!H", frame, 12)
    if kind == ETH_P_IP:
        start = 14 + (frame[14] & 15) * 4
        return Packet(4, frame[23], _second_word(frame, start), socket.inet_ntop(socket.AF_INET, frame[30:34]))
    if kind == ETH_P_IPV6:
        start, protocol = 54, frame[20]
        if protocol == 0:  # hop-by-hop options, as MLD has them
            protocol, start = frame[54], 54 + 8 * (frame[55] + 1)
        target = socket.inet_ntop(socket.AF_INET6, frame[38:54])
        first = protocol == socket.IPPROTO_ICMPV6
        return Packet(6, protocol, frame[start] << 8 if first else _second_word(frame, start), target)
    assert kind == ETH_P_ARP, f"an unknown kind of frame: {kind:#x}"
    return None


def _second_word(frame: bytes, start: int) -> int:
    return int.from_bytes(frame[start + 2 : start + 4], "big")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way out that a device may try: a protocol number, or TCP and UDP with a port."""

    name: str
    kind: int
    protocol: int
    port: int = 0
    refusable: bool = True
    """False: Linux tells nobody, because it cannot verify a checksum of that protocol (nf_reject_verify_csum)."""

    def refused(self, end: str) -> bool:
        """Whether *end* is what this attempt must end in."""
        return end not in {"silence", "answered"} if self.refusable else end != "answered"

    def __call__(self, namespace: str, target: str) -> str:
        """Try it from *namespace*; how it was refused, in the error's name, or "silence" or "answered"."""
        family = socket.AF_INET6 if ":" in target else socket.AF_INET
        with Inside(namespace), socket.socket(family, self.kind, self._protocol(family)) as channel:
            channel.settimeout(ANSWER_SECONDS)
            try:
                channel.connect((target, self.port))
                channel.send(self._payload(family))
                channel.recv(2048)
            except TimeoutError:
                return "silence"
            except OSError as error:
                return type(error).__name__ if type(error) is not OSError else os.strerror(error.errno or 0)
        return "answered"

    def _protocol(self, family: int) -> int:
        if self.name == "echo":
            return socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
        return self.protocol

    def _payload(self, family: int) -> bytes:
        if self.name == "echo":
            request = 128 if family == socket.AF_INET6 else 8
            return struct.pack("!BBHHH", request, 0, _checksum(struct.pack("!BBHHH", request, 0, 0, 7, 7)), 7, 7)
        return b"a way out? " * 3


def _checksum(data: bytes) -> int:
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


TCP, UDP, RAW = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW
ATTEMPTS = (
    *(Attempt(f"tcp/{port}", TCP, 0, port) for port in (22, 25, 443, 853, 5000, 8080, 8443)),
    *(Attempt(f"udp/{port}", UDP, 0, port) for port in (123, 443, 500, 853, 1194, 3478, 51820)),
    Attempt("echo", RAW, 0),
    Attempt("6in4 (41)", RAW, 41, refusable=False),
    Attempt("gre (47)", RAW, 47),
    Attempt("esp (50)", RAW, 50),
    Attempt("ip in ip (4)", RAW, 4, refusable=False),
    Attempt("sctp (132)", RAW, 132, refusable=False),
)
"""Without acceptance each is refused at once, and nothing of it may arrive. Ports 53 and 80 have their own tests."""
