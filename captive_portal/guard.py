"""What gatewayd knows and does: the ruleset, the leases, the sessions. It answers requests; it has no socket."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from captive_portal import neighbours, protocol, rows
from captive_portal.arrivals import Arrivals
from captive_portal.changes import RULESET
from captive_portal.gateway import DIRECTIONS, Gateway, Pair
from captive_portal.leases import Follower, Lease
from captive_portal.listener import InParts, Pending
from captive_portal.neighbour_events import Port
from captive_portal.neighbours import Neighbour
from captive_portal.presence import Presence
from captive_portal.transaction import TransactionFailed
from parvis.addresses import MacAddress
from parvis.instruments import Instruments
from parvis.running import log

SESSIONS = {RULESET, "auth", "open", *DIRECTIONS}
"""What of nftables, when others alter it, may have changed who is admitted."""
MENDED = {*SESSIONS, "lease4", "lease"}
GRACE_SECONDS = 60
"""A lease's elements outlive it by this much: a renewal under way must not cut the resident off."""
LONGEST_LEASE = 7 * 86400


@dataclass(frozen=True, slots=True)
class Site:
    """What gatewayd must know of its site: guest interface, ruleset text, how many addresses may be leased."""

    interface: str
    ruleset: str
    pool: int


class Guard:
    """Keeps the kernel's ruleset and leases right, and the door for the portal. For one thread.

    *clock* counts seconds from boot and cannot be set; *follower* tells leases' ends on it.
    """

    def __init__(
        self, site: Site, gateway: Gateway, follower: Follower, instruments: Instruments, clock: Callable[[], float]
    ) -> None:
        self._site, self._gateway, self._follower, self._clock = site, gateway, follower, clock
        self._transactions = instruments.counter("gateway_transactions_total")
        self._refusals = instruments.counter("gateway_refused_total")
        self._requests = instruments.counter("gateway_requests_total")
        self._loads = instruments.counter("gateway_ruleset_loads_total")
        self._up = instruments.gauge("gateway_ruleset_up")
        self._sessions = instruments.gauge("gateway_admitted_sessions")
        self._elements = instruments.gauge("gateway_set_elements")
        self._drops = instruments.counter("gateway_dropped_packets_total")
        self._lease_count = instruments.gauge("gateway_leases")
        self._pool_used = instruments.gauge("gateway_pool_used_ratio")
        self._took = instruments.histogram("gateway_request_seconds")
        self._lease_file = instruments.gauge("gateway_lease_file_up")
        self._leases: dict[IPv4Address, Lease] = {}
        self._arrivals = Arrivals(int(clock() * 1000))
        self._presence = Presence()
        self._twice = instruments.counter("gateway_seen_twice_total")
        for evidence in ("dhcp", "bridge"):
            self._twice.labels(evidence)
        self._revision = int(clock() * 1000) + 1
        """Larger than any number a predecessor gave."""
        self._torn, self._counting = True, False
        self._untold: dict[Pair, int] = {}
        """Leases the kernel was not told of yet, for how many seconds; 0: such as are none any more."""
        self._sizes: dict[str, int] = {}
        self._dropped: dict[str, int] = {}
        self.wrong = "the ruleset is not loaded yet"
        """Empty while the ruleset is in force, else what is wrong, in words."""
        for reason in ("peer", "garbage", "oversized", "crowded", "slow"):
            self._refusals.labels(reason)

    @property
    def port(self) -> int:
        """The number of the socket over which we change elements."""
        return self._gateway.port

    def start(self) -> None:
        """Read the leases and load the ruleset; TransactionFailed when the kernel does not take it."""
        news = self._follower.news()  # opened first: what Kea's clean-up renames meanwhile is in one of the two
        self._note([*self._follower.history(), *news])
        self._load("start")
        self._in_force()

    def verify(self) -> None:
        """Load the ruleset again if somebody altered it; failures are told by :attr:`wrong`, and tried again."""
        failing = "unreadable"
        try:
            if not self._gateway.intact():
                failing = "failed"
                log.warning("the ruleset was altered or flushed; loading it again")
                self._load("altered")
        except (TransactionFailed, OSError) as error:
            self._loads.labels(failing).inc()
            self._up.set(0)
            told = f"the ruleset cannot be {'read' if failing == 'unreadable' else 'loaded'}"
            self.wrong = f"{told}: {error}"
            log.error(told, words=str(error))
        else:
            self._in_force()

    def altered(self, names: set[str]) -> None:
        """Others have altered the sets *names*, or more (RULESET): :meth:`mend` has something to look at."""
        self._revision += bool(names & SESSIONS)
        self._torn = self._torn or bool(names & MENDED)

    def mend(self) -> None:
        """After a change by others: flushed leases speak again; sessions that lost a part go, to be admitted anew."""
        if not self._torn:
            return
        self._torn, held = False, self._held(self._leases)
        try:
            if self._gateway.size("lease4") < len(held):
                self._transact(lambda: self._gateway.lease(held))
            self._revision += bool(self._gateway.put_out_the_torn())
        except (TransactionFailed, OSError) as error:  # verify() has more to do; the next tick tries again
            self._torn = True
            log.warning("elements wait for the ruleset", words=str(error))

    def follow_leases(self) -> None:
        """Let new leases speak; forget those that were given to somebody else."""
        gone, held = self._note(self._follower.news())
        self._lease_file.set(self._follower.readable)
        self._untold |= dict.fromkeys(gone, 0) | held
        if not self._untold:
            return
        try:
            self._transact(lambda: self._gateway.lease(self._untold))
            self._untold = {}
        except (TransactionFailed, OSError) as error:  # the tables are gone, or nobody answers: the next tick tells it
            log.warning("leases wait for the ruleset", words=str(error))

    def meet(self, news: Iterable[Neighbour | Port]) -> None:
        """Take note of what the neighbour table says: who appears over IPv6 only, who is at two ports."""
        for one in news:
            if isinstance(one, Port):
                if self._presence.port(one.mac, one.port, self._clock()):
                    self._seen_twice("bridge")
            elif one.mac is None:
                self._presence.silent(one.address)
            elif one.state & neighbours.USABLE and self._presence.speaks(one.mac, one.address):
                self._arrivals.note(one.mac)

    def _seen_twice(self, evidence: str) -> None:
        self._twice.labels(evidence).inc()
        log.warning("one MAC address is in use at two places", evidence=evidence)

    def plant(self, addresses: Iterable[IPv4Address | IPv6Address]) -> dict[int, int]:
        """See :meth:`Gateway.plant`; nothing is missing while the kernel refuses."""
        try:
            return self._gateway.plant(addresses)
        except (TransactionFailed, OSError) as error:
            log.warning("the walled garden waits for the ruleset", words=str(error))
            return {}

    def count(self) -> None:
        """Bring the gauges up to date."""
        now = self._clock()
        for over in [a for a, one in self._leases.items() if one.expires + GRACE_SECONDS <= now]:
            del self._leases[over]
        leased = sum(1 for one in self._leases.values() if one.expires > now)
        self._lease_count.set(leased)
        self._pool_used.set(leased / self._site.pool)
        try:
            self._sizes, drops = self._gateway.sizes(), self._gateway.drops()
        except OSError as error:  # changed faster than it can be read, say: the next look tells
            log.warning("the kernel cannot be asked", words=str(error))
            return
        self._sessions.set(self._sizes.get("auth", 0))
        for name, size in self._sizes.items():
            self._elements.labels(name).set(size)
        for reason, packets in drops.items():
            before = self._dropped.get(reason, 0)
            self._drops.labels(reason).inc(packets - before if packets >= before else packets)
        self._dropped = drops

    def answer(self, line: bytes) -> bytes | Pending:
        """The answer to one request line; a wrong one is refused and counted."""
        try:
            request = protocol.parse(line)
        except protocol.Garbage as error:
            self.refused("garbage")
            return protocol.refusal(f"garbage: {error}")
        op = type(request).__name__.lower()
        self._requests.labels(op).inc()
        if isinstance(request, protocol.Arrivals):
            return self._arrivals.question(request, time.monotonic())
        if isinstance(request, protocol.Counters):
            return InParts(self._long("counters", self._counters()))
        if isinstance(request, protocol.Everybody) and request.unless != self._revision:
            return InParts(self._long("everybody", self._everybody()))
        with self._took.labels(op).time():
            return self._answered(request)

    def _long(self, op: str, parts: Iterator[dict[str, Any] | None]) -> Iterator[bytes | None]:
        """An answer whose facts are the last of *parts*; the others are None."""
        started = time.monotonic()
        try:
            for facts in parts:
                yield None if facts is None else protocol.answer(facts)
            self._took.labels(op).observe(time.monotonic() - started)
        except OSError as error:
            log.warning("the kernel cannot be asked", words=str(error))
            yield protocol.refusal("the kernel cannot be asked")

    def _counters(self) -> Iterator[dict[str, Any] | None]:
        """Read some hundred counters each time; who asks while they are read for somebody else waits."""
        found = bytearray()
        while self._counting:
            yield None
        self._counting = True
        try:
            for part in self._gateway.counting():
                found += rows.counted(part)
                yield None
            yield rows.counters_out(bytes(found))
        finally:
            self._counting = False

    def _everybody(self) -> Iterator[dict[str, Any] | None]:
        """Ask the kernel at once, for one moment's picture, and make it out in parts."""
        found, moment = bytearray(), {"revision": self._revision, "at": self._clock()}
        for part in self._gateway.rows():
            found += rows.admitted(part)
            yield None
        yield rows.admitted_out(bytes(found)) | moment

    def _answered(self, request: protocol.Request) -> bytes:
        try:
            return protocol.answer(self._facts(request))
        except TransactionFailed as error:
            log.warning("transaction failed", words=str(error))
            return protocol.refusal("the kernel refused")
        except OSError as error:
            log.warning("the kernel cannot be asked", words=str(error))
            return protocol.refusal("the kernel cannot be asked")

    def refused(self, reason: str) -> None:
        """Count a refusal."""
        self._refusals.labels(reason).inc()

    def _facts(self, request: protocol.Request) -> dict[str, Any]:
        match request:
            case protocol.Apply() | protocol.Open():
                self._do(request)
                return {"revision": self._revision}
            case protocol.Identify(address, session):
                mac = self._identify(address)
                truth = self._gateway.session(mac) if mac and session else None
                return {"mac": mac.text if mac else None, "session": asdict(truth) if truth else None}
            case protocol.Lookup(mac):
                found = self._gateway.session(mac)
                return {"session": asdict(found) if found else None}
            case protocol.Device(mac):
                return {"device": asdict(self._seen(mac))}
        return self._everything(request)

    def _everything(self, request: protocol.Request) -> dict[str, Any]:
        match request:
            case protocol.Everybody():
                return {"revision": self._revision, **rows.admitted_out(None)}
        return {"state": asdict(self._state())}

    def _do(self, request: protocol.Apply | protocol.Open) -> None:
        if isinstance(request, protocol.Apply):
            self._revision += 1
            self._transact(lambda: self._gateway.apply(request.steps))
            return
        self._transact(lambda: self._gateway.open(request.seconds))
        log.warning("the door is open to all" if request.seconds else "the door is closed", seconds=request.seconds)

    def _state(self) -> protocol.State:
        return protocol.State(self.wrong, len(self._leases), self._gateway.open_seconds(), dict(self._sizes))

    def _seen(self, mac: MacAddress) -> protocol.Seen:
        now, truth = self._clock(), self._gateway.session(mac)
        leases = [one for one in self._leases.values() if one.mac == mac and one.expires + GRACE_SECONDS > now]
        known = neighbours.of(mac, self._site.interface)
        return protocol.Seen(
            lease_age=min((one.lifetime - (one.expires - now) for one in leases), default=None),
            ipv4=len(leases),
            ipv6=sum(one.address.version == 6 for one in known),  # noqa: PLR2004 IPv6
            neighbour=neighbours.best(known),
            session=truth.session if truth else None,
            seconds=truth.seconds if truth else None,
            bytes_up=truth.bytes_up if truth else 0,
            bytes_down=truth.bytes_down if truth else 0,
            blocked=self._gateway.blocked(mac),
            twice=self._presence.twice(mac, now),
        )

    def _identify(self, address: IPv4Address | IPv6Address) -> MacAddress | None:
        if isinstance(address, IPv6Address):
            return neighbours.mac_of(address, self._site.interface)
        lease = self._leases.get(address)
        return lease.mac if lease and lease.expires + GRACE_SECONDS > self._clock() else None

    def _note(self, news: list[Lease]) -> tuple[list[Pair], dict[Pair, int]]:
        """Write *news* down; what must go from the kernel and what it must hold, for how many seconds."""
        gone: list[Pair] = []
        touched: dict[IPv4Address, Lease] = {}
        for lease in news:
            before = self._leases.get(lease.address)
            if before and lease.reclaimed and before.expires > self._clock():
                continue  # only Kea's clock was set forward: the device goes on using the address
            self._leases.pop(lease.address, None)
            if before and before.mac and before.mac != lease.mac:
                gone.append((before.address, before.mac))
            touched[lease.address] = lease
            if lease.mac:
                self._leases[lease.address] = lease
                if lease.expires > self._clock():
                    self._arrivals.note(lease.mac)
                    if self._presence.client(lease.mac, lease.client, lease.expires - lease.lifetime):
                        self._seen_twice("dhcp")
        return gone, self._held(touched)

    def _held(self, leases: dict[IPv4Address, Lease]) -> dict[Pair, int]:
        now = self._clock() - GRACE_SECONDS
        return {
            (lease.address, lease.mac): min(int(lease.expires - now), LONGEST_LEASE)
            for lease in leases.values()
            if lease.mac and lease.expires > now + 1
        }

    def _load(self, reason: str) -> None:
        self._revision += 1
        self._transact(lambda: self._gateway.load(self._site.ruleset, self._held(self._leases)))
        self._loads.labels(reason).inc()
        self._untold = {}

    def _in_force(self) -> None:
        self._up.set(1)
        self.wrong = ""

    def _transact(self, deed: Callable[[], None]) -> None:
        try:
            deed()
        except TransactionFailed:
            self._transactions.labels("failed").inc()
            raise
        self._transactions.labels("done").inc()
