"""One poll of one device: who are you, which profiles fit, read their scalars and tables, decode.

What was learned (engine clock, pace, fitting profiles, last clocks) is kept in a ``Target`` between polls.
"""

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from collectors import decode, detect
from collectors.clocks import Clocks, Verdict, judge, uptime_seconds
from collectors.compatible import split
from collectors.detect import Fit, Identity
from collectors.device import Device, Polled
from collectors.layout import Readings, gather
from collectors.profile import SCALARS, Profile, combine, profiles
from collectors.sample import Sample
from collectors.snmp import ber, walk
from collectors.snmp.errors import NothingShown, Silent
from collectors.snmp.pdu import Version
from collectors.snmp.session import CommunitySession, Session
from collectors.snmp.transport import Patience
from collectors.snmp.walk import Cell, Column, End, Limits, Pace

CLIENTS = "wifi_radio_clients"
Witness = Callable[[Profile, decode.Answers], None]


@dataclass(slots=True)
class Target:
    """A device together with everything learned about it."""

    device: Device
    session: Session
    pace: Pace = field(default_factory=Pace)
    identity: Identity | None = None
    fits: tuple[Fit, ...] = ()
    combined: Profile | None = None
    clocks: Clocks | None = None
    has_answered: bool = False
    also: tuple[Profile, ...] = ()
    """Profiles beside ours: snmp_exporter's modules, where the settings name some."""
    kept: dict[ber.RawOid, tuple[float, Column]] = field(default_factory=dict)
    """Columns of tables that hardly change, and when they were read."""
    witness: Witness | None = None
    """Who is shown what the device answered, and the profile it is read by."""


async def poll(target: Target, *, at: float, clock: float, patience: Patience | None = None) -> Polled:
    """Ask the device everything its profiles want; SnmpError when it does not answer to the end.

    *at* is Unix time and becomes the samples' time, *clock* a monotonic clock, both in seconds. *patience* holds for
    the first request, by which a dead device is told.
    """
    system = _system()
    answers = _scalars(await _greet(target, system.roots(SCALARS), patience))
    if not answers:
        raise NothingShown("the agent has no system group for us")
    profile = await _profile(target, system, answers)
    answers |= _scalars(await _rest(target, profile, system))
    clocks = _clocks(system, answers, clock, profile.quirks.clocks)
    verdict = judge(target.clocks, clocks) if target.clocks else None
    if verdict in {Verdict.REBOOTED, Verdict.AGENT_RESTARTED}:
        target.kept.clear()
    columns = await _tables(target, profile, clock)
    answers |= {column.root: column.cells for column in columns}
    target.clocks = clocks
    if target.witness:
        target.witness(profile, answers)
    told = decode.decoded(profile, answers, target.device.labels, at)
    everything = [*_uptime(target.device, clocks, at), *told.samples]
    found, foreign = split(gather(tuple(target.device.labels.items()), at, everything))
    best = target.fits[-1]
    return Polled(
        samples=found,
        profile=best.profile.profile,
        title=best.profile.title,
        why=best.why,
        description=target.identity.description if target.identity else "",
        clients=_clients(profile, found),
        clock=verdict,
        faults=tuple((ber.oid_text(c.root), c.end.value) for c in columns if c.end and c.end is not End.COMPLETE),
        implausible=sum(told.implausible.values()),
        foreign=foreign,
        modules=tuple(fit.profile.profile for fit in target.fits if fit.profile in target.also),
        variables=sum(len(column) for column in answers.values()),
    )


async def _greet(target: Target, names: list[ber.RawOid], patience: Patience | None) -> dict[ber.RawOid, Cell]:
    """What the device says of itself; an agent that never answered SNMPv2c is tried in SNMPv1."""
    session = target.session
    try:
        found = await walk.get(session, names, target.pace, patience)
    except Silent:
        if target.has_answered or not isinstance(session, CommunitySession) or session.version is not Version.V2C:
            raise
        older = replace(session, version=Version.V1)
        try:
            found = await walk.get(older, names, target.pace, Patience(session.patience.timeout_seconds, 1))
        except Silent:
            raise Silent("no answer in SNMPv2c or SNMPv1") from None
        target.session = older
    target.has_answered = True
    return found


async def _profile(target: Target, system: Profile, answers: dict[ber.RawOid, dict[bytes, Cell]]) -> Profile:
    """The combined profile that fits; decided again when the device says it is another."""
    object_id = target.device.object_id or decode.scalar(system, answers, "object_id") or ""
    identity = Identity(str(object_id), str(decode.scalar(system, answers, "description") or ""))
    if target.combined is None or identity != target.identity:

        async def probe(oid: str) -> bool:
            return await walk.exists_below(target.session, ber.oid(oid))

        target.fits = tuple(await detect.fits((*target.also, *profiles()), identity, probe))
        target.kept.clear()
        target.combined = combine(fit.profile for fit in target.fits)
        if not target.combined.quirks.bulk:
            target.pace.has_bulk = False
        if (most := target.combined.quirks.max_oids) is not None:
            target.pace.budget = target.pace.ceiling = most
        target.identity = identity
    return target.combined


async def _tables(target: Target, profile: Profile, clock: float) -> list[Column]:
    """Every column of every table: remembered where the profile allows, else read."""
    remembered: list[Column] = []
    wanted: list[ber.RawOid] = []
    keep: dict[ber.RawOid, float] = {}
    for name in profile.tables:
        for root in profile.roots(name):
            read_at, column = target.kept.get(root, (0.0, None))
            seconds = profile.keep_seconds(name, root)
            if column and clock - read_at < seconds:
                remembered.append(column)
            else:
                wanted.append(root)
                keep[root] = seconds
    limits = Limits(unordered=profile.quirks.unordered)
    found = await walk.walk(target.session, list(dict.fromkeys(wanted)), target.pace, limits)
    target.kept |= {column.root: (clock, column) for column in found if keep[column.root]}
    return remembered + found


async def _rest(target: Target, profile: Profile, system: Profile) -> dict[ber.RawOid, Cell]:
    asked = set(system.roots(SCALARS))
    names = [root for root in profile.roots(SCALARS) if root not in asked]
    return await walk.get(target.session, names, target.pace) if names else {}


def _system() -> Profile:
    return next(profile for profile in profiles() if profile.profile == "system")


def _scalars(found: dict[ber.RawOid, Cell]) -> dict[ber.RawOid, dict[bytes, Cell]]:
    return {name: {b"": cell} for name, cell in found.items()}


def _clocks(system: Profile, answers: decode.Answers, clock: float, liars: AbstractSet[str]) -> Clocks:
    def ticks(name: str) -> int | None:
        found = decode.scalar(system, answers, name)
        return int(found) if isinstance(found, int | float) and name.partition("_")[0] not in liars else None

    return Clocks(clock, ticks("agent_ticks"), ticks("engine_boots"), ticks("engine_seconds"), ticks("host_ticks"))


def _uptime(device: Device, clocks: Clocks, at: float) -> Iterator[Sample]:
    seconds = uptime_seconds(clocks)
    if seconds is not None:
        yield Sample("device_uptime_seconds", tuple(device.labels.items()), seconds, at)


def _clients(profile: Profile, found: Readings) -> int | None:
    """Clients on all radios; nothing for a device whose profile does not count them, or that gave no count."""
    parts = [part.values for part in found.parts if part.layout.metric == CLIENTS]
    counts = [value for values in parts for value in values if value is not None]
    has_rule = any(rule.metric == CLIENTS for rule in profile.metrics)
    return int(sum(counts)) if has_rule and counts else None
