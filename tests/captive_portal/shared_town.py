"""Sites of a town that share a database, each with a file, a kernel and a clock of its own."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from house import ANNA, Clock, MemoryGateway
from postgres import Cluster
from prometheus_client import CollectorRegistry

from captive_portal.circumstances import Hours, Rules, always_open
from captive_portal.devices import key
from captive_portal.doorkeeper import Doorkeeper, Outcome
from captive_portal.elsewhere import Elsewhere
from captive_portal.returning import Returning
from captive_portal.session import Policy
from captive_portal.sharing import Sharing
from captive_portal.store import Acceptance, Store
from captive_portal.store_migration import migrate
from captive_portal.store_shared import Line
from captive_portal.welcome import Welcome
from parvis.addresses import MacAddress
from parvis.catalogue import Instruments

SECRET = b"s" * 32
HOUR, DAY = 3600.0, 86400.0
BEA = MacAddress.parse("02:00:00:00:00:0b")


@dataclass
class Site:
    """A gateway with its own file, kernel and clock."""

    name: str
    clock: Clock
    door: MemoryGateway
    store: Store
    doorkeeper: Doorkeeper
    sharing: Sharing
    welcome: Welcome
    registry: CollectorRegistry
    accepted: int = 0

    def accepts(self, mac: MacAddress = ANNA, terms: str = "1.0.0") -> Outcome:
        self.accepted += 1
        token = f"{self.name}-{self.accepted}"
        return self.doorkeeper.accept(Acceptance(mac, self.name, "fr", terms, "0" * 64, token))

    def appears(self, mac: MacAddress = ANNA) -> bool:
        """The device's phone joins the Wi-Fi here; whether it is online without a tap."""
        assert self.welcome.meet([mac])
        return self.online(mac)

    def sends(self, mac: MacAddress = ANNA) -> None:
        """The device sends something through this gateway."""
        session = self.door.admitted()[mac].session
        up, down = self.door.bytes.get(session, (0, 0))
        self.door.bytes[session] = (up + 100, down)

    def online(self, mac: MacAddress = ANNA) -> bool:
        return mac in self.door.admitted()

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


class SharedTown:
    """Sites that share a database."""

    def __init__(self, folder: Path, server: Cluster, stack: ExitStack) -> None:
        self.folder, self.server, self._stack = folder, server, stack
        self.all: list[Site] = []

    def site(
        self,
        name: str,
        *,
        wall: float = 1_767_970_800.0,
        terms: str = "1.0.0",
        remember: float = 30 * DAY,
        hours: Hours = always_open,
    ) -> Site:
        path = self.folder / f"{name}.sqlite3"
        migrate(path)
        clock = Clock(boot=f"boot-{name}", since_boot=wall % 9973, wall=wall)
        door, store, registry = MemoryGateway(clock), Store(path), CollectorRegistry()
        instruments = Instruments("portal", registry)
        returning = Returning(SECRET, remember, terms, shared=True)
        policy = Policy(12 * HOUR, 1, 1)
        doorkeeper = Doorkeeper(store, door, policy, instruments, clock, returning=returning, rules=Rules(hours))
        self._stack.enter_context(doorkeeper)
        line = Line(self.server.url)
        self._stack.callback(line.hang_up)
        welcome = Welcome(doorkeeper, name, SECRET)
        elsewhere = Elsewhere(door, lambda mac: key(mac, SECRET), name, instruments, lambda: clock.since_boot)
        share = Sharing(line, store, doorkeeper, returning, name, instruments, clock, welcome.known, elsewhere)
        made = Site(name, clock, door, store, doorkeeper, share, welcome, registry)
        self.all.append(made)
        return made

    def exchange(self) -> None:
        """Everybody tells, then everybody has heard. On a busy machine the first may run out of time over the shape."""
        for _ in range(2):
            for site in self.all:
                assert any(site.sharing.exchange() for _ in range(3)), site.name

    def passes(self, seconds: float) -> None:
        """Time goes by at every site; in the shared database, by making what it knows older."""
        for site in self.all:
            site.clock.passes(seconds)
        self.server.says(
            f"UPDATE passes SET at = at - {seconds}, until = until - {seconds}",
            f"UPDATE gateways SET seen_at = seen_at - {seconds}, looked_at = looked_at - {seconds}",
            f"UPDATE moving SET since = since - {seconds}",
        )
