"""What the collectors know of metrics, modules, profiles and traps, as plain values that were checked when read.

The running service is handed it by the process that started it (start.py), which has read and checked every file, and
so needs none of the libraries for that. Everybody else reads the files when something is first asked.
"""

import pickle
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import compress
from operator import not_
from typing import Literal, Protocol
from weakref import ReferenceType, ref

from collectors.layout import Readings
from collectors.profile import Match, Profile
from parvis.definition import Definition


class Candidate(Protocol):
    """A profile, as far as it has to be known to say whether it fits."""

    @property
    def profile(self) -> str:
        """Its name."""

    @property
    def layer(self) -> Literal["base", "device"]:
        """See Profile."""

    @property
    def match(self) -> tuple[Match, ...]:
        """See Profile."""

    def whole(self) -> Profile:
        """All of it: the same object as long as anybody has it."""


@dataclass(slots=True)
class Packed:
    """A profile folded up until a device is seen that it fits: a town has a few kinds of devices, and we know many."""

    profile: str
    layer: Literal["base", "device"]
    match: tuple[Match, ...]
    folded: bytes = field(repr=False)
    _whole: ReferenceType[Profile] | None = None

    def whole(self) -> Profile:
        """See Candidate."""
        found = self._whole() if self._whole else None
        if found is None:
            found = pickle.loads(zlib.decompress(self.folded))  # noqa: S301 what pack made, from our parent process
            self._whole = ref(found)
        return found


def pack(profile: Profile) -> Packed:
    """*profile*, folded up."""
    return Packed(profile.profile, profile.layer, profile.match, zlib.compress(pickle.dumps(profile), 9))


@dataclass(frozen=True, slots=True)
class Known:
    """Everything; see the module."""

    metrics: Mapping[str, Definition]
    """Every metric we may tell, in the order of a page."""
    modules: Mapping[str, frozenset[str]]
    """The metrics of each module of snmp_exporter."""
    foreign: frozenset[str]
    """Those of *metrics* that only modules name."""
    announced: tuple[str, ...]
    """Metrics that have their HELP and TYPE on the page even without a sample."""
    profiles: tuple[Candidate, ...]
    kinds: Mapping[str, str]
    """Kinds of traps, by OID."""

    def metric(self, name: str) -> Definition:
        """The metric called *name*; KeyError naming the nearest one."""
        if name not in self.metrics:
            near = get_close_matches(name, self.metrics, n=1)
            raise KeyError(f"no metric {name!r} is known" + (f"; did you mean {near[0]}?" if near else ""))
        return self.metrics[name]


_taken: list[Known] = []


def known() -> Known:
    """What was handed over; else what the files say."""
    if not _taken:
        from collectors.shipped import everything  # noqa: PLC0415 with pydantic and YAML, which the service spares

        _taken.append(everything())
    return _taken[0]


def take(handed: Known) -> None:
    """Know *handed* from now on."""
    _taken[:] = [handed]


def split(found: Readings) -> tuple[Readings, Readings]:
    """What the catalogue names, and what modules name."""
    foreign = known().foreign
    kinds = [part.layout.metric in foreign for part in found.parts]
    if not any(kinds):
        return found, Readings((), found.at, ())
    theirs = tuple(compress(found.parts, kinds))
    own = tuple(compress(found.parts, map(not_, kinds)))
    return Readings(found.base, found.at, own), Readings((), found.at, theirs)
