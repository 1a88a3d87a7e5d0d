"""Which ports of the public address belong to which resident's address: a block each, computed and never stored.

Two devices never share a port of the public address, whatever they talk to. So public address, port and time name one
private address without a line in any log per connection (deterministic NAT, RFC 7422). A guests' network too large for
that has no blocks: its ports are shared, store A names nobody by a port, and ``parvis check`` refuses it.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from parvis.inventory import Fault, Town

FIRST_PORT, OWN_PORTS = 1024, (61000, 65535)
"""The residents' ports lie between; the last are the gateway's own (net.ipv4.ip_local_port_range)."""
PORTS = OWN_PORTS[0] - FIRST_PORT
FEWEST_PORTS = 29
"""What a /21 has. A smaller block stalls a page whose parts come from one server: there are then no blocks at all."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of a guests' network behind one public address."""

    guest: IPv4Network
    public: IPv4Address

    @property
    def size(self) -> int:
        """Ports in a block, for TCP and for UDP.

        >>> Blocks(IPv4Network("10.11.0.0/22"), IPv4Address("198.51.100.2")).size
        58
        """
        return PORTS // (self.guest.num_addresses - 2)

    @property
    def exist(self) -> bool:
        """Whether there are blocks; else the ports are shared, and only store B knows whose one was.

        >>> [Blocks(IPv4Network(f"10.64.0.0/{n}"), IPv4Address("198.51.100.2")).exist for n in (14, 20, 21)]
        [False, False, True]
        """
        return self.size >= FEWEST_PORTS

    def of(self, address: IPv4Address) -> range:
        """The ports of a resident's *address*, none where there are no blocks; ValueError when it is no host there.

        >>> Blocks(IPv4Network("10.11.0.0/24"), IPv4Address("198.51.100.2")).of(IPv4Address("10.11.0.2"))
        range(1260, 1496)
        """
        index = int(address) - int(self.guest.network_address) - 1
        if not 0 <= index < self.guest.num_addresses - 2:
            raise ValueError(f"{address} is no host of {self.guest}")
        if not self.exist:
            return range(0)
        return range(FIRST_PORT + index * self.size, FIRST_PORT + (index + 1) * self.size)

    def holder(self, port: int) -> IPv4Address | None:
        """The private address whose block has *port*; None when no block has.

        >>> Blocks(IPv4Network("10.11.0.0/24"), IPv4Address("198.51.100.2")).holder(1495)
        IPv4Address('10.11.0.2')
        """
        if not self.exist:
            return None
        index = (port - FIRST_PORT) // self.size
        inside = port >= FIRST_PORT and index < self.guest.num_addresses - 2
        return self.guest.network_address + 1 + index if inside else None

    def elements(self) -> str:
        """The map for nftables: private address -> public address and ports; only where there are blocks."""
        hosts = (self.guest.network_address + 1 + index for index in range(self.guest.num_addresses - 2))
        ranges = ((host, self.of(host)) for host in hosts)
        return ", ".join(f"{host} : {self.public} . {ports[0]}-{ports[-1]}" for host, ports in ranges)


def faults(town: Town) -> list[Fault]:
    """The sites whose guests' network is too large for blocks."""
    return [
        Fault(
            f"sites/{site.site}.yml",
            1,
            "guest.ipv4",
            f"{site.guest.ipv4} leaves a device {blocks.size} ports of the public address, {FEWEST_PORTS} are needed: "
            "devices would share ports, and address, port and time would name nobody (RET-02)",
            "take a /21 or a smaller network, or make two sites of it, each with a gateway and an uplink",
        )
        for site in town.sites
        if not (blocks := Blocks(site.guest.ipv4, site.uplink.address)).exist
    ]
