"""Outages of an uplink: the five instants (FIB-03), what kind it was, whose it is (FIB-04). No I/O, no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from monitor.sla.hours import Span
from parvis.inventory import Sla

MICRO_SECONDS = 60.0
"""A shorter interruption is a micro-cut."""


NOWHERE = "beyond"
"""In the evidence of an outage: the link answered, and nothing beyond it did."""
ANNOUNCED = "travaux annoncés : "
"""How the freezes begin that follow from announced work."""


class Cause(StrEnum):
    """Whose an outage is. Until somebody has said, it is presumed the operator's, and the report says so."""

    PRESUMED = "presumed"
    OPERATOR = "operator"
    PLANNED = "planned"
    POWER = "power"
    LAN = "lan"
    TOWN = "town"
    THIRD_PARTY = "third-party"
    FORCE_MAJEURE = "force-majeure"


class Extent(StrEnum):
    """How much of the link was gone."""

    TOTAL = "total"
    PARTIAL = "partial"
    MICRO = "micro"


class Instants(StrEnum):
    """The five instants of an outage, in order."""

    DETECTED = "detected"
    CONFIRMED = "confirmed"
    SIGNALLED = "signalled"
    RESTORED = "restored"
    VERIFIED = "verified"


@dataclass(frozen=True, slots=True)
class Freeze:
    """Time that does not run against the operator: no access to the site, a call nobody at the town answered."""

    starts_at: float
    ends_at: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage; instants are Unix seconds, None where it has not come to that.

    *detected_at*: the first echo that was missing. *confirmed_at*: the state said down. *signalled_at*: told to the
    operator, under *ticket*. *restored_at*: the operator says that it works. *verified_at*: we have seen that it does.
    *announced_at*: when works were announced. *evidence*: what was known when it began. *partial*: it answered, badly.
    """

    number: int
    uplink: str
    detected_at: float
    confirmed_at: float
    signalled_at: float | None = None
    restored_at: float | None = None
    verified_at: float | None = None
    ticket: str = ""
    cause: Cause = Cause.PRESUMED
    partial: bool = False
    announced_at: float | None = None
    note: str = ""
    evidence: Mapping[str, str] | None = None
    freezes: tuple[Freeze, ...] = ()

    def span(self, now: float) -> Span:
        """From the first missing echo to when it was seen to work, or to *now*."""
        return self.detected_at, max(self.detected_at, self.verified_at if self.verified_at is not None else now)

    def extent(self, now: float) -> Extent:
        """Total, partial, or a micro-cut."""
        if self.partial:
            return Extent.PARTIAL
        start, end = self.span(now)
        return Extent.MICRO if self.verified_at is not None and end - start < MICRO_SECONDS else Extent.TOTAL


def announced(works: Iterable[tuple[Span, str]], span: Span) -> list[Freeze]:
    """The part of *span* in which work was announced on the link (when, why): nobody's outage by the contract."""
    found = (Freeze(max(start, span[0]), min(end, span[1]), f"{ANNOUNCED}{why}") for (start, end), why in works)
    return [freeze for freeze in found if freeze.starts_at < freeze.ends_at]


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whether an outage counts against the operator, and in words of words.yml why not."""

    counts: bool
    reason: str = ""


def attribution(outage: Outage, sla: Sla, now: float) -> Attribution:
    """Whether *outage* counts against the operator by *sla* (FIB-02, FIB-04)."""
    extent = outage.extent(now)
    if extent is Extent.PARTIAL and not sla.partial_counts:
        return Attribution(counts=False, reason="partial")
    if extent is Extent.MICRO and sla.excludes("micro"):
        return Attribution(counts=False, reason="micro")
    if outage.cause is Cause.PLANNED and late_notice(outage, sla):
        return Attribution(counts=True, reason="late-notice")
    if sla.excludes(outage.cause.value):
        return Attribution(counts=False, reason=outage.cause.value)
    return Attribution(counts=True)


def late_notice(outage: Outage, sla: Sla) -> bool:
    """Whether works were announced later than the contract asks; not announced at all is late too."""
    notice = sla.planned_notice_days * 86400
    return outage.announced_at is None or outage.detected_at - outage.announced_at < notice


class OutOfOrder(Exception):
    """An instant would come before one it follows; nothing was changed. Whoever gave it checks the hour."""


def check_order(outage: Outage, now: float) -> None:
    """The instants follow each other and are not in the future; OutOfOrder names the pair that is not so."""
    known = [
        (Instants.DETECTED, outage.detected_at),
        (Instants.SIGNALLED, outage.signalled_at),
        (Instants.RESTORED, outage.restored_at),
    ]
    given = [(name, at) for name, at in known if at is not None]
    for (first, earlier), (second, later) in pairwise(given):
        if later < earlier:
            raise OutOfOrder(f"{second} would come before {first}")
    for name, at in given:
        if at > now:
            raise OutOfOrder(f"{name} is in the future")


def presumed_cause(evidence: Mapping[str, str], *, others_down: int, others: int) -> Cause:
    """A first guess from what is known when an outage begins; whoever is on call corrects it.

    When every other link of the town went at once, the fault is at the centre, not four operators'.
    """
    if others and others_down == others:
        return Cause.TOWN
    return Cause.OPERATOR if evidence.get("optics") in {"no_light", "fault"} else Cause.PRESUMED


def overlapping(outages: Sequence[Outage], span: Span, now: float) -> list[Outage]:
    """Those of *outages* that have a part in *span*."""
    return [one for one in outages if one.span(now)[0] < span[1] and one.span(now)[1] > span[0]]
