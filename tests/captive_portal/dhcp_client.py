"""A DHCP client that may say anything: packets by scapy, sent over a packet socket in a namespace (RFC 2131)."""

import random
import select
import socket
import time
from dataclasses import dataclass, field
from typing import Any

from door_twin import Inside
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

ETH_P_IP = 0x0800
SERVER_PORT, CLIENT_PORT = 67, 68
Option = tuple[Any, ...]


@dataclass(frozen=True)
class Lease:
    """What the server promised."""

    address: str
    server: str
    seconds: int
    options: dict[Any, Any]


@dataclass
class DhcpClient:
    """Speaks on *interface* of *namespace*, under any MAC address."""

    namespace: str
    interface: str = "eth0"
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def lease(self, mac: str, *more: Option, wish: str = "", seconds: float = 3.0) -> Lease | None:
        """DISCOVER, OFFER, REQUEST, ACK with the options *more*; None when the server does not want."""
        with Inside(self.namespace):
            channel = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IP))
            channel.bind((self.interface, ETH_P_IP))
        with channel:
            wished = [("requested_addr", wish)] if wish else []
            offer = self._exchange(channel, mac, ["discover", *wished, *more], "offer", seconds)
            if offer is None:
                return None
            chosen = [("requested_addr", offer.address), ("server_id", offer.server)]
            return self._exchange(channel, mac, ["request", *chosen, *more], "ack", seconds)

    def release(self, mac: str, lease: Lease) -> None:
        """Give the address back."""
        with Inside(self.namespace), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as channel:
            channel.bind((self.interface, 0))
            channel.send(self._packet(mac, 1, ["release", ("server_id", lease.server)], lease.address))

    def _exchange(
        self, channel: socket.socket, mac: str, words: list[Any], wanted: str, seconds: float
    ) -> Lease | None:
        number = self.chance.randrange(1 << 32)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            channel.send(self._packet(mac, number, words))
            while select.select([channel], [], [], min(1.0, left))[0]:
                found = _read(channel.recv(65536), number)
                if found and found[0] == wanted:
                    return found[1]
                if found and found[0] == "nak":
                    return None
        return None

    def _packet(self, mac: str, number: int, words: list[Any], address: str = "0.0.0.0") -> bytes:
        options = [("message-type", words[0]), *words[1:], ("param_req_list", [1, 3, 6, 51, 114]), "end"]
        packet = (
            Ether(src=mac, dst="ff:ff:ff:ff:ff:ff")
            / IP(src=address, dst="255.255.255.255")
            / UDP(sport=CLIENT_PORT, dport=SERVER_PORT)
            / BOOTP(chaddr=bytes.fromhex(mac.replace(":", "")), xid=number, ciaddr=address, flags=0x8000)
            / DHCP(options=options)
        )
        return bytes(packet)


KINDS = {1: "discover", 2: "offer", 3: "request", 4: "decline", 5: "ack", 6: "nak", 7: "release", 8: "inform"}


def _read(frame: bytes, number: int) -> tuple[str, Lease] | None:
    packet = Ether(frame)
    if not packet.haslayer(BOOTP) or packet[BOOTP].op != 2 or packet[BOOTP].xid != number:
        return None
    options = {one[0]: one[1] for one in packet[DHCP].options if isinstance(one, tuple)}
    lease = Lease(packet[BOOTP].yiaddr, options.get("server_id", ""), options.get("lease_time", 0), options)
    return KINDS.get(options.get("message-type"), "?"), lease
