"""Asking many addresses whether an agent is there, slowly; then each agent what it is, as a poll does."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from collectors.device import Device, Failed, Polled
from collectors.discovery.networks import Address
from collectors.poll import Target
from collectors.poller import Pacing, attempt
from collectors.reading import oid_or_text
from collectors.schedule import Breaker
from collectors.snmp import ber, walk
from collectors.snmp.errors import Refused, SnmpError, Unreachable, UsmReport
from collectors.snmp.session import Session
from collectors.snmp.transport import Exchange, Patience
from collectors.snmp.walk import Pace

AT_ONCE = 64
"""Addresses that are waited for at the same time."""
DEADLINE_SECONDS = 60
SYSTEM = tuple(ber.oid(f"1.3.6.1.2.1.1.{arc}.0") for arc in (1, 2, 5))
"""sysDescr, sysObjectID, sysName (RFC 3418)."""
MANAGEMENT = tuple(ber.oid(oid) for oid in ("1.0.8802.1.1.2.1.4.2.1.3", "1.3.111.2.802.1.1.13.1.4.2.1.3"))
"""lldpRemManAddrIfSubtype of IEEE 802.1AB-2005 and -2009: the neighbour's address stands in the index."""
IPV4 = (1, 4)
"""At the index's end, before the octets: address family IPv4 and the length of its addresses."""

Open = Callable[[Exchange, tuple[str, int], Patience], Session]
Progress = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to be let in: a credential of the inventory by its *name*, or a community that is none (*stranger*)."""

    name: str
    open: Open = field(repr=False)
    stranger: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """An agent that let us in."""

    address: str
    way: Way
    session: Session = field(repr=False)
    description: str
    object_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Shut:
    """An agent that is there and told why it does not let us in."""

    address: str
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """An agent and what a whole poll says of it; *neighbours* are management addresses LLDP knows there."""

    answered: Answered
    polled: Polled | Failed
    speaks_for: str
    """``access-point``, ``controller``, ``switch``, or empty where nothing tells."""
    neighbours: tuple[str, ...] = ()


class Turns:
    """Lets so many through in a second, evenly."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._next = 0.0

    async def wait(self) -> None:
        """Until it is our turn."""
        now = time.monotonic()
        turn = max(now, self._next)
        self._next = turn + self._gap
        await asyncio.sleep(turn - now)


@dataclass(frozen=True, slots=True)
class Manner:
    """How fast and how patiently addresses are asked."""

    turns: Turns
    patience: Patience


async def sweep(
    exchange: Exchange, hosts: Sequence[Address], port: int, ways: Sequence[Way], how: Manner, told: Progress
) -> list[Answered | Shut]:
    """Who answers among *hosts*, in their order; *told* is called after each address."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(host: Address) -> Answered | Shut | None:
        async with gate:
            try:
                return await _asked(exchange, str(host), port, ways, how)
            finally:
                told()

    found = await asyncio.gather(*(one(host) for host in hosts))
    return [each for each in found if each is not None]


async def _asked(exchange: Exchange, host: str, port: int, ways: Iterable[Way], how: Manner) -> Answered | Shut | None:
    refused: Shut | None = None
    for way in ways:
        await how.turns.wait()
        session = way.open(exchange, (host, port), how.patience)
        try:
            cells = await walk.get(session, list(SYSTEM), Pace(), how.patience)
        except (Refused, Unreachable):
            return refused
        except UsmReport as error:
            refused = Shut(host, error.reason)
        except SnmpError:
            continue
        else:
            description, object_id, name = (oid_or_text(cells[oid]) if oid in cells else "" for oid in SYSTEM)
            return Answered(host, way, session, description, object_id, name)
    return refused


async def look(answered: Answered, port: int) -> Found:
    """What the agent is: one whole poll, and the addresses of its neighbours."""
    target = Target(Device(name=answered.address, host=answered.address, port=port), answered.session)
    outcome = await attempt(target, Pacing(deadline_seconds=DEADLINE_SECONDS), Breaker())
    metrics = {rule.metric for rule in target.combined.metrics} if target.combined else set()
    shown = {sample.metric for sample in outcome.samples} if isinstance(outcome, Polled) else set()
    neighbours = await _neighbours(answered.session) if isinstance(outcome, Polled) else ()
    return Found(answered, outcome, _speaks_for(metrics, shown), neighbours)


def _speaks_for(metrics: set[str], shown: set[str]) -> str:
    """What kind of equipment it is, by what its profile knows and what it showed.

    >>> _speaks_for({"wifi_controller_aps"}, set()), _speaks_for({"wifi_radio_clients"}, set())
    ('controller', 'access-point')
    """
    if "wifi_controller_aps" in shown or metrics & {"wifi_controller_aps", "wifi_ap_up"}:
        return "controller"
    if any(metric.startswith("wifi_") for metric in metrics):
        return "access-point"
    return "switch" if shown & {"lldp_neighbor_info", "poe_port_power_watts", "optical_rx_power_dbm"} else ""


async def _neighbours(session: Session) -> tuple[str, ...]:
    try:
        columns = await walk.walk(session, list(MANAGEMENT), Pace())
    except SnmpError:
        return ()
    found = {host for column in columns for suffix in column.cells if (host := management_address(ber.index(suffix)))}
    return tuple(sorted(found, key=ip_address))


def management_address(index: tuple[int, ...]) -> str | None:
    """The IPv4 address at the end of an index of LLDP's table of management addresses; others are not followed.

    >>> management_address((0, 7, 1, 1, 4, 10, 91, 4, 11))
    '10.91.4.11'
    >>> management_address((0, 7, 1, 6, 6, 2, 0, 94, 1, 4, 1)) is None
    True
    """
    if index[-6:-4] != IPV4 or any(octet > 255 for octet in index[-4:]):  # noqa: PLR2004 an octet
        return None
    return ".".join(map(str, index[-4:]))
