"""A resident with a block of ports, not all of them: what a browser and a resolver of one's own do in it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

import pytest
from door_twin import Inside, copy_town
from legal_town import SITE, WEB4, Street, street
from resident import wait_for

from captive_portal import ruleset
from captive_portal.port_blocks import Blocks
from parvis.addresses import MacAddress
from parvis.inventory import load

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(120)]
MAC, ADDRESS = MacAddress("02:00:00:00:00:21"), IPv4Address("10.11.0.33")
PATIENCE = 20.0


class Phone:
    """A real device in the guests' network, and beyond the uplink one host that accepts and answers."""

    def __init__(self, here: Street) -> None:
        self.here = here
        self.size = Blocks(here.site.guest.ipv4, here.site.uplink.address).size
        here.within("lan", "ip", "link", "set", "lan0", "address", MAC.text)
        here.within("lan", "ip", "addr", "add", f"{ADDRESS}/22", "dev", "lan0")
        here.within("lan", "ip", "route", "add", "default", "via", str(here.site.guest.gateway_ipv4))
        here.admit([(MAC, ADDRESS, 1)])
        with Inside(here.name("inet")):
            self.web = socket.create_server((WEB4, 80), backlog=512)
            self.resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.resolver.bind((WEB4, 53))
        for deed in (self._echo, self._serve):
            threading.Thread(target=deed, daemon=True).start()

    def _serve(self) -> None:
        """Hang up when the other side does."""
        with DefaultSelector() as waiting:
            waiting.register(self.web, EVENT_READ)
            while self.web.fileno() >= 0:
                for key, _ in waiting.select(0.2):
                    if key.fileobj is self.web:
                        waiting.register(self.web.accept()[0], EVENT_READ)
                    elif isinstance(key.fileobj, socket.socket):
                        waiting.unregister(key.fileobj)
                        key.fileobj.close()

    def _echo(self) -> None:
        while True:
            question, who = self.resolver.recvfrom(512)
            if not question:
                return
            self.resolver.sendto(question, who)

    def connects(self, seconds: float = PATIENCE) -> socket.socket:
        """A new connection to the host; TimeoutError when there is none in *seconds*."""
        with Inside(self.here.name("lan")):
            made = socket.socket()
        made.settimeout(seconds)
        try:
            made.connect((WEB4, 80))
        except OSError:
            made.close()
            raise
        return made

    def asks(self) -> bool:
        """One question to the resolver, each from a port of its own, as resolvers in devices do; whether it answers."""
        with Inside(self.here.name("lan")), closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as one:
            one.settimeout(2)
            one.sendto(b"a question of some length", (WEB4, 53))
            try:
                return bool(one.recv(512))
            except TimeoutError:
                return False

    def close(self) -> None:
        with Inside(self.here.name("inet")), closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as last:
            last.sendto(b"", (WEB4, 53))
        self.web.close()


@pytest.fixture(scope="module")
def phone() -> Iterator[Phone]:
    with street() as here, closing(Phone(here)) as made:
        yield made


def test_ret02_a_block_holds_as_many_connections_to_one_host_and_each_one_closed_makes_room(phone: Phone) -> None:
    with ExitStack() as open_ones:
        first = [open_ones.enter_context(closing(phone.connects())) for _ in range(phone.size)]
        with pytest.raises(TimeoutError):
            phone.connects(1.0)
        assert len({one.getsockname() for one in first}) == phone.size

    with ExitStack() as again:
        for _ in range(phone.size // 2):  # all of the block is in TIME_WAIT
            again.enter_context(closing(phone.connects()))


def test_ret02_who_asks_a_resolver_of_ones_own_goes_on_asking(phone: Phone) -> None:
    assert all(phone.asks() for _ in range(phone.size))
    for _ in range(phone.size // 2):
        wait_for(phone.asks, "an answer", PATIENCE)


@pytest.mark.parametrize("prefix", [14, 20, 21, 24])
def test_a_ruleset_is_valid_however_large_the_guests_network_is(phone: Phone, prefix: int, tmp_path: Path) -> None:
    folder = copy_town(tmp_path / "town", "12h")
    file = folder / "sites" / f"{SITE}.yml"
    file.write_text(file.read_text("utf-8").replace("10.11.0.0/22", f"10.64.0.0/{prefix}"), "utf-8")
    town = load(folder)
    rules = tmp_path / "rules.nft"
    rules.write_text(text := ruleset.text(town, town.site(SITE)), "utf-8")

    phone.here.within("gw", "nft", "--check", "--file", str(rules))
    assert ("snat ip to ip saddr map" in text) == Blocks(IPv4Network(f"10.64.0.0/{prefix}"), ADDRESS).exist
    assert 'oifname "wan0" ip saddr 10.64.0.0' in text
