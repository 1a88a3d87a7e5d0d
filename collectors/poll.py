"""One poll of one device: who are you, which profiles fit, read their scalars and tables, decode.

What was learned (engine clock, pace, fitting profiles, last clocks) is kept in a ``Target`` between polls.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache

from collectors import bridge, decode, detect, picked
from collectors.clients import Clients, state
from collectors.clocks import Clocks, Verdict, judge, uptime_seconds
from collectors.column import Column
from collectors.detect import Fit, Identity
from collectors.device import Device, Polled
from collectors.known import known, split
from collectors.layout import Part, Readings, layout
from collectors.profile import SCALARS, Profile, combine
from collectors.reach import Reach, reach
from collectors.reading import read
from collectors.recall import FORGET_SECONDS, Cluster, Recall, ask_tables, by_table, clusters, mark
from collectors.schedule import offset_seconds
from collectors.snmp import ber, walk
from collectors.snmp.errors import NothingShown, Silent
from collectors.snmp.pdu import Version
from collectors.snmp.session import CommunitySession, Session
from collectors.snmp.transport import Patience
from collectors.snmp.walk import Cell, End, Pace
from collectors.streams import Held, Streams

Witness = Callable[[Profile, decode.Answers], None]
UPTIME = layout("device_uptime_seconds", [()])


@dataclass(slots=True)
class Target:
    """A device together with everything learned about it."""

    device: Device
    session: Session
    pace: Pace = field(default_factory=Pace)
    identity: Identity | None = None
    greeting: tuple[Cell | None, ...] = ()
    """The variables that *identity* was read from."""
    fits: tuple[Fit, ...] = ()
    combined: Profile | None = None
    clocks: Clocks | None = None
    has_answered: bool = False
    is_older_next: bool = False
    """Whether a dead device that never answered is asked in SNMPv1 at its next turn."""
    also: tuple[Profile, ...] = ()
    """Profiles beside ours: snmp_exporter's modules, where the settings name some."""
    modules: tuple[str, ...] = ()
    """Those of *also* that fit."""
    recall: Recall = field(default_factory=Recall)
    streams: Streams = field(init=False)
    clients: Clients = field(default_factory=Clients)
    clusters: tuple[Cluster, ...] = ()
    witness: Witness | None = None
    """Who is shown what the device answered, and the profile it is read by."""


async def poll(target: Target, *, at: float, clock: float, patience: Patience | None = None) -> Polled:
    """Ask the device everything its profiles want; SnmpError when it does not answer to the end.

    *at* is Unix time and becomes the samples' time, *clock* a monotonic clock, both in seconds. *patience* holds for
    the first request, by which a dead device is told.
    """
    system = _system()
    recall = target.recall
    if clock - recall.learned_at >= FORGET_SECONDS + offset_seconds(target.device.name, FORGET_SECONDS / 4):
        recall.forget()
        recall.learned_at, target.identity = clock, None
    profile, scalars = await _scalars(target, system, patience)
    answers = {name: {b"": cell} for name, cell in scalars.items()}
    clocks = _clocks(scalars, clock, profile.quirks.clocks)
    verdict = judge(target.clocks, clocks) if target.clocks else None
    if verdict in {Verdict.REBOOTED, Verdict.AGENT_RESTARTED}:
        recall.forget()
    mark(recall, target.clusters, scalars)
    columns = await ask_tables(recall, target.session, target.clusters, target.pace, clock)
    target.clocks = clocks
    loose = {column.root: column.cells for column in columns}
    streams = target.streams
    held = by_table(recall, target.clusters)
    if profile.picked:
        columns += (some := await picked.ask(recall, profile, held, loose, target.session, target.pace, clock))
        loose |= {column.root: column.cells for column in some}
    if target.witness:
        target.witness(profile, answers | loose | _cells(held.values()))
    parts = streams.update(held, loose if SCALARS in held else loose | answers)
    people = target.clients.of(parts)
    told = (*_uptime(clocks), *parts, *([people] if people else ()))
    if target.device.kind == "access-point":
        told = (*told, state(parts, is_counted=people is not None))
    found, foreign = split(Readings(tuple(target.device.labels.items()), at, told))
    best = target.fits[-1]
    return Polled(
        samples=found,
        profile=best.profile.profile,
        title=best.profile.title,
        why=best.why,
        description=target.identity.description if target.identity else "",
        clients=int(sum(people.values)) if people else None,  # type: ignore[arg-type] # none is without a value
        clock=verdict,
        faults=tuple((ber.oid_text(c.root), c.end.value) for c in columns if c.end and c.end is not End.COMPLETE),
        implausible=streams.implausible,
        foreign=foreign,
        modules=target.modules,
        engine_id=target.session.engine_id,
        variables=sum(held.plan.size for held in recall.held.values()) + sum(len(column.cells) for column in columns),
    )


async def knock(target: Target, patience: Patience | None = None) -> None:
    """Ask the device only who it is: SnmpError when it does not answer. A first poll costs much more."""
    await _greet(target, _system().roots(SCALARS), patience)


async def _scalars(
    target: Target, system: Profile, patience: Patience | None
) -> tuple[Profile, dict[ber.RawOid, Cell]]:
    """The profile that fits and all its scalars; from the second poll on by plan."""
    told = await target.recall.scalars(target.session, target.pace, patience)
    if told and target.combined and target.identity and _greeting(told) == target.greeting:
        return target.combined, told
    found = told or await _greet(target, system.roots(SCALARS), patience)
    if not found:
        raise NothingShown("the agent has no system group for us")
    profile = await _profile(target, _identity(target, system, found))
    target.greeting = _greeting(found)
    found |= await _rest(target, profile, system)
    target.recall.hold_scalars(found, target.pace)
    return profile, found


