"""Which addresses are to be asked: bounded, each once, in order. No I/O, no clock."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

MOST = 4096
"""Addresses asked without a second word: a /20."""
MOST_EVER = 65_536
"""Nobody needs more in one go: a /16."""

Address = IPv4Address | IPv6Address


class TooMany(ValueError):
    """The networks have more addresses than are asked without being told to."""


class NoNetwork(ValueError):
    """A word that is neither an address nor a network."""


def addresses(words: Iterable[str], most: int = MOST) -> list[Address]:
    """Every host's address of *words* (networks or addresses, commas allowed); TooMany, NoNetwork.

    >>> [str(address) for address in addresses(["192.0.2.0/30,192.0.2.9", "192.0.2.1"])]
    ['192.0.2.1', '192.0.2.2', '192.0.2.9']
    >>> addresses(["10.0.0.0/8"])
    Traceback (most recent call last):
    collectors.discovery.networks.TooMany: 16777216 addresses are more than 4096
    """
    networks = [_network(word) for line in words for word in line.split(",") if word]
    total = sum(network.num_addresses for network in networks)
    if total > min(most, MOST_EVER):
        raise TooMany(f"{total} addresses are more than {min(most, MOST_EVER)}")
    found: dict[Address, None] = {}
    for network in networks:
        for host in network.hosts():
            found[host] = None
    return list(found)


def _network(word: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(word, strict=False)
    except ValueError as error:
        raise NoNetwork(f"{word!r} is neither an address nor a network such as 10.91.4.0/24") from error
