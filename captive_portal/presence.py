"""Who appears, by the neighbour table, and which MAC address is used at two places at once.

A copied MAC address cannot be told from its owner by its packets. What can be seen: two DHCP clients that take turns
with one MAC address, and, where the gateway is the bridge, an address that jumps to and fro between two ports. Both
need the copies to be active together; a device that moves, or starts another system, changes once and stays.
"""

from ipaddress import IPv4Address, IPv6Address

from parvis.addresses import MacAddress

MOST = 65_536
"""Devices remembered; the oldest is forgotten first."""
TURNS_SECONDS, JUMPS_SECONDS = 3600.0, 30.0
"""Clients take turns within a lease; ports within the time a moving device needs to settle."""
JUMPS = 4
HOLDS_SECONDS = 600.0
"""How long the gateway keeps saying so."""
Address = IPv4Address | IPv6Address
Steps = tuple[float | int, ...]
"""Since when, where, since when, where … in one row: thousands of devices have one place each."""


class Presence:
    """The book. Times are seconds on one clock that is never set.

    >>> book, anna = Presence(), MacAddress.parse("02:00:00:00:00:01")
    >>> book.speaks(anna, IPv6Address("fe80::1")), book.speaks(anna, IPv6Address("2001:db8::1"))
    (True, False)
    """

    def __init__(self) -> None:
        self._addresses: dict[MacAddress, set[Address]] = {}
        self._who: dict[Address, MacAddress] = {}
        self._places: dict[str, dict[MacAddress, Steps]] = {"dhcp": {}, "bridge": {}}
        self._found: dict[MacAddress, tuple[str, float]] = {}

    def speaks(self, mac: MacAddress, address: Address) -> bool:
        """Note that *mac* has *address*; whether it was not there at all before."""
        new = mac not in self._addresses
        if self._who.get(address) != mac:
            self.silent(address)
            self._addresses.setdefault(mac, set()).add(address)
            self._who[address] = mac
        if len(self._who) > MOST:
            self.silent(next(iter(self._who)))
        return new

    def silent(self, address: Address) -> None:
        """Note that nobody answers at *address* any more."""
        mac = self._who.pop(address, None)
        if mac is None:
            return
        self._addresses[mac].discard(address)
        if not self._addresses[mac]:
            del self._addresses[mac]

    def client(self, mac: MacAddress, client: int, now: float) -> bool:
        """Note which DHCP client, as a number, uses *mac*; whether this shows two that take turns."""
        path = self._path("dhcp", mac, client, now, TURNS_SECONDS)
        turns = len(path) >= 3 and path[-1] == path[-3]  # noqa: PLR2004 one, another, the first again
        return turns and self._told(mac, "dhcp", now)

    def port(self, mac: MacAddress, port: int, now: float) -> bool:
        """Note at which port of the bridge *mac* is; whether this shows it at two."""
        path = self._path("bridge", mac, port, now, JUMPS_SECONDS)
        jumps = len(path) > JUMPS and len(set(path)) == 2  # noqa: PLR2004 to and fro
        return jumps and self._told(mac, "bridge", now)

    def twice(self, mac: MacAddress, now: float) -> str | None:
        """How *mac* was seen at two places lately: dhcp, bridge; None when it was not."""
        evidence, since = self._found.get(mac, ("", 0.0))
        return evidence if evidence and now - since < HOLDS_SECONDS else None

    def _path(self, kind: str, mac: MacAddress, place: int, now: float, seconds: float) -> list[int]:
        """Where *mac* was within *seconds*, each stay once."""
        book = self._places[kind]
        steps = book.pop(mac, ())
        if not steps or steps[-1] != place:
            steps = (*steps, now, place)[-4 * JUMPS :]
        book[mac] = steps  # the last touched is the last to be forgotten
        if len(book) > MOST:
            del book[next(iter(book))]
        return [int(one) for begun, one in zip(steps[::2], steps[1::2], strict=True) if now - begun <= seconds]

    def _told(self, mac: MacAddress, evidence: str, now: float) -> bool:
        """Whether this is news."""
        new = self.twice(mac, now) is None
        self._found[mac] = (evidence, now)
        if len(self._found) > MOST:
            del self._found[next(iter(self._found))]
        return new