async def _greet(target: Target, names: list[ber.RawOid], patience: Patience | None) -> dict[ber.RawOid, Cell]:
    """What the device says of itself; an agent that never answered SNMPv2c is tried in SNMPv1.

    Where *patience* is that with a dead device it is asked in one of the two, by turns: it costs one datagram.
    """
    session, older = target.session, _older(target)
    once = Patience(session.patience.timeout_seconds, 1)
    if older and patience:
        session, older = (older if target.is_older_next else session), None
        target.is_older_next = not target.is_older_next
    try:
        found = await walk.get(session, names, target.pace, patience)
    except Silent:
        if older is None:
            raise
        session = older
        try:
            found = await walk.get(session, names, target.pace, once)
        except Silent:
            raise Silent("no answer in SNMPv2c or SNMPv1") from None
    newer, target.session, target.has_answered = target.session, session, True
    if newer is not session:
        with suppress(Silent):  # it lives, and may only have been late: SNMPv2c has GETBULK and 64 bits
            found = await walk.get(newer, names, target.pace, once)
            target.session = newer
    return found


def _older(target: Target) -> CommunitySession | None:
    """The agent asked in SNMPv1, where it has never answered in SNMPv2c."""
    session = target.session
    if target.has_answered or not isinstance(session, CommunitySession) or session.version is not Version.V2C:
        return None
    return replace(session, version=Version.V1)


def _identity(target: Target, system: Profile, found: dict[ber.RawOid, Cell]) -> Identity:
    answers = {name: {b"": found[name]} for name in system.roots(SCALARS) if name in found}
    object_id = target.device.object_id or decode.scalar(system, answers, "object_id") or ""
    return Identity(str(object_id), str(decode.scalar(system, answers, "description") or ""))


async def _profile(target: Target, identity: Identity) -> Profile:
    """The combined profile that fits; decided again when the device says it is another."""
    if target.combined is None or identity != target.identity:

        async def probe(oid: str) -> bool:
            return await walk.exists_below(target.session, ber.oid(oid))

        learned = [bridge.profile(target.device.behind)] if target.device.behind else []
        target.fits = tuple(await detect.fits((*target.also, *learned, *known().profiles), identity, probe))
        target.modules = tuple(fit.profile.profile for fit in target.fits if fit.profile in target.also)
        target.recall.forget()
        target.combined, what, target.clusters = _combined(tuple(fit.profile for fit in target.fits))
        target.streams = Streams(target.combined, what)
        if target.identity is not None:  # another device, or another firmware: what was learned was the old one's
            target.pace = Pace()
        if not target.combined.quirks.bulk:
            target.pace.has_bulk = False
        if (most := target.combined.quirks.max_oids) is not None:
            target.pace.budget = target.pace.ceiling = most
        target.identity = identity
    return target.combined


Combined = tuple[Profile, Reach, tuple[Cluster, ...]]
_known: dict[tuple[int, ...], tuple[tuple[Profile, ...], Combined]] = {}


def _combined(fitting: tuple[Profile, ...]) -> Combined:
    """One profile of several, what depends on what in it, how it is asked; the same for all devices they fit."""
    key = tuple(id(profile) for profile in fitting)
    if key not in _known:
        found = combine(fitting)
        what = reach(found)
        _known[key] = (fitting, (found, what, clusters(found, what.clusters)))
    return _known[key][1]


async def _rest(target: Target, profile: Profile, system: Profile) -> dict[ber.RawOid, Cell]:
    asked = set(system.roots(SCALARS))
    names = [root for root in profile.roots(SCALARS) if root not in asked]
    return await walk.get(target.session, names, target.pace) if names else {}


@cache
def _system() -> Profile:
    return next(each for each in known().profiles if each.profile == "system").whole()


@cache
def _asked(name: str) -> tuple[ber.RawOid, Column]:
    """Where a scalar of every device is, and how it is read."""
    return _system().root(SCALARS, name), _system().scalars[name]


def _greeting(found: Mapping[ber.RawOid, Cell]) -> tuple[Cell | None, ...]:
    return tuple([found.get(_asked(name)[0]) for name in ("object_id", "description")])


def _clocks(found: Mapping[ber.RawOid, Cell], clock: float, liars: AbstractSet[str]) -> Clocks:
    def ticks(name: str) -> int | None:
        root, column = _asked(name)
        cell = found.get(root)
        if cell is None or (liars and name.partition("_")[0] in liars):
            return None
        said = read(column, cell)
        return int(said) if isinstance(said, int | float) else None

    return Clocks(clock, ticks("agent_ticks"), ticks("engine_boots"), ticks("engine_seconds"), ticks("host_ticks"))


def _cells(held: Iterable[Held]) -> dict[ber.RawOid, dict[bytes, Cell]]:
    """The variables that are asked by plan, as a walk would have found them."""
    return {root: cells for each in held for root, cells in each.plan.cells(each.values).items()}


def _uptime(clocks: Clocks) -> Iterator[Part]:
    seconds = uptime_seconds(clocks)
    if seconds is not None:
        yield Part(UPTIME, [seconds])
