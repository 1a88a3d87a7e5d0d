"""A resident's interface, by scapy: what is sent to find out who is there, and what the frames of others say.

The kernel drops what is not asked for (a BPF filter), so a busy network costs nothing; scapy reads what is left.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Self

from scapy.arch.common import compile_filter
from scapy.config import conf
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA, ICMPv6ND_RS, ICMPv6NDOptSrcLLAddr, IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet
from scapy.utils6 import in6_getnsma, in6_getnsmac

from monitor.guests import Kind, Sighting

Instruction = tuple[int, int, int, int]
"""One line of a BPF program: code, jump if true, jump if false, number (linux/filter.h)."""

ANSWERS = "(udp dst port 68) or arp or (icmp6 and (ip6[40] == 134 or ip6[40] == 136))"
"""What may answer us: DHCP, ARP, router and neighbour advertisements."""
MOST_FRAMES = 512
"""Read in one round; who floods is found among the first."""
OFFER, DECLINE, ACK = 2, 4, 5
BOOTREPLY, ETHERNET = 2, 1
ALL_ROUTERS = "ff02::2"


def suspicious(gateway: str, address: int) -> list[Instruction]:
    """The program that lets through what a right network never shows: everything below, unless *gateway* sent it.

    DHCP answers, router advertisements, announcements of IPv4 addresses, who says that the IPv4 *address* of the
    gateway is his, refused leases. ValueError when the kernel's language has no word for it.
    """
    announced = "arp[14:4] == arp[24:4] and arp[14:4] != 0"
    refused = f"udp dst port 67 and udp[248] == 53 and udp[250] == {DECLINE}"
    said = f"(udp src port 67) or (icmp6 and ip6[40] == 134) or (arp and (({announced}) or arp[14:4] == {address}))"
    program = compile_filter(f"(({said}) and not ether src {gateway}) or ({refused})", linktype=ETHERNET)
    lines = (program.bf_insns[index] for index in range(program.bf_len))
    return [(line.code, line.jt, line.jf, line.k & 0xFFFFFFFF) for line in lines]


def sightings(frame: bytes | Packet) -> Iterator[Sighting]:
    """What *frame* says; nothing when it is cut off, or of no interest."""
    try:
        packet = Ether(frame) if isinstance(frame, bytes) else frame
        yield from _said(packet)
    except Exception:  # noqa: BLE001 scapy raises what it likes on a frame made to hurt it
        return


def _said(packet: Packet) -> Iterator[Sighting]:
    mac = str(packet[Ether].src).lower()
    if DHCP in packet:
        yield from _dhcp(packet, mac)
    elif ICMPv6ND_RA in packet and packet[ICMPv6ND_RA].routerlifetime:
        yield Sighting(Kind.ROUTER, mac, str(packet[IPv6].src))
    elif ICMPv6ND_NA in packet:
        yield Sighting(Kind.CLAIM, mac, str(packet[ICMPv6ND_NA].tgt))
    elif ARP in packet and packet[ARP].psrc != "0.0.0.0":  # noqa: S104 an address that asks, and is nobody's
        yield Sighting(Kind.CLAIM, str(packet[ARP].hwsrc).lower(), str(packet[ARP].psrc))


def _dhcp(packet: Packet, mac: str) -> Iterator[Sighting]:
    said = options(packet)
    if packet[BOOTP].op == BOOTREPLY:
        yield Sighting(Kind.DHCP_SERVER, mac, str(said.get("server_id", packet[IP].src)))
    elif said.get("message-type") == DECLINE:
        yield Sighting(Kind.DECLINE, mac, str(said.get("requested_addr", "")))


def options(packet: Packet) -> dict[str, object]:
    """The options of a DHCP message, each once (RFC 2132); lists for those that may be several."""
    found: dict[str, object] = {}
    for option in packet[DHCP].options:
        if isinstance(option, tuple):
            name, *values = option
            found[str(name)] = values[0] if len(values) == 1 else values
    return found


class Wire(AbstractContextManager["Wire"]):
    """*interface* of this network namespace, which has the address *mac*. OSError when it cannot be opened."""

    def __init__(self, interface: str, mac: str) -> None:
        self.interface, self.mac = interface, mac
        self._socket = conf.L2socket(iface=interface, filter=ANSWERS)
        self.seen: list[Sighting] = []
        """All that was seen, own frames excepted."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, packet: Packet) -> None:
        """Send *packet* with our own address as its sender."""
        packet[Ether].src = self.mac
        self._socket.send(packet)

    def hear(self, seconds: float, enough: Callable[[Packet], bool] = lambda _: False) -> Packet | None:
        """Note what is seen for *seconds*; the first packet that is *enough* ends it and is returned."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and len(self.seen) < MOST_FRAMES:
            if not self._socket.select([self._socket], left):
                continue
            packet = self._socket.recv()
            if packet is None or Ether not in packet or packet[Ether].src == self.mac:
                continue
            self.seen += sightings(packet)
            with suppress(Exception):  # a frame made to hurt scapy is no answer
                if enough(packet):
                    return packet
        return None

    def who_is(self, *addresses: str) -> None:
        """Ask who has each of *addresses*, IPv4 as a prober does (sender 0.0.0.0, RFC 5227), and who is a router."""
        for address in addresses:
            self.send(_solicitation(address, self.mac) if ":" in address else _request(address, self.mac))
        self.send(Ether(dst="33:33:00:00:00:02") / IPv6(dst=ALL_ROUTERS, hlim=255) / ICMPv6ND_RS())


def _request(address: str, mac: str) -> Packet:
    return Ether(dst="ff:ff:ff:ff:ff:ff") / ARP(op="who-has", hwsrc=mac, psrc="0.0.0.0", pdst=address)  # noqa: S104


def _solicitation(address: str, mac: str) -> Packet:
    group = in6_getnsma(socket.inet_pton(socket.AF_INET6, address))
    to = socket.inet_ntop(socket.AF_INET6, group)
    asking = ICMPv6ND_NS(tgt=address) / ICMPv6NDOptSrcLLAddr(lladdr=mac)
    return Ether(dst=in6_getnsmac(group)) / IPv6(dst=to, hlim=255) / asking


def discover(wire: Wire, number: int, words: list[tuple[str, object]]) -> None:
    """Send a DHCP message as the device of *wire*; *words* are its options, *number* its transaction."""
    chaddr = bytes.fromhex(wire.mac.replace(":", ""))
    message = BOOTP(op=1, chaddr=chaddr, xid=number, flags=0x8000) / DHCP(options=[*words, "end"])
    ip = IP(src="0.0.0.0", dst="255.255.255.255")  # noqa: S104 whoever has no address yet
    wire.send(Ether(dst="ff:ff:ff:ff:ff:ff") / ip / UDP(sport=68, dport=67) / message)
