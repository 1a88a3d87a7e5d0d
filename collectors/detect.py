"""Which profiles fit a device, from its sysObjectID, its sysDescr and what it answers below a probe OID."""

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from collectors.known import Candidate
from collectors.profile import Match, Profile
from parvis.values import Oid

Probe = Callable[[Oid], Awaitable[bool]]
"""Whether the device has anything below an OID."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device says it is."""

    object_id: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Fit:
    """A profile that fits, and why, in words."""

    profile: Profile
    why: str


def is_below(oid: str, root: str) -> bool:
    """Whether *oid* is *root* or lies in its subtree.

    >>> is_below("1.3.6.1.4.1.41112", "1.3.6.1.4.1.4"), is_below("1.3.6.1.4.1.4.1", "1.3.6.1.4.1.4")
    (False, True)
    """
    return oid == root or oid.startswith(root + ".")


def reason(match: Match, identity: Identity) -> str | None:
    """Why everything but the probe of *match* holds; None when it does not."""
    reasons = []
    if match.object_id:
        if not is_below(identity.object_id, match.object_id):
            return None
        where = "is" if identity.object_id == match.object_id else f"{identity.object_id} is below"
        reasons.append(f"sysObjectID {where} {match.object_id}")
    if match.description:
        found = re.search(match.description, identity.description)
        if not found:
            return None
        reasons.append(f"sysDescr contains {found[0]!r}")
    if match.always:
        reasons.append("every agent has it")
    return " and ".join(reasons)


_models: dict[tuple[int, str], tuple[Profile, Profile]] = {}
_MOST_MODELS = 256
"""A town has some dozens; a device that says at every poll that it is another one ends here."""


def _placed(profile: Profile, match: Match, object_id: str) -> Profile | None:
    """*profile* for the device's model, the same object for all of that model; None when sysObjectID names no model."""
    if not any(table.own for table in profile.tables.values()):
        return profile
    parts = object_id.split(".")[: len((match.object_id or "").split(".")) + 1]
    branch = ".".join(parts)
    key = (id(profile), branch)
    if branch == match.object_id or (key not in _models and len(_models) >= _MOST_MODELS):
        return None
    return _models.setdefault(key, (profile, profile.placed(branch)))[1]


async def fits(profiles: Iterable[Candidate], identity: Identity, probe: Probe) -> list[Fit]:
    """Every base profile that fits, then the one device profile that fits best: the longest sysObjectID, then sysDescr.

    Candidates whose other conditions hold are probed in that order until one answers.
    """
    candidates = [
        (profile, match, why)
        for profile in profiles
        for match in profile.match
        if (why := reason(match, identity)) is not None
    ]
    device = [candidate for candidate in candidates if candidate[0].layer == "device"]
    chosen: list[Fit] = []
    for profile, match, why in candidates:
        if profile.layer == "device":
            continue
        if all(fit.profile.profile != profile.profile for fit in chosen) and await _answers(match, probe):
            chosen.append(_fit(profile.whole(), match, why))
    for profile, match, why in sorted(device, key=lambda candidate: _precision(candidate[1]), reverse=True):
        model = _placed(profile.whole(), match, identity.object_id)
        if model and await _answers(match, probe):
            return [*chosen, _fit(model, match, why)]
    return chosen


async def _answers(match: Match, probe: Probe) -> bool:
    return match.probe is None or await probe(match.probe)


def _fit(profile: Profile, match: Match, why: str) -> Fit:
    probed = f"it answers below {match.probe}" if match.probe else ""
    return Fit(profile, " and ".join(part for part in (why, probed) if part))


def _precision(match: Match) -> tuple[int, bool, bool]:
    return len(match.object_id.split(".")) if match.object_id else 0, bool(match.description), bool(match.probe)
