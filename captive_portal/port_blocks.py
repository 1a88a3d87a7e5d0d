"""Which ports of the public address belong to which resident's address: a block each, computed and never stored.

Two devices never share a port of the public address, whatever they talk to. So public address, port and time name one
private address without a line in any log per connection (deterministic NAT, RFC 7422).
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

FIRST_PORT, OWN_PORTS = 1024, (61000, 65535)
"""The residents' ports lie between; the last are the gateway's own (net.ipv4.ip_local_port_range)."""
PORTS = OWN_PORTS[0] - FIRST_PORT
FEWEST_PORTS = 30
"""A smaller block stalls a page whose parts come from one server; the guests' network is then too large."""


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

    def of(self, address: IPv4Address) -> range:
        """The ports of a resident's *address*; ValueError when it is none of the network's hosts.

        >>> Blocks(IPv4Network("10.11.0.0/24"), IPv4Address("198.51.100.2")).of(IPv4Address("10.11.0.2"))
        range(1260, 1496)
        """
        index = int(address) - int(self.guest.network_address) - 1
        if not 0 <= index < self.guest.num_addresses - 2:
            raise ValueError(f"{address} is no host of {self.guest}")
        return range(FIRST_PORT + index * self.size, FIRST_PORT + (index + 1) * self.size)

    def holder(self, port: int) -> IPv4Address | None:
        """The private address whose block has *port*; None when no block has.

        >>> Blocks(IPv4Network("10.11.0.0/24"), IPv4Address("198.51.100.2")).holder(1495)
        IPv4Address('10.11.0.2')
        """
        index = (port - FIRST_PORT) // self.size
        inside = port >= FIRST_PORT and index < self.guest.num_addresses - 2
        return self.guest.network_address + 1 + index if inside else None

    def elements(self) -> str:
        """The map for nftables: private address -> public address and ports."""
        hosts = (self.guest.network_address + 1 + index for index in range(self.guest.num_addresses - 2))
        ranges = ((host, self.of(host)) for host in hosts)
        return ", ".join(f"{host} : {self.public} . {ports[0]}-{ports[-1]}" for host, ports in ranges)
