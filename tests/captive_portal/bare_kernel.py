"""nftables in a network namespace of its own, without any of our processes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

from door_twin import Inside, sh

from captive_portal import ruleset
from captive_portal.gateway import Gateway
from parvis.addresses import MacAddress
from parvis.inventory import DEMO_TOWN, load

ANNA = MacAddress.parse("02:00:00:00:00:01")


@contextmanager
def empty_namespace(word: str) -> Iterator[str]:
    """The name of a new network namespace; *word* tells it from others of this process."""
    name = f"bk-{os.getpid()}-{word}"
    sh("ip", "netns", "add", name)
    try:
        yield name
    finally:
        sh("ip", "netns", "del", name)


def loaded(namespace: str) -> Gateway:
    """A gateway with the ruleset loaded, and one lease: Anna's."""
    town = load(DEMO_TOWN)
    with Inside(namespace):
        made = Gateway("guest0")
    made.load(ruleset.text(town, town.site("maison-services-publics")), {(IPv4Address("10.11.0.5"), ANNA): 600})
    return made
